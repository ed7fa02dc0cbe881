"""examples/react in a browser, beside the real server: another frontend follows by ably-js."""

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import PATIENCE, Server, free_port
from tests.examples.builds import EXAMPLES
from tests.live.reflex_server import environment

# The first run installs React and builds the page.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def built(pytestconfig: pytest.Config) -> Path:
    """The page as `npm install` and `npm run build` make it, kept between runs."""
    folder = pytestconfig.cache.mkdir("examples") / "react"
    files = [file for file in sorted((EXAMPLES / "react").iterdir()) if file.is_file()]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = folder / "digest"
    if not stamp.exists() or stamp.read_text() != digest:
        folder.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(file, folder)
        for words in (["install", "--no-package-lock", "--ignore-scripts"], ["run", "build"]):
            made = subprocess.run(
                ["npm", *words],
                cwd=folder,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=500,
            )
            assert made.returncode == 0, made.stdout + made.stderr
        stamp.write_text(digest)
    return folder


@pytest.fixture(scope="module")
def url(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is, and behind its own origin the server."""
    port, server = free_port(), Server(tmp_path_factory.mktemp("data"), free_port())
    url = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEXWAVE_PUBLIC_URL", url)
        server.start()
    preview = subprocess.Popen(
        ["npx", "vite", "preview", "--host", "127.0.0.1", "--port", str(port), "--strictPort"],
        cwd=built,
        env=environment(HEXWAVE_URL=server.url),
        start_new_session=True,
    )
    _wait_for(url)
    yield url
    os.killpg(preview.pid, signal.SIGTERM)
    preview.wait(30)
    server.stop()


def _wait_for(url: str) -> None:
    transport = httpx.HTTPTransport(retries=10)
    with httpx.Client(transport=transport) as http:
        http.get(url).raise_for_status()


def test_another_frontend_follows_a_process_to_its_end(browser: Browser, url: str) -> None:
    """Live progress, through a reload, one end, and a picture that loads."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.get_by_role("button", name="Generate").click()
    status = page.get_by_role("status")
    expect(status).to_contain_text("processing", timeout=PATIENCE)
    page.reload()
    expect(status).to_contain_text("completed 100%", timeout=60_000)
    expect(page.get_by_text("Ended 1 times")).to_be_visible()
    picture = page.get_by_role("presentation").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.close()
