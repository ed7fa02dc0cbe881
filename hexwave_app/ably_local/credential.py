"""Keys and tokens: who a client is and what it may do (RSA, https://ably.com/docs/api/token-request-spec)."""

import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from .capability import Capability
from .clock import now
from .error import AblyError
from .limits import Limits
from .wire import Fields

_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
Keys = Mapping[str, Mapping[str, Iterable[str]]]
"""`appId.keyId:secret` to its capability: resources to operations, such as `{"*": ["*"]}`."""

HOUR = 3_600_000
TIMESTAMP_WINDOW = 120_000


@dataclass(frozen=True, slots=True)
class Credential:
    """Rights proven by a key or a token. `client_id` is None (no identity), `*` (any) or a name (TD6)."""

    key_name: str
    capability: Capability
    client_id: str | None = None
    is_token: bool = False
    expires: int | None = None  # milliseconds since the epoch

    def identify(self, client_id: str | None) -> "Credential":
        """Return the credential under the identity a client gives itself (RSA7a, RSA15).

        Raises AblyError 40012 for a wildcard, 40102 when a token is bound to another identity or to none.
        """
        if client_id is None or client_id == self.client_id != "*":
            return self
        if client_id in ("", "*"):
            raise AblyError(40012, "clientId must be a name, neither empty nor the wildcard.")
        if self.is_token and self.client_id != "*":
            raise AblyError(40102, "clientId does not fit the token: ask for a token with this clientId.")
        return replace(self, client_id=client_id)

    @property
    def may_assume(self) -> bool:
        """Whether messages may carry any clientId (RSL1m3, TD6)."""
        return self.client_id == "*" or (self.client_id is None and not self.is_token)

    def require(self, operation: str, channel: str) -> None:
        """Raise AblyError 40160 unless `operation` is allowed on `channel`."""
        if not self.capability.allows(operation, channel):
            raise AblyError(
                40160, f"The credentials do not allow {operation} on this channel: ask for that capability."
            )


