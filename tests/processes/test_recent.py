"""The versions that a worker saved last."""

from hexwave_app.processes import Completed, Process, Progressed, transition
from hexwave_app.processes.model import utc_now
from hexwave_app.processes.recent import KEPT, Recent
from tests.processes.test_transition import begun


def later(process: Process, progress: int) -> Process:
    return transition(process, Progressed(progress), utc_now())


def test_a_version_that_is_told_of_late_does_not_take_the_place_of_a_newer_one() -> None:
    """Two that were saved one after the other may come back in either order."""
    first = begun()
    second, recent = later(first, 10), Recent()
    assert recent.get(first.process_id) is None
    recent.keep(second)
    recent.keep(first)
    assert recent.get(first.process_id) is second


def test_what_is_older_than_what_was_not_saved_is_forgotten() -> None:
    """Of a race that was lost to a version that is kept, that one stays."""
    first = begun()
    second, recent = later(first, 10), Recent()
    recent.keep(second)
    recent.drop_older(later(first, 20))
    assert recent.get(first.process_id) is second
    recent.drop_older(later(second, 20))
    assert recent.get(first.process_id) is None


def test_what_has_ended_is_not_kept() -> None:
    """Nor what was before it."""
    first, recent = begun(), Recent()
    recent.keep(first)
    recent.keep(transition(first, Completed(("/media/a.webp",)), utc_now()))
    assert recent.get(first.process_id) is None


def test_what_was_saved_the_longest_ago_makes_room() -> None:
    """A process that goes on and on stays, however early it began."""
    recent, first = Recent(), begun()
    recent.keep(first)
    others = [begun() for _ in range(KEPT)]
    for other in others[:-1]:
        recent.keep(other)
    recent.keep(second := later(first, 10))
    recent.keep(others[-1])
    assert recent.get(first.process_id) is second
    assert recent.get(others[0].process_id) is None
    assert recent.get(others[1].process_id) is others[1]
