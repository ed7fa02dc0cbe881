"""What the pages say of a process that ended without a result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ending:
    """`word` is short enough for a status line; `remedy` is the button: retry, edit or again."""

    word: str
    sentence: str
    remedy: str


_SAFE = "Your prompt is safe."
_ENDINGS = {
    "timeout": Ending("Timed out", f"The provider gave no answer in time. {_SAFE}", "retry"),
    "provider_unavailable": Ending(
        "Provider is down", f"It is not taking jobs at the moment. {_SAFE}", "retry"
    ),
    "provider_busy": Ending("Provider is busy", f"It takes no more jobs at the moment. {_SAFE}", "retry"),
    "provider_not_ready": Ending(
        "Provider is not ready", f"It did not accept this app's account. {_SAFE}", "retry"
    ),
    "provider_refused": Ending("Not accepted", "The provider declined this prompt.", "edit"),
    "content_refused": Ending(
        "Not accepted", "The provider's safety filter declined this. Other words may pass.", "edit"
    ),
    "provider_failed": Ending("It did not finish", f"The provider broke off. {_SAFE}", "retry"),
    "submission_unknown": Ending(
        "Not sure it started",
        "The provider did not confirm this job. Retrying may make it twice.",
        "retry",
    ),
    "result_lost": Ending("Result did not arrive", "It was made, but could not be fetched.", "retry"),
}
_UNEXPECTED = Ending("Something went wrong here", f"The fault is ours. {_SAFE}", "retry")


def ending(error_code: str | None, error: str | None) -> Ending:
    """The words for an error code; `error` is used where the code's sentence needs what only it knows."""
    if error_code == "cancelled":
        return Ending("Cancelled", error or "You stopped this one. Nothing was saved.", "again")
    return _ENDINGS.get(error_code or "", _UNEXPECTED)


def endings() -> dict[str, str]:
    """The word for each error code, and under no code the one for any other."""
    words = {code: each.word for code, each in _ENDINGS.items()}
    return words | {"cancelled": ending("cancelled", None).word, "": _UNEXPECTED.word}
