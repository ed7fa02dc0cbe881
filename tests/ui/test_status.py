"""Following live: every follower has an end, and what ends is told once."""

import contextlib
from collections.abc import Iterator

import pytest
import socketio
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect
from socketio.exceptions import ConnectionError

from hexwave_app.live.tab import feeds
from hexwave_app.processes import Completed, Failed, Process, Progressed, StatusMessage, transition
from hexwave_app.processes.model import utc_now
from hexwave_app.ui.pages.studio import StudioState
from tests.ui.conftest import PATIENCE, Live, cookie_header, eventually

DONE = Completed(("/media/none/0.webp",))

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture
def context(browser: Browser, live: Live) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=live.url)
    yield context
    context.close()
    eventually(lambda: feeds() == 0)


def tab(context: BrowserContext, live: Live) -> Page:
    page = context.new_page()
    before = feeds()
    page.goto("/")
    eventually(lambda: feeds() == before + 1)
    return page


def begun(context: BrowserContext, live: Live) -> Process:
    return live.begin(live.user_id(context))


def followers(live: Live) -> tuple[int, int]:
    return live.services.processes.followers, live.services.channel.topics


def test_closing_the_tab_leaves_no_follower_behind(context: BrowserContext, live: Live) -> None:
    """Neither the feed, nor the follower, nor the attached channel."""
    page = tab(context, live)
    process = begun(context, live)
    expect(page.locator(f"#job-{process.process_id}")).to_be_visible()
    eventually(lambda: followers(live) == (1, 1))
    page.close()
    eventually(lambda: (feeds(), *followers(live)) == (0, 0, 0))
    live.update(process, DONE)


def test_a_tab_that_crashes_leaves_no_follower_behind(context: BrowserContext, live: Live) -> None:
    """No farewell is needed: the lost connection is enough."""
    page = tab(context, live)
    process = begun(context, live)
    eventually(lambda: followers(live) == (1, 1))
    with contextlib.suppress(Error):
        page.goto("chrome://crash")
    eventually(lambda: (feeds(), *followers(live)) == (0, 0, 0))
    live.update(process, DONE)


def test_two_tabs_share_one_channel_and_each_has_its_own_follower(
    context: BrowserContext, live: Live
) -> None:
    """Closing one does not deafen the other."""
    first = tab(context, live)
    process = begun(context, live)
    other = tab(context, live)
    eventually(lambda: followers(live) == (2, 1))
    first.close()
    eventually(lambda: followers(live) == (1, 1))
    live.update(process, Progressed(64))
    expect(other.get_by_text("64%")).to_be_visible()
    live.update(process, DONE)


def test_a_reload_leaves_one_follower(context: BrowserContext, live: Live) -> None:
    """The old one ends with the old connection."""
    page = tab(context, live)
    process = begun(context, live)
    for _ in range(3):
        page.reload()
        expect(page.locator(f"#job-{process.process_id}")).to_be_visible()
    eventually(lambda: (feeds(), *followers(live)) == (1, 1, 1))
    live.update(process, DONE)


def test_an_ended_job_is_told_once_to_each_tab_that_saw_it_run(
    context: BrowserContext, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Across a reload, a second watcher, and the same news published again and again."""
    told: list[str] = []
    ended = StudioState._ended

    def counted(self: StudioState, process: Process) -> list:
        told.append(process.process_id)
        return ended(self, process)

    monkeypatch.setattr(StudioState, "_ended", counted)
    page = tab(context, live)
    process = begun(context, live)
    row = page.locator(f"#job-{process.process_id}")
    expect(row).to_be_visible()
    page.reload()
    expect(row).to_be_visible()
    after = live.update(process, DONE)
    for _ in range(3):
        live.run(live.services.channel.publish(StatusMessage.of(after)))
    expect(row).to_have_attribute("data-state", "done")
    page.reload()
    expect(row).to_have_attribute("data-state", "done")
    marker = begun(context, live)
    expect(page.locator(f"#job-{marker.process_id}")).to_be_visible()
    assert told == [process.process_id]
    live.update(marker, Failed("It failed.", "timeout"))


def test_what_ably_lost_is_read_from_the_store(
    context: BrowserContext, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that never comes costs seconds, not the result."""
    page = tab(context, live)
    process = begun(context, live)
    row = page.locator(f"#job-{process.process_id}")
    expect(row).to_be_visible()

    async def nothing(self: object, message: StatusMessage) -> None: ...

    def nobody(self: object, message: StatusMessage) -> None: ...

    monkeypatch.setattr(type(live.services.channel), "publish", nothing)
    monkeypatch.setattr(type(live.services.channel), "notify", nobody)
    live.update(process, DONE)
    expect(row).to_have_attribute("data-state", "done")


def test_a_favourite_of_another_tab_is_one_here_and_back(context: BrowserContext, live: Live) -> None:
    """Within one look at the store, though a mark is no news that followers are told."""
    page = tab(context, live)
    process = begun(context, live)
    live.update(process, DONE)
    heart = page.locator(f"#job-{process.process_id}").get_by_role("button", name="Favourite")
    expect(heart).to_have_attribute("aria-pressed", "false")
    for pressed, said in ((True, "true"), (False, "false")):
        live.run(live.services.processes.favour([process.process_id], process.user_id, pressed))
        expect(heart).to_have_attribute("aria-pressed", said)


def test_late_news_does_not_take_the_page_back(context: BrowserContext, live: Live) -> None:
    """A message that was overtaken is dropped by its sequence."""
    page = tab(context, live)
    process = begun(context, live)
    early = StatusMessage.of(transition(process, Progressed(10), utc_now()))
    live.update(process, Progressed(64))
    row = page.locator(f"#job-{process.process_id}")
    expect(row).to_contain_text("64%")
    live.run(live.services.channel.publish(early))
    live.update(process, Progressed(80))
    expect(row).to_contain_text("80%")
    live.update(process, DONE)


def test_a_job_deleted_elsewhere_leaves_the_page_until_it_is_restored(
    context: BrowserContext, live: Live
) -> None:
    """Within one look at the store."""
    page = tab(context, live)
    process = live.update(begun(context, live), DONE)
    row = page.locator(f"#job-{process.process_id}")
    expect(row).to_be_visible()
    live.run(live.services.processes.discard([process.process_id], process.user_id))
    expect(row).to_have_count(0)
    live.run(live.services.processes.restore([process.process_id], process.user_id))
    expect(row).to_be_visible()


def test_a_watcher_that_a_click_began_ends_with_its_tab(live: Live, context: BrowserContext) -> None:
    """Reflex would let it run for ever: it looks for itself whether the tab is there."""
    tab(context, live).close()
    eventually(lambda: feeds() == 0)
    with socketio.SimpleClient() as client:
        client.connect(
            f"{live.url}/?token=a-tab",
            headers={"Cookie": cookie_header(context)},
            namespace="/_event",
            socketio_path="/_event",
            transports=["websocket"],
        )
        watch = {
            "name": f"{StudioState.get_full_name()}.watch",
            "payload": {},
            "router_data": {"pathname": "/"},
        }
        client.emit("event", watch)
        eventually(lambda: feeds() == 1)
    eventually(lambda: feeds() == 0)


def test_a_socket_without_a_session_is_refused(live: Live) -> None:
    """A page brings the cookie; what comes without one is no page of ours."""
    with socketio.SimpleClient() as client, pytest.raises(ConnectionError):
        client.connect(
            f"{live.url}/?token=a-tab", namespace="/_event", socketio_path="/_event", transports=["websocket"]
        )
