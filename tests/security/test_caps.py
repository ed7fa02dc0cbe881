"""What is too deep or too much, before anything parses it."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexwave_app.api.body_limit import DEPTH_LIMIT
from hexwave_app.api.header_limit import HEADER_LIMIT
from hexwave_app.api.json_depth import json_depth

JSON = {"Content-Type": "application/json"}
ROUTES = ["/api/generate-image", "/api/processes/p_x/cancel", "/api/webhook/image?processId=p_x&token=x"]

texts = st.recursive(
    st.none() | st.booleans() | st.text(alphabet='[]{}"\\a') | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[]{}"\\a'), inner),
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(texts)
def test_the_depth_of_json_is_found_without_parsing_it(value: object) -> None:
    """Brackets within strings open nothing, however they are escaped."""
    assert json_depth(json.dumps(value).encode()) == depth(value)


@given(st.text(alphabet='[]{}"\\a,:').map(str.encode) | st.binary())
def test_anything_has_a_depth(text: bytes) -> None:
    """Also what is no JSON."""
    assert 0 <= json_depth(text) <= len(text)


@pytest.mark.parametrize(
    "text", [b'\\"' * 500_000, b'"' + b'\\"' * 500_000 + b"\\", b"[]" * 500_000, b"[" * 1_000_000]
)
def test_no_text_takes_long(text: bytes) -> None:
    """A scan that looked at a character more than a few times would not end before the test does."""
    assert json_depth(text) >= 0


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"prompt":"a","x":' + b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT + b"}",
    ],
    ids=["arrays", "objects", "well-formed"],
)
async def test_json_that_is_too_deep_is_400(guest: httpx.AsyncClient, path: str, body: bytes) -> None:
    """Wherever it is sent, before a field of it or the token beside it is looked at."""
    answer = await guest.post(path, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")


async def test_json_at_the_limit_is_read(guest: httpx.AsyncClient) -> None:
    """Refused for what it says; brackets that are words count for nothing."""
    deep = b"[" * (DEPTH_LIMIT - 1) + b"]" * (DEPTH_LIMIT - 1)
    for body in (b'{"prompt":"a","x":' + deep + b"}", b'{"prompt":"' + b"[" * 200 + b'","x":1}'):
        answer = await guest.post(ROUTES[0], content=body, headers=JSON)
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, "x")


@pytest.mark.parametrize("path", ["/", "/api/processes", "/api/health"])
async def test_too_many_headers_are_431(guest: httpx.AsyncClient, path: str) -> None:
    """One that is long or many that are short; up to the limit all is well."""
    many = {f"X-Filler-{number}": "x" * 1000 for number in range(33)}
    for headers in ({"X-Filler": "x" * HEADER_LIMIT}, many):
        answer = await guest.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (431, "headers_too_large")
    assert (await guest.get(path, headers={"X-Filler": "x" * (HEADER_LIMIT - 2000)})).is_success


async def test_more_headers_than_the_server_reads_are_refused_by_it(guest: httpx.AsyncClient) -> None:
    """Without a word of ours, and without harm."""
    answer = await guest.get("/api/health", headers={"X-Filler": "x" * 2**20})
    assert answer.status_code == 431
    assert (await guest.get("/api/health")).is_success
