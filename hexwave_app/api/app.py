"""The API as one ASGI app, which Reflex mounts its own beneath."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from hexwave_app.api import ably_token, docs, errors, generate, health, media, processes, unknown, webhook


def create_api() -> FastAPI:
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
    for resource in (generate, processes, webhook, ably_token, media, health, docs, unknown):
        app.include_router(resource.router)
    return app
