"""Opens what the settings ask for, and closes it in reverse: the only importer of adapters."""

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from hexwave_app.activity.jobs import JobTimes
from hexwave_app.activity.latency import WebhookLatency
from hexwave_app.activity.log import ActivityLog
from hexwave_app.activity.metrics import Metrics
from hexwave_app.activity.webhooks import WebhookLog
from hexwave_app.background import BackgroundTasks
from hexwave_app.draining import Draining
from hexwave_app.health.checkup import Checkup
from hexwave_app.identity.address import Proxies
from hexwave_app.identity.api_key import ApiKeys
from hexwave_app.identity.bearer import Bearers
from hexwave_app.identity.clerk import Clerk, ClerkBearer
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.identity.live_sessions import LiveSessions
from hexwave_app.identity.origins import own_origins
from hexwave_app.identity.redaction import Redaction
from hexwave_app.identity.secret import Secret
from hexwave_app.identity.session import Sessions
from hexwave_app.identity.shared_counts import SharedCounts
from hexwave_app.media.bucket import open_bucket
from hexwave_app.media.fetch import Fetcher
from hexwave_app.media.library import Library
from hexwave_app.media.workers import Workers
from hexwave_app.processes.errors import SettingsError
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import Process
from hexwave_app.processes.observer import Observer, Observers
from hexwave_app.processes.ports import ProcessStore
from hexwave_app.providers.comfyui.provider import SDXL_CHECKPOINT, ComfyUI
from hexwave_app.providers.comfyui.workflow import SDXL
from hexwave_app.providers.demo.provider import DemoPainter
from hexwave_app.providers.fal.provider import Fal
from hexwave_app.providers.openai_images import DEFAULT_MODELS, OPENAI_URL, OpenAIImages
from hexwave_app.providers.replicate import Replicate
from hexwave_app.providers.webhook_api import WebhookApi
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.realtime.channel import status_channel
from hexwave_app.settings import Settings
from hexwave_app.stores.mongo import MongoStore
from hexwave_app.stores.sql import SqlStore
from hexwave_app.tools.deliver import Deliveries
from hexwave_app.tools.discards import Discards
from hexwave_app.tools.orphans import Orphans
from hexwave_app.tools.provider import Provider
from hexwave_app.tools.reconcile import Reconciler, Sweep
from hexwave_app.tools.references import References
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.share import Shares
from hexwave_app.tools.start import Runs
from hexwave_app.tools.tool import Tool, offered
from hexwave_app.tools.webhooks import Webhooks

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Activity:
    """What this worker is seen doing. `observer` passes on to the others what it is told."""

    observer: Observer
    log: ActivityLog
    webhooks: WebhookLog
    latency: WebhookLatency
    jobs: JobTimes
    metrics: Metrics

    @classmethod
    def begin(cls, *others: Observer) -> "Activity":
        log, webhooks, latency, jobs = ActivityLog(), WebhookLog(), WebhookLatency(), JobTimes()
        metrics = Metrics()
        observer = Observers((log, webhooks, latency, jobs, metrics, *others))
        return cls(observer, log, webhooks, latency, jobs, metrics)


@dataclass(frozen=True)
class Services:
    """Everything that is open while the app runs."""

    settings: Settings
    draining: Draining
    sessions: Sessions
    keys: ApiKeys
    bearers: Bearers
    clerk: Clerk | None
    live_sessions: LiveSessions
    proxies: Proxies
    limits: Limits
    store: ProcessStore
    processes: Processes
    channel: AblyChannel
    library: Library
    providers: Mapping[str, Provider]
    webhooks: Webhooks
    shares: Shares
    references: References
    runs: Runs
    deliveries: Deliveries
    activity: Activity
    checkup: Checkup

    @property
    def keyless(self) -> Mapping[str, str]:
        """The titles of hosted providers that only want a key, by their names."""
        hosted = {Replicate.name: Replicate.title, Fal.name: Fal.title, OpenAIImages.name: "OpenAI"}
        return {name: title for name, title in hosted.items() if name not in self.providers}

    def expected_seconds(self, process: Process) -> float | None:
        """How long the process is likely to take in all: as jobs alike did, or as its model's maker says."""
        known = self.activity.jobs.typical(process)
        provider = self.providers.get(process.provider.name)
        if known is not None or provider is None:
            return known
        asked = process.tool_name, process.provider.model
        return next((model.seconds for model in provider.models if (model.tool, model.name) == asked), None)

    def offers(self, tool: str) -> bool:
        """Whether any provider can be asked for the tool of that name."""
        return any(model.tool == tool for provider in self.providers.values() for model in provider.models)

    def may_inspect(self, user_id: str) -> bool:
        """Whether the user sees what everybody does: anybody where only this machine is let in."""
        return self.settings.local or user_id in self.settings.admins


def secret(settings: Settings) -> Secret:
    """The installation's secret: the one that is set, or one kept in the data directory. Read once."""
    return _secret(settings.secret_key, settings.old_secret_keys, settings.data_dir / "secret.key")


