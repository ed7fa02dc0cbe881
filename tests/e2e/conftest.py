"""A real server in a process of its own, and a real browser."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
START = 60.0
PATIENCE = 60_000.0
"""Milliseconds that a test waits for something the page should show; it never takes that long."""

_FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")


@dataclass
class Server:
    """`dev.py run` with a data directory and a port of its own; can be killed and started again.

    What it prints goes to `log`, where one is given.
    """

    data_dir: Path
    port: int
    log: Path | None = None
    folder: Path | None = None
    settings: dict[str, str] = field(default_factory=dict[str, str])
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(self.log.open("ab")) if self.log is not None else None
            self.process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=os.environ | {"HEXWAVE_DATA_DIR": str(self.data_dir), **self.settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START
        while not self._answers():
            assert self.process.poll() is None, "the server ended before it served"
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.05)

    def _command(self) -> list[str]:
        return [sys.executable, str(ROOT / "dev.py"), "run", "--port", str(self.port)]

    def stop(self) -> None:
        """Ctrl+C."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None
            deadline = time.monotonic() + START
            while not self._free():
                assert time.monotonic() < deadline, "the server outlived its parent"
                time.sleep(0.05)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _free(self) -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                return False
            return True

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/api/health", timeout=2).is_success
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"), free_port())
    server.start()
    yield server
    server.stop()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = os.environ.get("HEXWAVE_TEST_BROWSER")
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


# Playwright's own event loop runs for as long as it is open, and would be in the way of async tests:
# it is opened a module at a time, and these modules have none.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """A fresh guest."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """The Studio, connected and loaded."""
    return studio(context)


def studio(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/")
    page.get_by_text("Start with a sentence").or_(page.locator("article").first).first.wait_for()
    return page
