"""Clerk's session JWTs: what Clerk made for our pages is taken, and nothing else."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from hexwave_app.identity.clerk import Clerk, SignedIn
from hexwave_app.processes.errors import NotSignedIn, SignInUnavailable
from tests.identity.clerk_issuer import LIFE, Issuer, issuer, rsa_key

PAGE = "http://127.0.0.1:3000"


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture
def local(running: Issuer) -> Iterator[Issuer]:
    """A Clerk that nothing was asked of yet."""
    keys = dict(running.keys)
    running.asked.clear()
    yield running
    running.keys, running.away = keys, False


@pytest_asyncio.fixture
async def clerk(local: Issuer) -> AsyncIterator[Clerk]:
    pages = [PAGE, "https://hexwave.example"]
    async with Clerk.open(local.url, local.secret_key, pages, local.url) as clerk:
        yield clerk


async def test_a_token_of_clerks_signs_in(clerk: Clerk, local: Issuer) -> None:
    """It says who, in which session, and until when; the keys are read once."""
    for page in (PAGE, "https://hexwave.example"):
        before = int(time.time())
        signed_in = await clerk.verify(local.token(page, "user_2abc", sid="sess_2def"))
        assert (signed_in.user_id, signed_in.session) == ("user_2abc", "sess_2def")
        assert before + LIFE <= signed_in.until <= int(time.time()) + LIFE
    assert local.asked == ["/.well-known/jwks.json"]


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _hs256_with_the_public_key(local: Issuer) -> str:
    """The oldest trick: the key that everybody knows, taken for a shared secret."""
    pem = local.keys["kid-1"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    said = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'kid-1'})}.{_part(local.claims(PAGE))}"
    mac = hmac.HMAC(pem, hashes.SHA256())
    mac.update(said.encode())
    return f"{said}.{base64.urlsafe_b64encode(mac.finalize()).rstrip(b'=').decode()}"


def _none(alg: str) -> Callable[[Issuer], str]:
    return lambda local: f"{_part({'alg': alg, 'kid': 'kid-1'})}.{_part(local.claims(PAGE))}."


def _with(**changed: Any) -> Callable[[Issuer], str]:
    return lambda local: local.sign(local.claims(PAGE, **changed))


def _in(seconds: int) -> int:
    return int(time.time()) + seconds


def _another_key(local: Issuer) -> str:
    return jwt.encode(local.claims(PAGE), rsa_key(), "RS256", {"kid": "kid-1"})


def _own_key_along(local: Issuer) -> str:
    """The header brings the key, or says where it is."""
    key = rsa_key()
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    header = {"kid": "kid-1", "jwk": public, "jku": "https://evil.example/jwks.json"}
    return jwt.encode(local.claims(PAGE), key, "RS256", header)


def _rs512(local: Issuer) -> str:
    return jwt.encode(local.claims(PAGE), local.keys["kid-1"], "RS512", {"kid": "kid-1"})


def _no_kid(local: Issuer) -> str:
    return jwt.encode(local.claims(PAGE), local.keys["kid-1"], "RS256")


def _changed_afterwards(local: Issuer) -> str:
    header, _, signature = local.token(PAGE).split(".")
    return f"{header}.{_part(local.claims(PAGE, 'user_victim'))}.{signature}"


FORGED: dict[str, Callable[[Issuer], str]] = {
    "HS256 with the PEM": _hs256_with_the_public_key,
    "none": _none("none"),
    "None": _none("None"),
    "RS512": _rs512,
    "another key": _another_key,
    "a key of its own": _own_key_along,
    "no kid": _no_kid,
    "changed afterwards": _changed_afterwards,
    "unsigned": lambda local: local.token(PAGE).rpartition(".")[0] + ".",
    "another issuer": _with(iss="https://evil.example"),
    "an issuer that begins alike": lambda local: local.token(PAGE, iss=f"{local.url}.evil.example"),
    "a part of the issuer": lambda local: local.token(PAGE, iss=local.url[:-1]),
    "a list of issuers": lambda local: local.token(PAGE, iss=[local.url]),
    "another page": _with(azp="https://evil.example"),
    "a page that begins alike": _with(azp=f"{PAGE}0"),
    "pages": _with(azp=[PAGE]),
    "an audience": _with(aud="another-service"),
    "expired": lambda local: local.token(PAGE, iat=_in(-90), nbf=_in(-100), exp=_in(-30)),
    "not yet": lambda local: local.token(PAGE, nbf=_in(60)),
    "from the future": lambda local: local.token(PAGE, iat=_in(60)),
    "a time that is none": _with(exp="soon"),
    "a time beyond all clocks": lambda local: local.token(PAGE, exp=10**400),
    "for an hour": lambda local: local.token(PAGE, exp=_in(3600)),
    "a guest's id": _with(user_id="g_victimvictimvictimvic"),
    "an id with a dot": _with(user_id="user_a.sess_b.9999999999"),
    "no id": _with(user_id=""),
    "a number for an id": _with(user_id=7),
    "a session that is none": _with(sid="../users"),
    "a number for a session": _with(sid=7),
    "a session that is not complete": _with(sts="pending"),
    **{f"without {name}": _with(**{name: None}) for name in ("iss", "azp", "exp", "nbf", "iat", "sid")},
    "without sub": _with(user_id=None),
    "nothing": lambda _: "",
    "dots": lambda _: "..",
    "no JSON": lambda _: "YQ.YQ.YQ",
    "no ASCII": lambda _: "é.é.é",
    "deep": lambda _: f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.",
    "long": lambda local: local.token(PAGE, more="x" * 9000),
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_token_is_refused(clerk: Clerk, local: Issuer, how: str) -> None:
    """Each for its own reason, all with the same words; one that is genuine passes before and after."""
    await clerk.verify(local.token(PAGE))
    with pytest.raises(NotSignedIn, match=r"^This session token is not valid\. Sign in again\.$"):
        await clerk.verify(FORGED[how](local))
    await clerk.verify(local.token(PAGE))


async def test_what_is_not_signed_so_makes_nobody_read_the_keys(clerk: Clerk, local: Issuer) -> None:
    """The keys of an unknown id are read anew once, however many ask for it."""
    with pytest.raises(NotSignedIn):
        await clerk.verify(_none("none")(local))
    assert local.asked == []
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            await clerk.verify(jwt.encode(local.claims(PAGE), rsa_key(), "RS256", {"kid": "unknown"}))
    assert local.asked == ["/.well-known/jwks.json"]


async def test_an_issuer_that_is_away_is_no_judgement(clerk: Clerk, local: Issuer) -> None:
    """Nobody is refused and nobody let in; those whose keys are known are let in all the same."""
    local.away = True
    with pytest.raises(SignInUnavailable):
        await clerk.verify(local.token(PAGE))
    local.away = False
    async with Clerk.open(local.url, local.secret_key, [PAGE], local.url) as another:
        await another.verify(local.token(PAGE))
        local.away = True
        await another.verify(local.token(PAGE))


@pytest.mark.parametrize("jwks", ["[]", "{}", '{"keys": 7}', '{"keys": [{"kty": "RSA", "kid": "x"}]}', "<p>"])
async def test_keys_that_are_none_are_an_outage(
    clerk: Clerk, local: Issuer, monkeypatch: pytest.MonkeyPatch, jwks: str
) -> None:
    """Whatever the issuer answers with, it is no error of ours."""
    monkeypatch.setattr(Issuer, "answer", lambda *_: (200, "application/json", jwks))
    with pytest.raises(SignInUnavailable):
        await clerk.verify(local.token(PAGE))


async def test_clerk_says_which_sessions_live(clerk: Clerk, local: Issuer) -> None:
    """An ended one, and one that was never there, do not."""
    session = local.session()
    assert await clerk.active(session)
    local.sessions[session] = "ended"
    assert not await clerk.active(session)
    assert not await clerk.active("sess_never")


async def test_a_clerk_that_does_not_answer_says_nothing_of_a_session(clerk: Clerk, local: Issuer) -> None:
    """Nor does one that does not know our key."""
    session = local.session()
    local.away = True
    with pytest.raises(SignInUnavailable):
        await clerk.active(session)
    local.away = False
    async with Clerk.open(local.url, "sk_test_another", [PAGE], local.url) as another:
        with pytest.raises(SignInUnavailable):
            await another.active(session)


async def test_tokens_are_verified_side_by_side(clerk: Clerk, local: Issuer) -> None:
    """All who come at once wait for one reading of the keys."""
    tokens = [local.token(PAGE, f"user_{number}") for number in range(10)]
    signed_in = await asyncio.gather(*map(clerk.verify, tokens))
    assert [each.user_id for each in signed_in] == [f"user_{number}" for number in range(10)]
    assert all(isinstance(each, SignedIn) for each in signed_in)
    assert local.asked == ["/.well-known/jwks.json"]
