"""No log has a secret in it, whoever writes it and however."""

import asyncio
import io
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from aiohttp import web
from granian.log import log_request_builder
from uvicorn.logging import AccessFormatter

import dev
from hexwave_app.ably_local import serve as serve_ably
from hexwave_app.identity.redaction import Redaction
from tests.conftest import eventually, free_port
from tests.identity.whole_app import start, whole_app
from tests.providers.servers import hosted
from tests.security.page_socket import PageSocket

VALUE = "s3cr3t/value+0123456789"
GONE = "[redacted]"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the logger `redacted.child` writes, with `VALUE` known as a secret."""
    before, stream = logging.getLogRecordFactory(), io.StringIO()
    logging.setLogRecordFactory(logging.LogRecord)
    Redaction.install([VALUE])
    handler, log = logging.StreamHandler(stream), logging.getLogger("redacted")
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    yield stream
    log.removeHandler(handler)
    logging.setLogRecordFactory(before)


log = logging.getLogger("redacted.child")


class Odd:
    """Says its secret only where it is shown as code."""

    def __str__(self) -> str:
        return "odd"

    def __repr__(self) -> str:
        return f"Odd(secret={VALUE!r})"


@pytest.mark.parametrize(
    ("said", "arguments", "expected"),
    [
        (f"key {VALUE}.", (), f"key {GONE}."),
        ("key %s.", (VALUE,), f"key {GONE}."),
        ("key %(k)s.", ({"k": VALUE},), f"key {GONE}."),
        ("%s and %d and %.1f", ("plain", 7, 0.5), "plain and 7 and 0.5"),
        ("key %s.", ("s3cr3t%2Fvalue%2B0123456789",), f"key {GONE}."),
        ("%r", (Odd(),), f"Odd(secret='{GONE}')"),
        ("%s", (httpx.URL("http://x/?processId=p_1&token=abc"),), f"http://x/?processId=p_1&token={GONE}"),
        ("/?token=%s&a=1", ("abc",), f"/?token={GONE}&a=1"),
        ("GET %s", ("/x?a=1&X-Amz-Signature=f00&X-Amz-Credential=AK%2F1&b=2",), None),
        ("see ?u=http%3A%2F%2Fx%3Ftoken%3Dabc%26b%3D1", (), None),
        ("Cookie: hexwave=g_x.1.abc; other=1", (), f"Cookie: {GONE}"),
        ("sent hexwave-sign-in=user_x.sess_y.1.abc; a=b", (), f"sent hexwave-sign-in={GONE}; a=b"),
        ("sent __session=abc; __client_uat=1", (), f"sent __session={GONE}; __client_uat={GONE}"),
        ("token eyJhbGciOi.eyJpc3Mi.c2ln refused", (), f"token {GONE} refused"),
        ("%s", ([(b"set-cookie", b"hexwave=g_x.1.abc; Path=/"), (b"a", b"b")],), None),
        ("headers %s", ({"authorization": "Basic YXBwLmtleQ==", "a": "b"},), None),
        (f"the key hwk_{'a1' * 8}_{'b2' * 32}.", (), f"the key hwk_{'a1' * 8}_{GONE}."),
        ("Authorization: Bearer ey.J.x", (), f"Authorization: {GONE}"),
        ("mongodb://hexwave:hunter2@host/db", (), f"mongodb://{GONE}@host/db"),
        ("http://host:8000/a@b is an address", (), "http://host:8000/a@b is an address"),
        (
            "the token was refused; a monkey=1 and a turkey",
            (),
            "the token was refused; a monkey=1 and a turkey",
        ),
    ],
)
def test_a_record_is_redacted(
    written: io.StringIO, said: str, arguments: tuple[Any, ...], expected: str | None
) -> None:
    """Known values, and what looks like a credential; the rest of the line stays as it was."""
    log.info(said, *arguments)
    line = written.getvalue().rstrip("\n")
    if expected is not None:
        assert line == expected
    else:
        assert GONE in line
        assert not re.search("f00|AK%2F1|abc|YXBw", line)


def test_a_stack_trace_is_redacted(written: io.StringIO) -> None:
    """What an error says, the line of code it was raised at, and what it came from."""
    try:
        try:
            raise ValueError(f"refused: {VALUE}")
        except ValueError as error:
            raise RuntimeError("?token=abcdef") from error
    except RuntimeError:
        log.exception("it broke")
    assert "ValueError: refused: [redacted]" in written.getvalue()
    assert VALUE not in written.getvalue()
    assert "?token=[redacted]" in written.getvalue()


def test_a_call_that_cannot_be_written_still_raises_nothing(
    written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its handler complains, as without us, and that complaint has no secret in it either."""
    arguments = (f"/?token={VALUE}",)
    record = logging.getLogRecordFactory()("redacted", logging.INFO, "", 0, "%d", arguments, None)
    logging.StreamHandler(written).handle(record)
    complaint = capsys.readouterr().err
    assert "Logging error" in complaint
    assert VALUE not in complaint


def test_what_is_hidden_stays_hidden(written: io.StringIO) -> None:
    """Installing again adds to it; a value too short to be a secret is no word to be struck out."""
    Redaction.install(["another-secret", "a"])
    log.info("%s %s a", VALUE, "another-secret")
    assert written.getvalue() == f"{GONE} {GONE} a\n"


