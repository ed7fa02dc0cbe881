"""What a follower has not read yet."""

from hexwave_app.processes import StatusMessage, transition
from hexwave_app.processes.transition import Progressed
from hexwave_app.realtime.mailbox import Mailbox
from tests.processes.test_transition import AT, begun

NEVER = 0.01
PLENTY = 60.0


def messages(count: int) -> list[StatusMessage]:
    process, told = begun(), list[StatusMessage]()
    for progress in range(1, count + 1):
        process = transition(process, Progressed(progress), AT)
        told.append(StatusMessage.of(process))
    return told


async def test_a_slow_reader_gets_the_newest_message_alone() -> None:
    """Whatever the order they came in; each tells the whole state."""
    mailbox = Mailbox()
    first, second, third = messages(3)
    for message in (second, third, first):
        mailbox.put(message)
    assert await mailbox.next(PLENTY) == third
    assert await mailbox.next(NEVER) is None


async def test_what_was_read_is_no_news() -> None:
    """Handed over in the worker, it comes from Ably once more."""
    mailbox = Mailbox()
    first, second = messages(2)
    mailbox.put(second)
    assert await mailbox.next(PLENTY) == second
    for message in (first, second):
        mailbox.put(message)
    assert await mailbox.next(NEVER) is None


async def test_lost_continuity_answers_at_once_without_a_message() -> None:
    """So that the follower reads the store."""
    mailbox = Mailbox()
    mailbox.reread()
    assert await mailbox.next(PLENTY) is None


async def test_lost_continuity_does_not_hide_a_message() -> None:
    """A message that waits is newer than anything that may have been missed before it."""
    mailbox = Mailbox()
    (message,) = messages(1)
    mailbox.put(message)
    mailbox.reread()
    assert await mailbox.next(PLENTY) == message
