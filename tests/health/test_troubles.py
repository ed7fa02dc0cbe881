"""The common troubles, each by its sign."""

from datetime import timedelta
from typing import cast

from hexwave_app.activity.log import ActivityLog
from hexwave_app.activity.webhooks import WebhookLog
from hexwave_app.health.check import Check, State
from hexwave_app.health.troubles import Trouble, troubles
from hexwave_app.processes.model import Process, utc_now
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.settings import Settings
from tests.activity.test_activity_log import fresh
from tests.processes.memory import MemoryStore


class Followed:
    """In the place of a channel: what is followed here."""

    def __init__(self, *process_ids: str) -> None:
        self._process_ids = process_ids

    def follows(self, process_id: str) -> bool:
        return process_id in self._process_ids


def aged(seconds: float) -> Process:
    then = utc_now() - timedelta(seconds=seconds)
    return fresh().model_copy(update={"created_at": then, "updated_at": then})


async def found(
    *processes: Process, followed: bool = True, checks: tuple[Check, ...] = ()
) -> dict[str, Trouble]:
    store = MemoryStore()
    for process in processes:
        await store.insert(process)
    channel = Followed(*(process.process_id for process in processes if followed))
    settings = Settings(public_url="https://hexwave.test", secret_key="x" * 32)
    seen = await troubles(checks, settings, store, cast(AblyChannel, channel), ActivityLog(), WebhookLog())
    return {trouble.key: trouble for trouble in seen}


async def test_where_all_is_well_there_is_none() -> None:
    assert await found(aged(30)) == {}


async def test_a_process_that_is_silent_for_long_is_stuck() -> None:
    """It is named, with how long and at whom."""
    process = aged(300)
    stuck = (await found(process, aged(30)))["stuck"]
    assert stuck.sentence == f"Nothing was heard of {process.process_id} for 5 min, at demo."


async def test_of_many_that_are_stuck_some_are_named() -> None:
    stuck = (await found(*(aged(100 + each) for each in range(5))))["stuck"]
    assert stuck.sentence.endswith(", and 2 more.")


async def test_a_process_that_nobody_follows_is_told_of() -> None:
    """Not in its first seconds, and as no grave matter: it runs all the same."""
    process = aged(30)
    unheard = (await found(process, followed=False))["unheard"]
    assert process.process_id in unheard.sentence
    assert not unheard.grave
    assert await found(fresh(), followed=False) == {}


async def test_ably_that_is_away_comes_before_what_is_good_to_know() -> None:
    down = Check("channel", "Ably", State.DOWN, "It cannot be reached.", "Check the network.")
    demo = Check("provider.demo", "Demo painter", State.NOT_SET_UP, "Procedural")
    assert list(await found(checks=(demo, down))) == ["ably", "keyless"]
