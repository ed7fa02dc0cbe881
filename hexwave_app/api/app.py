"""The API as one ASGI app, which Reflex mounts its own beneath."""

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from hexwave_app.api import (
    ably_token,
    docs,
    errors,
    health,
    keys,
    media,
    metrics,
    processes,
    references,
    session,
    share,
    unknown,
    webhook,
    zip,
)
from hexwave_app.api.generate import generate_router
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import Tool


def create_api(tools: Iterable[Tool] = tuple(TOOLS.values())) -> FastAPI:
    """All routes, their errors in our form, OpenAPI at `/api/docs`."""
    app = FastAPIOffline(
        title="Hexwave",
        summary="Long-running operations with a live status.",
        docs_url=None,
        redoc_url=None,
        static_url=docs.ASSETS_URL,
        openapi_url=docs.OPENAPI_URL,
        responses=errors.RESPONSES,
    )
    errors.install(app)
    app.include_router(generate_router(tools))
    resources = (
        *(
            processes,
            references,
            share,
            session,
            webhook,
            ably_token,
            keys,
            media,
            zip,
            health,
            metrics,
            docs,
        ),
        unknown,
    )
    for resource in resources:
        app.include_router(resource.router)
    return app
