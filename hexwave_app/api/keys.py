"""`/api/keys`: the caller's API keys."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.identity.api_key import ApiKey, KeyRequest
from hexwave_app.processes.errors import NotAllowed


async def _in_person(request: Request) -> None:
    """A script that lost its key must not be able to make another, or to lock its user's others out."""
    if request.state.bearer:
        raise NotAllowed("A bearer token cannot manage API keys. Do it on the page /settings/keys.")


router = APIRouter(prefix="/api/keys", tags=["keys"], dependencies=[Depends(_in_person)])

_PASSING = {"Cache-Control": "private, no-store"}


class Key(BaseModel):
    """`start` is how its token begins: enough to tell it from others, and none of what is secret."""

    id: str
    name: str
    start: str
    created_at: Annotated[datetime, Field(serialization_alias="createdAt")]
    used_at: Annotated[datetime | None, Field(serialization_alias="usedAt")]

    @classmethod
    def of(cls, key: ApiKey) -> "Key":
        return cls(id=key.id, name=key.name, start=key.start, created_at=key.created_at, used_at=key.used_at)


class Keys(BaseModel):
    keys: list[Key]


class MadeKey(BaseModel):
    """`token` is what to send as `Authorization: Bearer`. It is said here once, and kept nowhere."""

    key: Key
    token: str


@router.get("")
async def list_keys(services: OpenServices, user: CurrentUser, response: Response) -> Keys:
    """Newest first. `usedAt` is the last use, to the minute."""
    response.headers.update(_PASSING)
    return Keys(keys=[Key.of(key) for key in await services.keys.list(user.id)])


@router.post("", status_code=201)
async def make_key(
    request: KeyRequest,
    services: OpenServices,
    user: CurrentUser,
    address: ClientAddress,
    response: Response,
) -> MadeKey:
    """A key that is its user, in everything but the making and revoking of keys; 409 at twenty."""
    key, token = await services.keys.make(user.id, request, address)
    response.headers.update(_PASSING)
    return MadeKey(key=Key.of(key), token=token)


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: str, services: OpenServices, user: CurrentUser) -> Response:
    """Refuse it from here on."""
    await services.keys.revoke(key_id, user.id)
    return Response(status_code=204)
