"""What each page knows that follows something live."""

from typing import Any

import reflex as rx

from hexwave_app.live.serving import served
from hexwave_app.live.tab import feed


class LivePage(rx.State, mixin=True):
    """Whose page it is, and whether what it shows is all there and fresh."""

    loaded: bool = False
    behind: bool = False
    """True while the store does not answer, so what is shown may be old."""

    def _user_id(self) -> str:
        """Whose tab this is, as the app's `serving` knows it."""
        return served().user_of(self.router)

    def _say(self, **values: Any) -> None:
        # What is set is sent, changed or not: every tab would hear of nothing every few seconds.
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    def _wake(self) -> None:
        """Let the page's watcher look at once."""
        opened = feed(self.router.session.client_token)
        if opened is not None:
            opened.wake()
