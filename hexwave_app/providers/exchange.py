"""One exchange with an engine over HTTP: its failures told apart by whether it may have begun to work."""

import json
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from hexwave_app.processes.errors import (
    ProviderBusy,
    ProviderError,
    ProviderNotReady,
    ProviderRefused,
    ProviderUnavailable,
    SubmissionUnknown,
)

log = logging.getLogger(__name__)

ANSWER_LIMIT = 2**20
"""Bytes."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LONGEST_PAUSE = 3600.0
_WORDS = 500
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")


@dataclass(frozen=True)
class Answer:
    """What an engine answered, of whatever status."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The decoded body; `None` when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def open_client(base_url: str = "", key: str | None = None, *, read: float) -> httpx.AsyncClient:
    """A client, to be opened and closed; `read` is how many seconds an answer may take."""
    # It logs each URL whole, and our webhook's has its token in the query.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=httpx.Timeout(read, connect=5.0),
        # A connection that was kept may be dead, and then nobody knows whether the job was read.
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=0),
        trust_env=False,
    )


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: dict[str, Any],
    *,
    headers: dict[str, str] | None = None,
    limit: int = ANSWER_LIMIT,
) -> Answer:
    """The answer to `body`, at most `limit` bytes of it.

    Raises `ProviderUnavailable` where surely nothing was sent, `SubmissionUnknown` where it may have been.
    """
    try:
        async with client.stream("POST", url, json=body, headers=headers) as response:
            answer = Answer(response.status_code, response.headers, await _read(response, limit))
    except _UNSENT as error:
        raise ProviderUnavailable("The provider cannot be reached. Try again in a moment.") from error
    except httpx.HTTPError as error:
        raise _unknown() from error
    if not answer.success:
        log.warning("%s answered %d: %r", response.url.host, answer.status, words(client, answer.body))
    return answer


async def reach(client: httpx.AsyncClient, url: str) -> None:
    """Whether somebody is there and takes our key, whatever else they say of `url`.

    Raises `ProviderUnavailable` or `ProviderNotReady`.
    """
    try:
        async with client.stream("GET", url) as response:
            status = response.status_code
    except httpx.HTTPError as error:
        raise ProviderUnavailable("The provider cannot be reached.") from error
    if status in (401, 403):
        raise ProviderNotReady(f"The provider refused our key ({status}).")
    if status >= 500:
        raise ProviderUnavailable(f"The provider answers {status}.")


def refusal(answer: Answer) -> ProviderError:
    """Why a job with this answer, which is no success, was not taken, or may have been."""
    match answer.status:
        case 401 | 403:
            return ProviderNotReady("The provider refused our key. Whoever runs this server has to check it.")
        case 402:
            return spent()
        case 404 | 405 | 410:
            return ProviderNotReady(
                "The provider does not know this address or model. Whoever runs this server has to check it."
            )
        case 429:
            return ProviderBusy(
                "The provider takes no more jobs at the moment. Try again in a moment.", retry_after(answer)
            )
        case 503:
            return ProviderBusy(
                "The provider takes no jobs at the moment. Try again in a moment.", retry_after(answer)
            )
        case status if 300 <= status < 400:
            return ProviderNotReady(
                "The provider has moved. Whoever runs this server has to set its address."
            )
        case status if 400 <= status < 500 and status != 408:
            return ProviderRefused("The provider did not accept this request. Change it and try again.")
        case _:
            return _unknown()


def spent() -> ProviderNotReady:
    return ProviderNotReady("The credit at the provider is spent. Whoever runs this server has to add some.")


def retry_after(answer: Answer) -> float | None:
    """Seconds that the engine asks us to wait, at most an hour; it says so in seconds or as a date."""
    said = answer.headers.get("retry-after", "")
    try:
        seconds = float(said) if said.isdecimal() else _until(said)
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE)


def _until(date: str) -> float:
    at = parsedate_to_datetime(date)
    return (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


async def _read(response: httpx.Response, limit: int) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > limit:
            raise httpx.DecodingError(f"The answer is over {limit} bytes.")
    return bytes(content)


def _unknown() -> SubmissionUnknown:
    return SubmissionUnknown("The provider did not confirm this job, and may have it all the same.")


def without_queries(words: str) -> str:
    """What a provider said, fit for the log: tokens and signatures are in the queries of URLs."""
    return _QUERY.sub(r"\1?***", words)[:_WORDS]


def words(client: httpx.AsyncClient, body: bytes) -> str:
    """The body as the log may have it: without our key, too."""
    said = body[: 10 * _WORDS].decode("utf-8", "replace")
    key = client.headers.get("authorization", "").rpartition(" ")[2]
    return without_queries(said.replace(key, "***") if key else said)
