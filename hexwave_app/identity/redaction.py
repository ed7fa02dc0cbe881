"""Logs without secrets."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

_SHORTEST = 8
"""Characters of a value that is looked for; a shorter one would be found in ordinary words."""

_GONE = "[redacted]"
_NAMED = r"[\w.-]*(?:token|key|secret|signature|sig|credential|code|jwt|password)[\w.-]*"
_FORMS = (
    # One parameter of a query, also of one that is itself encoded within another.
    re.compile(rf"((?:[?&;]|%3F|%26){_NAMED}(?:=|%3D))(?:(?!%26)[^&\s\"'<>\\])+", re.IGNORECASE),
    # The headers that carry credentials, as text, as a mapping's pair and as a tuple of ASGI.
    re.compile(
        r"(\b(?:set-cookie|cookie|(?:proxy-)?authorization)['\"]?\s*[:=,]\s*(?:b?['\"])?)(?!\s)[^'\"\r\n]+",
        re.IGNORECASE,
    ),
    re.compile(r"(\bBearer\s+)[\w.~+/=-]+"),
    re.compile(r"(\bhwk_[0-9a-f]{16}_)[0-9a-f]+"),
    re.compile(r"((?:\b|__Host-)(?:hexwave(?:-sign-in)?|__(?:session|client)\w*)=)[^;\s'\"]+"),
    # A JWT, whatever it is called: its header and its claims are JSON objects.
    re.compile(r"(\b)eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*"),
    re.compile(r"(\"?\b(?:accessToken|access_token|keySecret|secretKey)\"?\s*[:=]\s*[\"']?)[^\s\"',}]+"),
    re.compile(r"(\w://)[^/\s:@'\"]*:[^/\s@'\"]+(?=@)"),
)

Record = Callable[..., logging.LogRecord]


class Redaction:
    """Makes log records as `make` does, and takes what is secret out of their texts.

    A logger's filter is not asked about what its children log, and a handler's only about what that handler
    writes. A record factory makes every record there is, those of servers' access logs among them.
    """

    def __init__(self, make: Record, values: Iterable[str]) -> None:
        self._make = make
        self._values: set[str] = set()
        self.hide(values)

    @classmethod
    def install(cls, values: Iterable[str]) -> None:
        """For as long as this program runs: things are logged when the services are closed, too."""
        current = logging.getLogRecordFactory()
        if isinstance(current, cls):
            current.hide(values)
        else:
            logging.setLogRecordFactory(cls(current, values))

    def hide(self, values: Iterable[str]) -> None:
        """Take these values out as well, and their percent-encoded forms."""
        for value in values:
            if len(value) >= _SHORTEST:
                self._values |= {value, quote(value), quote(value, safe="")}
        # The longest first: one may be a part of another.
        longest_first = sorted(self._values, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def text(self, text: str) -> str:
        """`text` without the known values, and without what looks like a credential."""
        text = self._known.sub(_GONE, text)
        for form in _FORMS:
            text = form.sub(rf"\g<1>{_GONE}", text)
        return text

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        # Each by itself, since formatters such as uvicorn's take the arguments apart.
        if isinstance(record.args, Mapping):
            record.args = {name: self._redacted(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(map(self._redacted, record.args))
        # What cannot be put together is for the handler to complain about.
        with suppress(Exception):
            said = record.getMessage()
            if (redacted := self.text(said)) != said:
                record.msg, record.args = redacted, None
        if record.exc_info and record.exc_info[0] is not None:
            trace = logging.Formatter().formatException(record.exc_info)
            if (redacted := self.text(trace)) != trace:
                record.exc_text, record.exc_info = redacted, None
        return record

    def _redacted(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        text = str(value)
        return value if (redacted := self.text(text)) == text else redacted
