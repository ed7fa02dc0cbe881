"""The front door: the app that Reflex serves."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import reflex as rx
from starlette.types import ASGIApp

from hexwave_app.api.app import create_api
from hexwave_app.api.body_limit import BodyLimitMiddleware
from hexwave_app.identity.session import SessionMiddleware
from hexwave_app.services import lifespan, sessions
from hexwave_app.settings import read_settings
from hexwave_app.ui.pages import studio as studio
from hexwave_app.ui.theme import app_options

settings = read_settings()


def _with_session(app: ASGIApp) -> ASGIApp:
    return SessionMiddleware(app, sessions(settings))


@asynccontextmanager
async def services() -> AsyncGenerator[None, None]:
    async with lifespan(settings):
        yield


# The API first, then what wraps it: the last one named sees a request first.
app = rx.App(api_transformer=[create_api(), BodyLimitMiddleware, _with_session], **app_options())
app.register_lifespan_task(services)
