"""The checks, one for each thing: alike for the Inspector and for the doctor."""

import asyncio
import secrets
import shutil
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import cast

import httpx

from hexwave_app.activity.jobs import JobTimes
from hexwave_app.health.check import PATIENCE, Check, State, timed, within
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import HexwaveError, StoreUnavailable
from hexwave_app.processes.model import ProcessStatus, StatusMessage, utc_now
from hexwave_app.processes.ports import ProcessStore, Subscription
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.settings import Settings
from hexwave_app.tools.provider import Provider
from hexwave_app.tools.reconcile import INTERVAL, Sweep

_PROBE = "health"
"""In the place of a process's id, of which none is so short."""

_HEARD = 2.0
_SKEW = 30.0
_SLOW_SECONDS = 1.0
_SLOW_TIMES = 1.5
_RECENT = 5
_ROOM = 2**30
_MISSED_SWEEPS = 15


async def check_store(store: ProcessStore, settings: Settings) -> Check:
    """A write that changes nothing."""
    own = settings.mongodb_uri is not None

    async def ping() -> Check:
        async with timed() as watch:
            await store.lease(_PROBE, _PROBE, utc_now())
        if watch.seconds > _SLOW_SECONDS:
            remedy = "Look at the load of the database's machine, and at the way there."
            return Check("store", store_name(settings), State.SLOW, "It answers late.", remedy, watch.seconds)
        state, detail = (
            (State.HEALTHY, "Takes writes") if own else (State.NOT_SET_UP, "Using the built-in database")
        )
        return Check("store", store_name(settings), state, detail, seconds=watch.seconds)

    return await within(ping(), "store", store_name(settings), store_remedy(settings))


def store_name(settings: Settings) -> str:
    return "Database" if settings.mongodb_uri is None else "MongoDB"


def store_remedy(settings: Settings) -> str:
    if settings.mongodb_uri is None:
        return f"See that {settings.data_dir} can be written to, and that its disk is not full."
    return "See that the server of MONGODB_URI runs, has a primary, and takes this user."


async def check_channel(channel: AblyChannel, settings: Settings) -> Check:
    """A message of our own, there and back."""

    async def ask() -> Check:
        async with channel.subscribe(_PROBE) as news:
            sent = _probe()
            async with timed() as watch:
                await channel.publish(sent)
            heard = await _hears(news, sent.sequence)
        skew = await channel.clock_skew() if settings.ably_api_key is not None else 0.0
        if abs(skew) > _SKEW:
            detail = (
                f"This machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Ably's."
            )
            remedy = "Ably refuses tokens that are signed by it. Set the clock, for example by NTP."
            return Check("channel", "Ably", State.DOWN, detail, remedy, watch.seconds)
        if not heard:
            detail = channel.trouble or "A message was taken, and did not come back."
            remedy = "Pages read the database meanwhile. It is tried again by itself; see docs/ably.md."
            return Check("channel", "Ably", State.RECONNECTING, detail, remedy, watch.seconds)
        own = settings.ably_api_key is not None
        state = State.CONNECTED if own else State.NOT_SET_UP
        detail = _several(max(channel.topics - 1, 0), "channel")
        return Check(
            *("channel", "Ably", state, detail if own else f"Using the built-in server, {detail}"),
            seconds=watch.seconds,
        )

    return await within(ask(), "channel", "Ably", channel_remedy(settings))


def channel_remedy(settings: Settings) -> str:
    pages = "Pages read the database meanwhile."
    if settings.ably_api_key is None:
        return f"{pages} Restart the app: the built-in server is a part of it."
    if settings.ably_endpoint is not None:
        return f"{pages} See that a server runs at ABLY_ENDPOINT, and takes ABLY_API_KEY."
    return f"{pages} See that this machine reaches Ably, and that ABLY_API_KEY is in use there."


def _probe() -> StatusMessage:
    now = round(time.time() * 1000)
    return StatusMessage(status=ProcessStatus.COMPLETED, process_id=_PROBE, timestamp=now, sequence=now)


async def _hears(news: Subscription, sequence: int) -> bool:
    until = time.monotonic() + _HEARD
    while (rest := until - time.monotonic()) > 0:
        message = await news.next(rest)
        if message is not None and message.sequence >= sequence:
            return True
    return False


async def check_provider(provider: Provider, jobs: JobTimes | None = None) -> Check:
    """Whether it answers and takes our key; and whether its last jobs took longer than usual."""
    key = f"provider.{provider.name}"

    async def ask() -> Check:
        async with timed() as watch:
            await provider.check()
        if provider.name == "demo":
            return Check(
                *(key, provider.title, State.NOT_SET_UP, "Procedural, not AI"),
                "Set REPLICATE_API_TOKEN, FAL_KEY or another of docs/providers.md for a real model.",
                watch.seconds,
            )
        if (late := _late(jobs.of(provider.name).values if jobs else [])) is not None:
            remedy = "Look at the provider's status page, or choose another with HEXWAVE_PROVIDER."
            return Check(key, provider.title, State.SLOW, late, remedy, watch.seconds)
        return Check(key, provider.title, State.HEALTHY, "Answers", seconds=watch.seconds)

    return await within(ask(), key, provider.title, provider_remedy(provider.name))


