"""Keys: made, recognised, counted, revoked."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from hexwave_app.background import BackgroundTasks
from hexwave_app.identity.api_key import KEY_LIMIT, ApiKey, ApiKeys, KeyRequest
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.processes.errors import (
    InvalidRequest,
    KeyNotFound,
    StoreUnavailable,
    TooManyKeys,
    TooManyRequests,
)
from hexwave_app.processes.model import utc_now
from tests.conftest import eventually

HOME = "198.51.100.1"
LAPTOP = KeyRequest(name="Laptop")


class MemoryKeys:
    """A `KeyStore` whose every call gives way to other tasks, and whose uses can be held up."""

    def __init__(self) -> None:
        self.kept: dict[str, ApiKey] = {}
        self.uses: list[datetime] = []
        self.writing = asyncio.Event()
        self.writing.set()
        self.away = False

    async def add(self, key: ApiKey) -> None:
        await asyncio.sleep(0)
        self.kept[key.id] = key

    async def find(self, key_id: str) -> ApiKey | None:
        return self.kept.get(key_id)

    async def list(self, user_id: str) -> list[ApiKey]:
        await asyncio.sleep(0)
        return [key for key in self.kept.values() if key.user_id == user_id]

    async def used(self, key_id: str, at: datetime) -> None:
        await self.writing.wait()
        if self.away:
            raise StoreUnavailable("The database does not answer. Try again in a moment.")
        self.uses.append(at)
        self.kept[key_id] = replace(self.kept[key_id], used_at=at)

    async def remove(self, key_id: str, user_id: str) -> bool:
        key = self.kept.get(key_id)
        if key is None or key.user_id != user_id:
            return False
        del self.kept[key_id]
        return True

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        for key in await self.list(user_id):
            self.kept[key.id] = replace(key, user_id=adopter_id)


@pytest.fixture
def store() -> MemoryKeys:
    return MemoryKeys()


@pytest_asyncio.fixture
async def tasks() -> AsyncIterator[BackgroundTasks]:
    async with BackgroundTasks.open() as tasks:
        yield tasks


@pytest.fixture
def keys(store: MemoryKeys, tasks: BackgroundTasks) -> ApiKeys:
    return ApiKeys(store, Limits(Allowed()), tasks)


async def user_id(keys: ApiKeys, token: str) -> str | None:
    user = await keys.user(token) if keys.recognises(token) else None
    return user and user.id


async def test_a_key_is_its_user(keys: ApiKeys) -> None:
    """Each key is one of its own, and two users' are apart."""
    for who in ("g_a", "g_b"):
        _, token = await keys.make(who, LAPTOP, HOME)
        assert await user_id(keys, token) == who


async def test_the_secret_is_nowhere_but_in_the_token(keys: ApiKeys, store: MemoryKeys) -> None:
    """What is kept is its digest; what the user is shown later is not secret."""
    key, token = await keys.make("g_a", LAPTOP, HOME)
    secret = token.rpartition("_")[2]
    assert len(bytes.fromhex(secret)) == 32
    assert token == f"{key.start}_{secret}"
    assert secret not in repr(store.kept)
    assert bytes.fromhex(secret) != key.digest


async def test_a_wrong_token_is_nobody(keys: ApiKeys) -> None:
    """Another key's secret, half a secret, another form: none of it is taken, and none of it raises."""
    (key, token), (other, _) = [await keys.make("g_a", LAPTOP, HOME) for _ in range(2)]
    secret = token.rpartition("_")[2]
    for wrong in (
        f"{other.start}_{secret}",
        f"{key.start}_{'0' * 64}",
        f"{key.start}_{key.digest.hex()}",
        token[:-1],
        token + "0",
        token.upper(),
        f"{token}\n",
        f"hwk_{'0' * 16}_{secret}",
        key.start,
        "hwk_",
        "hwk_é",
        "",
        "ey.J.x",
    ):
        assert await user_id(keys, wrong) is None, wrong


