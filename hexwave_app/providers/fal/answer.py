"""What fal says of a request, by webhook or when it is asked, as a report."""

import re
from itertools import zip_longest
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.processes.model import Stage
from hexwave_app.providers.api import JOB_ID
from hexwave_app.providers.batch import batch
from hexwave_app.providers.exchange import without_queries
from hexwave_app.tools.provider import ErrorCode, Report

FLAG = re.compile("content_policy_violation")

# Typed like the request's own errors, though the request is not at fault.
_THEIR_FAULT = {
    *("internal_server_error", "generation_timeout"),
    *("downstream_service_error", "downstream_service_unavailable"),
}

_Id = Annotated[str, Field(pattern=JOB_ID)]


class Accepted(BaseModel):
    request_id: _Id


class Queued(BaseModel):
    status: Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    queue_position: Annotated[int | None, Field(ge=0)] = None

    def report(self, job_id: str) -> Report:
        """Of one that is not completed."""
        if self.status == "IN_QUEUE":
            return Report("processing", job_id, stage=Stage.QUEUED, ahead=self.queue_position)
        return Report("processing", job_id, stage=Stage.PAINTING)


class _File(BaseModel):
    url: Annotated[str, Field(max_length=2048)]


class Made(BaseModel):
    """A result: `images`, or one `image` or `video`. The picture of a flagged place is black."""

    images: Annotated[list[_File], Field(min_length=1, max_length=16)]
    has_nsfw_concepts: Annotated[list[bool], Field(max_length=16)] = []

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, said: Any) -> Any:
        if not isinstance(said, dict) or "images" in said:
            return cast(object, said)
        answer = cast(dict[str, object], said)
        single = [answer[name] for name in ("video", "image") if name in answer]
        return answer | {"images": single} if single else answer

    def report(self, job_id: str) -> Report:
        flags = self.has_nsfw_concepts[: len(self.images)]
        good = [
            picture.url
            for picture, flagged in zip_longest(self.images, flags, fillvalue=False)
            if isinstance(picture, _File) and not flagged
        ]
        return batch(job_id, good, len(self.images) - len(good))


class _Error(BaseModel):
    type: Annotated[str, Field(max_length=100)] = ""


class _ModelErrors(BaseModel):
    """https://fal.ai/docs/documentation/model-apis/errors"""

    detail: Annotated[list[_Error], Field(min_length=1)]


class _RequestError(BaseModel):
    """https://fal.ai/docs/documentation/model-apis/request-errors"""

    error_type: str


_Failure = _ModelErrors | _RequestError
_FAILURE = TypeAdapter[_Failure](_Failure)


class _Succeeded(BaseModel):
    request_id: _Id
    status: Literal["OK"]
    payload: Made | None = None


class _Failed(BaseModel):
    request_id: _Id
    status: Literal["ERROR"]
    error: str | None = None
    payload: Any = None


class _Webhook(BaseModel):
    report: Annotated[_Succeeded | _Failed, Field(discriminator="status")]


def parse_webhook(body: object) -> Report:
    """Raises `InvalidRequest`. Where the payload could not be sent, the queue still has it."""
    try:
        said = _Webhook.model_validate({"report": body}).report
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if len(first["loc"]) == 1:
            raise InvalidRequest("status must be OK or ERROR, in a JSON object.", field="status") from error
        # Located as report.{status}.{field}.
        raise InvalidRequest.of(first, within=2) from error
    if isinstance(said, _Failed):
        return failed(said.request_id, said.payload, said.error)
    return (
        Report("processing", said.request_id)
        if said.payload is None
        else said.payload.report(said.request_id)
    )


def failed(job_id: str, answer: Any, error: str | None = None) -> Report:
    """The report of a request that failed with `answer`."""
    words = without_queries(f"{error or 'failed'}: {answer}")
    return Report("failed", job_id, error=words, error_code=_code(_failure(answer)))


def tells_failure(answer: Any) -> bool:
    """Whether it is what became of a request, and not fal itself that is in trouble."""
    return _failure(answer) is not None


def _failure(answer: Any) -> _Failure | None:
    try:
        return _FAILURE.validate_python(answer)
    except ValidationError:
        return None


def _code(failure: _Failure | None) -> ErrorCode:
    types = {error.type for error in failure.detail} if isinstance(failure, _ModelErrors) else _THEIR_FAULT
    if any(map(FLAG.search, types)):
        return "content_refused"
    return "provider_failed" if types & _THEIR_FAULT else "provider_refused"