_PROVIDER_SETTINGS = {
    "replicate": "REPLICATE_API_TOKEN",
    "fal": "FAL_KEY",
    "openai": "OPENAI_API_KEY and OPENAI_BASE_URL",
    "comfyui": "COMFYUI_URL",
    "external": "HEXWAVE_EXTERNAL_API_URL and HEXWAVE_EXTERNAL_API_KEY",
}


def provider_remedy(name: str) -> str:
    setting = _PROVIDER_SETTINGS.get(name)
    return "Restart the app." if setting is None else f"Compare {setting} with what the provider says."


def _late(times: list[float]) -> str | None:
    """How late the last jobs were, where they were."""
    recent, before = times[-_RECENT:], times[:-_RECENT]
    if not before:
        return None
    usual, last = _median(before), _median(recent)
    return f"{last:.1f} s of late, usually {usual:.1f} s" if last > _SLOW_TIMES * usual else None


async def check_library(library: Library, settings: Settings) -> Check:
    """A file written, read and deleted."""
    name = "Storage"

    async def probe() -> Check:
        content = secrets.token_bytes(64)
        file = f"{secrets.token_hex(8)}.bin"
        async with timed() as watch:
            await library.put(_PROBE, file, content)
            read = await library.get(_PROBE, file)
            await library.delete(_PROBE, file)
        if read != content:
            raise StoreUnavailable("A file that was just written reads differently.")
        if settings.s3_bucket is not None:
            detail = f"Bucket {settings.s3_bucket}"
            return Check("library", name, State.HEALTHY, detail, seconds=watch.seconds)
        return await _directory(settings.data_dir, name, watch.seconds)

    return await within(probe(), "library", name, library_remedy(settings))


async def _directory(place: Path, name: str, seconds: float) -> Check:
    usage = await asyncio.to_thread(shutil.disk_usage, place)
    said = f"{_gigabytes(usage.free)} GB free of {_gigabytes(usage.total)}"
    if usage.free < _ROOM:
        remedy = f"Make room on the disk of {place}, or set S3_BUCKET."
        return Check("library", name, State.DOWN, f"{said}: too little for what is to come.", remedy, seconds)
    return Check("library", name, State.HEALTHY, said, seconds=seconds)


def library_remedy(settings: Settings) -> str:
    if settings.s3_bucket is None:
        return f"See that {settings.data_dir / 'media'} can be written to, and that its disk is not full."
    return "Compare S3_BUCKET, S3_ENDPOINT and the S3 keys with the bucket's own page."


def check_reconciler(last: Sweep | None) -> Check:
    """When it last looked, and what it found."""
    key, name = "reconciler", "Reconciler"
    age = None if last is None else time.monotonic() - last.ended
    if last is None or age is None or age > _MISSED_SWEEPS * INTERVAL:
        detail = "It has not looked yet." if age is None else f"Its last look was {age:.0f} s ago."
        return Check(
            *(key, name, State.DOWN, detail),
            "It looks again as soon as the database answers; where that is well, restart the app.",
        )
    found = f"{last.silent} silent, {last.overdue} overdue, {last.untold} untold"
    return Check(key, name, State.HEALTHY, found, seconds=last.seconds)


async def check_waiting(store: ProcessStore, patience: float) -> Check:
    """What would be taken up by a reconciler: for who has none running."""
    key, name = "reconciler", "Reconciler"

    async def look() -> Check:
        silent = await store.silent(utc_now() - timedelta(seconds=patience), 100)
        if silent:
            detail = f"{_several(len(silent), 'running process', 'es')} heard nothing for {patience:.0f} s"
            remedy = "A running server takes these up by itself: start it."
            return Check(key, name, State.SLOW, detail, remedy)
        return Check(key, name, State.HEALTHY, "Nothing waits to be taken up")

    return await within(look(), key, name, "See the database above.")


def _gigabytes(size: int) -> str:
    amount = size / 1e9
    return f"{amount:.1f}" if amount < 10 else f"{amount:.0f}"


def _several(count: int, thing: str, plural: str = "s") -> str:
    return f"{count} {thing}{'' if count == 1 else plural}"


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


async def check_webhooks(settings: Settings) -> Check:
    """Whether the address that providers are given leads here."""
    key, name = "webhooks", "Webhooks"
    if settings.public_url is None:
        return Check(
            *(key, name, State.NOT_SET_UP, "Providers beyond this machine are asked for their results"),
            "Set HEXWAVE_PUBLIC_URL to where the world reaches this server, and they tell us at once.",
        )

    async def visit() -> Check:
        async with timed() as watch:
            up = await answers(settings.base_url)
        if not up:
            raise HexwaveError(f"{settings.base_url} does not lead to Hexwave.")
        return Check(key, name, State.HEALTHY, "HEXWAVE_PUBLIC_URL leads here", seconds=watch.seconds)

    remedy = "See that HEXWAVE_PUBLIC_URL, its DNS name and the proxy before this server are right."
    return await within(visit(), key, name, remedy)


async def answers(url: str) -> bool | None:
    """Whether Hexwave answers at `url`; `None` where nobody does."""
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        try:
            said = (await http.get(f"{url}/api/health")).json()
        except httpx.HTTPError:
            return None
        except ValueError:
            return False
    return isinstance(said, dict) and cast(dict[str, object], said).get("status") == "up"
