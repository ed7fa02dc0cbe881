"""What every store of API keys promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hexwave_app.identity.api_key import ApiKey
from hexwave_app.processes.errors import StoreUnavailable
from tests.stores.conftest import OpenStore

NOON = datetime(2026, 1, 1, 12, 0, 0, 123_000, UTC)


def made(number: int, user_id: str = "g_a") -> ApiKey:
    """The user's key of that number; a later one is newer."""
    at = NOON + timedelta(milliseconds=number)
    return ApiKey(f"{number:016x}", user_id, f"Möwe {number} 🌊", bytes([number]) * 32, at)


async def test_a_key_comes_back_as_it_was_added(open_store: OpenStore) -> None:
    """Every field, before and after its first use, and after a restart."""
    async with open_store() as store:
        await store.keys.add(made(1))
        assert await store.keys.find(made(1).id) == made(1)
        await store.keys.used(made(1).id, NOON)
    async with open_store() as store:
        assert await store.keys.find(made(1).id) == replace(made(1), used_at=NOON)


async def test_a_users_keys_are_listed_newest_first(open_store: OpenStore) -> None:
    """And nobody else's."""
    async with open_store() as store:
        for key in (made(2), made(1), made(3), made(4, "g_b")):
            await store.keys.add(key)
        assert await store.keys.list("g_a") == [made(3), made(2), made(1)]
        assert await store.keys.list("g_nobody") == []


async def test_only_its_user_removes_a_key(open_store: OpenStore) -> None:
    """Once; from then on nobody finds it."""
    async with open_store() as store:
        await store.keys.add(made(1))
        assert not await store.keys.remove(made(1).id, "g_b")
        assert await store.keys.find(made(1).id) is not None
        assert await store.keys.remove(made(1).id, "g_a")
        assert not await store.keys.remove(made(1).id, "g_a")
        assert await store.keys.find(made(1).id) is None
        assert await store.keys.list("g_a") == []


async def test_the_use_of_a_key_that_is_gone_brings_nothing_back(open_store: OpenStore) -> None:
    """It was revoked while its use was on the way."""
    async with open_store() as store:
        await store.keys.used(made(1).id, NOON)
        assert await store.keys.find(made(1).id) is None


async def test_one_id_is_one_key(open_store: OpenStore) -> None:
    """A second of the same id takes nobody's place."""
    async with open_store() as store:
        await store.keys.add(made(1))
        with pytest.raises(StoreUnavailable):
            await store.keys.add(made(1, "g_b"))
        assert await store.keys.find(made(1).id) == made(1)


async def test_what_is_adopted_is_the_adopters(open_store: OpenStore) -> None:
    """All of the user's keys beside the adopter's own, and nobody else's; twice is as once."""
    async with open_store() as store:
        for key in (made(1), made(2, "user_a"), made(3), made(4, "g_b")):
            await store.keys.add(key)
        for _ in range(2):
            await store.keys.adopt("g_a", "user_a")
        adopted = [replace(made(number), user_id="user_a") for number in (3, 2, 1)]
        assert await store.keys.list("user_a") == adopted
        assert await store.keys.list("g_a") == []
        assert await store.keys.list("g_b") == [made(4, "g_b")]
        assert not await store.keys.remove(made(1).id, "g_a")
