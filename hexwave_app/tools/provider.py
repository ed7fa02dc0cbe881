"""What a tool needs of whoever does the work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from hexwave_app.processes.model import Stage
from hexwave_app.tools.tool import ToolRequest


@dataclass(frozen=True)
class Job:
    """One submission: what is asked for, where the provider is to report, and a key to find it by.

    The key is the process's id: never two jobs under one.
    """

    key: str
    request: ToolRequest
    webhook_url: str


@dataclass(frozen=True)
class Report:
    """What a provider says of a job. `previews` and `results` are URLs for its own `fetch`."""

    outcome: Literal["processing", "succeeded", "failed"]
    job_id: str | None = None
    progress: int | None = None
    stage: Stage | None = None
    previews: tuple[str | None, ...] | None = None
    results: tuple[str, ...] = ()
    error: str | None = None
    error_code: str = "provider_refused"
    notice: str | None = None


class Provider(Protocol):
    """One external API."""

    name: str
    title: str
    caption: str
    """What people read below the title: what it is and how long it takes."""

    def check(self, request: ToolRequest) -> None:
        """Raise `InvalidRequest` for an input this provider does not know; called before anything is paid."""
        ...

    async def submit(self, job: Job) -> str:
        """Start the job; its id at the provider. Raises a `ProviderError`."""
        ...

    async def find(self, key: str) -> str | None:
        """The id of the job submitted under `key`; `None` when there surely is none.

        Raises `SubmissionUnknown` where the provider cannot say.
        """
        ...

    async def status(self, job_id: str) -> Report:
        """What a webhook would say of the job at this moment. Raises `ProviderUnavailable`."""
        ...

    async def cancel(self, job_id: str) -> None:
        """Ask the provider to stop; a job that it does not know, or that has ended, is no error."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise `WebhookRefused` unless the raw `body` is signed as the provider signs."""
        ...

    def parse(self, body: object) -> Report:
        """A webhook's decoded JSON. Raises `InvalidRequest` when it is none of this provider's."""
        ...

    async def fetch(self, url: str) -> bytes:
        """The bytes behind a URL of a report. Raises `ResultLost`."""
        ...
