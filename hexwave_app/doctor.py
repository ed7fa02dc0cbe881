"""`python -m hexwave_app.doctor`: says what works, and what to do about what does not.

Exit code 0 when all is well, 1 when something is down, 2 when a setting cannot work. See docs/doctor.md.
"""

import argparse
import asyncio
import json
import logging
import sys
from contextlib import AsyncExitStack
from typing import Any

from hexwave_app.health.check import Check, State, within
from hexwave_app.health.checks import (
    answers,
    channel_remedy,
    check_channel,
    check_library,
    check_provider,
    check_store,
    check_waiting,
    check_webhooks,
    library_remedy,
    store_name,
    store_remedy,
)
from hexwave_app.processes.errors import SettingsError
from hexwave_app.services import open_channel, open_hosted, open_library, open_store
from hexwave_app.settings import Settings, read_settings
from hexwave_app.tools.registry import TOOLS

WELL, DOWN, UNUSABLE = 0, 1, 2


async def examine(settings: Settings) -> tuple[bool, list[Check]]:
    """Whether a server runs where the settings say, and all checks. Raises `SettingsError`."""
    server, *groups = await asyncio.gather(
        _server(settings), _store(settings), _channel(settings), _library(settings), _providers(settings)
    )
    running, port = server
    checks = [check for group in groups for check in group]
    return running, [*checks, *port, *([await check_webhooks(settings)] if running else [])]


async def _server(settings: Settings) -> tuple[bool, list[Check]]:
    """Another program at our port is a fault; that nobody is there is none."""
    found = await answers(settings.listened_at)
    if found is not False:
        return bool(found), []
    return False, [
        Check(
            *("server", "Server", State.DOWN, f"Another program listens at {settings.listened_at}."),
            "End it, or choose another port: dev.py run --port, or HEXWAVE_PORT.",
        )
    ]


async def _store(settings: Settings) -> list[Check]:
    async def look() -> Check:
        async with open_store(settings) as store:
            check = await check_store(store, settings)
            if check.well:
                waiting.append(await check_waiting(store, max(tool.patience for tool in TOOLS.values()) * 4))
            return check

    waiting: list[Check] = []
    check = await within(look(), "store", store_name(settings), store_remedy(settings))
    return [check, *waiting]


async def _channel(settings: Settings) -> list[Check]:
    async def look() -> Check:
        async with open_channel(settings) as channel:
            return await check_channel(channel, settings)

    return [await within(look(), "channel", "Ably", channel_remedy(settings))]


async def _library(settings: Settings) -> list[Check]:
    async def look() -> Check:
        return await check_library(await open_library(settings), settings)

    return [await within(look(), "library", "Storage", library_remedy(settings))]


async def _providers(settings: Settings) -> list[Check]:
    async with AsyncExitStack() as stack:
        opened = await open_hosted(settings, await open_library(settings), TOOLS, stack)
        if opened:
            return list(await asyncio.gather(*map(check_provider, opened)))
    return [
        Check(
            *("provider.demo", "Provider", State.NOT_SET_UP, "Using the demo painter: procedural, not AI"),
            "Set REPLICATE_API_TOKEN, FAL_KEY or another of docs/providers.md for a real model.",
        )
    ]


def report(settings: Settings, running: bool, checks: list[Check]) -> str:
    """The checks as lines for people."""
    width = max(len(check.name) for check in checks)
    lines = [line for check in checks for line in _lines(check, width)]
    server = "A server runs" if running else "No server runs"
    return "\n".join([*lines, "", f"{server} at {settings.listened_at}. {_verdict(checks)}"])


def _lines(check: Check, width: int) -> list[str]:
    took = "" if check.seconds is None else f" ({check.seconds * 1000:.0f} ms)"
    first = f"{check.state:<12}  {check.name:<{width}}  {check.detail.rstrip('.')}{took}"
    return [first, *([f"{'':<12}  {'':<{width}}  -> {check.remedy}"] if check.remedy else [])]


def _verdict(checks: list[Check]) -> str:
    down = [check.name for check in checks if not check.well]
    return f"Down: {', '.join(down)}." if down else "All is well."


def as_json(settings: Settings, running: bool, checks: list[Check]) -> str:
    """The same for programs."""
    said: dict[str, Any] = {
        "ok": all(check.well for check in checks),
        "server": {"url": settings.listened_at, "running": running},
        "checks": [_wire(check) for check in checks],
    }
    return json.dumps(said, indent=2)


def _wire(check: Check) -> dict[str, Any]:
    took = None if check.seconds is None else round(check.seconds * 1000, 1)
    said = {"key": check.key, "name": check.name, "state": check.state.value, "ok": check.well}
    return said | {"milliseconds": took, "detail": check.detail, "remedy": check.remedy}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m hexwave_app.doctor", description="Says what works, and what to do about the rest."
    )
    parser.add_argument("--json", action="store_true", help="for programs, see docs/doctor.md")
    asked = parser.parse_args(words)
    # What is wrong is in the report, and what libraries say of it might hold a secret.
    logging.disable(logging.CRITICAL)
    try:
        settings = read_settings()
        running, checks = asyncio.run(examine(settings))
    except SettingsError as error:
        print(json.dumps({"ok": False, "error": error.message}, indent=2) if asked.json else error.message)
        return UNUSABLE
    print((as_json if asked.json else report)(settings, running, checks))
    return WELL if all(check.well for check in checks) else DOWN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
