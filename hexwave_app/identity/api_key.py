"""API keys: how a script is its user."""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hexwave_app.background import BackgroundTasks
from hexwave_app.identity.limits import Limits
from hexwave_app.identity.user import User
from hexwave_app.processes.errors import InvalidRequest, KeyNotFound, StoreUnavailable, TooManyKeys
from hexwave_app.processes.model import utc_now

log = logging.getLogger(__name__)

KEY_LIMIT = 20
"""Keys of a user: a device or a script each, and few enough to be looked through."""

NAME_LIMIT = 60

_PREFIX = "hwk_"
_FORM = re.compile(rf"{_PREFIX}([0-9a-f]{{16}})_([0-9a-f]{{64}})")
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept; `digest` is the SHA-256 of its secret, 32 bytes.

    No slow hash: the secret is 256 random bits, which nobody guesses at any speed.
    """

    id: str
    user_id: str
    name: str
    digest: bytes
    created_at: datetime
    used_at: datetime | None = None

    @property
    def start(self) -> str:
        """The first characters of its token, by which people tell keys apart; none of them is secret."""
        return f"{_PREFIX}{self.id}"


class KeyRequest(BaseModel):
    """What a key is asked for with; the name is for its user to know it by."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]

    @classmethod
    def read(cls, asked: Mapping[str, Any]) -> Self:
        """The request in `asked`. `InvalidRequest` names the field that is wrong."""
        try:
            return cls.model_validate(asked)
        except ValidationError as error:
            raise InvalidRequest.of(error.errors(include_url=False)[0]) from error


class KeyStore(Protocol):
    """Where keys are kept. Every call may raise `StoreUnavailable`."""

    async def add(self, key: ApiKey) -> None: ...

    async def find(self, key_id: str) -> ApiKey | None: ...

    async def list(self, user_id: str) -> list[ApiKey]:
        """All of the user's, newest first."""
        ...

    async def used(self, key_id: str, at: datetime) -> None:
        """Note when it was last used; nothing where it is gone."""
        ...

    async def remove(self, key_id: str, user_id: str) -> bool:
        """Whether the user had it; from here on it is gone."""
        ...

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        """Make all of the user's the adopter's."""
        ...


class ApiKeys:
    """Makes and revokes the keys of users, and lets in who brings one: the `BearerChecker` of their tokens.

    A token is `hwk_{id}_{secret}`. Each use reads the store, so a key that is revoked is refused from the
    next request on, by every server there is.
    """

    def __init__(self, store: KeyStore, limits: Limits, tasks: BackgroundTasks) -> None:
        self._store = store
        self._limits = limits
        self._tasks = tasks
        self._noting: set[str] = set()

    async def make(self, user_id: str, request: KeyRequest, address: str) -> tuple[ApiKey, str]:
        """A new key and its token, which is known to nobody afterwards but to whom it is given.

        Counts as a token of the user and the address. `TooManyKeys` at `KEY_LIMIT`.
        """
        await self._limits.token(user_id, address)
        secret = secrets.token_hex(32)
        key = ApiKey(secrets.token_hex(8), user_id, request.name, _digest(secret), utc_now())
        await self._store.add(key)
        # Counted afterwards: of several that are made at once, none is one too many.
        if len(await self._store.list(user_id)) > KEY_LIMIT:
            await self._store.remove(key.id, user_id)
            raise TooManyKeys(f"You have {KEY_LIMIT} keys, which is as many as can be. Revoke one first.")
        return key, f"{key.start}_{secret}"

    async def list(self, user_id: str) -> list[ApiKey]:
        """The user's keys, newest first."""
        return await self._store.list(user_id)

    async def revoke(self, key_id: str, user_id: str) -> None:
        """Scripts that use it are refused at once. `KeyNotFound` for another's."""
        if not await self._store.remove(key_id, user_id):
            raise KeyNotFound

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        """Make all of the user's the adopter's, who may have more than `KEY_LIMIT` then, and makes none."""
        await self._store.adopt(user_id, adopter_id)

    def recognises(self, token: str) -> bool:
        return token.startswith(_PREFIX)

    async def user(self, token: str) -> User | None:
        if (form := _FORM.fullmatch(token)) is None:
            return None
        key_id, secret = form.groups()
        key = await self._store.find(key_id)
        if key is None or not hmac.compare_digest(key.digest, _digest(secret)):
            return None
        self._note(key)
        return User(key.user_id, int(key.created_at.timestamp()))

    def _note(self, key: ApiKey) -> None:
        """Have the time of this use written, beside the request: at most once a minute, and one at a time."""
        recent = key.used_at is not None and utc_now() - key.used_at < _NOTED_EVERY
        if not recent and key.id not in self._noting:
            self._noting.add(key.id)
            self._tasks.spawn(self._used(key.id), f"noting the use of the key {key.id}")

    async def _used(self, key_id: str) -> None:
        try:
            await self._store.used(key_id, utc_now())
        except StoreUnavailable as error:
            log.warning("the use of a key could not be noted: %s", error)
        finally:
            self._noting.discard(key_id)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