class Authenticator:
    """Holds the keys and the tokens issued from them. Tokens live in memory, at most `limits.tokens`."""

    def __init__(self, keys: Keys, limits: Limits) -> None:
        """Raises ValueError for a malformed key."""
        self._keys: dict[str, tuple[str, Capability]] = {}
        for key, grants in keys.items():
            name, _, secret = key.partition(":")
            if "." not in name or not secret:
                raise ValueError("a key has the form appId.keyId:secret")
            self._keys[name] = secret, Capability(grants)
        self._limits = limits
        self._tokens: OrderedDict[str, Credential] = OrderedDict()
        self._nonces: OrderedDict[tuple[str, int, str], int] = OrderedDict()

    def with_key(self, key: str) -> Credential:
        """Return the rights of `appId.keyId:secret`. Raises AblyError 40101."""
        name, _, secret = key.partition(":")
        expected, capability = self._keys.get(name, ("", None))
        if capability is None or not hmac.compare_digest(secret.encode(), expected.encode()):
            raise AblyError(40101, "Invalid credentials: no such key appId.keyId:secret.")
        return Credential(name, capability)

    def with_token(self, token: str) -> Credential:
        """Return the rights of a token.

        Raises AblyError 40101 malformed, 40142 expired, 40143 unknown, 40144 a JWT.
        """
        if "." not in token:
            raise AblyError(40101, "Invalid credentials: a token has the form appId.text.")
        if token.count(".") == 2:
            raise AblyError(40144, "This local server has no JWT: request a token from it.")
        credential = self._tokens.get(token)
        if credential is None:
            raise AblyError(40143, "Token unrecognised (tokens do not survive a restart): ask for another.")
        if credential.expires is not None and credential.expires <= now():
            raise AblyError(40142, "Token expired: ask for another.")
        return credential

    def request_token(self, key_name: str, body: object, proven: Credential | None) -> Fields:
        """Return TokenDetails (TD1) for a TokenRequest (TE1), signed or `proven` by the key itself.

        Raises AblyError: 40000 capability, 40001 and 40003 shape, 40012 clientId, 40101 mac, 40102 another
        key, 40104 timestamp, 40105 nonce, 40160 nothing left of the capability, 40400 unknown key.
        """
        if not isinstance(body, dict):
            raise AblyError(40001, "A token request must be an object (TE1).")
        fields = cast(Fields, body)
        if key_name not in self._keys:
            raise AblyError(40400, "No key of that name: check the app ID and the key ID.")
        secret, allowed = self._keys[key_name]
        if fields.get("keyName", key_name) != key_name:
            raise AblyError(40102, "The keyName of the token request differs from the key in the address.")
        ttl = _whole_number(fields, "ttl", HOUR)
        if fields.get("mac") is not None:
            self._check_signature(key_name, secret, fields)
        elif proven is None or proven.key_name != key_name or proven.is_token:
            raise AblyError(40101, "An unsigned token request needs the key: sign it or use Basic.")
        if not 0 < ttl <= 24 * HOUR:
            raise AblyError(40003, "ttl must be from 1 ms to 24 hours, in milliseconds.")
        client_id = fields.get("clientId")
        if client_id is not None and (not isinstance(client_id, str) or not client_id):
            raise AblyError(40012, "clientId must be text and not empty; leave it out for none.")
        return self._issue(key_name, _narrow(allowed, fields.get("capability")), client_id, ttl)

    def _issue(self, key_name: str, capability: Capability, client_id: str | None, ttl: int) -> Fields:
        issued = now()
        token = f"{key_name.partition('.')[0]}.{secrets.token_urlsafe(32)}"
        self._drop_tokens(issued)
        self._tokens[token] = Credential(key_name, capability, client_id, True, issued + ttl)
        details: Fields = {
            "token": token,
            "keyName": key_name,
            "issued": issued,
            "expires": issued + ttl,
            "capability": str(capability),
        }
        return details if client_id is None else {**details, "clientId": client_id}

    def _drop_tokens(self, time: int) -> None:
        """Make room: expired tokens are kept for a while, so that they are refused as such (40142)."""
        if len(self._tokens) < self._limits.tokens:
            return
        for token in [t for t, credential in self._tokens.items() if (credential.expires or 0) <= time]:
            del self._tokens[token]
        while len(self._tokens) >= self._limits.tokens:
            self._tokens.popitem(last=False)

    def _check_signature(self, key_name: str, secret: str, fields: Fields) -> None:
        """Check mac, timestamp and nonce, in the canonical form of the token request specification."""
        timestamp = _whole_number(fields, "timestamp", 0)
        nonce = fields.get("nonce")
        if not isinstance(nonce, str) or len(nonce) < 16:
            raise AblyError(40003, "nonce must be text of at least 16 characters (RSA9c).")
        signed = ("ttl", "capability", "clientId")
        parts = [key_name, *(str(fields.get(name) or "") for name in signed), str(timestamp), nonce, ""]
        digest = hmac.new(secret.encode(), "\n".join(parts).encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(base64.b64encode(digest), str(fields["mac"]).encode()):
            raise AblyError(40101, "Invalid credentials: the mac of the token request does not match.")
        if abs(now() - timestamp) > TIMESTAMP_WINDOW:
            raise AblyError(40104, "The timestamp of the token request is more than two minutes from now.")
        self._spend_nonce((key_name, timestamp, nonce))

    def _spend_nonce(self, nonce: tuple[str, int, str]) -> None:
        # Twice the window: a timestamp may lie as far ahead as behind.
        while self._nonces and next(iter(self._nonces.values())) < now() - 2 * TIMESTAMP_WINDOW:
            self._nonces.popitem(last=False)
        if nonce in self._nonces:
            raise AblyError(40105, "Nonce value replayed: a token request can be used once.")
        self._nonces[nonce] = now()


def _narrow(allowed: Capability, requested: object) -> Capability:
    """Return the key's capability, or what of `requested` lies within it (RSA6, TK2b)."""
    if requested in (None, ""):
        return allowed
    capability = Capability.parse(requested).intersect(allowed)
    if not capability:
        raise AblyError(40160, "The key allows nothing of the requested capability.")
    return capability


def _whole_number(fields: Fields, name: str, default: int) -> int:
    """Read a number that may be sent as digits in text. Raises AblyError 40003."""
    value = fields.get(name)
    if value is None or value == "":
        return default
    text = "" if isinstance(value, bool) or not isinstance(value, int | str) else str(value)
    if not _DIGITS.fullmatch(text):
        raise AblyError(40003, f"{name} must be a whole number of milliseconds.")
    return int(text)
