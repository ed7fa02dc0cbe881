"""The server process that the app runs in: how it starts, and how it ends.

`python -m hexwave_app.server` serves the built pages and the API; everything it is told is in the settings.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable

from hexwave_app.processes.errors import HexwaveError, SettingsError
from hexwave_app.settings import Settings, read_settings

END_PATIENCE = 8
"""Seconds in which a worker ends by itself, once drained; less than dev.py gives the whole server."""

YOUNG = 5_000
"""Objects more than before, at which the garbage collector looks at the young ones; Python's own is 700."""

_APP = "hexwave_app.hexwave_app:app"
_PATIENCE = 10.0

# Reflex's names for its internal settings begin with two underscores.
_PRODUCTION = {
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
}


def command(settings: Settings) -> list[str]:
    """Granian as Reflex's own production mode runs it, less the compiling: the pages are there already."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
        *("--workers", str(settings.workers), "--log-level", "warning"),
        *("--host", _ip(settings.host), "--port", str(settings.port)),
        *("--workers-kill-timeout", str(settings.drain_seconds + END_PATIENCE), _APP),
    ]


def _ip(host: str) -> str:
    """The address `host` stands for, IPv4 where there is a choice."""
    found = {
        family: str(place[0]) for family, *_, place in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    }
    return found.get(socket.AF_INET) or found[socket.AF_INET6]


def spare_the_collector() -> None:
    """Have the garbage collector pass over what is there from the start, and look at the rest less often.

    A session is thousands of objects that live as long as it does. At Python's own pace a server with 500 of
    them looks at them all every few seconds, and nobody is answered for 0.3 s. What is no cycle, which is
    nearly everything, does not wait for the collector to be freed.
    """
    if multiprocessing.parent_process() is None:
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


def drain_first(drain: Callable[[], Awaitable[None]]) -> None:
    """Have SIGTERM await `drain` before the server ends; nothing where the server is not ours to end.

    Granian tells the app of its end only when it no longer listens and all requests are answered. That is too
    late to say that no more are to come, so draining begins with the signal itself.
    """
    if multiprocessing.parent_process() is None:
        return
    loop = asyncio.get_running_loop()
    begun: list[asyncio.Task[None]] = []

    def asked() -> None:
        if not begun:
            begun.append(loop.create_task(_drain(drain), name="draining"))

    loop.add_signal_handler(signal.SIGTERM, asked)


async def _drain(drain: Callable[[], Awaitable[None]]) -> None:
    try:
        await drain()
    finally:
        # Granian ends by this one as it does by the other.
        os.kill(os.getpid(), signal.SIGINT)


def give_up(error: HexwaveError) -> None:
    """Say in one line why there is no start, and have the server end; return where it is not ours to end.

    Left to itself it would print a stack trace. Asked by its worker to end, it ends that one in turn, and
    says nothing.
    """
    if multiprocessing.parent_process() is None:
        return
    print(error.message.partition("\n")[0], file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(1)


def main() -> None:
    """Become the server; end with one line where a setting cannot work."""
    try:
        settings = read_settings()
        words = command(settings)
    except SettingsError as error:
        sys.exit(error.message)
    except OSError:
        sys.exit("HEXWAVE_HOST cannot work: it is not an address of this machine.")
    os.execve(words[0], words, os.environ | _PRODUCTION)


if __name__ == "__main__":
    main()
