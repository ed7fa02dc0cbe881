"""Clerk, which signs people in: its session JWTs are verified here, and its sessions asked about."""

import re
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx
import jwt
from jwt import PyJWK

from hexwave_app.identity.signing_keys import SigningKeys
from hexwave_app.identity.user import User
from hexwave_app.processes.errors import NotSignedIn, SignInUnavailable

API_URL = "https://api.clerk.com"
"""Clerk's Backend API."""

_ALGORITHM = "RS256"
_REQUIRED = ["iss", "azp", "exp", "nbf", "iat", "sub", "sid"]
_LEEWAY = 5
"""Seconds by which our clock and Clerk's may differ."""

_LONGEST = 120
"""Seconds that a token may last; Clerk's own last 60. It outlives its session by as much as is left of it."""

_LENGTH_LIMIT = 8192
_JWKS_AGE = 3600.0
_PATIENCE = 4.0
# Neither can be taken for a guest's id, nor end a part of a cookie.
_USER = re.compile(r"user_[A-Za-z0-9]{1,56}", re.ASCII)
_SESSION = re.compile(r"sess_[A-Za-z0-9]{1,56}", re.ASCII)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
# A session that is still to choose an organisation or a second factor is none yet.
_PENDING = "pending"


@dataclass(frozen=True)
class SignedIn:
    """What a session JWT says: whose it is, of which session, and until when, in seconds since the epoch."""

    user_id: str
    session: str
    until: int


class ClerkBearer:
    """Knows the user of a session JWT that a script sends; a `BearerChecker`."""

    def __init__(self, clerk: "Clerk") -> None:
        self._clerk = clerk

    def recognises(self, token: str) -> bool:
        return _JWT.fullmatch(token) is not None

    async def user(self, token: str) -> User | None:
        """`SignInUnavailable` while nothing is known of it."""
        try:
            signed_in = await self._clerk.verify(token)
        except NotSignedIn:
            return None
        return User(signed_in.user_id, int(time.time()))


class Clerk:
    """One instance of Clerk: its issuer, and the pages that may ask it for tokens."""

    def __init__(
        self, http: httpx.AsyncClient, issuer: str, api_url: str, secret_key: str, pages: Collection[str]
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._api_url = api_url
        self._secret_key = secret_key
        self._pages = pages
        self._jwks: Mapping[str, PyJWK] = {}
        self._keys = SigningKeys(self._read, _JWKS_AGE, time.monotonic, SignInUnavailable)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, issuer: str, secret_key: str, pages: Collection[str], api_url: str = API_URL
    ) -> AsyncGenerator[Self, None]:
        """`pages` are the origins of ours, one of which a token must have been made for (`azp`)."""
        async with httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as http:
            yield cls(http, issuer, api_url, secret_key, pages)

    async def verify(self, token: str) -> SignedIn:
        """Who a session JWT signs in; `NotSignedIn` unless every claim of it is as Clerk makes it for us.

        `SignInUnavailable` while the JWKS cannot be read.
        """
        key = await self._key(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=self._issuer,
                leeway=_LEEWAY,
                options={"require": _REQUIRED},
            )
        # Numbers beyond what a clock holds are OverflowErrors.
        except (jwt.InvalidTokenError, OverflowError, ValueError) as error:
            raise _refused() from error
        return self._accepted(claims)

    def _accepted(self, claims: Mapping[str, Any]) -> SignedIn:
        user_id, session = claims["sub"], claims["sid"]
        named = isinstance(session, str) and _USER.fullmatch(user_id) and _SESSION.fullmatch(session)
        if not named or claims["azp"] not in self._pages or claims.get("sts") == _PENDING:
            raise _refused()
        until = int(claims["exp"])
        if until - int(claims["iat"]) > _LONGEST:
            raise _refused()
        return SignedIn(user_id, session, until)

    async def _key(self, token: str) -> PyJWK:
        if len(token) > _LENGTH_LIMIT:
            raise _refused()
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
            raise _refused() from error
        # Looked at before the key is looked up: what is not so signed makes nobody read the JWKS.
        kid = header.get("kid")
        if header.get("alg") != _ALGORITHM or not isinstance(kid, str):
            raise _refused()
        if not await self._keys.fit(lambda keys: kid in keys):
            raise _refused()
        return self._jwks[kid]

    async def _read(self) -> Mapping[str, PyJWK]:
        try:
            answer = (await self._http.get(f"{self._issuer}/.well-known/jwks.json")).raise_for_status()
            keys = answer.json()["keys"]
            self._jwks = {key["kid"]: PyJWK(key, _ALGORITHM) for key in keys if _signs(key)}
        except (httpx.HTTPError, jwt.PyJWTError, ValueError, LookupError, TypeError) as error:
            raise SignInUnavailable from error
        return self._jwks

    async def active(self, session: str) -> bool:
        """Whether the session lives, as Clerk says now; `SignInUnavailable` when it says nothing."""
        try:
            answer = await self._http.get(
                f"{self._api_url}/v1/sessions/{session}",
                headers={"Authorization": f"Bearer {self._secret_key}"},
            )
            if answer.status_code == 404:
                return False
            return answer.raise_for_status().json()["status"] == "active"
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise SignInUnavailable from error


def _signs(key: Mapping[str, Any]) -> bool:
    """Whether a key of a JWKS is one for RS256 signatures."""
    form = (key.get("kty"), key.get("use", "sig"), key.get("alg", _ALGORITHM))
    return form == ("RSA", "sig", _ALGORITHM) and isinstance(key.get("kid"), str)


def _refused() -> NotSignedIn:
    # The same words for each reason: which one it was helps only who forges.
    return NotSignedIn("This session token is not valid. Sign in again.")
