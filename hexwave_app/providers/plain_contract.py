"""The plain webhook contract, for external APIs that have none of their own.

`{status: "success", images: [url, ...]}`, `{status: "error", error, errorCode?}` or
`{status: "processing", progress?, stage?, ahead?, preview?}`; each may carry `jobId` and `notice`.
Videos come as `videos` in the place of `images`. `ahead` is how many jobs are done before this one. `preview`
is one URL, or a list in picture order with null where there is none yet.
`errorCode` is `provider_refused` unless it is said otherwise.
"""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.processes.model import Stage
from hexwave_app.tools.provider import ErrorCode, Report

JOB_ID_LIMIT = 200

_ERROR_LIMIT = 2000

_Url = Annotated[str, Field(max_length=2048)]


class _Base(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    job_id: Annotated[str | None, Field(max_length=JOB_ID_LIMIT, coerce_numbers_to_str=True)] = None
    notice: Annotated[str | None, Field(max_length=300)] = None


class _Success(_Base):
    status: Literal["success"]
    images: Annotated[
        list[_Url], Field(min_length=1, max_length=16, validation_alias=AliasChoices("images", "videos"))
    ]


class _Error(_Base):
    status: Literal["error"]
    error: Annotated[str, Field(max_length=_ERROR_LIMIT)]
    error_code: ErrorCode = "provider_refused"


class _Processing(_Base):
    status: Literal["processing"]
    progress: Annotated[int | None, Field(ge=0, le=100)] = None
    stage: Literal["queued", "painting"] | None = None
    ahead: Annotated[int | None, Field(ge=0, le=1_000_000)] = None
    preview: _Url | Annotated[list[_Url | None], Field(max_length=16)] | None = None


class _Body(BaseModel):
    report: Annotated[_Success | _Error | _Processing, Field(discriminator="status")]


def parse_plain(body: object) -> Report:
    """The report in a decoded body. `InvalidRequest` names the field that is wrong."""
    try:
        said = _Body.model_validate({"report": body}).report
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if len(first["loc"]) == 1:
            message = "status must be success, error or processing, in a JSON object."
            raise InvalidRequest(message, field="status") from error
        # Located as report.{status}.{field}.
        raise InvalidRequest.of(first, within=2) from error
    match said:
        case _Success():
            return Report("succeeded", said.job_id, results=tuple(said.images), notice=said.notice)
        case _Error():
            return Report("failed", said.job_id, error=said.error, error_code=said.error_code)
        case _Processing():
            return Report(
                "processing",
                said.job_id,
                progress=said.progress,
                stage=Stage(said.stage) if said.stage else None,
                ahead=said.ahead,
                previews=_listed(said.preview),
                notice=said.notice,
            )


def plain_body(report: Report) -> dict[str, Any]:
    """The body that `parse_plain` reads as `report`."""
    body: dict[str, Any] = {"jobId": report.job_id, "notice": report.notice}
    match report.outcome:
        case "succeeded":
            body |= {"status": "success", "images": list(report.results)}
        case "failed":
            error = (report.error or "")[:_ERROR_LIMIT]
            body |= {"status": "error", "error": error, "errorCode": report.error_code}
        case "processing":
            body |= {"status": "processing", "progress": report.progress, "stage": report.stage}
            body["ahead"] = report.ahead
            body["preview"] = report.previews and list(report.previews)
    return {name: value for name, value in body.items() if value is not None}


def _listed(preview: str | list[str | None] | None) -> tuple[str | None, ...] | None:
    if preview is None:
        return None
    return (preview,) if isinstance(preview, str) else tuple(preview)