@cache
def _secret(value: str | None, old: tuple[str, ...], path: Path) -> Secret:
    return Secret.kept_in(path, old) if value is None else Secret(value, old)


def sessions(settings: Settings) -> Sessions:
    return Sessions(secret(settings), settings.secure, settings.clerk_frontend_api is not None)


@asynccontextmanager
async def open_services(settings: Settings, tools: Mapping[str, Tool] = TOOLS) -> AsyncIterator[Services]:
    """All services, opened in the order in which they lean on each other."""
    Redaction.install({*settings.secrets, *secret(settings).values})
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        channel = await stack.enter_async_context(open_channel(settings))
        clerk = await _clerk(settings, stack)
        activity = Activity.begin(*await _traces(settings, stack))
        telling = await stack.enter_async_context(BackgroundTasks.open())
        processes = Processes(
            store,
            channel,
            observer=activity.observer,
            spawn=telling.spawn,
            # Several workers have Redis; several servers without it are an exception that is slower.
            alone=settings.redis_url is None,
        )
        library = await open_library(settings)
        providers = await _providers(settings, library, tools, stack)
        webhooks = Webhooks(settings.base_url, *secret(settings).keys("webhook"))
        workers = await stack.enter_async_context(Workers.open())
        # Ended before what they work with.
        tasks = await stack.enter_async_context(BackgroundTasks.open())
        draining = Draining()
        share_keys = secret(settings).keys("share")
        shares = Shares(processes, library, workers, settings.base_url, *share_keys)
        deliveries = Deliveries(processes, providers, library, workers, tasks)
        limits, proxies = await _limits(settings, stack), Proxies(settings.trusted_proxies)
        references = References(library, workers, limits, *secret(settings).keys("reference"))
        runs = Runs(
            *(processes, tools, providers, webhooks, library, references, tasks),
            *(settings.fallback_provider, limits, draining),
        )
        reconciler = Reconciler(processes, tools, providers, runs, deliveries)
        _measure(activity.metrics, reconciler, channel)
        activity.metrics.ask("submitting", "Jobs that are being submitted", lambda: runs.submitting)
        activity.metrics.ask("saving", "Processes whose results are being kept", lambda: deliveries.saving)
        await stack.enter_async_context(reconciler.running())
        await stack.enter_async_context(Discards(processes, library).swept())
        await stack.enter_async_context(Orphans(processes, library).swept())
        keys = ApiKeys(store.keys, limits, tasks)
        yield Services(
            settings=settings,
            draining=draining,
            sessions=sessions(settings),
            keys=keys,
            bearers=Bearers((keys,) if clerk is None else (keys, ClerkBearer(clerk)), limits, proxies),
            clerk=clerk,
            live_sessions=LiveSessions(_nobody if clerk is None else clerk.active),
            proxies=proxies,
            limits=limits,
            store=store,
            processes=processes,
            channel=channel,
            library=library,
            providers=providers,
            webhooks=webhooks,
            shares=shares,
            references=references,
            runs=runs,
            deliveries=deliveries,
            activity=activity,
            checkup=Checkup(
                *(settings, store, channel, library, next(iter(providers.values()))),
                *(activity.jobs, reconciler),
            ),
        )


async def _traces(settings: Settings, stack: AsyncExitStack) -> list[Observer]:
    if settings.otlp_endpoint is None:
        return []
    # What it stands on takes its time, and is of no use to anybody else.
    from hexwave_app.traces import Traces

    return [await stack.enter_async_context(Traces.open(settings.otlp_endpoint, settings.collector_headers))]


def _measure(metrics: Metrics, reconciler: Reconciler, channel: AblyChannel) -> None:
    """Let metrics ask those who know."""

    def last() -> Sweep:
        return reconciler.last or Sweep(0, 0, 0, 0.0, opened)

    opened = time.monotonic()
    metrics.ask("ably_channels", "Channels of Ably that are attached", lambda: channel.topics)
    metrics.ask("ably_connections", "Realtime connections to Ably", lambda: channel.connections)
    metrics.ask("ably_up", "Whether Ably is reached", lambda: not channel.trouble)
    metrics.ask("reconciler_silent", "Silent processes found by the last sweep", lambda: last().silent)
    metrics.ask("reconciler_overdue", "Overdue processes found by the last sweep", lambda: last().overdue)
    metrics.ask("reconciler_untold", "Unpublished changes found by the last sweep", lambda: last().untold)
    metrics.ask("reconciler_sweep_seconds", "How long the last sweep took", lambda: last().seconds)
    metrics.ask(
        *("reconciler_age_seconds", "Since the end of the last sweep"),
        lambda: time.monotonic() - last().ended,
    )


def open_store(settings: Settings) -> AbstractAsyncContextManager[SqlStore | MongoStore]:
    if settings.mongodb_uri is not None:
        return MongoStore.open(settings.mongodb_uri)
    return SqlStore.open(settings.database_path)


