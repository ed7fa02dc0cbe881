"""The whole app inside the test's process, so that what it holds can be counted."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import uvicorn
from playwright.sync_api import BrowserContext

from hexwave_app.processes import Process, ProviderJob, Update
from hexwave_app.services import Services, current
from tests.e2e.conftest import browser, free_port

__all__ = ["browser"]

T = TypeVar("T")
PATIENCE = 60.0
_PRODUCTION = {
    "REFLEX_ENV_MODE": "prod",
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
}


@dataclass
class Live:
    """The app in a thread of its own, on its own event loop."""

    port: int
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def services(self) -> Services:
        return current()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def begin(
        self, user_id: str, prompt: str = "A long job", count: int = 1, category: str = "image"
    ) -> Process:
        """A process of the user that nobody works on: it runs until the test says otherwise."""
        process = Process.begin(
            user_id=user_id,
            tool_name="image-generator",
            category=category,
            req={"prompt": prompt, "aspectRatio": "1:1", "count": count, "seed": 7},
            provider=ProviderJob(name="demo"),
        )
        return self.run(self.services.processes.create(process))

    def update(self, process: Process, update: Update) -> Process:
        return self.run(self.services.processes.update(process.process_id, update))

    def user_id(self, context: BrowserContext) -> str:
        """Whose browser this is."""
        user = self.services.sessions.user(cookie_header(context))
        assert user is not None
        return user.id


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Signals belong to the test run."""


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One for the whole run: Reflex's app is a module, and a module is there once."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _PRODUCTION.items():
            patch.setenv(name, value)
        patch.setenv("HEXWAVE_DATA_DIR", str(tmp_path_factory.mktemp("live")))
        patch.setenv("HEXWAVE_PORT", str(port))
        from hexwave_app.hexwave_app import app

        server = _Server(uvicorn.Config(app(), port=port, log_config=None, ws="websockets-sansio"))
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
        thread.start()
        _wait(lambda: server.started)
        yield Live(port, loop)
        server.should_exit = True
        thread.join(PATIENCE)
        loop.close()
    assert not thread.is_alive()


def _wait(condition: Any) -> None:
    deadline = threading.Event()
    timer = threading.Timer(PATIENCE, deadline.set)
    timer.start()
    while not condition():
        assert not deadline.wait(0.01)
    timer.cancel()


def cookie_header(context: BrowserContext) -> str:
    return "; ".join(f"{cookie.get('name')}={cookie.get('value')}" for cookie in context.cookies())


def eventually(condition: Any) -> None:
    """Wait for `condition` of the app's own counters; fail when it does not come."""
    _wait(condition)
