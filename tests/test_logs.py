"""Lines for people and for machines, and the process that each is about."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hexwave_app.identity.redaction import Redaction
from hexwave_app.logs import JsonLines, TextLines
from hexwave_app.processes.work import working_on
from tests.api.conftest import Guest
from tests.conftest import Served

ROOT = Path(__file__).parents[1]
SECRET = "s3cr3t-value-0123456789"
SERVER = """
import logging, sys
from granian.log import LogLevels, configure_logging
from hexwave_app.logs import write_logs
configure_logging(LogLevels.warning)
write_logs("json")
logging.getLogger("hexwave_app.tools").info("ours")
logging.getLogger("somebody.else").info("not said")
logging.getLogger("somebody.else").warning("theirs")
logging.getLogger("_granian").warning("the server's")
"""


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What our loggers write as JSON, with `SECRET` known as a secret."""
    before, stream = logging.getLogRecordFactory(), io.StringIO()
    logging.setLogRecordFactory(logging.LogRecord)
    Redaction.install([SECRET])
    handler, logger = logging.StreamHandler(stream), logging.getLogger("hexwave_app")
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_is_an_object(written: io.StringIO) -> None:
    """Whatever is said in it, line feeds among it."""
    logging.getLogger("hexwave_app.some").warning("%s\nlost", "möwe")
    (line,) = lines(written)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "warning", "logger": "hexwave_app.some", "message": "möwe\nlost"}


def test_an_exception_is_a_part_of_its_line(written: io.StringIO) -> None:
    """And has no secret in it, as the message has none."""
    for said in ("quite plain", SECRET):
        try:
            raise ValueError(said)
        except ValueError:
            logging.getLogger("hexwave_app").exception("refused %s", said)
    plain, secret = lines(written)
    assert "ValueError: quite plain" in plain["exception"]
    assert (secret["message"], SECRET in written.getvalue()) == ("refused [redacted]", False)
    assert "ValueError: [redacted]" in secret["exception"]


async def test_tasks_are_about_the_process_that_they_began_for(written: io.StringIO) -> None:
    """However long they go on, while others are about others."""
    log = logging.getLogger("hexwave_app")

    async def work(go: asyncio.Event) -> None:
        await go.wait()
        log.warning("done")

    go, tasks = asyncio.Event(), list[asyncio.Task[None]]()
    for name in ("p_a", "p_b"):
        with working_on(name):
            tasks.append(asyncio.create_task(work(go)))
    log.warning("begun")
    go.set()
    await asyncio.gather(*tasks)
    assert [line.get("processId") for line in lines(written)] == [None, "p_a", "p_b"]


def test_people_are_told_the_process_once() -> None:
    """Behind the message, unless that names it."""
    record = logging.LogRecord("hexwave_app", logging.WARNING, "", 0, "lost", None, None)
    named = logging.LogRecord("hexwave_app", logging.WARNING, "", 0, "p_a: lost", None, None)
    with working_on("p_a"):
        said, once = TextLines().format(record), TextLines().format(named)
    assert said.endswith(" WARNING hexwave_app: lost (p_a)")
    assert once.endswith(" WARNING hexwave_app: p_a: lost")


def test_all_that_a_server_says_is_in_one_form() -> None:
    """Ours, that of libraries, and the server's own."""
    run = subprocess.run(
        [sys.executable, "-c", SERVER], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    said = [json.loads(line) for line in run.stderr.splitlines()]
    assert run.stdout == ""
    assert [(line["logger"], line["message"]) for line in said] == [
        ("hexwave_app.tools", "ours"),
        ("somebody.else", "theirs"),
        ("_granian", "the server's"),
    ]


@pytest.mark.asyncio(loop_scope="module")
async def test_every_line_of_a_job_names_its_process(
    server: Served, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the code that writes it knows none: here that of a provider that breaks."""

    async def broken(_job: object) -> str:
        raise RuntimeError("It broke.")

    monkeypatch.setattr(server.services.providers["demo"], "submit", broken)
    async with httpx.AsyncClient(base_url=server.url) as http:
        await http.get("/api/processes")
        answer = await http.post("/api/generate-image", json={"prompt": "sea"})
        process = await Guest(http, server).ended(answer.json()["processId"])
    assert process["data"]["errorCode"] == "submission_unknown"
    said = lines(written)
    assert "demo failed to take a job" in [line["message"] for line in said]
    assert {line.get("processId") for line in said} == {process["processId"]}
