"""What a page hears of an event that failed."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from hexwave_app.processes.errors import NotSignedIn
from hexwave_app.ui.fault import fault


def told(exception: Exception) -> str:
    return " ".join(str(event.args) for event in fault(exception))


@pytest.mark.parametrize("exception", [ValueError("key r8_secret"), RedisConnectionError("10.0.0.7:6379")])
def test_the_fault_is_ours_in_words_of_ours(exception: Exception) -> None:
    """Of the exception itself nothing is told."""
    words = told(exception)
    assert "Something went wrong here" in words
    assert "Your prompt is safe." in words
    assert str(exception) not in words


def test_a_page_that_has_no_state_begins_again() -> None:
    assert "beginAgain" in told(RedisConnectionError())
    assert "beginAgain" not in told(ValueError())


def test_where_nobody_is_signed_in_the_page_looks_who_is() -> None:
    assert "signedOut" in told(NotSignedIn("Sign in."))
