"""How fal signs its webhooks: https://fal.ai/docs/documentation/model-apis/inference/webhooks."""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, Field

from hexwave_app.identity.signing_keys import SigningKeys
from hexwave_app.processes.errors import ProviderUnavailable, WebhookRefused

TOLERANCE = 300
"""Seconds by which a signature may be older, or newer, than our clock."""

_HEADER = "x-fal-webhook-"
_SIGNED = ("request-id", "user-id", "timestamp")
_DAY = 86400.0


class _Jwk(BaseModel):
    """RFC 8037: the public key of Ed25519 is `x`; keys of other kinds are passed over."""

    kty: str = ""
    crv: str = ""
    x: Annotated[str, Field(max_length=100)] = ""


class _Jwks(BaseModel):
    keys: Annotated[list[_Jwk], Field(max_length=50)]


class Signatures:
    """Ed25519 over the request's id, the user's, the time and the body's SHA-256, by a key of the JWKS.

    The JWKS is cached for a day, and read again, at most once a minute, for a signature that none of its
    keys made. `clock` says in seconds how old it is.
    """

    def __init__(self, http: httpx.AsyncClient, jwks_url: str, clock: Callable[[], float]) -> None:
        self._http = http
        self._jwks_url = jwks_url
        self._keys = SigningKeys(self._read, _DAY, clock)

    async def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise `WebhookRefused`, or `ProviderUnavailable` while the JWKS cannot be read.

        The same webhook again, within its five minutes, passes: it says nothing new.
        """
        told = [headers.get(_HEADER + name, "") for name in _SIGNED]
        message = "\n".join((*told, hashlib.sha256(body).hexdigest())).encode()
        try:
            age = time.time() - int(told[-1])
            signature = bytes.fromhex(headers.get(_HEADER + "signature", ""))
        except (ValueError, OverflowError) as error:
            raise WebhookRefused("The webhook's signature is missing or malformed.") from error
        if abs(age) > TOLERANCE:
            raise WebhookRefused("The webhook's signature is more than 5 minutes away from this clock.")
        if not await self._keys.fit(lambda keys: any(_made_by(key, signature, message) for key in keys)):
            raise WebhookRefused("The webhook's signature is wrong.")

    async def _read(self) -> Sequence[Ed25519PublicKey]:
        try:
            answer = (await self._http.get(self._jwks_url)).raise_for_status().json()
            keys = _Jwks.model_validate(answer).keys
            return [_public(key.x) for key in keys if (key.kty, key.crv) == ("OKP", "Ed25519")]
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise ProviderUnavailable("fal's signing keys cannot be read. Send the webhook again.") from error


def _public(x: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=="))


def _made_by(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
