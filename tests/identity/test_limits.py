"""Windows of time, and what is said when one is used up."""

import asyncio
import time

import pytest

from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.processes.errors import TooManyRequests


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


async def refusal(limits: Limits) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as refused:
        await limits.creation("g_a", "198.51.100.1", 0)
    return refused.value


@pytest.mark.parametrize(
    ("name", "seconds", "after", "wait"),
    [
        ("user_creations_per_minute", 60, 0, "60 seconds"),
        ("user_creations_per_minute", 60, 59.5, "a second"),
        ("address_creations_per_minute", 60, 48, "12 seconds"),
        ("user_creations_per_day", 86_400, 0, "24 hours"),
        ("user_creations_per_day", 86_400, 86_100, "5 minutes"),
    ],
)
async def test_who_waits_as_told_is_let_in(
    clock: Clock, name: str, seconds: int, after: float, wait: str
) -> None:
    """`retry_after` is the rest of the window, said in words too; a second earlier is too early."""
    limits = Limits(Allowed(**{name: 2}))
    begun = clock.now
    for _ in range(2):
        await limits.creation("g_a", "198.51.100.1", 0)
    clock.now = begun + after
    refused = await refusal(limits)
    assert refused.retry_after == -int(-(seconds - after) // 1)
    assert refused.message.endswith(f": 2. Wait {wait}, then try again.")
    clock.now = begun + seconds - 1
    await refusal(limits)
    clock.now = begun + after + refused.retry_after
    await limits.creation("g_a", "198.51.100.1", 0)


async def test_many_at_once_are_counted_one_by_one() -> None:
    """Of twenty, five pass."""
    limits = Limits(Allowed(address_creations_per_minute=5))
    asked = (limits.creation(f"g_{number}", "198.51.100.1", 0) for number in range(20))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers.count(None) == 5
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 15


async def test_without_an_address_only_the_user_counts() -> None:
    """What the app begins by itself comes from nowhere."""
    limits = Limits(Allowed(address_creations_per_minute=1, user_creations_per_minute=2))
    for _ in range(2):
        await limits.creation("g_a", "", 0)
    assert (await refusal(limits)).message.startswith("You have started")
