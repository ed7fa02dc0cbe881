"""A server that is about to end, and takes no more jobs."""

from hexwave_app.processes.errors import ServerDraining


class Draining:
    """Whether this server is about to end: from `begin` on, until it has."""

    def __init__(self) -> None:
        self.begun = False

    def begin(self) -> None:
        self.begun = True

    def check(self) -> None:
        """Raise `ServerDraining` once it has begun."""
        if self.begun:
            raise ServerDraining
