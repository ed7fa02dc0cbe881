"""All that the server holds: what its requests and connections share."""

from dataclasses import dataclass
from typing import Self

from .channel import Channels
from .credential import Authenticator, Keys
from .limits import Limits
from .session import Sessions


@dataclass(frozen=True, slots=True)
class AppState:
    """The state behind one address; also a look inside for tests and tools."""

    limits: Limits
    authenticator: Authenticator
    channels: Channels
    sessions: Sessions

    @classmethod
    def create(cls, keys: Keys, limits: Limits) -> Self:
        """Raises ValueError for a malformed key."""
        return cls(limits, Authenticator(keys, limits), Channels(limits), Sessions(limits))

    @property
    def attachments(self) -> dict[str, int]:
        """Live attachments: channel name to the number of connections attached."""
        return self.channels.attachments
