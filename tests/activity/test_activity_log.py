"""Lines of what happened: bounded, in words, and cheap while nobody reads."""

import pytest

from hexwave_app.activity.log import LINES, ActivityLog, Line
from hexwave_app.processes import (
    Act,
    Answered,
    Completed,
    Deed,
    Failed,
    Observers,
    Process,
    Processes,
    Progressed,
    ProviderJob,
    Source,
    Submitted,
)
from tests.processes.memory import FaultyChannel, MemoryStore, away


def fresh() -> Process:
    req = {"prompt": "sea", "aspectRatio": "3:2", "count": 2}
    return Process.begin(
        user_id="g_abcdefghij",
        tool_name="image-generator",
        category="image",
        req=req,
        provider=ProviderJob(name="demo"),
    )


def open_log(channel: FaultyChannel | None = None) -> tuple[ActivityLog, Processes]:
    log = ActivityLog()
    observers = Observers((log,))
    return log, Processes(MemoryStore(), channel or FaultyChannel(), observer=observers)


def said(lines: list[Line]) -> list[tuple[str, str, str]]:
    return [(str(line.event), line.detail, line.tone) for line in lines]


async def test_a_run_is_told_step_by_step() -> None:
    """Progress has one line: that it is told, too, is not worth another."""
    log, processes = open_log()
    process = await processes.create(fresh())
    await processes.update(process.process_id, Submitted("job-1"))
    await processes.update(process.process_id, Progressed(64), source=Source.WEBHOOK)
    answer = Answered({"results": ["a", "b"], "notice": None})
    await processes.update(process.process_id, answer, source=Source.WEBHOOK)
    await processes.update(process.process_id, Completed(("/media/a", "/media/b")))
    assert said(log.since(0)) == [
        ("created", "image, 3:2, 2 images, user g_abcdef", "changed"),
        ("submitted", "demo accepted", "changed"),
        ("progress", "sequence 2, 64%", "progress"),
        ("webhook", "accepted, 2 results", "changed"),
        ("saved", "2 images, sequence 4", "changed"),
        ("published", "completed, sequence 4", "changed"),
    ]


async def test_what_changes_nothing_is_told_as_ignored() -> None:
    """The second word of a provider after the end, and why it did not count."""
    log, processes = open_log()
    process = await processes.create(fresh())
    await processes.update(process.process_id, Failed("No.", "provider_refused"))
    before = log.since(0)[-1].number
    await processes.update(process.process_id, Progressed(5), source=Source.WEBHOOK)
    (line,) = log.since(before)
    assert (line.event, line.detail, line.tone, line.kind) == (
        Deed.IGNORED,
        "webhook: already failed",
        "ignored",
        "webhooks",
    )


async def test_what_could_not_be_told_is_a_failure() -> None:
    """It is saved all the same, so both have a line."""
    log, processes = open_log(FaultyChannel(away))
    process = await processes.create(fresh())
    await processes.update(process.process_id, Progressed(5))
    assert said(log.since(0))[-1] == ("unpublished", "Ably is away.", "failed")


def test_only_the_last_five_hundred_are_kept() -> None:
    log = ActivityLog()
    for number in range(LINES + 7):
        log.observe(Act(Deed.TOKEN, detail=str(number)))
    kept = log.since(0)
    assert (len(kept), kept[0].detail, kept[-1].detail) == (LINES, "7", str(LINES + 6))
    assert [line.detail for line in log.since(kept[-3].number)] == [str(LINES + 5), str(LINES + 6)]


async def test_a_reader_is_woken_and_forgotten() -> None:
    log = ActivityLog()
    async with log.reading() as news:
        assert not news.is_set()
        log.observe(Act(Deed.TOKEN))
        assert news.is_set()
        assert log.readers == 1
    assert log.readers == 0


class Broken:
    def observe(self, act: Act) -> None:
        raise RuntimeError("broken")


def test_an_observer_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Neither who acted nor the other observers."""
    log = ActivityLog()
    Observers((Broken(), log)).observe(Act(Deed.TOKEN))
    assert len(log.since(0)) == 1
    assert "Broken could not take note of token" in caplog.text
