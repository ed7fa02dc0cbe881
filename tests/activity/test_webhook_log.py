"""Webhooks and their verdicts, within bounds, and without anything secret."""

import asyncio

import pytest

from hexwave_app.activity import webhooks
from hexwave_app.activity.latency import WebhookLatency
from hexwave_app.activity.webhooks import Verdict, WebhookLog
from hexwave_app.processes import Act, Deed, Observers, Process, Processes, Progressed, Source
from hexwave_app.processes.errors import WebhookRefused
from tests.activity.test_activity_log import fresh
from tests.processes.memory import FaultyChannel, MemoryStore


def receive(log: WebhookLog, body: bytes, process_id: str = "p_a") -> None:
    with log.receiving(process_id) as delivery:
        delivery.verified(body)


def refuse(log: WebhookLog) -> None:
    with pytest.raises(WebhookRefused), log.receiving("p_a"):
        raise WebhookRefused("The token is wrong.")


def test_the_newest_comes_first_with_its_verdict() -> None:
    log = WebhookLog()
    receive(log, b"{}")
    refuse(log)
    assert [(each.verdict, each.reason, each.size, each.body) for each in log.newest] == [
        (Verdict.REFUSED, "The token is wrong.", 0, None),
        (Verdict.ACCEPTED, "", 2, b"{}"),
    ]


def test_refused_ones_do_not_push_out_the_others() -> None:
    """Anybody can send those."""
    log = WebhookLog()
    receive(log, b"{}")
    for _ in range(webhooks._KEPT + 1):
        refuse(log)
    assert len(log.newest) == webhooks._KEPT + 1
    assert log.newest[-1].body == b"{}"


def test_bodies_are_kept_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest give way; their lines stay."""
    monkeypatch.setattr(webhooks, "_BODIES", 10)
    log = WebhookLog()
    for body in (b"12345", b"1234", b"123456"):
        receive(log, body)
    assert [(each.size, each.body) for each in log.newest] == [(6, b"123456"), (4, b"1234"), (5, None)]


async def test_what_a_webhook_sets_going_decides_its_verdict() -> None:
    """Though that happens in a task, after its answer; what others do meanwhile is not its doing."""
    log, latency = WebhookLog(), WebhookLatency()
    processes = Processes(MemoryStore(), FaultyChannel(), observer=Observers((log, latency)))
    process = await processes.create(fresh())

    async def report(progress: int) -> Process:
        with log.receiving(process.process_id) as delivery:
            delivery.verified(b"{}")
            update = processes.update(process.process_id, Progressed(progress), source=Source.WEBHOOK)
            task = asyncio.create_task(update)
        return await task

    shown = await report(50)
    await report(40)
    await processes.update(process.process_id, Progressed(50), source=Source.USER)
    late, first = log.newest
    assert (late.verdict, late.reason) == (Verdict.IGNORED, "Late news")
    assert first.verdict is Verdict.ACCEPTED
    assert len(latency.published.values) == 1
    assert latency.shown.values == []
    latency.observe(Act(Deed.DELIVERED, shown))
    latency.observe(Act(Deed.DELIVERED, shown))
    assert len(latency.shown.values) == 1
