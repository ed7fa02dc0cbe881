"""Bearer tokens: whom a request speaks for that brings one, instead of the cookie."""

from collections.abc import Sequence
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import Scope

from hexwave_app.identity.address import Proxies
from hexwave_app.identity.limits import Limits
from hexwave_app.identity.user import User
from hexwave_app.processes.errors import NotSignedIn


class BearerChecker(Protocol):
    """Knows the tokens of one form."""

    def recognises(self, token: str) -> bool:
        """Whether `token` has this form; it says nothing of whether it is any good."""
        ...

    async def user(self, token: str) -> User | None:
        """Whom a token of this form speaks for; `None` when it is forged, revoked or over."""
        ...


class Bearers:
    """Asks the first checker that recognises a token's form, and counts refusals by where they come from.

    What is good is let in however many others failed from its address: behind a proxy that is not told of
    in the settings, all share one.
    """

    def __init__(self, checkers: Sequence[BearerChecker], limits: Limits, proxies: Proxies) -> None:
        self._checkers = checkers
        self._limits = limits
        self._proxies = proxies

    async def user(self, token: str, scope: Scope) -> User:
        """Raises `NotSignedIn`, and `TooManyRequests` once an address has been refused too often."""
        for checker in self._checkers:
            if checker.recognises(token):
                if (user := await checker.user(token)) is not None:
                    return user
                break
        await self._limits.sign_in(self._proxies.client_of(scope))
        raise NotSignedIn("The bearer token is not one of ours, or it is good no longer.")


def bearer_token(scope: Scope) -> str | None:
    """The token of `Authorization: Bearer`; two headers of it are a token that nobody knows.

    Other schemes are not ours: a proxy in front may ask for a password of its own.
    """
    given = [header.partition(" ") for header in Headers(scope=scope).getlist("authorization")]
    tokens = [token.strip() for scheme, _, token in given if scheme.lower() == "bearer"]
    return ", ".join(tokens) if tokens else None
