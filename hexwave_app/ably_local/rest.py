"""The REST interface (https://ably.com/docs/api/rest-api): time, tokens, publish and history."""

import asyncio
import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote_plus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .batch import Spec, read_specs
from .channel import check_channel_name
from .clock import now
from .credential import Credential
from .error import AblyError
from .history import HistoryQuery
from .loopback import is_loopback
from .message import read_messages
from .state import AppState
from .wire import Fields, Format, decode, encode, wire_messages

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Rest:
    """The handlers, and the state they work on."""

    state: AppState

    def routes(self) -> list[Route]:
        return [
            Route("/time", self.time),
            Route("/keys/{key_name}/requestToken", self.request_token, methods=["POST"]),
            Route("/channels/{name:path}/messages", self.publish, methods=["POST"]),
            Route("/messages", self.publish_batch, methods=["POST"]),
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
        details = self.state.authenticator.request_token(request.path_params["key_name"], body, proven)
        return _respond(request, details, 201)

    async def publish(self, request: Request) -> Response:
        """RSL1: one message or an array, all or none; RSL1n: the answer holds the serials."""
        name = _channel_name(request)
        credential = self._credential(request)
        credential.require("publish", name)
        body = await self._body(request)
        if request.query_params.get("_forceNack") == "true":
            raise AblyError(40099, "Refused as asked with _forceNack (RSL1l1).")
        return _respond(request, self._published(name, body, credential), 201)

    async def publish_batch(self, request: Request) -> Response:
        """RSC22: each channel of each spec is published to by itself; the answer tells of each."""
        credential = self._credential(request)
        body = await self._body(request, self.state.limits.batch_bytes)
        results = [self._each_published(spec, credential) for spec in read_specs(body)]
        return _respond(request, results if isinstance(body, list) else results[0], 201)

    def _each_published(self, spec: Spec, credential: Credential) -> Fields:
        """BPR2, BPF2."""
        results = list[Fields]()
        for channel in spec.channels:
            try:
                name = check_channel_name(channel)
                credential.require("publish", name)
                results.append(self._published(name, spec.messages, credential))
            except AblyError as error:
                results.append({"channel": channel, "error": error.to_dict()})
        failed = sum("error" in result for result in results)
        return {"successCount": len(results) - failed, "failureCount": failed, "results": results}

    def _published(self, name: str, body: object, credential: Credential) -> Fields:
        messages = read_messages(body, credential, self.state.limits.message_bytes)
        base_id = secrets.token_urlsafe(9)
        serials = self.state.channels.get(name).publish(messages, base_id)
        return {"channel": name, "messageId": base_id, "serials": serials}

    async def history(self, request: Request) -> Response:
        """RSL2: what the channel still holds, newest first, in pages linked by `Link` headers (TG1)."""
        name = _channel_name(request)
        self._credential(request).require("history", name)
        channel = self.state.channels.find(name)
        query = HistoryQuery.read(request.query_params)
        page, links = query.select(channel.history(query.until) if channel else [])
        response = _respond(request, wire_messages(page, _answer_format(request)))
        response.headers["link"] = links
        return response

    async def unsupported(self, request: Request) -> Response:
        """Refuse the parts of Ably that are not here, as Ably refuses an unknown path."""
        raise AblyError(
            40400,
            "This local server has no such resource: it serves /time, requestToken, publish, batches of it"
            " and history; presence, push, stats and message updates are Ably's own.",
        )

    def _credential(self, request: Request) -> Credential:
        """Return the rights of the Authorization header: Basic key (RSA11) or Bearer token (RSA3b)."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            credential = self.state.authenticator.with_token(value if "." in value else _base64_text(value))
        elif scheme.lower() != "basic":
            raise AblyError(40101, "No credentials: send a key as Basic or a token as Bearer.")
        elif not _may_carry_keys(request):
            raise AblyError(40103, "A key must not cross a network without TLS (RSA1): use a token.", 401)
        else:
            credential = self.state.authenticator.with_key(_base64_text(value))
        client_id = request.headers.get("x-ably-clientid")  # RSA7e2
        return credential.identify(_base64_text(client_id) if client_id else None)

    async def _body(self, request: Request, most: int | None = None) -> object:
        most = most or self.state.limits.frame_bytes
        content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip()
        formats = {format.media_type: format for format in Format}
        if content_type not in formats:
            raise AblyError(40001, "Content-Type must be JSON or MessagePack (RSC8c).", 415)
        body = bytearray()
        try:
            async with asyncio.timeout(self.state.limits.request_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > most:
                        raise AblyError(40009, "The body is too large: publish less at once.", 413)
        except (TimeoutError, ClientDisconnect) as error:
            raise AblyError(50003, "The body did not arrive in time.", 503) from error
        try:
            return decode(bytes(body), formats[content_type])
        except ValueError as error:
            raise AblyError(40001, f"Invalid request body: {error}.") from error


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
    return request.url.scheme == "https" or (request.client is not None and is_loopback(request.client.host))
