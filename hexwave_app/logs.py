"""How the log is written: lines for people, or JSON for what collects them."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

from hexwave_app.processes.work import process_id, trace_id, traced

Format = Literal["text", "json"]

_OURS = "hexwave_app"
_SERVERS = ("_granian", "granian.access", "uvicorn", "uvicorn.access", "uvicorn.error")
"""Loggers of servers, which bring handlers along."""


class TextLines(logging.Formatter):
    """The process comes last, unless the message names it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line, process = super().formatMessage(record), process_id()
        return line if not process or process in line else f"{line} ({process})"


class JsonLines(logging.Formatter):
    """An object a line: `time`, `level`, `logger`, `message`, perhaps `processId`, `traceId`, `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if process := process_id():
            said["processId"] = process
            if traced():
                said["traceId"] = trace_id(process)
        # Without its secrets an exception is text already, see identity/redaction.py.
        if record.exc_text:
            said["exception"] = record.exc_text
        elif record.exc_info and record.exc_info[0] is not None:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


_FORMATS: dict[Format, type[logging.Formatter]] = {"text": TextLines, "json": JsonLines}


def write_logs(form: Format) -> None:
    """Write to standard error in this form, unless whoever runs us has set up logging already.

    What the server in this process logs by itself is written by the same handler, at the level it was given.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_FORMATS[form]())
    root.addHandler(handler)
    logging.getLogger(_OURS).setLevel(logging.INFO)
    for name in _SERVERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
