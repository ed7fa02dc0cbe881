"""The front door: the app that Reflex serves."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import reflex as rx
from reflex.utils.prerequisites import get_web_dir
from starlette.types import ASGIApp

from hexwave_app.api.app import create_api
from hexwave_app.api.body_limit import BodyLimitMiddleware
from hexwave_app.api.header_limit import HeaderLimitMiddleware
from hexwave_app.api.headers import SecurityHeadersMiddleware, content_security_policy, script_hashes
from hexwave_app.api.same_origin import SameOriginMiddleware
from hexwave_app.identity.origins import origin, own_origins
from hexwave_app.identity.session import SessionMiddleware
from hexwave_app.services import lifespan, sessions
from hexwave_app.settings import read_settings
from hexwave_app.ui.event_gate import EventGate
from hexwave_app.ui.pages import studio as studio
from hexwave_app.ui.theme import app_options

settings = read_settings()
origins = own_origins(settings.host, settings.port, settings.public_url)


def _with_session(app: ASGIApp) -> ASGIApp:
    return SessionMiddleware(app, sessions(settings))


def _same_origin(app: ASGIApp) -> ASGIApp:
    return SameOriginMiddleware(app, origins)


def _with_headers(app: ASGIApp) -> ASGIApp:
    pages = (page.read_text() for page in (get_web_dir() / "build" / "client").glob("*.html"))
    policy = content_security_policy(
        # Reflex runs what a handler sends to the page, toasts among it, by eval.
        scripts={"'unsafe-eval'"}.union(*map(script_hashes, pages)),
        # Older browsers take 'self' to mean http only.
        connect=[f"ws{own.removeprefix('http')}" for own in origins],
        pictures=_bucket(),
    )
    return SecurityHeadersMiddleware(app, policy, settings.secure)


def _bucket() -> list[str]:
    """Where pictures redirect to when they are kept in a bucket."""
    amazon = f"https://s3.{settings.s3_region}.amazonaws.com"
    return [origin(settings.s3_endpoint or amazon)] if settings.s3_bucket else []


@asynccontextmanager
async def services() -> AsyncGenerator[None, None]:
    async with lifespan(settings):
        yield


# The API first, then what wraps it: the last one named sees a request first.
app = rx.App(
    api_transformer=[
        *(create_api(), EventGate, BodyLimitMiddleware, _same_origin, _with_session),
        *(HeaderLimitMiddleware, _with_headers),
    ],
    **app_options(),
)
app.register_lifespan_task(services)
