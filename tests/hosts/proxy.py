"""A reverse proxy of the tests' own: Debian's nginx, with the configuration that is deployed."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import trustme

from tests.conftest import PATIENCE, free_port

INSTALL = "Install it (on Debian: apt-get install nginx-light)"
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"

_SERVERS = ("172.28.0.11:3000", "172.28.0.12:3000")


def program() -> str | None:
    # Debian has it where only root looks.
    return shutil.which("nginx", path=os.environ["PATH"] + os.pathsep + "/usr/sbin")


def configured(folder: Path, port: int, servers: Sequence[str]) -> Path:
    """The deployed configuration for places of this test, all in `folder`."""
    certificate = trustme.CA().issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "privkey.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "fullchain.pem"))
    text = CONFIGURATION.read_text()
    places = {
        "listen 80 ": f"listen 127.0.0.1:{free_port()} ",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/nginx/tls": str(folder),
        "/run/nginx.pid": str(folder / "nginx.pid"),
        **dict(zip(_SERVERS, servers, strict=True)),
    }
    for deployed, here in places.items():
        assert text.count(deployed) >= 1, f"{CONFIGURATION.name} has no {deployed!r}"
        text = text.replace(deployed, here)
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


@contextmanager
def running(folder: Path, port: int, servers: Sequence[str]) -> Iterator[str | None]:
    """Its URL, once it answers; `None` where there is no such program."""
    if (nginx := program()) is None:
        yield None
        return
    words = [nginx, "-p", str(folder), "-c", str(configured(folder, port, servers)), "-g", "daemon off;"]
    with (folder / "nginx.log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    url = f"https://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(url):
            assert process.poll() is None, (folder / "nginx.log").read_text()
            assert time.monotonic() < deadline, "nginx did not come up"
            time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(url: str) -> bool:
    try:
        return bool(httpx.get(url, verify=False, timeout=2).status_code)
    except httpx.HTTPError:
        return False
