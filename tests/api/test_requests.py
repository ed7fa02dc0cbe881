"""Each bad input has an answer of its own."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hexwave_app.api.body_limit import BODY_LIMIT
from tests.api.conftest import Guest
from tests.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

GENERATE = "/api/generate-image"
JSON = {"Content-Type": "application/json"}


def error(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field; the form itself is checked."""
    body = answer.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() - {"field"} == {"code", "message"}
    assert body["error"]["message"].endswith(".")
    return answer.status_code, body["error"]["code"], body["error"].get("field")


async def nothing_begun(guest: Guest) -> bool:
    return (await guest.http.get("/api/processes")).json() == {"processes": []}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n\t"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"prompt": "a" * 2001}, "prompt"),
        ({"prompt": "a", "negativePrompt": "a" * 2001}, "negativePrompt"),
        ({"prompt": "a", "count": 0}, "count"),
        ({"prompt": "a", "count": 5}, "count"),
        ({"prompt": "a", "count": "2"}, "count"),
        ({"prompt": "a", "count": 1.0}, "count"),
        ({"prompt": "a", "count": True}, "count"),
        ({"prompt": "a", "seed": -1}, "seed"),
        ({"prompt": "a", "seed": 2**32}, "seed"),
        ({"prompt": "a", "aspectRatio": "5:1"}, "aspectRatio"),
        ({"prompt": "a", "style": "oil"}, "style"),
        ({"prompt": "a", "model": "x"}, "model"),
        ({"prompt": "a", "provider": "nobody"}, "provider"),
        ({"prompt": "a", "steps": 30}, "steps"),
        ({"prompt": "a", "webhook_url": "http://127.0.0.1/"}, "webhook_url"),
        ([], "body"),
        ("a", "body"),
        (None, "body"),
    ],
)
async def test_a_wrong_field_is_named(guest: Guest, asked: Any, field: str) -> None:
    """422 `invalid_request` with the field's wire name, and nothing is begun."""
    assert error(await guest.http.post(GENERATE, json=asked)) == (422, "invalid_request", field)
    assert await nothing_begun(guest)


async def test_the_messages_of_the_commonest_mistakes_differ(guest: Guest) -> None:
    """Missing, empty, over-long and unknown each say which it is."""
    asked = ({}, {"prompt": ""}, {"prompt": "a" * 2001}, {"prompt": "a", "x": 1})
    said = [(await guest.http.post(GENERATE, json=body)).json()["error"]["message"] for body in asked]
    for message, words in zip(said, ("missing", "empty", "longer than 2000", "not a field"), strict=True):
        assert words in message


async def test_a_prompt_of_the_greatest_length_is_taken(guest: Guest) -> None:
    """2000 characters, whatever they are; space around them does not count."""
    answer = await guest.http.post(GENERATE, json={"prompt": f"  {'é' * 2000} "})
    assert answer.status_code == 200
    await guest.http.post(f"/api/processes/{answer.json()['processId']}/cancel")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"prompt=a",
        b'{"prompt": "a\xff"}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}",
        b'{"prompt": "\\ud800"}',
        b'{"prompt": "a", "\\ud800": 1}',
        b'{"prompt": "a", "seed": NaN}',
    ],
    ids=lambda body: body[:12].decode(errors="replace"),
)
async def test_a_body_that_is_no_request_is_refused(guest: Guest, body: bytes) -> None:
    """Not JSON, not UTF-8, nested without end, numbers without end: 400 or 422, never a crash."""
    status, code, _ = error(await guest.http.post(GENERATE, content=body, headers=JSON))
    assert (status, code) in {(400, "invalid_json"), (422, "invalid_request")}
    assert await nothing_begun(guest)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_only_json_is_taken(guest: Guest, kind: str) -> None:
    """A form of a foreign site can send other types without asking; none of them begins anything."""
    answer = await guest.http.post(GENERATE, content=b'{"prompt": "a"}', headers={"Content-Type": kind})
    assert error(answer)[0] == 422
    assert "application/json" in answer.json()["error"]["message"]
    assert await nothing_begun(guest)


async def chunked(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 65_536):
        yield b" " * 65_536


@pytest.mark.parametrize("path", [GENERATE, "/api/webhook/image?processId=p_x&token=x", "/api/nothing"])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
async def test_a_huge_body_is_413(guest: Guest, path: str, declared: bool) -> None:
    """Whether its length is declared or not, and the sender gets to read why."""
    size = 2 * BODY_LIMIT
    content = b" " * size if declared else chunked(size)
    answer = await guest.http.post(path, content=content, headers=JSON)
    assert error(answer) == (413, "request_too_large", None)


async def test_a_body_at_the_limit_is_read(guest: Guest) -> None:
    """Refused for what it says, not for its size."""
    body = b'{"prompt": ""' + b" " * (BODY_LIMIT - 14) + b"}"
    assert len(body) == BODY_LIMIT
    assert error(await guest.http.post(GENERATE, content=body, headers=JSON))[2] == "prompt"


@pytest.mark.parametrize("length", ["0", "256"])
async def test_an_idempotency_key_has_a_length(guest: Guest, length: str) -> None:
    """One to 255 characters; anything else is named."""
    headers = {"Idempotency-Key": "k" * int(length)}
    answer = await guest.http.post(GENERATE, json={"prompt": "a"}, headers=headers)
    assert error(answer)[0] == 422
    assert await nothing_begun(guest)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("POST", "/api/generate-music", 404),
        ("DELETE", "/api/", 404),
        ("GET", GENERATE, 405),
        ("PUT", "/api/processes", 405),
        ("GET", "/api/webhook/image", 405),
    ],
)
async def test_an_unknown_path_answers_in_json(guest: Guest, method: str, path: str, status: int) -> None:
    """404, or 405 where another method would do."""
    assert error(await guest.http.request(method, path))[0] == status


async def test_a_path_of_its_own_is_no_process(guest: Guest) -> None:
    """What it does not take is told of it alone, though it has the form of a process's path."""
    answer = await guest.http.request("OPTIONS", "/api/processes/favourite")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    answer = await guest.http.request("OPTIONS", "/api/processes/p_x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, DELETE")


async def test_the_docs_need_no_other_host(guest: Guest) -> None:
    """Every script, style and icon of `/api/docs` is served from here."""
    page = await guest.http.get("/api/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert assets
    for asset in assets:
        assert (await guest.http.get(asset)).status_code == 200, asset


async def test_openapi_tells_every_route(guest: Guest) -> None:
    """The contract's routes are in the document; the catch-all is not."""
    told = (await guest.http.get("/api/openapi.json")).json()["paths"]
    assert "/api/{path}" not in told
    assert told.keys() >= {
        "/api/generate-image",
        "/api/webhook/{category}",
        "/api/ably/token",
        "/api/processes",
        "/api/processes/{process_id}",
        "/api/processes/{process_id}/cancel",
        "/api/processes/{process_id}/retry",
        "/api/health",
        "/media/{process_id}/{name}",
    }


async def test_health_answers_without_a_session(server: Served) -> None:
    """And makes no guest of whoever asks."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get("/api/health")
    assert answer.json() == {"status": "up", "live": "up"}
    assert "set-cookie" not in answer.headers
