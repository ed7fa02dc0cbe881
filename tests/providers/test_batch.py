"""What is left of a batch."""

import pytest

from hexwave_app.providers.batch import batch
from hexwave_app.tools.provider import Report

FILTER = "declined by the provider's safety filter."


@pytest.mark.parametrize(
    ("results", "declined", "notice"),
    [
        (["a", "b"], 0, ""),
        (["a", "b", "c"], 1, f"1 of 4 pictures was {FILTER}"),
        (["a"], 2, f"2 of 3 pictures were {FILTER}"),
    ],
)
def test_what_was_not_declined_is_kept(results: list[str], declined: int, notice: str) -> None:
    """One refusal leaves the others, and the person reads how many are missing."""
    assert batch("j", results, declined) == Report("succeeded", "j", results=tuple(results), notice=notice)


def test_a_batch_that_was_declined_whole_has_failed() -> None:
    """As refused content, not as a result without pictures."""
    report = batch("j", [], 4)
    assert (report.outcome, report.error_code, report.results) == ("failed", "content_refused", ())
