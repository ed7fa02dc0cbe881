"""One realtime connection: the protocol messages of a client on one websocket (RTN, RTL)."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from .channel import Backlog, Channel, check_channel_name
from .clock import now
from .credential import Authenticator, Credential
from .error import AblyError
from .message import read_messages
from .state import AppState
from .transport import Transport
from .wire import Action, Fields, Flag, Format, Frame, decode, encode

MODES = Flag.PUBLISH | Flag.SUBSCRIBE
ALL_MODES = 0x3FF0000  # TR3q to TR3z: the bits that ask for modes
UNSUPPORTED = {Action.PRESENCE: "presence", Action.OBJECT: "objects", Action.ANNOTATION: "annotations"}
_VERSION = re.compile(r"(\d{1,4})(\.\d{1,4})?", re.ASCII)
_REWIND = re.compile(r"(\d{1,6})([sm]?)", re.ASCII)


async def serve(state: AppState, websocket: WebSocket) -> None:
    """Answer one websocket until either side ends it."""
    with suppress(WebSocketDisconnect):
        await websocket.accept()
    transport, params = Transport(websocket, state.limits), websocket.query_params
    try:
        credential = _authenticate(state.authenticator, params)
    except AblyError as error:  # RTN14
        transport.send(_frame(_format(params), Action.ERROR, {}, error))
        transport.end(1008)
        await transport.run(receive=lambda _: None, idle=lambda: None)
    else:
        await Connection(state, transport, credential, params).run()


@dataclass(slots=True)
class Attachment:
    """A channel this connection is attached to, and the modes it asked for: all when it named none."""

    channel: Channel
    asked: Flag


class Connection:
    """One client on one websocket. Incoming frames are handled in order and never wait."""

    def __init__(
        self, state: AppState, transport: Transport, credential: Credential, params: Mapping[str, str]
    ) -> None:
        self.format = _format(params)
        self.echo = params.get("echo") != "false"  # RTN2b
        self._state = state
        self._transport = transport
        self._attachments: dict[str, Attachment] = {}
        self._timers: list[asyncio.TimerHandle] = []
        self._use(credential)
        resume_key = params.get("resume") or params.get("recover")  # RTN15b1, RTN16k
        self._session, self._lost = state.sessions.open(credential.client_id, resume_key, self._replaced)

    @property
    def id(self) -> str:
        return self._session.id

    async def run(self) -> None:
        """Serve the client until the transport ends; the session is kept for a resume unless it was ended."""
        self._send_connected(self._lost)
        try:
            await self._transport.run(self._receive, lambda: self._send(Action.HEARTBEAT, {}))  # RTN23b
        finally:
            self._leave(resumable=True)

    def _send_connected(self, error: AblyError | None = None) -> None:
        limits, session = self._state.limits, self._session
        details: Fields = {
            "connectionKey": session.key,
            "maxMessageSize": limits.message_bytes,
            "maxFrameSize": limits.frame_bytes,
            "connectionStateTtl": limits.connection_state_ttl,
            "maxIdleInterval": limits.max_idle_interval,
            "serverId": "local",
        }
        if session.client_id is not None:
            details["clientId"] = session.client_id
        message: Fields = {
            "connectionId": session.id,
            "connectionKey": session.key,
            "connectionDetails": details,
        }
        self._send(Action.CONNECTED, message, error)

    def _use(self, credential: Credential) -> None:
        """Take these rights; ask for another token in time (RTN22) and disconnect when they end (RTN22a)."""
        self._rights = credential
        self._cancel_timers()
        if credential.expires is None:
            return
        loop = asyncio.get_running_loop()
        left, lead = (credential.expires - now()) / 1000, self._state.limits.renewal_lead / 1000
        error = AblyError(40142, "Token expired: ask for another.")
        self._timers = [loop.call_later(left, self._disconnect, error)]
        if 0 < lead < left:
            self._timers.append(loop.call_later(left - lead, self._send, Action.AUTH, Fields()))

    def _reauthenticate(self, auth: object) -> None:
        """Take a new token in band (RTC8a1); a refusal is fatal (RTC8a2); channels it does not cover fail."""
        token = cast(Fields, auth).get("accessToken") if isinstance(auth, dict) else None
        if not isinstance(token, str):
            raise AblyError(40101, "AUTH needs auth.accessToken.")
        credential = self._state.authenticator.with_token(token)
        if credential.client_id == "*" and self._rights.client_id not in (None, "*"):
            credential = credential.identify(self._rights.client_id)
        if credential.client_id != self._rights.client_id:
            raise AblyError(40102, "The new token has another clientId: connect anew for another identity.")
        self._use(credential)
        self._send_connected()
        for name in [name for name in self._attachments if not self._renew_modes(name)]:
            self._detach(name)
            error = AblyError(40160, "The new token does not cover this channel: ask for its capability.")
            self._send(Action.ERROR, {"channel": name}, error)

    def _renew_modes(self, name: str) -> bool:
        """Grant what the credential allows of what was asked; False when the channel is lost to it."""
        attachment = self._attachments[name]
        before = attachment.channel.attached[self]
        after = attachment.channel.attached[self] = attachment.asked & self._permitted_modes(name)
        # Losing publish shows at the next publish; losing subscribe would be silence without an end.
        return bool(after) and Flag.SUBSCRIBE not in before & ~after

    def _receive(self, raw: Frame) -> None:
        """Act on one frame; what breaks the protocol is fatal (RTN15j)."""
        try:
            self._act(self._read(raw))
        except AblyError as error:
            self._fail(error)

    def _read(self, raw: Frame) -> Fields:
        try:
            message = decode(raw, self.format)
        except ValueError as error:
            raise AblyError(80013, f"The frame is no protocol message: {error}.") from error
        action = cast(Fields, message).get("action") if isinstance(message, dict) else None
        if not isinstance(action, int) or isinstance(action, bool):
            raise AblyError(80013, "A protocol message is an object whose action is a whole number (TR4a).")
        return cast(Fields, message)

    def _act(self, message: Fields) -> None:
        action = message["action"]
        if action == Action.MESSAGE or action in UNSUPPORTED:
            self._acknowledge(message)
        elif action == Action.HEARTBEAT:
            identifier = message.get("id")  # RTN13e: the echo carries the id of the ping
            self._send(Action.HEARTBEAT, {"id": identifier} if isinstance(identifier, str) else {})
        elif action in (Action.ATTACH, Action.DETACH):
            self._change_attachment(message, attach=action == Action.ATTACH)
        elif action == Action.AUTH:
            self._reauthenticate(message.get("auth"))
        elif action == Action.CLOSE:
            self._send(Action.CLOSED, {})  # RTN12a
            self._leave(resumable=False)
            self._transport.end(1000)
        elif action == Action.DISCONNECT:
            self._disconnect(AblyError(80003, "Disconnected at the client's request."))
        else:
            raise AblyError(80013, "Unknown protocol message action (TR2).")

    def _acknowledge(self, message: Fields) -> None:
        """Publish, then ACK with the serials or NACK with the reason (RTN7, TR4s)."""
        serial = message.get("msgSerial")
        if not isinstance(serial, int) or isinstance(serial, bool) or not 0 <= serial < 2**53:
            raise AblyError(80013, "A message to be acknowledged needs msgSerial, a whole number (TR4j).")
        answer: Fields = {"msgSerial": serial, "count": 1}
        try:
            answer["res"] = [{"serials": self._publish(message, serial)}]
        except AblyError as error:
            self._send(Action.NACK, answer, error)
        else:
            self._send(Action.ACK, answer)

    def _publish(self, message: Fields, serial: int) -> list[str]:
        if feature := UNSUPPORTED.get(cast(Action, message["action"])):
            raise AblyError(40021, f"This local server has no {feature}: use Ably itself for that.")
        name = check_channel_name(message.get("channel"))
        self._rights.require("publish", name)
        attachment = self._attachments.get(name)
        if attachment and Flag.PUBLISH not in attachment.asked:
            raise AblyError(40165, "The channel was attached without the publish mode.", 401)
        messages = read_messages(message.get("messages"), self._rights, self._state.limits.message_bytes)
        # TR4n: the id that a resend after a resume repeats, so that it is stored once (RTN19a2).
        return self._state.channels.get(name).publish(messages, f"{self.id}:{serial}", self.id)

    def _change_attachment(self, message: Fields, attach: bool) -> None:
        """ATTACH or DETACH; a refusal concerns the channel only (RTL4, RTL5, RTL14)."""
        channel = message.get("channel")
        if not isinstance(channel, str):
            raise AblyError(40010, "ATTACH and DETACH need the name of a channel.")
        try:
            name = check_channel_name(channel)
            if attach:
                self._attach(name, message)
            else:
                self._detach(name)
                self._send(Action.DETACHED, {"channel": name})
        except AblyError as error:
            self._send(Action.ERROR, {"channel": channel}, error)

    def _attach(self, name: str, message: Fields) -> None:
        most = self._state.limits.channels_per_connection
        if name not in self._attachments and len(self._attachments) >= most:
            raise AblyError(
                90010, f"Maximum number of channels per connection ({most}) exceeded: detach some."
            )
        asked = _asked_modes(_flags(message))
        modes = asked & self._permitted_modes(name)
        if not modes:
            raise AblyError(
                40160, "The credentials allow none of this on the channel: ask for its capability."
            )
        channel = self._state.channels.get(name)
        params = _known_params(message.get("params"))
        rewind = None if _flags(message) & Flag.ATTACH_RESUME else params.get("rewind")
        backlog = self._backlog(channel, message.get("channelSerial"), rewind)
        if Flag.SUBSCRIBE not in modes:
            backlog = Backlog(channel.serial, [], backlog.resumed)
        self._attachments[name] = Attachment(channel, asked)
        channel.attached[self] = modes
        flags = modes | (Flag.RESUMED if backlog.resumed else 0)
        flags |= Flag.HAS_BACKLOG if backlog.publications else 0
        # RTL15b: the serial is where the replay starts, so that a cut during the replay loses nothing.
        answer: Fields = {"channel": name, "channelSerial": backlog.serial, "flags": int(flags)}
        if params:
            answer["params"] = params  # RTL4k1
        self._send(Action.ATTACHED, answer, backlog.error)
        for publication in backlog.publications:
            if self.echo or publication.connection_id != self.id:
                self.send_frame(publication.frame(self.format))

    def _permitted_modes(self, name: str) -> Flag:
        allows = self._rights.capability.allows
        modes = Flag.PUBLISH if allows("publish", name) else Flag(0)
        return modes | Flag.SUBSCRIBE if allows("subscribe", name) else modes

    def _backlog(self, channel: Channel, serial: object, rewind: str | None) -> Backlog:
        """Resume from the client's serial (RTL4c1); without one, rewind as asked on a first attach."""
        if isinstance(serial, str) and serial:
            return channel.resume(serial)
        match = _REWIND.fullmatch(rewind or "")
        if not match or self in channel.attached:
            return Backlog(channel.serial, [])
        amount = int(match[1])
        if not match[2]:
            return channel.rewind(count=amount)
        return channel.rewind(since=now() - amount * (60_000 if match[2] == "m" else 1_000))

    def _detach(self, name: str) -> None:
        if attachment := self._attachments.pop(name, None):
            attachment.channel.detach(self)

    def send_frame(self, frame: Frame) -> None:
        """Queue an encoded frame. A client that reads too slowly is disconnected: it can resume (42915)."""
        if not self._transport.send(frame):
            self._disconnect(AblyError(42915, "The client reads more slowly than messages arrive: resume."))

    def _send(self, action: Action, fields: Fields, error: AblyError | None = None) -> None:
        self.send_frame(_frame(self.format, action, fields, error))

    def _replaced(self) -> None:
        self._disconnect(AblyError(80016, "The connection was resumed on another transport.", 410))

    def _disconnect(self, error: AblyError) -> None:
        """End the transport; the client may resume (RTN15h)."""
        self._send(Action.DISCONNECTED, {}, error)
        self._leave(resumable=True)
        self._transport.end(1000)

    def _fail(self, error: AblyError) -> None:
        """End the connection for good (RTN14g, RTN15j); after a token error the client renews (RTN14b)."""
        self._send(Action.ERROR, {}, error)
        self._leave(resumable=False)
        self._transport.end(1008)

    def _leave(self, resumable: bool) -> None:
        """Detach from every channel, and keep the session for a resume or end it."""
        self._cancel_timers()
        for name in list(self._attachments):
            self._detach(name)
        self._state.sessions.leave(self._session, resumable)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()


