"""Who somebody is."""

import secrets
import time
from dataclasses import dataclass

_GUEST = "g_"


@dataclass(frozen=True)
class User:
    """Who is asking; `id` is `g_` and 22 characters for a guest, and Clerk's own for who is signed in.

    `stale` is one whose cookie should be made anew: it is a month old, or signed under an old secret.
    """

    id: str
    issued: int
    stale: bool = False

    @classmethod
    def guest(cls) -> "User":
        return cls(f"{_GUEST}{secrets.token_urlsafe(16)}", int(time.time()))

    @property
    def signed_in(self) -> bool:
        return not self.id.startswith(_GUEST)