async def test_a_revoked_key_is_refused_at_once(keys: ApiKeys) -> None:
    """Its user alone revokes it, once."""
    key, token = await keys.make("g_a", LAPTOP, HOME)
    with pytest.raises(KeyNotFound):
        await keys.revoke(key.id, "g_b")
    assert await user_id(keys, token) == "g_a"
    await keys.revoke(key.id, "g_a")
    assert await user_id(keys, token) is None
    with pytest.raises(KeyNotFound):
        await keys.revoke(key.id, "g_a")


async def test_a_user_has_twenty_keys(keys: ApiKeys, store: MemoryKeys) -> None:
    """Not one more, however many are asked for at once; one that is revoked makes room."""
    for _ in range(KEY_LIMIT - 1):
        await keys.make("g_a", LAPTOP, HOME)
    made = await asyncio.gather(*(keys.make("g_a", LAPTOP, HOME) for _ in range(5)), return_exceptions=True)
    assert any(isinstance(each, TooManyKeys) for each in made)
    assert len(store.kept) <= KEY_LIMIT
    await keys.make("g_b", LAPTOP, HOME)
    while len(await keys.list("g_a")) < KEY_LIMIT:
        await keys.make("g_a", LAPTOP, HOME)
    with pytest.raises(TooManyKeys, match="20 keys"):
        await keys.make("g_a", LAPTOP, HOME)
    await keys.revoke((await keys.list("g_a"))[0].id, "g_a")
    await keys.make("g_a", LAPTOP, HOME)


async def test_keys_are_made_as_often_as_tokens(store: MemoryKeys, tasks: BackgroundTasks) -> None:
    """Making and revoking in turn ends as well."""
    keys = ApiKeys(store, Limits(Allowed(user_tokens_per_minute=1)), tasks)
    await keys.revoke((await keys.make("g_a", LAPTOP, HOME))[0].id, "g_a")
    with pytest.raises(TooManyRequests):
        await keys.make("g_a", LAPTOP, HOME)
    assert store.kept == {}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "name is missing."),
        ({"name": ""}, "name is empty."),
        ({"name": " \t"}, "name is empty."),
        ({"name": "x" * 61}, "name is longer than 60 characters."),
        ({"name": "a", "scope": "all"}, "scope is not a field of this request."),
    ],
)
def test_a_name_is_one_to_sixty_characters(asked: dict[str, str], said: str) -> None:
    """The sentence names the field and the limit."""
    with pytest.raises(InvalidRequest) as refused:
        KeyRequest.read(asked)
    assert refused.value.message == said
    assert KeyRequest.read({"name": f" {'x' * 60} "}).name == "x" * 60


async def test_a_use_is_noted_beside_the_request(keys: ApiKeys, store: MemoryKeys) -> None:
    """Who is asking is known while the store still writes; many at once are noted once."""
    _, token = await keys.make("g_a", LAPTOP, HOME)
    store.writing.clear()
    assert {await user_id(keys, token) for _ in range(5)} == {"g_a"}
    assert store.uses == []
    store.writing.set()

    async def noted() -> bool:
        return bool(store.uses)

    await eventually(noted)
    await user_id(keys, token)
    await asyncio.sleep(0)
    assert len(store.uses) == 1


@pytest.mark.parametrize(("ago", "times"), [(59, 0), (61, 1)])
async def test_a_use_is_noted_once_a_minute(keys: ApiKeys, store: MemoryKeys, ago: int, times: int) -> None:
    """Later ones within it are not worth a write."""
    key, token = await keys.make("g_a", LAPTOP, HOME)
    store.kept[key.id] = replace(key, used_at=utc_now() - timedelta(seconds=ago))
    await user_id(keys, token)
    await asyncio.sleep(0)
    assert len(store.uses) == times


async def test_a_use_that_cannot_be_noted_is_noted_later(
    keys: ApiKeys, store: MemoryKeys, caplog: pytest.LogCaptureFixture
) -> None:
    """One line in the log, and the next request tries again."""
    _, token = await keys.make("g_a", LAPTOP, HOME)
    store.away = True
    with caplog.at_level(logging.WARNING):
        await user_id(keys, token)
        await asyncio.sleep(0)
        assert "the use of a key could not be noted" in caplog.text
    store.away = False
    await user_id(keys, token)
    await asyncio.sleep(0)
    assert len(store.uses) == 1
