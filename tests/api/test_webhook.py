"""What a provider may tell us, and how it proves that it may."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hexwave_app.processes import Process, Progressed, ProviderJob, Submitted
from tests.api.conftest import Guest
from tests.conftest import Served, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATE = {"status": "processing", "progress": 40}


def token(server: Served, process: Process) -> str:
    return parse_qs(urlsplit(server.services.webhooks.url("image", process.process_id)).query)["token"][0]


async def report(server: Served, process: Process, body: Any = LATE, **query: str) -> httpx.Response:
    """Told without any cookie, as providers do."""
    params = {"processId": process.process_id, "token": token(server, process)} | query
    async with httpx.AsyncClient(base_url=server.url) as http:
        if isinstance(body, bytes):
            return await http.post("/api/webhook/image", params=params, content=body)
        return await http.post("/api/webhook/image", params=params, json=body)


async def test_a_report_moves_its_process(guest: Guest, server: Served) -> None:
    """`{ok: true}`, and the progress is there soon after; no cookie is made for the provider."""
    process = await guest.begin()
    answer = await report(server, process)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert "set-cookie" not in answer.headers

    async def moved() -> bool:
        return (await guest.process(process.process_id))["data"].get("progress") == 40

    await eventually(moved)


async def test_what_changed_nothing_is_in_the_timeline(guest: Guest, server: Served) -> None:
    """A late report, and one that is doubled: `ignored`, and why."""
    process = await guest.begin()
    await server.services.processes.update(process.process_id, Progressed(60))
    assert (await report(server, process)).status_code == 200

    async def noted() -> list[dict[str, Any]] | None:
        events = (await guest.process(process.process_id))["events"]
        return events if events[-1]["type"] == "ignored" else None

    line = (await eventually(noted))[-1]
    assert (line["source"], line["sequence"], line["detail"]) == ("webhook", 2, "Late news")
    await report(server, process, {"status": "error", "error": "x"})
    await report(server, process, {"status": "error", "error": "x"})
    last = (await guest.process(process.process_id))["events"][-1]
    assert (last["type"], last["detail"]) == ("ignored", "Already failed")


async def test_a_provider_that_is_not_set_up_is_refused(guest: Guest, server: Served) -> None:
    """An old process's provider cannot be verified any more."""
    process = await guest.begin(provider=ProviderJob(name="gone"))
    answer = await report(server, process, {"status": "error", "error": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "webhook_refused")
    assert (await guest.process(process.process_id))["status"] == "processing"


@pytest.mark.parametrize("wrong", ["", "x", "é", "\u202e\U0001f600", "0" * 64, "0" * 201])
async def test_a_wrong_token_changes_nothing(guest: Guest, server: Served, wrong: str) -> None:
    """401 (or 422 where it could never be one), whatever the text, and the process stays as it was."""
    process = await guest.begin()
    answer = await report(server, process, {"status": "error", "error": "x"}, token=wrong)
    assert answer.status_code == (422 if len(wrong) > 200 else 401)
    assert await server.services.processes.load(process.process_id) == process


async def test_no_token_changes_nothing(guest: Guest, server: Served) -> None:
    """The process id alone is no proof."""
    process = await guest.begin()
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/webhook/image", params={"processId": process.process_id}, json=LATE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "webhook_refused")
    assert await server.services.processes.load(process.process_id) == process


async def test_the_token_of_another_process_changes_nothing(guest: Guest, server: Served) -> None:
    """Each token opens one process."""
    process, other = await guest.begin(), await guest.begin()
    assert (await report(server, process, token=token(server, other))).status_code == 401
    assert await server.services.processes.load(process.process_id) == process


async def test_a_report_of_another_job_changes_nothing(guest: Guest, server: Served) -> None:
    """Even with the right token, the job must be the process's own."""
    begun = await guest.begin()
    process = await server.services.processes.update(begun.process_id, Submitted("job-1"))
    answer = await report(server, process, {"status": "error", "error": "x", "jobId": "job-2"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "webhook_refused")
    assert await server.services.processes.load(process.process_id) == process


async def test_an_unknown_process_is_404(server: Served, guest: Guest) -> None:
    """Once its process is deleted, a well-signed report has nowhere to go."""
    process = await guest.begin()
    await guest.http.post(f"/api/processes/{process.process_id}/cancel")
    await guest.http.delete(f"/api/processes/{process.process_id}")
    answer = await report(server, process)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "process_not_found")


@pytest.mark.parametrize("category", ["video", "audio", "x"])
async def test_the_wrong_category_is_404(guest: Guest, server: Served, category: str) -> None:
    """An image process has no other webhook."""
    process = await guest.begin()
    params = {"processId": process.process_id, "token": token(server, process)}
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post(f"/api/webhook/{category}", params=params, json=LATE)
    assert answer.status_code == 404
    assert await server.services.processes.load(process.process_id) == process


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"\xff\xfe", 400, None),
        (b"[" * 200_000, 400, None),
        (b"[]", 422, "status"),
        (b"null", 422, "status"),
        (b"{}", 422, "status"),
        (b'{"status": "done"}', 422, "status"),
        (b'{"status": "success"}', 422, "images"),
        (b'{"status": "success", "images": []}', 422, "images"),
        (b'{"status": "success", "images": [7]}', 422, "images.0"),
        (b'{"status": "error"}', 422, "error"),
        (b'{"status": "processing", "progress": 101}', 422, "progress"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_report_that_is_none_is_refused(
    guest: Guest, server: Served, body: bytes, status: int, field: str | None
) -> None:
    """400 for what is not JSON, 422 with the field for what is not the contract's."""
    process = await guest.begin()
    answer = await report(server, process, body)
    assert (answer.status_code, answer.json()["error"].get("field")) == (status, field)
    assert await server.services.processes.load(process.process_id) == process


async def test_no_process_id_is_422(server: Served) -> None:
    """The parameter is named."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/webhook/image", json=LATE)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "processId")


async def test_each_webhook_has_its_verdict(server: Served, guest: Guest) -> None:
    """For whoever looks for the reason of silence; neither its headers nor its token are kept."""
    process = await guest.begin()
    url = server.services.webhooks.url("image", process.process_id)
    wrong = url[:-4] + "AAAA"
    for each in (wrong, url, url):
        await guest.http.post(each, json={"status": "error", "error": "No"})

    def seen() -> list[tuple[str, str]]:
        log = server.services.activity.webhooks.newest
        return [(each.verdict, each.reason) for each in log if each.process_id == process.process_id]

    (again, first, refused) = seen()
    assert (again, first) == (("ignored", "Already failed"), ("accepted", ""))
    assert refused[0] == "refused"
    assert "token" in refused[1]
    assert url.rpartition("=")[2] not in str(server.services.activity.webhooks.newest)
