"""Opens what the settings ask for, and closes it in reverse: the only importer of adapters."""

import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from hexwave_app.ably_local.server import serve
from hexwave_app.background import BackgroundTasks
from hexwave_app.identity.address import Proxies
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.identity.redaction import Redaction
from hexwave_app.identity.secret import Secret
from hexwave_app.identity.session import Sessions
from hexwave_app.media.bucket import open_bucket
from hexwave_app.media.fetch import Fetcher
from hexwave_app.media.library import Library
from hexwave_app.media.workers import Workers
from hexwave_app.processes.errors import SettingsError
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.ports import ProcessStore
from hexwave_app.providers.comfyui.provider import SDXL_CHECKPOINT, ComfyUI
from hexwave_app.providers.comfyui.workflow import SDXL
from hexwave_app.providers.demo.provider import DemoPainter
from hexwave_app.providers.fal.provider import Fal
from hexwave_app.providers.openai_images import DEFAULT_MODELS, OPENAI_URL, OpenAIImages
from hexwave_app.providers.replicate import Replicate
from hexwave_app.providers.webhook_api import WebhookApi
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.settings import Settings
from hexwave_app.stores.mongo import MongoStore
from hexwave_app.stores.sql import SqlStore
from hexwave_app.tools.deliver import Deliveries
from hexwave_app.tools.image_generator import IMAGE_GENERATOR
from hexwave_app.tools.orphans import Orphans
from hexwave_app.tools.provider import Provider
from hexwave_app.tools.reconcile import Reconciler
from hexwave_app.tools.start import Runs
from hexwave_app.tools.tool import Tool
from hexwave_app.tools.webhooks import Webhooks

log = logging.getLogger(__name__)

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in (IMAGE_GENERATOR,)}


@dataclass(frozen=True)
class Services:
    """Everything that is open while the app runs."""

    settings: Settings
    sessions: Sessions
    proxies: Proxies
    limits: Limits
    processes: Processes
    channel: AblyChannel
    library: Library
    providers: Mapping[str, Provider]
    webhooks: Webhooks
    runs: Runs
    deliveries: Deliveries


def secret(settings: Settings) -> Secret:
    """The installation's secret: the one that is set, or one kept in the data directory. Read once."""
    return _secret(settings.secret_key, settings.old_secret_keys, settings.data_dir / "secret.key")


@cache
def _secret(value: str | None, old: tuple[str, ...], path: Path) -> Secret:
    return Secret.kept_in(path, old) if value is None else Secret(value, old)


def sessions(settings: Settings) -> Sessions:
    return Sessions(secret(settings), settings.secure)


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """All services, opened in the order in which they lean on each other."""
    Redaction.install({*settings.secrets, *secret(settings).values})
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(_store(settings))
        channel = await stack.enter_async_context(_channel(settings))
        tasks = await stack.enter_async_context(BackgroundTasks.open())
        processes = Processes(store, channel)
        library = await _library(settings)
        providers = await _providers(settings, library, stack)
        webhooks = Webhooks(settings.base_url, *secret(settings).keys("webhook"))
        workers = stack.enter_context(Workers.open())
        deliveries = Deliveries(processes, providers, library, workers, tasks)
        limits = _limits(settings)
        runs = Runs(
            *(processes, TOOLS, providers, webhooks, library, tasks),
            *(settings.fallback_provider, limits),
        )
        reconciler = Reconciler(processes, TOOLS, providers, runs, deliveries)
        await stack.enter_async_context(reconciler.running())
        await stack.enter_async_context(Orphans(processes, library).swept())
        yield Services(
            settings=settings,
            sessions=sessions(settings),
            proxies=Proxies(settings.trusted_proxies),
            limits=limits,
            processes=processes,
            channel=channel,
            library=library,
            providers=providers,
            webhooks=webhooks,
            runs=runs,
            deliveries=deliveries,
        )


def _store(settings: Settings) -> AbstractAsyncContextManager[ProcessStore]:
    if settings.mongodb_uri is not None:
        return MongoStore.open(settings.mongodb_uri)
    return SqlStore.open(settings.database_path)


def _limits(settings: Settings) -> Limits:
    names = {each.name for each in fields(Allowed)}
    return Limits(Allowed(**settings.model_dump(include=names)))


async def _providers(settings: Settings, library: Library, stack: AsyncExitStack) -> Mapping[str, Provider]:
    """What is set up, in the order in which it is offered; the painter, which always is, comes last."""
    fetcher = await stack.enter_async_context(Fetcher.open())
    opened = [await stack.enter_async_context(each) for each in _opening(settings, library, fetcher)]
    names = [provider.name for provider in opened]
    for variable, name in (
        ("HEXWAVE_PROVIDER", settings.provider),
        ("HEXWAVE_FALLBACK_PROVIDER", settings.fallback_provider),
    ):
        if name is not None and name not in names:
            raise SettingsError(
                f"{variable} cannot work: {name!r} is not set up. There is: {', '.join(names)}."
            )
    opened.sort(key=lambda provider: provider.name != settings.provider)
    return {provider.name: provider for provider in opened}


def _opening(
    settings: Settings, library: Library, fetcher: Fetcher
) -> Iterator[AbstractAsyncContextManager[Provider]]:
    if settings.replicate_api_token is not None:
        yield Replicate.open(settings.replicate_api_token, fetcher, settings.replicate_webhook_secret)
    if settings.fal_key is not None:
        yield Fal.open(settings.fal_key, fetcher)
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
        yield WebhookApi.open(fetcher, settings.external_api_url, settings.external_api_key)
    yield DemoPainter.open(settings.data_dir / "demo")


async def _library(settings: Settings) -> Library:
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


@asynccontextmanager
async def _channel(settings: Settings) -> AsyncIterator[AblyChannel]:
    if settings.ably_api_key is not None:
        async with AblyChannel.open(settings.ably_api_key, settings.ably_endpoint) as channel:
            yield channel
        return
    # Without a key the same adapter talks to a server of our own, with a key that lives as long as it.
    key = f"local.key:{secrets.token_urlsafe(24)}"
    async with (
        serve({key: {"*": ["*"]}}) as server,
        AblyChannel.open(key, f"{server.host}:{server.port}") as channel,
    ):
        yield channel


class _Current:
    """The services of the running app; Reflex builds States by itself, so they cannot be handed them."""

    services: Services | None = None


def current() -> Services:
    """The open services. RuntimeError before the app has started or after it has ended."""
    if _Current.services is None:
        raise RuntimeError("The app's services are open only while it runs.")
    return _Current.services


@asynccontextmanager
async def lifespan(settings: Settings) -> AsyncGenerator[Services, None]:
    """`open_services`, reachable by `current` while they are open."""
    async with open_services(settings) as services:
        _Current.services = services
        try:
            yield services
        finally:
            _Current.services = None
