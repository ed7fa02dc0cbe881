"""Lists, and whose they are."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from hexwave_app.processes import Completed, Failed, ProviderJob
from tests.api.conftest import Guest
from tests.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def listed(guest: Guest, **query: Any) -> dict[str, Any]:
    answer = await guest.http.get("/api/processes", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_pages_together_are_the_whole_list(guest: Guest) -> None:
    """Newest first, each process once; the last page has no cursor."""
    begun = [(await guest.begin()).process_id for _ in range(5)]
    seen, cursor, pages = [], None, 0
    while True:
        page = await listed(guest, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [(process["createdAt"], process["processId"]) for process in page["processes"]]
        pages, cursor = pages + 1, page.get("cursor")
        if cursor is None:
            break
    assert pages == 3
    assert {process_id for _, process_id in seen} == set(begun)
    assert seen == sorted(seen, reverse=True)


async def test_filters_narrow_a_list(guest: Guest, server: Served) -> None:
    """By status, by category and by tool, alone and together."""
    running, done = await guest.begin(), await guest.begin()
    await server.services.processes.update(done.process_id, Completed(()))

    async def ids(**query: str) -> list[str]:
        return [process["processId"] for process in (await listed(guest, **query))["processes"]]

    assert await ids(status="processing") == [running.process_id]
    assert await ids(status="completed", category="image") == [done.process_id]
    assert set(await ids(toolName="image-generator")) == {running.process_id, done.process_id}
    assert await ids(category="video") == await ids(toolName="x") == await ids(status="failed") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "cancelled"}, "status"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": "eA=="}, "cursor"),
        # 0001-01-01|x: a time that has no place on the calendar once it is moved to UTC.
        ({"cursor": "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMHx4"}, "cursor"),
        ({"cursor": "x" * 201}, "cursor"),
        ({"sort": "best"}, "sort"),
        ({"search": "x" * 201}, "search"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "until"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"favourite": "perhaps"}, "favourite"),
    ],
)
async def test_a_list_names_the_parameter_it_cannot_use(
    guest: Guest, query: dict[str, str], field: str
) -> None:
    """422 with the wire name of the field."""
    answer = await guest.http.get("/api/processes", params=query)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_another_users_process_is_not_there(guest: Guest, stranger: Guest, server: Served) -> None:
    """Reading, cancelling, retrying, deleting, its files, its token: 404, as if it did not exist."""
    process = await guest.begin()
    await server.services.library.put(process.process_id, "0.webp", b"RIFF")
    url = f"/api/processes/{process.process_id}"
    refusals = [
        await stranger.http.get(url),
        await stranger.http.post(f"{url}/cancel"),
        await stranger.http.post(f"{url}/retry"),
        await stranger.http.delete(url),
        await stranger.http.get(f"/media/{process.process_id}/0.webp"),
        await stranger.http.put(f"{url}/favourite"),
        await stranger.http.delete(f"{url}/favourite"),
        await stranger.http.get("/api/ably/token", params={"processId": process.process_id}),
    ]
    assert [answer.status_code for answer in refusals] == [404] * len(refusals)
    missing = await stranger.http.get("/api/processes/p_nothing")
    assert refusals[0].json() == missing.json()
    assert (await listed(stranger))["processes"] == []
    assert (await guest.http.get(f"/media/{process.process_id}/0.webp")).status_code == 200
    assert (await guest.process(process.process_id))["sequence"] == 1


async def test_a_stranger_without_a_cookie_is_nobody(guest: Guest, server: Served) -> None:
    """No cookie reads nothing of anyone's, and is given one."""
    process = await guest.begin()
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get(f"/api/processes/{process.process_id}")
    assert answer.status_code == 404
    assert "HttpOnly" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "name", ["../secret.key", "..%2f..%2fsecret.key", "0.png", "0.WEBP", "%00.webp", "x" * 300]
)
async def test_media_names_are_its_own_only(guest: Guest, name: str) -> None:
    """Whatever is no name of a kept file is 404."""
    process = await guest.begin()
    answer = await guest.http.get(f"/media/{process.process_id}/{name}")
    assert answer.status_code == 404


