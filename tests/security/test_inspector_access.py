"""Who may see what everybody does: those who are named, where others than this machine are let in."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from hexwave_app.identity.secret import Secret
from hexwave_app.identity.session import Sessions, User
from hexwave_app.ui.pages.inspector import InspectorState
from tests.conftest import PATIENCE
from tests.e2e.conftest import Server, free_port
from tests.security.page_socket import PageSocket

INSPECTOR = InspectorState.get_full_name()
SECRET = "the-secret-of-an-installation-for-others"
ADMIN = User("g_administratorofthisapp", int(time.time()))

PAYLOADS: dict[str, dict[str, object]] = {
    "enter": {},
    "follow_activity": {},
    "follow_health": {},
    "check_now": {},
    "look_up": {"form": {"process": ""}},
    "replay": {"number": 1},
}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that others than this machine may reach."""
    server = Server(tmp_path_factory.mktemp("public"), free_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEXWAVE_PUBLIC_URL", "http://hexwave.test")
        patch.setenv("HEXWAVE_SECRET_KEY", SECRET)
        patch.setenv("HEXWAVE_ADMINS", f"user_nobody, {ADMIN.id}")
        server.start()
    yield server
    server.stop()


@asynccontextmanager
async def visitor(public: Server, user: User | None = None) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=public.url, timeout=PATIENCE) as http:
        if user is not None:
            cookie = Sessions(Secret(SECRET), secure=False).cookie(user).split(";")[0]
            http.cookies.set(*cookie.split("=", 1))
        await http.get("/api/processes")
        yield http


def test_these_are_all_its_handlers() -> None:
    """Besides those by which every page follows its own user's processes."""
    assert set(InspectorState.event_handlers) - {"watch", "show_older"} == PAYLOADS.keys()


async def test_an_outsider_is_sent_nothing(public: Server) -> None:
    """Whatever is asked of it, by an id that is real: no line, no tile, no document, no toast."""
    async with visitor(public) as guest:
        begun = await guest.post("/api/generate-image", json={"prompt": "A secret harbour"})
        process_id = begun.json()["processId"]
    async with visitor(public) as stranger, PageSocket.open(public.url, stranger) as page:
        for name, payload in PAYLOADS.items():
            asked = {"form": {"process": process_id}} if name == "look_up" else payload
            await page.emit(name, asked, state=INSPECTOR)
        told = await page.told_until_now()
    own = [update.get("delta", {}).get(INSPECTOR, {}) for update in told]
    values = {name: value for each in own for name, value in each.items()}
    assert values.get("decided_rx_state_") is True
    assert values.get("allowed_rx_state_", False) is False
    assert "secret harbour" not in str(told)
    assert process_id not in str(told)
    assert "inspector.begin" not in str(told)
    assert not any(values.get(f"{name}_rx_state_") for name in ("tiles", "troubles", "received", "checked"))
    assert "toast" not in str(told)


async def test_an_administrator_is_told(public: Server) -> None:
    """The same events, from one who is named."""
    async with visitor(public, ADMIN) as admin, PageSocket.open(public.url, admin) as page:
        await page.emit("enter", state=INSPECTOR)
        while not (await page.told()).get("delta", {}).get(INSPECTOR, {}).get("allowed_rx_state_"):
            pass
        await page.emit("follow_activity", state=INSPECTOR)
        while "window.hexwave.inspector.begin(" not in str(await page.told()):
            pass
        await page.emit("check_now", state=INSPECTOR)
        while "Not set up" not in str(await page.told()):
            pass
