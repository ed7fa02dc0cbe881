"""Queries of a channel's history (RSL2, RTL10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

from .channel import is_serial
from .error import AblyError
from .wire import Fields


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """The parameters of RSL2b. `cursor` is the serial of the last message of the page before;
    `until` (RTL10b) the channel serial of an attach."""

    start: int
    end: int
    limit: int
    backwards: bool
    cursor: str
    until: str

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "HistoryQuery":
        """Raises AblyError 40003."""
        direction = params.get("direction", "backwards")
        query = cls(
            start=_number(params, "start", 0),
            end=_number(params, "end", 10**15 - 1),
            limit=_number(params, "limit", 100),
            backwards=direction == "backwards",
            cursor=params.get("cursor", ""),
            until=params.get("fromSerial") or params.get("from_serial", ""),  # ably-js says from_serial
        )
        if direction not in ("backwards", "forwards") or query.start > query.end:
            raise AblyError(40003, "direction must be backwards or forwards, and start not after end.")
        if not all(is_serial(text) for text in (query.cursor, query.until) if text):
            raise AblyError(40003, "cursor and fromSerial must be serials that this server gave.")
        if not 1 <= query.limit <= 1000:
            raise AblyError(40003, "limit must be from 1 to 1000 (RSL2b3).")
        return query

    def select(self, messages: list[Fields]) -> tuple[list[Fields], str]:
        """Return the page of `messages` (oldest first) and the `Link` header with the next one (TG4)."""
        chosen = [message for message in messages if self._includes(message)]
        if self.backwards:
            chosen.reverse()
        page = chosen[: self.limit]
        return page, self._links(cast(str, page[-1]["serial"]) if len(chosen) > self.limit else None)

    def _includes(self, message: Fields) -> bool:
        serial = cast(str, message["serial"])
        if self.cursor and (serial >= self.cursor if self.backwards else serial <= self.cursor):
            return False
        return self.start <= cast(int, message["timestamp"]) <= self.end

    def _links(self, last_serial: str | None) -> str:
        direction = "backwards" if self.backwards else "forwards"
        params = {"start": self.start, "end": self.end, "limit": self.limit, "direction": direction}
        if self.until:
            params["fromSerial"] = self.until
        first = f'<./messages?{urlencode(params)}>; rel="first"'
        if last_serial is None:
            return first
        return f'{first}, <./messages?{urlencode({**params, "cursor": last_serial})}>; rel="next"'


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise AblyError(40003, f"{name} must be a whole number.")
    return int(text)
