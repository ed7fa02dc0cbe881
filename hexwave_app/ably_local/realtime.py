"""What all realtime connections share: who is connected, and who may still resume."""

import secrets
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from .channel import Channels
from .clock import now
from .connection import Connection
from .credential import Authenticator
from .error import AblyError
from .limits import Limits
from .wire import Format


@dataclass(frozen=True, slots=True)
class Lost:
    """A connection without a transport, to be resumed `until` (ms since the epoch)."""

    id: str
    client_id: str | None
    until: int


@dataclass(slots=True)
class Realtime:
    """What all connections share. `live` and `lost` map a connection key to what it resumes."""

    authenticator: Authenticator
    channels: Channels
    limits: Limits
    server_id: str = field(default_factory=lambda: secrets.token_urlsafe(6))
    live: dict[str, Connection] = field(default_factory=dict[str, Connection])
    lost: OrderedDict[str, Lost] = field(default_factory=OrderedDict[str, Lost])

    async def serve(self, websocket: WebSocket) -> None:
        """Answer one websocket until either side ends it."""
        with suppress(WebSocketDisconnect):
            await websocket.accept()
        params = websocket.query_params
        format = Format.MSGPACK if params.get("format") == "msgpack" else Format.JSON
        connection = Connection(self, websocket, format, echo=params.get("echo") != "false")
        try:
            connection.open(params)
        except AblyError as error:
            connection.fail(error)
        await connection.run()

    def take(self, key: str, client_id: str | None) -> str | None:
        """Return the id of the connection that `key` resumes, taking it from its old transport (RTN15b)."""
        while self.lost and next(iter(self.lost.values())).until < now():
            self.lost.popitem(last=False)
        if (old := self.live.get(key)) and old.client_id == client_id:
            old.disconnect(AblyError(80016, "The connection was resumed on another transport."))
            old.leave(resumable=False)
            return old.id
        if (lost := self.lost.get(key)) and lost.client_id == client_id:
            del self.lost[key]
            return lost.id
        return None

    def keep(self, connection: Connection) -> None:
        """Remember a connection that lost its transport for `connection_state_ttl` (CD2f)."""
        until = now() + self.limits.connection_state_ttl
        self.lost[connection.key] = Lost(connection.id, connection.client_id, until)
        while len(self.lost) > self.limits.lost_connections:
            self.lost.popitem(last=False)
