"""When a session is over, whoever knows it first."""

import asyncio
from dataclasses import dataclass, field

from hexwave_app.identity.live_sessions import ASK_BEFORE, CONFIRMED, LiveSessions
from hexwave_app.processes.errors import SignInUnavailable


@dataclass
class Signer:
    """Who is asked whether sessions live; `now` is the clock of whoever asks."""

    now: float = 1000.0
    alive: bool = True
    away: bool = False
    asked: list[str] = field(default_factory=list[str])
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def active(self, session: str) -> bool:
        self.asked.append(session)
        self.called.set()
        await asyncio.sleep(0)
        if self.away:
            raise SignInUnavailable
        return self.alive

    def sessions(self) -> LiveSessions:
        return LiveSessions(self.active, lambda: self.now)


async def over(ended: asyncio.Task[None]) -> bool:
    """Whether the session is over once everything that can happen has."""
    for _ in range(20):
        await asyncio.sleep(0)
    return ended.done()


async def test_signing_out_here_ends_all_of_a_sessions_websockets_at_once() -> None:
    """Those of others go on."""
    signer = Signer()
    sessions = signer.sessions()
    tabs = [asyncio.create_task(sessions.ended("sess_a", signer.now + 60)) for _ in range(2)]
    other = asyncio.create_task(sessions.ended("sess_b", signer.now + 60))
    assert not await over(tabs[0])
    sessions.end("sess_a")
    await asyncio.gather(*tabs)
    assert not await over(other)
    other.cancel()
    assert signer.asked == []


async def test_a_session_that_is_renewed_is_not_asked_about() -> None:
    """Only near its end, and then once for all its websockets."""
    signer = Signer()
    sessions = signer.sessions()
    tabs = [asyncio.create_task(sessions.ended("sess_a", signer.now + ASK_BEFORE + 0.05)) for _ in range(2)]
    assert not await over(tabs[0])
    sessions.renew("sess_a", signer.now + 100)
    signer.now += 50
    assert not await over(tabs[0])
    assert signer.asked == []
    signer.now += 50
    await signer.called.wait()
    assert not await over(tabs[0])
    assert signer.asked == ["sess_a"]
    for tab in tabs:
        tab.cancel()


async def test_a_session_that_is_over_elsewhere_is_found_out_within_a_minute() -> None:
    """Its last renewal was good for a minute, and an answer of yes is for less."""
    assert CONFIRMED < 60
    signer = Signer(alive=False)
    await signer.sessions().ended("sess_a", signer.now + ASK_BEFORE)
    assert signer.asked == ["sess_a"]


async def test_who_does_not_answer_is_asked_until_the_minute_is_over() -> None:
    """Nothing is known then: the websocket closes, and comes back if the page could renew."""
    signer = Signer(away=True)
    ended = asyncio.create_task(signer.sessions().ended("sess_a", signer.now + 1))
    await signer.called.wait()
    assert not await over(ended)
    signer.now += 1
    await ended


async def test_nothing_is_kept_of_a_session_without_websockets() -> None:
    """However many sign in."""
    sessions = Signer().sessions()
    ended = asyncio.create_task(sessions.ended("sess_a", 2000))
    assert not await over(ended)
    assert sessions.open == 1
    ended.cancel()
    await asyncio.wait([ended])
    sessions.renew("sess_a", 3000)
    sessions.end("sess_a")
    assert sessions.open == 0


async def test_a_session_that_is_over_is_over_at_once_for_who_connects_by_it_again() -> None:
    """Nobody is asked a second time, until a renewal says otherwise."""
    signer = Signer(alive=False)
    sessions = signer.sessions()
    await sessions.ended("sess_a", signer.now)
    await sessions.ended("sess_a", signer.now + 60)
    assert signer.asked == ["sess_a"]
    sessions.renew("sess_a", signer.now + 60)
    again = asyncio.create_task(sessions.ended("sess_a", signer.now + 60))
    assert not await over(again)
    again.cancel()
