"""Every failure as `{error: {code, message, field?}}` with the right status."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hexwave_app.media.pictures import NOT_BROUGHT
from hexwave_app.processes.errors import (
    HexwaveError,
    InvalidRequest,
    NotSignedIn,
    ServerDraining,
    SignInUnavailable,
    StoreUnavailable,
    TooManyRequests,
)

log = logging.getLogger(__name__)

_RETRY_AFTER = "5"
_BAD_JSON = "json_invalid"
_NOT_OBJECT = "model_attributes_type"


class Fault(BaseModel):
    """`field` is the one that is wrong, by its name on the wire."""

    code: str
    message: str
    field: str | None = None


class Failure(BaseModel):
    error: Fault


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Failure, "description": "The request is wrong, or not allowed"},
    "5XX": {"model": Failure, "description": "The fault is ours or a provider's"},
}
"""What any route may answer besides its own."""


def install(app: FastAPI) -> None:
    """Answer the errors of `app` in this form."""
    app.add_exception_handler(HexwaveError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def answer(status: int, code: str, message: str, field: str | None = None, **headers: str) -> JSONResponse:
    error = {"code": code, "message": message} | ({"field": field} if field else {})
    return JSONResponse({"error": error}, status, headers)


def not_an_object() -> JSONResponse:
    message = "The body must be a JSON object, sent with Content-Type: application/json."
    return answer(422, InvalidRequest.code, message, "body")


def not_a_picture() -> JSONResponse:
    return answer(422, InvalidRequest.code, NOT_BROUGHT, "body")


def refusal(error: HexwaveError) -> JSONResponse:
    """The answer to an error of ours."""
    headers: dict[str, str] = {}
    if isinstance(error, SignInUnavailable | StoreUnavailable | ServerDraining):
        headers["Retry-After"] = _RETRY_AFTER
    elif isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, NotSignedIn):
        # RFC 9110, 15.5.2: it says how to be somebody.
        headers["WWW-Authenticate"] = "Bearer"
    return answer(error.status, error.code, error.message, error.field, **headers)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HexwaveError)
    return refusal(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == _BAD_JSON:
        return not_json()
    if first["type"] == _NOT_OBJECT:
        return not_an_object()
    # FastAPI's locations begin with where it looked: body, query, path or header.
    return refusal(InvalidRequest.of(first, within=1))


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # FastAPI's answer to a body that is not UTF-8, or nested too deep to be read.
        return not_json()
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return answer(error.status_code, code, str(error.detail), **(error.headers or {}))


def not_json() -> JSONResponse:
    return answer(400, "invalid_json", "The body is not valid JSON.")


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(500, "internal", "Something went wrong here. The fault is ours; try again in a moment.")
