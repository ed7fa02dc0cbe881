"""The common troubles: recognised, explained, and what to do about each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from hexwave_app.activity.log import ActivityLog
from hexwave_app.activity.webhooks import Verdict, WebhookLog
from hexwave_app.health.check import Check, State
from hexwave_app.processes.errors import NotSignedIn, StoreUnavailable, WebhookRefused
from hexwave_app.processes.model import Process, utc_now
from hexwave_app.processes.observer import Deed
from hexwave_app.processes.ports import ProcessStore
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.settings import Settings

_LATELY = timedelta(minutes=10)
_STUCK = timedelta(seconds=60)
_UNHEARD = timedelta(seconds=5)
_REPEATEDLY = 3
_NAMED = 3
_LOOKED_AT = 20

_FORGED = (
    "Compare the provider's signing secret with the one set here; see that HEXWAVE_SECRET_KEY is the same in "
    "every worker, and that {} is this installation's own."
)


@dataclass(frozen=True)
class Trouble:
    """`grave` is what stops work; the rest is good to know."""

    key: str
    title: str
    sentence: str
    remedy: str
    grave: bool = True


async def troubles(
    checks: tuple[Check, ...],
    settings: Settings,
    store: ProcessStore,
    channel: AblyChannel,
    log: ActivityLog,
    webhooks: WebhookLog,
) -> list[Trouble]:
    """What there is at the moment, the grave ones first."""
    try:
        running = await store.silent(utc_now(), _LOOKED_AT)
    except StoreUnavailable:
        # The check of the store says so already.
        running = []
    found = [
        *_stuck(running),
        *_ably(checks),
        *_refused_webhooks(webhooks, settings),
        *_token(log),
        *_unheard(running, channel),
        *_keyless(checks, settings),
    ]
    return sorted(found, key=lambda trouble: not trouble.grave)


def _stuck(running: list[Process]) -> Iterator[Trouble]:
    now = utc_now()
    silent = [process for process in running if now - process.updated_at > _STUCK]
    if silent:
        named = "; ".join(
            f"{process.process_id} for {_span(now - process.updated_at)}, at {process.provider.name}"
            for process in silent[:_NAMED]
        )
        rest = f", and {len(silent) - _NAMED} more" if len(silent) > _NAMED else ""
        yield Trouble(
            "stuck",
            "Stuck in processing",
            f"Nothing was heard of {named}{rest}.",
            "The provider is asked every few seconds, and each ends by itself at its deadline. "
            "Look one up below to see the provider's last answer.",
        )


def _ably(checks: tuple[Check, ...]) -> Iterator[Trouble]:
    channel = next((check for check in checks if check.key == "channel"), None)
    if channel is not None and channel.state in (State.DOWN, State.RECONNECTING):
        yield Trouble(
            "ably",
            "Live updates are late",
            f"{channel.detail.rstrip('.')}.",
            channel.remedy,
        )


def _refused_webhooks(webhooks: WebhookLog, settings: Settings) -> Iterator[Trouble]:
    since = utc_now() - _LATELY
    refused = [each for each in webhooks.newest if each.verdict is Verdict.REFUSED and each.at > since]
    reason, count = next(iter(Counter(each.reason for each in refused).most_common(1)), ("", 0))
    if count >= _REPEATEDLY:
        forged = any(each.code == WebhookRefused.code and each.reason == reason for each in refused)
        yield Trouble(
            "webhooks",
            "Webhooks are refused",
            f"{count} in the last 10 minutes: {reason}",
            _FORGED.format(settings.base_url) if forged else "See what is sent, in the deliveries below.",
        )


def _token(log: ActivityLog) -> Iterator[Trouble]:
    since = utc_now() - _LATELY
    if any(
        line.event is Deed.REFUSED and line.code == NotSignedIn.code and line.at > since
        for line in log.since(0)
    ):
        yield Trouble(
            "token",
            "401 on the token",
            "GET /api/ably/token was asked without a session.",
            "Send the session's cookie along, fetch(url, {credentials: 'include'}) from a page of this "
            "origin, or an API key as Authorization: Bearer.",
        )


def _unheard(running: list[Process], channel: AblyChannel) -> Iterator[Trouble]:
    now = utc_now()
    alone = [
        process
        for process in running
        if now - process.created_at > _UNHEARD and not channel.follows(process.process_id)
    ]
    if alone:
        first, more = alone[0].process_id, len(alone) - 1
        yield Trouble(
            "unheard",
            "Nobody is subscribed",
            f"Nobody follows {first}{f', and {more} more,' if more else ''} in this worker.",
            "It runs all the same, and its result is kept. A page of its owner follows it; a frontend of "
            f"your own attaches to process:{first} with a token from /api/ably/token.",
            grave=False,
        )


def _keyless(checks: tuple[Check, ...], settings: Settings) -> Iterator[Trouble]:
    if any(check.key == "provider.demo" for check in checks):
        yield Trouble(
            "keyless",
            "No provider has a key",
            "Pictures are painted by procedure, not by a model.",
            "Set REPLICATE_API_TOKEN, FAL_KEY or another of docs/providers.md, then restart.",
            grave=False,
        )
    elif settings.public_url is None:
        yield Trouble(
            "unreachable",
            "Webhooks may not reach this machine",
            "HEXWAVE_PUBLIC_URL is not set, so providers beyond this machine are asked for their results.",
            "Set it to where the world reaches this server, and they tell us at once.",
            grave=False,
        )


def _span(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