async def _clerk(settings: Settings, stack: AsyncExitStack) -> Clerk | None:
    issuer = settings.clerk_frontend_api
    if issuer is None:
        return None
    # Settings has seen to it that this one goes with the publishable key.
    assert settings.clerk_secret_key is not None
    pages = own_origins(settings.host, settings.port, settings.public_url)
    return await stack.enter_async_context(
        Clerk.open(issuer, settings.clerk_secret_key, pages, settings.clerk_api_url)
    )


async def _nobody(_session: str) -> bool:
    return False


async def _limits(settings: Settings, stack: AsyncExitStack) -> Limits:
    names = {each.name for each in fields(Allowed)}
    allowed = Allowed(**settings.model_dump(include=names))
    if settings.redis_url is None:
        return Limits(allowed)
    return Limits(allowed, await stack.enter_async_context(SharedCounts.open(settings.redis_url)))


async def _providers(
    settings: Settings, library: Library, tools: Mapping[str, Tool], stack: AsyncExitStack
) -> Mapping[str, Provider]:
    """What is set up, in the order in which it is offered; the painter, which always is, comes last."""
    painter = DemoPainter.open(settings.data_dir / "demo", offered(tools.values(), DemoPainter.name))
    opened = [
        *await open_hosted(settings, library, tools, stack),
        await stack.enter_async_context(painter),
    ]
    opened.sort(key=lambda provider: provider.name != settings.provider)
    return {provider.name: provider for provider in opened}


async def open_hosted(
    settings: Settings, library: Library, tools: Mapping[str, Tool], stack: AsyncExitStack
) -> list[Provider]:
    """All that is set up but the painter; nothing is begun by opening them.

    Raises `SettingsError` where the default or the fallback is not among them, nor the painter.
    """
    fetcher = await stack.enter_async_context(Fetcher.open())
    opened = [await stack.enter_async_context(each) for each in _opening(settings, library, tools, fetcher)]
    names = [*(provider.name for provider in opened), DemoPainter.name]
    for variable, name in (
        ("HEXWAVE_PROVIDER", settings.provider),
        ("HEXWAVE_FALLBACK_PROVIDER", settings.fallback_provider),
    ):
        if name is not None and name not in names:
            raise SettingsError(
                f"{variable} cannot work: {name!r} is not set up. There is: {', '.join(names)}."
            )
    return opened


def _opening(
    settings: Settings, library: Library, tools: Mapping[str, Tool], fetcher: Fetcher
) -> Iterator[AbstractAsyncContextManager[Provider]]:
    if settings.replicate_api_token is not None:
        yield Replicate.open(
            *(settings.replicate_api_token, fetcher, settings.replicate_webhook_secret),
            models=offered(tools.values(), Replicate.name),
        )
    if settings.fal_key is not None:
        yield Fal.open(settings.fal_key, fetcher, models=offered(tools.values(), Fal.name))
    if settings.openai_api_key is not None or settings.openai_base_url is not None:
        names = (settings.openai_image_models or "").split(",")
        models = tuple(name.strip() for name in names if name.strip()) or DEFAULT_MODELS
        url = settings.openai_base_url or OPENAI_URL
        yield OpenAIImages.open(library, fetcher, settings.openai_api_key, url, models)
    if settings.comfyui_url is not None:
        workflow = settings.comfyui_workflow or SDXL
        checkpoint = settings.comfyui_checkpoint or SDXL_CHECKPOINT
        yield ComfyUI.open(library, fetcher, settings.comfyui_url, workflow, checkpoint)
    if settings.external_api_url is not None:
        yield WebhookApi.open(fetcher, settings.external_api_url, settings.external_api_key, tools.values())


async def open_library(settings: Settings) -> Library:
    if settings.s3_bucket is None:
        return Library(settings.data_dir / "media")
    # Settings has seen to it that these two go with the bucket.
    assert settings.s3_access_key_id is not None
    assert settings.s3_secret_access_key is not None
    return Library(
        await open_bucket(
            settings.s3_bucket,
            settings.s3_access_key_id,
            settings.s3_secret_access_key,
            settings.s3_region,
            settings.s3_endpoint,
        )
    )


def open_channel(settings: Settings) -> AbstractAsyncContextManager[AblyChannel]:
    return status_channel(settings.ably_api_key, settings.ably_endpoint)


class _Current:
    """The services of the running app; Reflex builds States by itself, so they cannot be handed them."""

    services: Services | None = None


def current() -> Services:
    """The open services. RuntimeError before the app has started or after it has ended."""
    if _Current.services is None:
        raise RuntimeError("The app's services are open only while it runs.")
    return _Current.services


@asynccontextmanager
async def lifespan(settings: Settings, tools: Mapping[str, Tool] = TOOLS) -> AsyncGenerator[Services, None]:
    """`open_services`, reachable by `current` while they are open."""
    async with open_services(settings, tools) as services:
        _Current.services = services
        try:
            yield services
        finally:
            _Current.services = None
