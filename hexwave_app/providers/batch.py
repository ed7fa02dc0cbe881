"""A batch of pictures, of which a safety filter may have declined some."""

from collections.abc import Sequence

from hexwave_app.tools.provider import Report


def batch(job_id: str, results: Sequence[str], declined: int) -> Report:
    """The report of a finished batch: what is left of it, and how much was declined.

    The notice is empty, not missing, where there is nothing to tell: what was told on the way is over.
    """
    if not results:
        error = f"The safety filter declined all of {declined}."
        return Report("failed", job_id, error=error, error_code="content_refused")
    if not declined:
        return Report("succeeded", job_id, results=tuple(results), notice="")
    were = "was" if declined == 1 else "were"
    notice = (
        f"{declined} of {len(results) + declined} pictures {were} declined by the provider's safety filter."
    )
    return Report("succeeded", job_id, results=tuple(results), notice=notice)