async def test_every_filter_is_a_parameter(guest: Guest, server: Served) -> None:
    """Search, favourites, who made it, when, and the order; counted over all pages where asked."""
    first = await guest.begin(provider=ProviderJob(name="demo", model="painter-1"))
    second = await guest.begin(favourite=True, created_at=first.created_at + timedelta(seconds=1))

    async def ids(**query: str) -> list[str]:
        return [process["processId"] for process in (await listed(guest, **query))["processes"]]

    after, before = second.created_at.isoformat(), first.created_at.isoformat()
    assert await ids(search="LONG jo", sort="oldest") == [first.process_id, second.process_id]
    assert await ids(search="short") == await ids(model="none") == await ids(until=before) == []
    assert await ids(favourite="true") == await ids(since=after) == [second.process_id]
    assert await ids(provider="demo", model="painter-1") == await ids(until=after) == [first.process_id]
    page = await listed(guest, limit=1, count="true", brief="true")
    assert (page["count"], [process["processId"] for process in page["processes"]]) == (
        2,
        [second.process_id],
    )
    assert "events" not in page["processes"][0]


async def test_a_favourite_is_marked_and_unmarked(guest: Guest) -> None:
    """One by its own address, many at once; again is as good as once."""
    made = [(await guest.begin()).process_id for _ in range(2)]
    url = f"/api/processes/{made[0]}/favourite"
    for method, favourite in (("PUT", True), ("PUT", True), ("DELETE", False)):
        assert (await guest.http.request(method, url)).status_code == 204
        assert (await guest.process(made[0]))["favourite"] is favourite
    answer = await guest.http.post("/api/processes/favourite", json={"ids": made, "favourite": True})
    assert answer.json() == {"ids": made}
    assert [process["favourite"] for process in (await listed(guest))["processes"]] == [True, True]


async def test_many_are_deleted_and_brought_back(guest: Guest, stranger: Guest, server: Served) -> None:
    """At once, from everywhere; only one's own, and only what has ended."""
    done, runs = await guest.begin(), await guest.begin()
    await server.services.processes.update(done.process_id, Completed(()))
    await server.services.library.put(done.process_id, "0.png", b"x")
    body = {"ids": [done.process_id, runs.process_id, "p_none"]}
    file, document = f"/media/{done.process_id}/0.png", f"/api/processes/{done.process_id}"
    for act in ("discard", "restore", "favourite"):
        answer = await stranger.http.post(f"/api/processes/{act}", json=body | EXTRA.get(act, {}))
        assert answer.json() == {"ids": []}
    discarded = await guest.http.post("/api/processes/discard", json=body)
    assert discarded.json() == {"ids": [done.process_id]}
    assert [(await guest.http.get(url)).status_code for url in (file, document)] == [404, 404]
    assert [process["processId"] for process in (await listed(guest))["processes"]] == [runs.process_id]
    restored = await guest.http.post("/api/processes/restore", json=discarded.json())
    assert restored.json() == {"ids": [done.process_id]}
    assert [(await guest.http.get(url)).status_code for url in (file, document)] == [200, 200]


EXTRA = {"favourite": {"favourite": True}}


@pytest.mark.parametrize("act", ["discard", "restore", "favourite"])
async def test_five_hundred_at_once_and_no_more(guest: Guest, act: str) -> None:
    """422 with the field; nothing else is taken beside it."""
    for ids, status in ((["p"] * 500, 200), (["p"] * 501, 422), (["p" * 65], 422), ("p", 422)):
        answer = await guest.http.post(f"/api/processes/{act}", json={"ids": ids} | EXTRA.get(act, {}))
        assert answer.status_code == status, answer.text


async def test_an_ended_process_can_be_deleted_once(guest: Guest, server: Served) -> None:
    """The second time there is nothing to delete."""
    process = await guest.begin()
    await server.services.processes.update(process.process_id, Failed("No.", "provider_refused"))
    url = f"/api/processes/{process.process_id}"
    assert [(await guest.http.delete(url)).status_code for _ in range(2)] == [204, 404]
