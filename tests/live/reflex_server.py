"""An app of Reflex that is not ours, served in a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
START = 60.0
_PRODUCTION = {
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_USE_NPM": "1",
    "REFLEX_DIR": str(ROOT / ".venv" / "reflex"),
    "PYTHONPATH": str(ROOT),
}


def environment(**more: str) -> dict[str, str]:
    """Python's own programs first on the path: Node is one of them."""
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    return os.environ | {"PATH": path} | _PRODUCTION | more


@dataclass
class ReflexServer:
    """`app` is module:variable, found in `folder` beside rxconfig.py; `pages` serves what is built."""

    folder: Path
    app: str
    pages: bool = False
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        # Said either way: a test of ours in this process may have said it for all.
        mounts = "true" if self.pages else "false"
        compiled = {"__REFLEX_SKIP_COMPILE": "true", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": mounts}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
                *("--log-level", "warning", "--port", str(self.port), self.app),
            ],
            cwd=self.folder,
            env=environment(**compiled),
            start_new_session=True,
        )
        deadline = time.monotonic() + START
        while not self._answers():
            assert self.process.poll() is None, "the server ended before it served"
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/ping", timeout=2).is_success
        return False


@contextmanager
def served(folder: Path, app: str, pages: bool = False) -> Iterator[ReflexServer]:
    server = ReflexServer(folder, app, pages)
    server.start()
    try:
        yield server
    finally:
        server.stop()
