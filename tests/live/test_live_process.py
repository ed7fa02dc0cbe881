"""`LiveProcess` in an app that is not ours: what its vars say, and that each end is told once."""

import json
from typing import Any

import pytest

from hexwave_app.live import LiveProcess
from tests.live.conftest import ONE, Tab
from tests.security.page_socket import PageSocket


async def shown(page: PageSocket, **vars: Any) -> dict[str, Any]:
    """The State's vars, `progress` and `result` of `data` beside them, once `vars` are among them."""
    known: dict[str, Any] = {}
    while not vars.items() <= known.items():
        delta = (await page.told()).get("delta", {}).get(ONE, {})
        known |= {name.removesuffix("_rx_state_"): value for name, value in delta.items()}
        known |= {name: known.get("data", {}).get(name) for name in ("progress", "result")}
    return known


async def follow(page: PageSocket, process_id: str) -> dict[str, Any]:
    await page.emit("follow", {"process_id": process_id}, state=ONE)
    return await shown(page, process_id=process_id)


async def test_its_vars_go_with_the_process(tab: Tab) -> None:
    """Processing with what is known of it, then completed with the result; never what was asked for."""
    process_id = await tab.begin()
    async with tab.open() as page:
        known = await follow(page, process_id)
        assert (known["status"], known["is_loading"], known["error"]) == ("processing", True, "")
        await tab.do("update", id=process_id, progress=40)
        await shown(page, status="processing", progress=40)
        await tab.do("update", id=process_id)
        known = await shown(page, status="completed", is_loading=False)
    assert known["result"] == {"answer": 42}
    assert "of the request" not in json.dumps(known)
    assert await tab.until_told(1) == [{"id": process_id, "completed": {"answer": 42}, "stored": "completed"}]


async def test_a_failure_is_told_with_its_sentence(tab: Tab) -> None:
    """`on_error`, and the vars beside it."""
    process_id = await tab.begin()
    async with tab.open() as page:
        await follow(page, process_id)
        await tab.do("update", id=process_id, error="The paper is out.")
        await shown(page, status="failed", error="The paper is out.", is_loading=False)
    assert await tab.until_told(1) == [{"id": process_id, "failed": "The paper is out.", "stored": "failed"}]


async def test_an_end_is_told_once_through_reloads_duplicates_and_old_news(tab: Tab) -> None:
    """Followed twice, loaded three times, published again and again, and out of order."""
    process_id, marker = await tab.begin(), await tab.begin()
    for progress in (20, 40, 60):
        async with tab.open() as page:
            await page.emit("follow", {"process_id": process_id}, state=ONE)
            await page.emit("watch", state=ONE)
            await tab.do("update", id=process_id, progress=progress)
            await shown(page, progress=progress)
    async with tab.open() as page:
        await page.emit("follow", {"process_id": process_id}, state=ONE)
        await tab.followers(1)
        await tab.do("publish", id=process_id, sequence=1)
        await tab.do("update", id=process_id)
        await tab.do("publish", id=process_id)
        await tab.do("publish", id=process_id, sequence=2)
        await shown(page, status="completed")
        await page.emit("watch", state=ONE)
    async with tab.open() as page:
        await page.emit("watch", state=ONE)
        await follow(page, marker)
        await tab.do("update", id=marker)
        told = await tab.until_told(2)
    assert [each["id"] for each in told] == [process_id, marker]


async def test_what_ended_while_the_tab_was_away_is_told_on_its_return(tab: Tab) -> None:
    """Once, with the data there, also where the page follows by an id in its address each time."""
    process_id = await tab.begin()
    async with tab.open() as page:
        await follow(page, process_id)
    await tab.followers(0)
    await tab.do("update", id=process_id)
    for event, payload in (("follow", {"process_id": process_id}), ("watch", {})):
        async with tab.open() as page:
            await page.emit(event, payload, state=ONE)
            assert [each["id"] for each in await tab.until_told(1)] == [process_id]


async def test_what_had_ended_before_it_was_followed_is_shown_and_not_told(tab: Tab) -> None:
    """Nobody waited for it."""
    process_id, marker = await tab.begin(), await tab.begin()
    await tab.do("update", id=process_id)
    async with tab.open() as page:
        assert (await follow(page, process_id))["status"] == "completed"
        await follow(page, marker)
        await tab.do("update", id=marker)
        assert [each["id"] for each in await tab.until_told(1)] == [marker]


async def test_each_tab_that_follows_is_told_for_itself(tab: Tab) -> None:
    """A tab is told of its own; another's process is none that it can follow."""
    stranger = Tab(tab.server, tab.http)
    process_id, marker = await tab.begin(), await stranger.begin()
    async with stranger.open() as page:
        await page.emit("follow", {"process_id": process_id}, state=ONE)
        assert (await follow(page, marker))["process_id"] == marker
        await tab.followers(1)


async def test_what_is_deleted_leaves_the_state_idle(tab: Tab) -> None:
    """Deleted while the tab was away, it is gone on its return, and no end is told."""
    process_id = await tab.begin()
    async with tab.open() as page:
        await follow(page, process_id)
    await tab.followers(0)
    await tab.do("update", id=process_id)
    await tab.do("delete", id=process_id, user=tab.token)
    async with tab.open() as page:
        await page.emit("watch", state=ONE)
        known = await shown(page, status="idle")
    assert (known["process_id"], known["is_loading"]) == ("", False)


async def test_no_browser_can_set_a_var_or_call_a_hook(tab: Tab) -> None:
    """Neither by Reflex's setvar, nor by an event of the hook's name."""
    process_id = await tab.begin()
    async with tab.open() as page:
        await follow(page, process_id)
        for name in ("status", "data", "error", "is_loading", "process_id", "_process"):
            await page.emit("setvar", {"var_name": name, "value": "completed"}, state=ONE)
        await page.emit("on_complete", {"data": {"result": {"answer": 0}}}, state=ONE)
        await page.emit("on_error", {"error": "forged"}, state=ONE)
        await tab.do("update", id=process_id, progress=64)
        await shown(page, status="processing", progress=64)
        await tab.do("update", id=process_id)
        assert [each.get("completed") for each in await tab.until_told(1)] == [{"answer": 42}]


def test_a_hook_that_waits_is_refused_where_it_is_written() -> None:
    """It would hold the State's lock for as long."""
    with pytest.raises(TypeError, match="plain method"):

        class Waiting(LiveProcess, mixin=True):
            async def on_complete(self, data: object) -> None: ...


async def test_what_ended_after_a_restart_of_the_server_is_told_once(tab: Tab) -> None:
    """Reflex keeps States on the disk unless told otherwise, and so what was followed."""
    process_id, marker = await tab.begin(), await tab.begin()
    async with tab.open() as page:
        await follow(page, process_id)
    await tab.followers(0)
    tab.server.stop()
    tab.server.start()
    await tab.do("update", id=process_id)
    for _ in range(2):
        async with tab.open() as page:
            await page.emit("watch", state=ONE)
            await tab.until_told(1)
    async with tab.open() as page:
        await follow(page, marker)
        await tab.do("update", id=marker)
        assert [each["id"] for each in await tab.until_told(2)] == [process_id, marker]