def _format(params: Mapping[str, str]) -> Format:
    return Format.MSGPACK if params.get("format") == "msgpack" else Format.JSON  # RTN2a


def _authenticate(authenticator: Authenticator, params: Mapping[str, str]) -> Credential:
    """Return the rights of a connect, from its parameters (RTN2). Raises AblyError."""
    if params.get("format", "json") not in ("json", "msgpack"):
        raise AblyError(40003, "format must be json or msgpack (RTN2a).")
    version = _VERSION.fullmatch(params.get("v", ""))
    if not version or int(version[1]) < 2:
        raise AblyError(40017, "Unsupported protocol version: v must be 2 or higher (RTN2f).")
    if "key" in params:
        credential = authenticator.with_key(params["key"])
    elif token := params.get("accessToken") or params.get("access_token"):  # ably-js says access_token
        credential = authenticator.with_token(token)
    else:
        raise AblyError(40101, "No credentials: give key or accessToken (RTN2e).")
    return credential.identify(params.get("clientId"))


def _frame(format: Format, action: Action, fields: Fields, error: AblyError | None) -> Frame:
    """Return an encoded protocol message (TR4)."""
    message: Fields = {"action": int(action), **fields}
    if error is not None:
        message["error"] = error.to_dict()
    return encode(message, format)


def _flags(message: Fields) -> int:
    flags = message.get("flags")
    return flags if isinstance(flags, int) else 0


def _asked_modes(flags: int) -> Flag:
    """Return the modes of an ATTACH, all when it names none (RTL4l). Raises AblyError 40021."""
    asked = flags & ALL_MODES
    if asked and not asked & MODES:
        raise AblyError(40021, "This local server has only the modes publish and subscribe.")
    return Flag(asked & MODES) if asked else MODES


def _known_params(params: object) -> dict[str, str]:
    """Return the channel params that are understood and valid (RTL4k1): only `rewind`."""
    rewind = cast(Fields, params).get("rewind") if isinstance(params, dict) else None
    text = str(rewind) if isinstance(rewind, int | str) else ""
    return {"rewind": text} if _REWIND.fullmatch(text) else {}
