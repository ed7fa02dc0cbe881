"""`LiveProcesses` in an app that is not ours: all of a user's, live, each end told once."""

from collections.abc import Callable
from typing import Any

from tests.live.conftest import MANY, Tab
from tests.security.page_socket import PageSocket


async def listed(page: PageSocket, wanted: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Return once the State's list is as `wanted`."""
    while True:
        shown = (await page.told()).get("delta", {}).get(MANY, {}).get("processes_rx_state_")
        if shown is not None and wanted(shown):
            return


def ids(shown: list[dict[str, Any]]) -> list[str]:
    return [each["process_id"] for each in shown]


async def test_it_lists_the_newest_first_and_what_begins_elsewhere(tab: Tab) -> None:
    """What another tab of the user begins comes within one look at the store."""
    first, second = await tab.begin(), await tab.begin()
    async with tab.open() as page:
        await page.emit("watch", state=MANY)
        await listed(page, lambda shown: ids(shown) == [second, first])
        third = await tab.begin()
        await listed(page, lambda shown: ids(shown) == [third, second, first])
        await tab.do("update", id=first, progress=40)
        await listed(page, lambda shown: shown[2]["data"]["progress"] == 40)


async def test_each_end_is_told_once_with_its_id(tab: Tab) -> None:
    """Completed and failed, across a reload, with the news published again."""
    first, second, marker = await tab.begin(), await tab.begin(), await tab.begin()
    async with tab.open() as page:
        await page.emit("watch", state=MANY)
        await listed(page, lambda shown: len(shown) == 3)
        await tab.do("update", id=first)
        await tab.until_told(1)
        await tab.do("publish", id=first)
    await tab.followers(0)
    await tab.do("update", id=second, error="The paper is out.")
    async with tab.open() as page:
        await page.emit("watch", state=MANY)
        await tab.until_told(2)
        await tab.do("update", id=marker)
        assert await tab.until_told(3) == [
            {"id": first, "completed": {"answer": 42}, "stored": "completed"},
            {"id": second, "failed": "The paper is out.", "stored": "failed"},
            {"id": marker, "completed": {"answer": 42}, "stored": "completed"},
        ]


async def test_what_is_deleted_leaves_the_list(tab: Tab) -> None:
    """Within one look at the store."""
    kept, deleted = await tab.begin(), await tab.begin()
    await tab.do("update", id=deleted)
    async with tab.open() as page:
        await page.emit("watch", state=MANY)
        await listed(page, lambda shown: ids(shown) == [deleted, kept])
        await tab.do("delete", id=deleted, user=tab.token)
        await listed(page, lambda shown: ids(shown) == [kept])
