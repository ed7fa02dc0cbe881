"""What a tool needs of whoever does the work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.processes.model import ProviderJob, Stage
from hexwave_app.tools.model import Model
from hexwave_app.tools.request import NamedPicture, Original, ToolRequest
from hexwave_app.tools.tool import Tool

ErrorCode = Literal["provider_refused", "content_refused", "provider_failed", "result_lost"]


@dataclass(frozen=True)
class Job:
    """One submission: what is asked for, of which model, where to report, and a key to find it by.

    The key is the process's id: never two jobs under one. `originals` are the pictures that the request
    names, by its field.
    """

    key: str
    request: ToolRequest
    model: Model
    webhook_url: str
    originals: Mapping[str, Original] = field(default_factory=dict[str, Original])

    def body(self, file: Callable[[bytes], Any]) -> dict[str, Any]:
        """What the model is sent; `file` makes of a picture what the provider takes for one."""
        contents = {
            picture: self.originals[name].content for name, picture in self.request.pictures().items()
        }
        return {
            name: file(contents[value]) if isinstance(value, NamedPicture) else value
            for name, value in self.model.ask(self.request).items()
            if value is not None
        }


@dataclass(frozen=True)
class Report:
    """What a provider says of a job. `previews` and `results` are for its own `fetch`;
    `ahead` is how many jobs it does first, where it says so of one that is queued.

    `error` is the provider's own word, for the log; people read the sentence of `error_code`, and `notice`,
    which is ours. Of a batch that was refused in part, `results` are the rest.
    """

    outcome: Literal["processing", "succeeded", "failed"]
    job_id: str | None = None
    progress: int | None = None
    stage: Stage | None = None
    ahead: int | None = None
    previews: tuple[str | None, ...] | None = None
    results: tuple[str, ...] = ()
    error: str | None = None
    error_code: ErrorCode = "provider_refused"
    notice: str | None = None


class Provider(Protocol):
    """One external API, and the models of it that are offered; the first for a tool is its default."""

    name: str
    title: str
    caption: str
    """What people read below the title: what it is and how long it takes."""

    @property
    def models(self) -> Sequence[Model]: ...

    async def check(self) -> None:
        """Raise a `ProviderError` where nobody answers, or our key is refused. Begins no job."""
        ...

    async def submit(self, job: Job) -> str:
        """Start the job; its id at the provider.

        The request fits the job's model already. Raises a `ProviderError`: `ProviderUnavailable`, or
        `ProviderBusy`, only where surely nothing was submitted, for the job is then submitted again; where
        that is not sure `SubmissionUnknown`.
        """
        ...

    async def find(self, key: str) -> str | None:
        """The id of the job submitted under `key`; `None` when there surely is none.

        Raises `SubmissionUnknown` where the provider cannot say.
        """
        ...

    async def status(self, job: ProviderJob) -> Report:
        """What a webhook would say of the job at this moment. Raises `ProviderUnavailable`."""
        ...

    async def cancel(self, job: ProviderJob) -> None:
        """Ask the provider to stop; a job that it does not know, or that has ended, is no error."""
        ...

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise `WebhookRefused` unless the raw `body` is signed as the provider signs.

        `ProviderUnavailable` while the provider's own key cannot be had: it is to send the webhook again.
        """
        ...

    def parse(self, body: object) -> Report:
        """A webhook's decoded JSON. Raises `InvalidRequest` when it is none of this provider's."""
        ...

    async def fetch(self, url: str) -> bytes:
        """The bytes behind a URL of a report.

        Raises `ResultUnavailable` for what is worth asking again, `ResultLost` for what is not.
        """
        ...


def titles(providers: Mapping[str, Provider], job: ProviderJob) -> tuple[str, str]:
    """What people call the job's provider and its model: their names where they are not set up any more."""
    provider = providers.get(job.name)
    if provider is None:
        return job.name, job.model or job.name
    model = next((model.title for model in provider.models if model.name == job.model), job.model)
    return provider.title, model or provider.title


def chosen(provider: Provider, tool: Tool, name: str | None) -> Model:
    """The provider's model of that name for the tool; without a name, its first."""
    fitting = [model for model in provider.models if model.tool == tool.name]
    if not fitting:
        raise InvalidRequest(f"{provider.title} makes no {tool.category}s.", field="provider")
    if name is None:
        return fitting[0]
    for model in fitting:
        if model.name == name:
            return model
    known = ", ".join(model.name for model in fitting)
    raise InvalidRequest(f"{provider.title} has no model {name!r} here. There is: {known}.", field="model")
