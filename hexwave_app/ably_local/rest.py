"""The REST interface (https://ably.com/docs/api/rest-api): time, tokens, publish and history."""

import asyncio
import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast
from urllib.parse import unquote_plus, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .channel import Channels, check_channel_name
from .clock import now
from .credential import Authenticator, Credential
from .error import AblyError
from .limits import Limits
from .message import Publisher, read_messages
from .wire import Fields, Format, decode, encode, wire_messages

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Rest:
    """The handlers and what they work on."""

    authenticator: Authenticator
    channels: Channels
    limits: Limits

    def routes(self) -> list[Route]:
        return [
            Route("/time", self.time),
            Route("/keys/{key_name}/requestToken", self.request_token, methods=["POST"]),
            Route("/channels/{name:path}/messages", self.publish, methods=["POST"]),
            Route("/channels/{name:path}/messages", self.history, methods=["GET"]),
            Route("/{path:path}", self.unsupported, methods=METHODS),
        ]

    async def time(self, request: Request) -> Response:
        """RSC16."""
        return _respond(request, [now()])

    async def request_token(self, request: Request) -> Response:
        """RSA8a; the request is signed, or carries the key itself."""
        proven = self._credential(request) if "authorization" in request.headers else None
        body = await self._body(request)
        details = self.authenticator.request_token(request.path_params["key_name"], body, proven)
        return _respond(request, details, 201)

    async def publish(self, request: Request) -> Response:
        """RSL1: one message or an array, all or none; RSL1n: the answer holds the serials."""
        name = _channel_name(request)
        credential = self._credential(request)
        credential.require("publish", name)
        body = await self._body(request)
        if request.query_params.get("_forceNack") == "true":
            raise AblyError(40099, "Refused as asked with _forceNack (RSL1l1).")
        publisher = Publisher(credential.identity, credential.may_assume)
        messages = read_messages(body, publisher, self.limits.message_bytes)
        base_id = secrets.token_urlsafe(9)
        serials = self.channels.get(name).publish(messages, base_id)
        return _respond(request, {"channel": name, "messageId": base_id, "serials": serials}, 201)

    async def history(self, request: Request) -> Response:
        """RSL2: what the channel still holds, newest first, in pages linked by `Link` headers (TG1)."""
        name = _channel_name(request)
        self._credential(request).require("history", name)
        channel = self.channels.find(name)
        query = HistoryQuery.read(request.query_params)
        page, more = query.select(channel.history() if channel else [])
        format = _answer_format(request)
        response = _respond(request, wire_messages(page, format))
        response.headers["link"] = query.links(cast(str, page[-1]["serial"]) if more else None)
        return response

    async def unsupported(self, request: Request) -> Response:
        """Refuse the parts of Ably that are not here, as Ably refuses an unknown path."""
        raise AblyError(
            40400,
            "This local server has no such resource: it serves /time, requestToken, publish and history;"
            " presence, push, stats, batches and message updates are Ably's own.",
        )

    def _credential(self, request: Request) -> Credential:
        """Return the rights of the Authorization header: Basic key (RSA11) or Bearer token (RSA3b)."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.authenticator.with_token(value if "." in value else _base64_text(value))
        if scheme.lower() != "basic":
            raise AblyError(40101, "No credentials: send a key as Basic or a token as Bearer.")
        if not _may_carry_keys(request):
            raise AblyError(40103, "A key must not cross a network without TLS (RSA1): use a token.", 401)
        client_id = request.headers.get("x-ably-clientid")  # RSA7e2
        credential = self.authenticator.with_key(_base64_text(value))
        return credential.identify(_base64_text(client_id) if client_id else None)

    async def _body(self, request: Request) -> object:
        content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip()
        formats = {format.media_type: format for format in Format}
        if content_type not in formats:
            raise AblyError(40000, "Content-Type must be JSON or MessagePack (RSC8c).", 415)
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.request_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self.limits.frame_bytes:
                        raise AblyError(40009, "The body is too large: publish less at once.", 413)
        except (TimeoutError, ClientDisconnect) as error:
            raise AblyError(50003, "The body did not arrive in time.", 408) from error
        return decode(bytes(body), formats[content_type])


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
            until=params.get("from_serial", params.get("fromSerial", "")),
        )
        if direction not in ("backwards", "forwards") or query.start > query.end:
            raise AblyError(40003, "direction must be backwards or forwards, and start not after end.")
        if not 1 <= query.limit <= 1000:
            raise AblyError(40003, "limit must be from 1 to 1000 (RSL2b3).")
        return query

    def select(self, messages: list[Fields]) -> tuple[list[Fields], bool]:
        """Return the page of `messages` (oldest first) and whether another follows it."""
        chosen = [message for message in messages if self._includes(message)]
        if self.backwards:
            chosen.reverse()
        return chosen[: self.limit], len(chosen) > self.limit

    def _includes(self, message: Fields) -> bool:
        serial = cast(str, message["serial"])
        if self.until and serial.rpartition(":")[0] > self.until:
            return False
        if self.cursor and (serial >= self.cursor if self.backwards else serial <= self.cursor):
            return False
        return self.start <= cast(int, message["timestamp"]) <= self.end

    def links(self, last_serial: str | None) -> str:
        direction = "backwards" if self.backwards else "forwards"
        params = {"start": self.start, "end": self.end, "limit": self.limit, "direction": direction}
        if self.until:
            params["from_serial"] = self.until
        first = f'<./messages?{urlencode(params)}>; rel="first"'
        if last_serial is None:
            return first
        return f'{first}, <./messages?{urlencode({**params, "cursor": last_serial})}>; rel="next"'


async def refuse(request: Request, error: Exception) -> Response:
    """Answer an AblyError, or a routing error, in Ably's form (TI4)."""
    if isinstance(error, HTTPException):
        error = AblyError(error.status_code * 100, error.detail, error.status_code)
    if not isinstance(error, AblyError):
        raise error
    response = _respond(request, {"error": error.to_dict()}, error.status_code)
    response.headers["x-ably-errorcode"] = str(error.code)
    response.headers["x-ably-errormessage"] = error.message
    return response


def _respond(request: Request, value: object, status_code: int = 200) -> Response:
    format = _answer_format(request)
    return Response(encode(value, format), status_code, media_type=format.media_type)


def _answer_format(request: Request) -> Format:
    """RSC8c: the `format` parameter or the Accept header; JSON unless MessagePack is asked for."""
    asked = request.query_params.get("format") or request.headers.get("accept", "")
    return Format.MSGPACK if "msgpack" in asked else Format.JSON


def _channel_name(request: Request) -> str:
    # SDKs quote a space as + and a plus as %2B, which the decoded path no longer tells apart.
    path = cast(bytes, request.scope["raw_path"]).decode("ascii", "replace")
    return check_channel_name(unquote_plus(path.removeprefix("/channels/").removesuffix("/messages")))


def _base64_text(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise AblyError(40005, "The credentials are not base64 text.", 401) from error


def _may_carry_keys(request: Request) -> bool:
    if request.url.scheme == "https":
        return True
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise AblyError(40003, f"{name} must be a whole number.")
    return int(text)
