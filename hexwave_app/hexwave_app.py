"""The front door: the app that Reflex serves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import reflex as rx
from reflex.utils.prerequisites import get_web_dir
from starlette.types import ASGIApp

from hexwave_app.api.app import create_api
from hexwave_app.api.body_limit import BodyLimitMiddleware
from hexwave_app.api.errors import refusal
from hexwave_app.api.header_limit import HeaderLimitMiddleware
from hexwave_app.api.headers import SecurityHeadersMiddleware, content_security_policy, script_hashes
from hexwave_app.api.same_origin import SameOriginMiddleware
from hexwave_app.asked import AskedByEvent, AskedByRequest
from hexwave_app.identity.clerk import SignedIn
from hexwave_app.identity.origins import origin, own_origins
from hexwave_app.identity.session import SessionMiddleware
from hexwave_app.live.serving import serving
from hexwave_app.logs import write_logs
from hexwave_app.processes.errors import HexwaveError
from hexwave_app.server import drain_first, give_up, spare_the_collector
from hexwave_app.services import current, lifespan, sessions
from hexwave_app.settings import read_settings
from hexwave_app.tab_tokens import keep_tabs, release_tabs
from hexwave_app.ui.event_gate import EventGate
from hexwave_app.ui.fault import fault
from hexwave_app.ui.ownership import OwnState
from hexwave_app.ui.pages import gallery as gallery
from hexwave_app.ui.pages import inspector as inspector
from hexwave_app.ui.pages import keys as keys
from hexwave_app.ui.pages import process as process
from hexwave_app.ui.pages import studio as studio
from hexwave_app.ui.pages import tool as tool
from hexwave_app.ui.pages import video as video
from hexwave_app.ui.status import user_of
from hexwave_app.ui.theme import app_options

settings = read_settings()
write_logs(settings.log_format)
origins = own_origins(settings.host, settings.port, settings.public_url)


def _with_session(app: ASGIApp) -> ASGIApp:
    return SessionMiddleware(app, sessions(settings), lambda: current().bearers, refusal, _ended)


async def _ended(signed_in: SignedIn) -> None:
    await current().live_sessions.ended(signed_in.session, signed_in.until)


def _same_origin(app: ASGIApp) -> ASGIApp:
    return SameOriginMiddleware(app, origins)


def _with_headers(app: ASGIApp) -> ASGIApp:
    pages = (page.read_text() for page in (get_web_dir() / "build" / "client").rglob("*.html"))
    policy = content_security_policy(
        # Reflex runs what a handler sends to the page, toasts among it, by eval.
        scripts={"'unsafe-eval'"}.union(*map(script_hashes, pages)),
        # Older browsers take 'self' to mean http only.
        connect=[f"ws{own.removeprefix('http')}" for own in origins],
        pictures=_bucket(),
        sign_in=settings.clerk_frontend_api,
    )
    return SecurityHeadersMiddleware(app, policy, settings.secure)


def _bucket() -> list[str]:
    """Where pictures redirect to when they are kept in a bucket."""
    amazon = f"https://s3.{settings.s3_region}.amazonaws.com"
    return [origin(settings.s3_endpoint or amazon)] if settings.s3_bucket else []


@asynccontextmanager
async def services() -> AsyncGenerator[None, None]:
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(lifespan(settings))
        except HexwaveError as error:
            give_up(error)
            raise
        drain_first(_drain)
        here = await stack.enter_async_context(serving(opened.processes, user_of, opened.activity.observer))
        opened.activity.metrics.ask("followers", "Tabs that follow something here", lambda: len(here.feeds))
        spare_the_collector()
        yield


async def _drain() -> None:
    """No more jobs, and time for load balancers to hear of it; what is under way goes on, then elsewhere."""
    current().draining.begin()
    await asyncio.sleep(settings.drain_seconds)
    if settings.redis_url is not None:
        await release_tabs(app)


# The API first, then what wraps it: the last one named sees a request first.
app = rx.App(
    api_transformer=[
        *(create_api(), EventGate, BodyLimitMiddleware, _same_origin, _with_session),
        *(HeaderLimitMiddleware, _with_headers),
        *((AskedByRequest,) if settings.otlp_endpoint is not None else ()),
    ],
    backend_exception_handler=fault,
    **app_options(),
)
app.add_middleware(OwnState())
if settings.otlp_endpoint is not None:
    app.add_middleware(AskedByEvent())
if settings.redis_url is not None:
    keep_tabs(app)
app.register_lifespan_task(services)
