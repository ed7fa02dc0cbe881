"""A hosted provider's API: jobs are posted once, anything else may be asked again."""

import logging
import re
from collections.abc import AsyncGenerator, Container, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from hexwave_app.processes.errors import (
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderUnavailable,
    SubmissionUnknown,
)
from hexwave_app.providers.exchange import (
    Answer,
    open_client,
    post,
    reach,
    refusal,
    retry_after,
    spent,
    words,
)

log = logging.getLogger(__name__)

JOB_ID = r"^[A-Za-z0-9_-]{1,200}$"
"""What a job's id looks like: it becomes part of a path."""

ANSWER_PATIENCE = 8.0
"""Seconds."""

# "Your rate limit resets in ~30s."
_WAIT_IN_WORDS = re.compile(r"\bin ~?(\d{1,3}) ?s")


class Api:
    """A provider's API, asked with our key.

    `flag` is what its words have in them where a safety filter declined the request. They go to the log
    only, without our key and without the queries of URLs, which carry tokens and signatures.
    """

    def __init__(self, title: str, flag: re.Pattern[str], http: httpx.AsyncClient) -> None:
        self._title = title
        self._flag = flag
        self._http = http

    @classmethod
    @asynccontextmanager
    async def open(
        cls, title: str, url: str, authorization: str, flag: re.Pattern[str]
    ) -> AsyncGenerator["Api", None]:
        """The API below `url`; `authorization` is the header of each request: a scheme, a space, the key."""
        async with open_client(url, read=ANSWER_PATIENCE) as http:
            http.headers["Authorization"] = authorization
            yield cls(title, flag, http)

    async def check(self, path: str) -> None:
        """Raise a `ProviderError` where it does not answer, or refuses our key, at `path`."""
        await reach(self._http, path)

    async def submit(self, path: str, body: dict[str, Any], query: Mapping[str, str] | None = None) -> Any:
        """Post a job, once; the decoded answer.

        Raises the `ProviderError` that the answer, or its lack, amounts to: `SubmissionUnknown` wherever the
        job may have been taken.
        """
        answer = await post(self._http, f"{path}?{urlencode(query)}" if query else path, body)
        if not answer.success:
            raise self._refusal(answer)
        return answer.json()

    async def ask(self, method: str, path: str, also: Container[int] = ()) -> httpx.Response:
        """The answer to what may be asked again: any 2xx, or one of `also`. Else `ProviderUnavailable`."""
        try:
            response = await self._http.request(method, path)
        except httpx.HTTPError as error:
            raise ProviderUnavailable(f"{self._title} does not answer.") from error
        if not response.is_success and response.status_code not in also:
            said = words(self._http, response.content)
            log.warning("%s answered %d: %s", self._title, response.status_code, said)
            raise ProviderUnavailable(f"{self._title} answered {response.status_code}.")
        return response

    def decoded(self, response: httpx.Response) -> Any:
        """The JSON of an answer. `ProviderUnavailable` when it is none."""
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise ProviderUnavailable(f"{self._title}'s answer is no JSON.") from error

    def unconfirmed(self) -> SubmissionUnknown:
        return SubmissionUnknown(
            f"{self._title} did not confirm this job, and may have it all the same. "
            "Look at your account there before you try again."
        )

    def _refusal(self, answer: Answer) -> ProviderError:
        said = answer.body.decode("utf-8", "replace")
        match answer.status:
            case 403 if "balance" in said:
                return spent()
            case 429:
                in_words = _WAIT_IN_WORDS.search(said)
                wait = float(in_words[1]) if in_words else None
                message = f"{self._title} takes no more jobs at the moment. Try again in a moment."
                return ProviderBusy(message, retry_after(answer) if "retry-after" in answer.headers else wait)
            case status if 400 <= status < 500 and self._flag.search(said):
                return ContentRefused(
                    f"{self._title}'s safety filter declined this request. Try other words."
                )
            case 503:
                # None of the hosted providers documents that it means "not taken".
                return self.unconfirmed()
            case _:
                return refusal(answer)
