"""A hosted provider's answers, told as our errors."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hexwave_app.processes.errors import (
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderNotReady,
    ProviderRefused,
    ProviderUnavailable,
    SubmissionUnknown,
)
from hexwave_app.providers import api as module
from hexwave_app.providers.api import Api
from hexwave_app.providers.exchange import without_queries
from tests.conftest import free_port
from tests.providers.site import raw, served

KEY = "k-0123456789"
FLAG = re.compile("nsfw")
WORDS = "raw words of the provider"


@asynccontextmanager
async def answering(response: Response, scheme: str = "Bearer") -> AsyncIterator[Api]:
    async def endpoint(_request: object) -> Response:
        return response

    app = Starlette(routes=[Route("/v1/jobs", endpoint, methods=["GET", "POST"])])
    async with served(app) as url, Api.open("Acme", f"{url}/v1", f"{scheme} {KEY}", FLAG) as api:
        yield api


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, WORDS, ProviderNotReady),
        (402, WORDS, ProviderNotReady),
        (403, WORDS, ProviderNotReady),
        (403, "User is locked. Reason: Exhausted balance.", ProviderNotReady),
        (404, WORDS, ProviderNotReady),
        (400, WORDS, ProviderRefused),
        (413, WORDS, ProviderRefused),
        (422, WORDS, ProviderRefused),
        (400, f"{WORDS}: nsfw", ContentRefused),
        (422, f"{WORDS}: nsfw", ContentRefused),
        (429, WORDS, ProviderBusy),
        (408, WORDS, SubmissionUnknown),
        (500, WORDS, SubmissionUnknown),
        (500, f"{WORDS}: nsfw", SubmissionUnknown),
        (502, WORDS, SubmissionUnknown),
        (503, WORDS, SubmissionUnknown),
        (504, WORDS, SubmissionUnknown),
    ],
)
async def test_a_refused_job_is_told_by_its_reason(
    status: int, body: str, error: type[ProviderError]
) -> None:
    """In our words; whatever might have been taken is unknown, and nothing else is."""
    async with answering(Response(body, status)) as api:
        with pytest.raises(ProviderError) as caught:
            await api.submit("jobs", {})
    assert type(caught.value) is error
    assert body not in caught.value.message


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("7", "", 7),
        ("0", "", 0),
        ("999999", "", 3600),
        (format_datetime(datetime(2000, 1, 1, tzinfo=UTC), usegmt=True), "", 0),
        ("soon", "", None),
        ("nan", "", None),
        (None, "", None),
        (None, "Request was throttled. Your rate limit resets in ~30s.", 30),
        ("7", "Your rate limit resets in ~30s.", 7),
    ],
)
async def test_a_busy_provider_says_when(header: str | None, body: str, seconds: float | None) -> None:
    """By the header in seconds or as a date, or in words; never longer than an hour."""
    headers = {"Retry-After": header} if header is not None else {}
    async with answering(Response(body, 429, headers)) as api:
        with pytest.raises(ProviderBusy) as caught:
            await api.submit("jobs", {})
    assert caught.value.retry_after == seconds


async def test_a_busy_provider_names_a_moment() -> None:
    """A date ahead is as many seconds away."""
    moment = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    async with answering(Response("", 429, {"Retry-After": moment})) as api:
        with pytest.raises(ProviderBusy) as caught:
            await api.submit("jobs", {})
    assert caught.value.retry_after is not None
    assert 500 < caught.value.retry_after <= 600


async def test_nothing_is_sent_where_nobody_listens() -> None:
    """So the job may be submitted again."""
    async with Api.open("Acme", f"http://127.0.0.1:{free_port()}", f"Bearer {KEY}", FLAG) as api:
        with pytest.raises(ProviderUnavailable):
            await api.submit("jobs", {})
        with pytest.raises(ProviderUnavailable):
            await api.ask("GET", "jobs")


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{", b"nonsense\r\n\r\n", None],
    ids=["hangs up", "breaks off", "no HTTP", "silence"],
)
async def test_a_job_that_was_read_may_have_been_taken(
    answer: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes of the answer; and what is only asked may be asked again."""
    monkeypatch.setattr(module, "ANSWER_PATIENCE", 0.3)
    async with raw(answer) as url, Api.open("Acme", url, f"Bearer {KEY}", FLAG) as api:
        with pytest.raises(SubmissionUnknown):
            await api.submit("jobs", {})
        with pytest.raises(ProviderUnavailable):
            await api.ask("GET", "jobs")


@pytest.mark.parametrize("body", ["<html>", "", "[" * 100_000, b"\xff"])
async def test_an_answer_that_is_no_json_has_no_content(body: str | bytes) -> None:
    """A submission's is nothing that has an id; another's is an outage."""
    async with answering(Response(body, 200)) as api:
        assert await api.submit("jobs", {}) is None
        response = await api.ask("GET", "jobs")
        with pytest.raises(ProviderUnavailable):
            api.decoded(response)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500, 503])
async def test_what_cannot_be_told_at_the_moment_is_asked_again(status: int) -> None:
    """Unless the asker knows what to make of the answer."""
    async with answering(JSONResponse({}, status)) as api:
        with pytest.raises(ProviderUnavailable):
            await api.ask("GET", "jobs")
        assert (await api.ask("GET", "jobs", also={status})).status_code == status


@pytest.mark.parametrize("scheme", ["Bearer", "Key"])
async def test_no_secret_reaches_the_log(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not our key, when the provider repeats it; no token of a webhook and no signature of a URL."""
    caplog.set_level(logging.DEBUG)
    echo = f"Invalid key {KEY} for https://hexwave.example/hook?processId=1&token=t0ken and https://f.x/a?sig=s1g"
    async with answering(Response(echo, 401), scheme) as api:
        with pytest.raises(ProviderNotReady):
            await api.submit("jobs", {}, {"hook": "https://hexwave.example/hook?token=t0ken"})
        with pytest.raises(ProviderUnavailable):
            await api.ask("GET", "jobs?token=t0ken")
    told = [record.getMessage() for record in caplog.records if record.name.startswith(("hexwave", "httpx"))]
    assert any("answered 401" in line for line in told)
    for secret in (KEY, "t0ken", "s1g"):
        assert not any(secret in line for line in told)


@pytest.mark.parametrize(
    ("words", "logged"),
    [
        ("see https://a.b/c?d=e please", "see https://a.b/c?*** please"),
        ("see https://a.b/c?d=e", "see https://a.b/c?***"),
        ('{"url": "http://a.b/?d"}', '{"url": "http://a.b/?***"}'),
        ("really? yes", "really? yes"),
        ("x" * 501, "x" * 500),
    ],
)
def test_words_are_made_fit_for_the_log(words: str, logged: str) -> None:
    """Without the queries of URLs, and of bounded length."""
    assert without_queries(words) == logged


async def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that somebody's shell names is not handed our key."""
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with answering(JSONResponse({"id": 1})) as api:
        assert await api.submit("jobs", {}) == {"id": 1}