def test_access_logs_are_redacted(written: io.StringIO) -> None:
    """Uvicorn's formatter takes the arguments apart, and Granian's are a mapping."""
    del written
    record = logging.getLogRecordFactory()(
        *("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d'),
        *(("127.0.0.1:1", "GET", "/a?token=abcdef&b=1", "1.1", 200), None),
    )
    line = AccessFormatter("%(request_line)s %(status_code)s", use_colors=False).format(record)
    assert line == f"GET /a?token={GONE}&b=1 HTTP/1.1 200 OK"

    stream = io.StringIO()
    access, handler = logging.getLogger("granian.access"), logging.StreamHandler(stream)
    access.addHandler(handler)
    level, access.level = access.level, logging.INFO
    request = {"addr_remote": "::1", "path": "/a", "qs": "b=1", "method": "GET", "scheme": "http"}
    cookie = {"protocol": "1.1", "headers": lambda _name: "hexwave=g_x.1.abc"}
    log_request_builder("%(path)s?%(query_string)s %(header{cookie})s")(
        time.time(), time.perf_counter(), request | cookie, 200
    )
    access.removeHandler(handler)
    access.level = level
    assert stream.getvalue() == f"/a?b=1 hexwave={GONE}\n"


SETTINGS = {
    "HEXWAVE_SECRET_KEY": "first-secret-of-hexwave-0123456789",
    "HEXWAVE_OLD_SECRET_KEYS": "old-secret-of-hexwave-0123456789abc,older-secret-of-hexwave-0123456789",
    "ABLY_API_KEY": "app.key:ably-secret-0123456789",
    "HEXWAVE_PROVIDER": "external",
    "HEXWAVE_EXTERNAL_API_KEY": "external-key-0123456789",
    "OPENAI_API_KEY": "openai-key-0123456789",
    "REPLICATE_API_TOKEN": "replicate-token-0123456789",
    "REPLICATE_WEBHOOK_SECRET": f"whsec_{'R' * 32}",
    "FAL_KEY": "fal-key-0123456789",
}


class External:
    """An API that repeats what it was sent where it refuses, as some do."""

    def __init__(self) -> None:
        self.webhooks: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.webhooks.append(asked.get("webhook_url", ""))
        if asked["prompt"] == "Refuse":
            return web.json_response({"error": f"No: {request.headers} {asked}"}, status=401)
        return web.json_response({"id": f"job-{len(self.webhooks)}"})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.take)
        return app


async def journey(url: str, external: External) -> set[str]:
    """Everything that is done with the app, and much that fails; answers with the secrets that it made."""
    async with httpx.AsyncClient(base_url=url) as http:
        await http.get("/api/processes")
        for prompt in ("One", "Two", "Refuse"):
            answer = await http.post("/api/generate-image", json={"prompt": prompt})
            assert answer.status_code == 200
        refused = answer.json()["processId"]
        openai = {"prompt": "Refuse", "provider": "openai"}
        assert (await http.post("/api/generate-image", json=openai)).status_code == 200

        async def asked() -> bool:
            return len(external.webhooks) >= 4

        async def failed() -> bool:
            return (await http.get(f"/api/processes/{refused}")).json()["status"] == "failed"

        await eventually(asked)
        await eventually(failed)
        assert (await http.post(f"/api/processes/{refused}/retry")).status_code == 200
        webhooks = [webhook for webhook in external.webhooks if webhook]
        for webhook in webhooks:
            for body in (
                {"status": "processing", "progress": 7},
                {"status": "success", "images": [f"http://127.0.0.1:1/a.png?token={VALUE}"]},
                {"status": "nonsense"},
            ):
                await http.post(webhook, json=body)
            await http.post(webhook[:-1] + "x", json={"status": "error", "error": "x"})
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        await http.get("/media/p_x/0.webp", params={"token": VALUE})
        await http.get("/api/ably/token", headers={"Authorization": f"Bearer {VALUE}"})
        async with PageSocket.open(url, http) as page:
            await page.emit("watch")
            await page.emit("generate", {"form": {"prompt": "Three"}})
            await page.emit("cancel", {"process_id": refused})
            await page.told_until_now()
    tokens = {parse_qs(urlsplit(webhook).query)["token"][0] for webhook in webhooks}
    return {VALUE, cookie.partition("=")[2], cookie.rpartition(".")[2]} | tokens


async def test_a_whole_run_leaves_no_secret_in_the_log(tmp_path: Path) -> None:
    """With every secret set, and every library saying all that it has to say."""
    external, key = External(), SETTINGS["ABLY_API_KEY"]
    async with serve_ably({key: {"*": ["*"]}}) as ably, hosted(external.app()) as api:
        settings = SETTINGS | {
            "ABLY_ENDPOINT": f"{ably.host}:{ably.port}",
            "HEXWAVE_EXTERNAL_API_URL": f"{api}/generate?key=in-the-url-0123456789",
            "OPENAI_BASE_URL": f"{api}/v1",
        }
        async with whole_app(tmp_path, settings) as url:
            made = await journey(url, external)
    written = (tmp_path / "app.log").read_text()
    for sign in ("/api/webhook/image?", "cookie: ", "/api/ably/token", "httpcore", GONE):
        assert sign in written, f"the log should have {sign}: it says too little to show anything"
    values = {part for value in SETTINGS.values() for part in value.split(",")} - {"external"}
    assert len(made) >= 5
    for secret in values | made | {key.partition(":")[2], "in-the-url-0123456789"}:
        assert secret not in written


async def test_a_start_that_is_refused_leaves_no_secret_in_the_log(tmp_path: Path) -> None:
    """Not even the one that cannot work, whose error ends the start with a stack trace."""
    settings = SETTINGS | {"ABLY_API_KEY": "no-key-of-ably-0123456789"}
    process = start(tmp_path, free_port(), settings)

    async def refused() -> bool:
        return "ABLY_API_KEY cannot work" in (tmp_path / "app.log").read_text()

    try:
        await eventually(refused)
    finally:
        await asyncio.to_thread(dev.stop, process)
    written = (tmp_path / "app.log").read_text()
    for secret in {part for value in settings.values() for part in value.split(",")} - {"external"}:
        assert secret not in written
