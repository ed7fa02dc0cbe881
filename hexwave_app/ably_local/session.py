"""Sessions: what of a connection outlives its websocket, so that another can resume it (RTN15, RTN16)."""

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .clock import now
from .error import AblyError
from .limits import Limits

_KEY = re.compile(r"[\w-]{11}![\w-]{22}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """A connection as its client knows it: a public id, and the private key that resumes it (RTN8, RTN9)."""

    id: str
    key: str
    client_id: str | None


class Sessions:
    """By connection key: the `live`, each with what ends its websocket, and the `lost`, each with the time
    (ms since the epoch) until which it may be resumed (CD2f)."""

    def __init__(self, limits: Limits) -> None:
        self.live: dict[str, tuple[Session, Callable[[], None]]] = {}
        self.lost: OrderedDict[str, tuple[Session, int]] = OrderedDict()
        self._limits = limits

    def open(
        self, client_id: str | None, resume_key: str | None, replaced: Callable[[], None]
    ) -> tuple[Session, AblyError | None]:
        """Resume the session of `resume_key` under a fresh key (RTN15c6, RTN15e), or begin one.

        The error says why nothing was resumed (RTN15c7). `replaced` is called when another websocket
        resumes this session.
        """
        resumed_id = self._take(resume_key, client_id) if resume_key else None
        error = None
        if resume_key and not _KEY.fullmatch(resume_key):
            error = AblyError(80018, "Invalid connection key: give the one of the last CONNECTED.")
        elif resume_key and resumed_id is None:
            error = AblyError(80008, "Unable to recover connection: unknown, or lost too long ago.")
        identifier = resumed_id or secrets.token_urlsafe(8)
        session = Session(identifier, f"{identifier}!{secrets.token_urlsafe(16)}", client_id)
        self.live[session.key] = session, replaced
        return session, error

    def leave(self, session: Session, resumable: bool) -> None:
        """Give up a live session, for good or to be resumed within `connection_state_ttl`."""
        if self.live.pop(session.key, None) and resumable:
            self.lost[session.key] = session, now() + self._limits.connection_state_ttl
            self._drop()

    def _take(self, key: str, client_id: str | None) -> str | None:
        """Return the id of the session that `key` resumes and forget it, its websocket included."""
        self._drop()
        if (live := self.live.get(key)) and live[0].client_id == client_id:
            session, replaced = self.live.pop(key)
            replaced()
            return session.id
        if (lost := self.lost.get(key)) and lost[0].client_id == client_id:
            return self.lost.pop(key)[0].id
        return None

    def _drop(self) -> None:
        """Forget what was lost too long ago, and the oldest when there are too many."""
        while self.lost:
            _, until = next(iter(self.lost.values()))
            if until >= now() and len(self.lost) <= self._limits.lost_connections:
                return
            self.lost.popitem(last=False)
