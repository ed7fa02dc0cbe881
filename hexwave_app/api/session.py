"""`/api/session`: who is asking, and Clerk's session exchanged for ours."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from hexwave_app.api.context import OpenServices
from hexwave_app.processes.errors import InvalidRequest, NotSignedIn

router = APIRouter(prefix="/api/session", tags=["session"])

_PASSING = {"Cache-Control": "private, no-store"}


class Exchange(BaseModel):
    """`token` is the session JWT of Clerk, as its `getToken` gives it."""

    token: str = Field(max_length=8192)


@router.get("")
async def get_session(request: Request, response: Response, services: OpenServices) -> dict[str, Any]:
    """`{user?: {id, guest}, clerk?: {publishableKey, frontendApi?}}`.

    `user` is missing where nobody is signed in and Clerk is set up; `frontendApi` says where Clerk is, when
    that is not what the key says.
    """
    response.headers.update(_PASSING)
    user, settings = request.state.user, services.settings
    said: dict[str, Any] = {}
    if user.signed_in or services.clerk is None:
        said["user"] = {"id": user.id, "guest": not user.signed_in}
    if services.clerk is not None:
        said["clerk"] = {"publishableKey": settings.clerk_publishable_key}
        if settings.clerk_issuer is not None:
            said["clerk"]["frontendApi"] = settings.clerk_issuer
    return said


@router.post("")
async def begin_session(
    exchange: Exchange, request: Request, response: Response, services: OpenServices
) -> dict[str, Any]:
    """Exchange Clerk's session JWT for our cookie, which lasts as long as it, at most a minute.

    What this browser's guest has made comes along, API keys too; its cookie is the one thing that says which
    guest that is.
    """
    if services.clerk is None:
        raise NotSignedIn("Nobody signs in here: Clerk is not set up.")
    _check_is_browsers(request)
    signed_in = await services.clerk.verify(exchange.token)
    before = request.state.signed_in
    if before is None or before.user_id != signed_in.user_id:
        # A guest is nobody's: one who is signed in already hands nothing on to another.
        guest_id = request.state.guest.id
        await services.processes.adopt(guest_id, signed_in.user_id)
        await services.keys.adopt(guest_id, signed_in.user_id)
    services.live_sessions.renew(signed_in.session, signed_in.until)
    response.headers.update(_PASSING)
    response.headers.append("set-cookie", services.sessions.sign_in_cookie(signed_in))
    return {"user": {"id": signed_in.user_id, "guest": False}}


@router.delete("", status_code=204)
async def end_session(request: Request, services: OpenServices) -> Response:
    """Sign out of ours; Clerk's own session is ended by its own sign-out."""
    _check_is_browsers(request)
    if request.state.signed_in is not None:
        services.live_sessions.end(request.state.signed_in.session)
    return Response(status_code=204, headers=_PASSING | {"Set-Cookie": services.sessions.sign_out_cookie()})


def _check_is_browsers(request: Request) -> None:
    if request.state.bearer:
        raise InvalidRequest("A session is a browser's: come with its cookies, without a bearer token.")
