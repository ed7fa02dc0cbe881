"""An API that takes jobs and says nothing of them: what is reported, and where, is up to the test."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
from PIL import Image

from tests.conftest import PATIENCE
from tests.hosts.host import Host


@dataclass
class ExternalApi:
    """The jobs it took, in order; it is at `url`."""

    url: str
    jobs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def report(self, job: dict[str, Any], host: Host, **said: Any) -> None:
        """POST a report to `host`, wherever the webhook's own URL leads."""
        asked = urlsplit(job["webhook_url"])
        answer = httpx.post(f"{host.url}{asked.path}?{asked.query}", json=said, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text

    def finish(self, job: dict[str, Any], host: Host) -> None:
        self.report(job, host, status="success", images=[f"{self.url}/picture.png"])


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@contextmanager
def external_api() -> Iterator[ExternalApi]:
    content = _picture()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            api.jobs.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b'{"id": "job-%d"}' % len(api.jobs), "application/json")

        def do_GET(self) -> None:
            self._answer(content, "image/png")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api = ExternalApi(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
