"""What a page hears of an event that failed."""

import logging

import reflex as rx
from redis.exceptions import RedisError
from reflex.event import EventSpec

from hexwave_app.processes.errors import NotSignedIn

log = logging.getLogger(__name__)


def fault(exception: Exception) -> list[EventSpec]:
    """The app's handler of exceptions: words of ours, once however many events fail, and no trace of it.

    Where nobody is signed in the page looks who sits there, and one that has not begun begins again.
    """
    if isinstance(exception, NotSignedIn):
        return [rx.call_script("window.hexwave.signedOut?.()")]
    said = rx.toast(
        "Something went wrong here", description="The fault is ours. Your prompt is safe.", id="hw-fault"
    )
    if isinstance(exception, RedisError):
        log.warning("an event of a page failed: Redis, which keeps its State, is away")
        return [said, rx.call_script("window.hexwave?.beginAgain?.()")]
    log.error("an event of a page failed", exc_info=exception)
    return [said]
