"""One realtime connection: the protocol messages of a client on one websocket (RTN, RTL)."""

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from .channel import Backlog, Channel, check_channel_name
from .clock import now
from .credential import Credential
from .error import AblyError
from .message import Publisher, read_messages
from .wire import Action, Fields, Flag, Format, Frame, decode, encode

if TYPE_CHECKING:
    from .realtime import Realtime

MODES = Flag.PUBLISH | Flag.SUBSCRIBE
ALL_MODES = 0x3FF0000  # TR3q to TR3z: the bits that ask for modes
UNSUPPORTED = {Action.PRESENCE: "presence", Action.OBJECT: "objects", Action.ANNOTATION: "annotations"}
_VERSION = re.compile(r"(\d{1,4})(\.\d{1,4})?", re.ASCII)
_REWIND = re.compile(r"(\d{1,6})([sm]?)", re.ASCII)


class Connection:
    """One client on one websocket. Incoming frames are handled in order and never wait;
    outgoing frames go through a bounded outbox."""

    def __init__(self, realtime: "Realtime", websocket: WebSocket, format: Format, echo: bool) -> None:
        self.id = secrets.token_urlsafe(8)
        self.key = ""
        self.format = format
        self.echo = echo
        self._realtime = realtime
        self._limits = realtime.limits
        self._websocket = websocket
        self._credential: Credential | None = None
        self._attached: dict[str, Channel] = {}
        self._outbox: deque[Frame] = deque()
        self._outbox_bytes = 0
        self._wake = asyncio.Event()
        self._close_code: int | None = None
        self._deadline: asyncio.Timeout | None = None
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def client_id(self) -> str | None:
        return self._rights.client_id

    @property
    def _rights(self) -> Credential:
        if self._credential is None:
            raise AblyError(40101, "The connection is not authenticated.")
        return self._credential

    # Opening and authentication

    def open(self, params: Mapping[str, str]) -> None:
        """Authenticate and send CONNECTED. Raises AblyError, which ends the connection (RTN14)."""
        if params.get("format", "json") not in ("json", "msgpack"):
            raise AblyError(40003, "format must be json or msgpack (RTN2a).")
        version = _VERSION.fullmatch(params.get("v", ""))
        if not version or int(version[1]) < 2:
            raise AblyError(40017, "Unsupported protocol version: v must be 2 or higher (RTN2f).")
        if "key" in params:
            credential = self._realtime.authenticator.with_key(params["key"])
        elif token := params.get("accessToken") or params.get("access_token"):  # ably-js says access_token
            credential = self._realtime.authenticator.with_token(token)
        else:
            raise AblyError(40101, "No credentials: give key or accessToken (RTN2e).")
        self._set_credential(credential.identify(params.get("clientId")))
        self._resume(params.get("resume") or params.get("recover"))

    def _resume(self, resume_key: str | None) -> None:
        """Take over the connection of `resume_key` (RTN15c6, RTN16k), or start afresh (RTN15c7)."""
        error = None
        if resume_key is not None:
            resumed_id = self._realtime.take(resume_key, self.client_id)
            if resumed_id is None:
                error = AblyError(80008, "Unable to recover connection: unknown, or lost too long ago.")
            self.id = resumed_id or self.id
        self.key = f"{self.id}!{secrets.token_urlsafe(16)}"
        self._realtime.live[self.key] = self
        self._send_connected(error)

    def _send_connected(self, error: AblyError | None = None) -> None:
        details: Fields = {
            "connectionKey": self.key,
            "maxMessageSize": self._limits.message_bytes,
            "maxFrameSize": self._limits.frame_bytes,
            "connectionStateTtl": self._limits.connection_state_ttl,
            "maxIdleInterval": self._limits.max_idle_interval,
            "serverId": self._realtime.server_id,
        }
        if self.client_id is not None:
            details["clientId"] = self.client_id
        message: Fields = {"connectionId": self.id, "connectionKey": self.key, "connectionDetails": details}
        self._send(Action.CONNECTED, message, error)

    def _set_credential(self, credential: Credential) -> None:
        """Use `credential`; ask for a new token in good time (RTN22) and disconnect when it ends (RTN22a)."""
        self._credential = credential
        self._cancel_timers()
        if credential.expires is None:
            return
        loop = asyncio.get_running_loop()
        left = max(0, credential.expires - now()) / 1000
        lead = min(self._limits.renewal_lead / 1000, left / 2)
        self._timers = [
            loop.call_later(left - lead, self._send, Action.AUTH, Fields()),
            loop.call_later(left, self.disconnect, AblyError(40142, "Token expired: ask for another.")),
        ]

    def _reauthenticate(self, auth: object) -> None:
        """Take a new token in band (RTC8a1); a refusal is fatal (RTC8a2); channels it does not cover fail."""
        token = cast(Fields, auth).get("accessToken") if isinstance(auth, dict) else None
        if not isinstance(token, str):
            raise AblyError(40101, "AUTH needs auth.accessToken.")
        credential = self._realtime.authenticator.with_token(token)
        if credential.client_id == "*" and self._rights.client_id not in (None, "*"):
            credential = credential.identify(self._rights.client_id)
        if credential.client_id != self._rights.client_id:
            raise AblyError(40102, "The new token has another clientId: connect anew for another identity.")
        self._set_credential(credential)
        self._send_connected()
        for channel in list(self._attached.values()):
            before = channel.attached[self]
            channel.attached[self] = before & self._permitted_modes(channel.name)
            # Losing publish shows at the next publish; losing subscribe would be silence without an end.
            if (
                before & Flag.SUBSCRIBE != channel.attached[self] & Flag.SUBSCRIBE
                or not channel.attached[self]
            ):
                self._detach(channel)
                error = AblyError(40160, "The new token does not cover this channel: ask for its capability.")
                self._send(Action.ERROR, {"channel": channel.name}, error)

    # Incoming

    def receive(self, raw: Frame) -> None:
        """Act on one frame. Raises AblyError for what breaks the protocol, which ends the connection."""
        message = decode(raw, self.format)
        if not isinstance(message, dict):
            raise AblyError(40000, "A protocol message must be an object.")
        fields = cast(Fields, message)
        action = fields.get("action")
        if not isinstance(action, int) or isinstance(action, bool):
            raise AblyError(40000, "A protocol message needs an action, a whole number (TR4a).")
        if action == Action.MESSAGE or action in UNSUPPORTED:
            self._acknowledge(fields)
        elif action == Action.HEARTBEAT:
            identifier = fields.get("id")  # RTN13e: the echo carries the id of the ping
            self._send(Action.HEARTBEAT, {"id": identifier} if isinstance(identifier, str) else {})
        elif action in (Action.ATTACH, Action.DETACH):
            self._change_attachment(fields, attach=action == Action.ATTACH)
        elif action == Action.AUTH:
            self._reauthenticate(fields.get("auth"))
        elif action == Action.CLOSE:
            self._send(Action.CLOSED, {})  # RTN12a
            self.leave(resumable=False)
            self._end(1000)
        elif action == Action.DISCONNECT:
            self.disconnect(AblyError(80003, "Disconnected at the client's request."))
        else:
            raise AblyError(40000, "Unknown protocol message action (TR2).")

    def _acknowledge(self, fields: Fields) -> None:
        """Publish, then ACK with the serials or NACK with the reason (RTN7, TR4s)."""
        serial = fields.get("msgSerial")
        if not isinstance(serial, int) or isinstance(serial, bool) or not 0 <= serial < 2**53:
            raise AblyError(40000, "A message to be acknowledged needs msgSerial, a whole number (TR4j).")
        answer: Fields = {"msgSerial": serial, "count": 1}
        try:
            answer["res"] = [{"serials": self._publish(fields, serial)}]
        except AblyError as error:
            self._send(Action.NACK, answer, error)
        else:
            self._send(Action.ACK, answer)

    def _publish(self, fields: Fields, serial: int) -> list[str]:
        if fields["action"] in UNSUPPORTED:
            feature = UNSUPPORTED[Action(cast(int, fields["action"]))]
            raise AblyError(40000, f"This local server has no {feature}: use Ably itself for that.")
        name = check_channel_name(fields.get("channel"))
        rights = self._rights
        rights.require("publish", name)
        attached = self._attached.get(name)
        if attached and Flag.PUBLISH not in attached.attached[self]:
            raise AblyError(40165, "The channel was attached without the publish mode.", 401)
        publisher = Publisher(rights.identity, rights.may_assume)
        messages = read_messages(fields.get("messages"), publisher, self._limits.message_bytes)
        # TR4n: the id that a resend after a resume repeats, so that it is stored once (RTN19a2).
        return self._realtime.channels.get(name).publish(messages, f"{self.id}:{serial}", self.id)

    # Channels

    def _change_attachment(self, fields: Fields, attach: bool) -> None:
        """ATTACH or DETACH; a refusal concerns the channel only (RTL4, RTL5, RTL14)."""
        name = fields.get("channel")
        try:
            check_channel_name(name)
            if attach:
                self._attach(cast(str, name), fields)
            else:
                if channel := self._attached.get(cast(str, name)):
                    self._detach(channel)
                self._send(Action.DETACHED, {"channel": name})
        except AblyError as error:
            if not isinstance(name, str):
                raise
            self._send(Action.ERROR, {"channel": name}, error)

    def _attach(self, name: str, fields: Fields) -> None:
        if name not in self._attached and len(self._attached) >= self._limits.channels_per_connection:
            raise AblyError(90010, "Too many channels: detach some or open another connection.")
        modes = self._granted_modes(name, fields.get("flags"))
        channel = self._realtime.channels.get(name)
        params = _known_params(fields.get("params"))
        backlog = self._backlog(channel, fields.get("channelSerial"), params.get("rewind"))
        if Flag.SUBSCRIBE not in modes:
            backlog = Backlog(channel.serial, [], backlog.resumed)
        self._attached[name] = channel
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

    def _granted_modes(self, name: str, flags: object) -> Flag:
        """Return the modes asked for and allowed (RTL4l, RTL4m). Raises AblyError 40160 for none."""
        asked = flags & ALL_MODES if isinstance(flags, int) else 0
        permitted = self._permitted_modes(name)
        granted = permitted & Flag(asked & MODES) if asked else permitted
        if not granted:
            raise AblyError(40160, "The credentials allow nothing on this channel: ask for its capability.")
        return granted

    def _permitted_modes(self, name: str) -> Flag:
        allows = self._rights.capability.allows
        modes = Flag.PUBLISH if allows("publish", name) else Flag(0)
        return modes | Flag.SUBSCRIBE if allows("subscribe", name) else modes

    def _backlog(self, channel: Channel, serial: object, rewind: str | None) -> Backlog:
        """Resume from the client's serial; without one, rewind as asked on a first attach."""
        if isinstance(serial, str) and serial:
            return channel.resume(serial)
        match = _REWIND.fullmatch(rewind or "")
        if not match or self in channel.attached:
            return Backlog(channel.serial, [])
        amount, most = int(match[1]), self._limits.rewind_messages
        if not match[2]:
            return channel.rewind(min(amount, most))
        return channel.rewind(most, now() - amount * (60_000 if match[2] == "m" else 1_000))

    def _detach(self, channel: Channel) -> None:
        self._attached.pop(channel.name, None)
        self._realtime.channels.detach(channel, self)

    # Outgoing

    def send_frame(self, frame: Frame) -> None:
        """Queue an encoded frame. A client that reads too slowly is disconnected: it can resume (42915)."""
        if self._close_code is not None:
            return
        self._outbox.append(frame)
        self._outbox_bytes += len(frame)
        self._wake.set()
        if len(self._outbox) > self._limits.outbox_frames or self._outbox_bytes > self._limits.outbox_bytes:
            self._outbox.clear()
            self._outbox_bytes = 0
            self.disconnect(AblyError(42915, "The client reads more slowly than messages arrive: resume."))

    def _send(self, action: Action, fields: Fields, error: AblyError | None = None) -> None:
        message: Fields = {"action": int(action), **fields}
        if error is not None:
            message["error"] = error.to_dict()
        self.send_frame(encode(message, self.format))

    def disconnect(self, error: AblyError) -> None:
        """End the transport; the client may resume (RTN15h)."""
        self._send(Action.DISCONNECTED, {}, error)
        self._end(1000)

    def fail(self, error: AblyError) -> None:
        """End the connection for good (RTN14g, RTN15j); after a token error the client renews (RTN14b)."""
        self._send(Action.ERROR, {}, error)
        self.leave(resumable=False)
        self._end(1008)

    def _end(self, code: int) -> None:
        if self._close_code is not None:
            return
        self._close_code = code
        self._cancel_timers()
        self._wake.set()
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._limits.close_seconds)

    def leave(self, resumable: bool) -> None:
        """Detach from every channel and give up the connection key, or keep it for a resume."""
        for channel in list(self._attached.values()):
            self._detach(channel)
        if self._realtime.live.pop(self.key, None) is self and resumable:
            self._realtime.keep(self)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()

    # The transport

    async def run(self) -> None:
        """Read and write until the client leaves or the server ends the connection."""
        reader = asyncio.create_task(self._read())
        writer = asyncio.create_task(self._write())
        ended = self._close_code is not None
        try:
            async with asyncio.timeout(self._limits.close_seconds if ended else None) as self._deadline:
                await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
                if self._close_code is not None:
                    await asyncio.wait({writer})
        except TimeoutError:
            pass  # the client does not read, so what is left for it is dropped
        finally:
            self._cancel_timers()
            self.leave(resumable=True)
            for task in (reader, writer):
                task.cancel()
            results = await asyncio.gather(reader, writer, return_exceptions=True)
        for fault in results:
            if isinstance(fault, Exception):
                raise fault

    async def _read(self) -> None:
        with suppress(WebSocketDisconnect):
            while self._close_code is None:
                event = await self._websocket.receive()
                if event["type"] == "websocket.disconnect":
                    return
                raw: Frame | None = event.get("bytes") if event.get("text") is None else event["text"]
                try:
                    self.receive(raw or b"")
                except AblyError as error:
                    self.fail(error)

    async def _write(self) -> None:
        with suppress(WebSocketDisconnect):
            while True:
                while self._outbox:
                    frame = self._outbox.popleft()
                    self._outbox_bytes -= len(frame)
                    kind = "text" if isinstance(frame, str) else "bytes"
                    await self._websocket.send({"type": "websocket.send", kind: frame})
                if self._close_code is not None:
                    await self._websocket.close(self._close_code)
                    return
                self._wake.clear()
                try:
                    async with asyncio.timeout(self._limits.max_idle_interval / 1000):
                        await self._wake.wait()
                except TimeoutError:
                    self._send(Action.HEARTBEAT, {})  # RTN23b


def _known_params(params: object) -> dict[str, str]:
    """Return the channel params that are understood and valid (RTL4k1): only `rewind`."""
    rewind = cast(Fields, params).get("rewind") if isinstance(params, dict) else None
    text = str(rewind) if isinstance(rewind, int | str) else ""
    return {"rewind": text} if _REWIND.fullmatch(text) else {}
