"""The one secret of an installation, and the keys derived from it."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from hexwave_app.processes.errors import SettingsError

_BYTES = 32


class Secret:
    """Gives each purpose a key of its own, so that a leaked one opens nothing else.

    `old` are the values it had before: what they signed is accepted, and nothing more is signed under them.
    """

    def __init__(self, value: str, old: Sequence[str] = ()) -> None:
        self.values = (value, *old)

    @classmethod
    def kept_in(cls, path: Path, old: Sequence[str] = ()) -> "Secret":
        """The secret in the file `path`, made on first use and readable by its owner alone.

        `SettingsError` when what the file holds is too short to be one.
        """
        if not path.exists():
            cls._make(path)
        value = path.read_text()
        if len(value) < _BYTES:
            raise SettingsError(
                f"{path} is damaged. Delete it: a new one is made, and everyone starts as a new guest."
            )
        return cls(value, old)

    @staticmethod
    def _make(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{secrets.token_hex(4)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(_BYTES))
        try:
            # A link fails where the file exists: of two starting at once, both read one secret.
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()

    def key(self, purpose: str) -> bytes:
        """32 bytes for `purpose`: HMAC-SHA256 of the purpose under the secret."""
        return self.keys(purpose)[0]

    def keys(self, purpose: str) -> tuple[bytes, ...]:
        """The key to sign with, then those that are accepted besides."""
        return tuple(hmac.digest(value.encode(), purpose.encode(), hashlib.sha256) for value in self.values)


def sign(key: bytes, message: str) -> str:
    """HMAC-SHA256 of `message` in hexadecimal, 64 characters."""
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


def signed(key: bytes, message: str, signature: str) -> bool:
    """Whether `signature`, which may be any text, is the one of `message`; in constant time."""
    return hmac.compare_digest(sign(key, message).encode(), signature.encode(errors="surrogatepass"))
