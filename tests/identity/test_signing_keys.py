"""The keys with which webhooks are checked: when they are read, and when not."""

import asyncio
from dataclasses import dataclass, field

import pytest

from hexwave_app.identity import signing_keys
from hexwave_app.identity.signing_keys import PAUSE, RETRY_PAUSE, SigningKeys
from hexwave_app.processes.errors import ProviderUnavailable

KEEP = 1000.0


@dataclass
class Source:
    """Where the keys are read: the number of the reading, unless it is away; `now` is the clock."""

    now: float = 0.0
    away: bool = False
    readings: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def read(self) -> list[int]:
        self.readings += 1
        await self.open.wait()
        if self.away:
            raise ProviderUnavailable("away")
        return [self.readings]

    def keys(self) -> SigningKeys[list[int]]:
        return SigningKeys(self.read, KEEP, lambda: self.now)


async def test_keys_are_read_once_and_kept() -> None:
    """The second webhook costs nothing, until they are too old."""
    source = Source()
    keys = source.keys()
    for source.now in (0.0, 1.0, KEEP - 1):
        assert await keys.fit(lambda found: found == [1])
    assert source.readings == 1
    source.now = KEEP
    assert await keys.fit(lambda found: found == [2])


async def test_webhooks_at_one_moment_share_one_reading() -> None:
    """Single flight."""
    source = Source()
    keys = source.keys()
    source.open.clear()
    waiting = [asyncio.create_task(keys.fit(lambda found: found == [1])) for _ in range(20)]
    while not source.readings:
        await asyncio.sleep(0)
    source.open.set()
    assert all(await asyncio.gather(*waiting))
    assert source.readings == 1


async def test_an_unknown_key_is_looked_for_once_a_minute() -> None:
    """A key that was changed is found; forgeries without end ask for no more."""
    source = Source()
    keys = source.keys()
    assert not await keys.fit(lambda found: found == [2])
    assert source.readings == 1
    source.now = PAUSE
    assert await keys.fit(lambda found: found == [2])
    for _ in range(10):
        assert not await keys.fit(lambda found: False)
    assert source.readings == 2


async def test_what_could_not_be_read_is_read_again() -> None:
    """Not by each webhook, but soon; until then none is taken for a forgery, nor for genuine."""
    source = Source(away=True)
    keys = source.keys()
    for _ in range(10):
        with pytest.raises(ProviderUnavailable):
            await keys.fit(lambda found: True)
    assert source.readings == 1
    source.now, source.away = RETRY_PAUSE, False
    assert await keys.fit(lambda found: found == [2])


async def test_an_outage_does_not_shake_the_keys_that_are_known() -> None:
    """What they fit is genuine; what they do not might be of a newer key, and is worth sending again."""
    source = Source()
    keys = source.keys()
    assert await keys.fit(lambda found: found == [1])
    source.now, source.away = PAUSE, True
    with pytest.raises(ProviderUnavailable):
        await keys.fit(lambda found: False)
    assert await keys.fit(lambda found: found == [1])


async def test_a_reading_that_hangs_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhook is refused, and the next may read."""
    monkeypatch.setattr(signing_keys, "READ_PATIENCE", 0.01)
    source = Source()
    keys = source.keys()
    source.open.clear()
    with pytest.raises(ProviderUnavailable):
        await keys.fit(lambda found: True)
    source.open.set()
    source.now = RETRY_PAUSE
    assert await keys.fit(lambda found: found == [2])
