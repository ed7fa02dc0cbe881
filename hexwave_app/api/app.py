"""The API as one ASGI app, which Reflex mounts its own beneath."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from hexwave_app.api import ably_token, errors, generate, health, media, processes, unknown, webhook


def create_api() -> FastAPI:
    """All routes, their errors in our form, OpenAPI at `/api/docs`."""
    app = FastAPIOffline(
        title="Hexwave",
        summary="Long-running operations with a live status.",
        docs_url="/api/docs",
        redoc_url=None,
        static_url="/api/docs-assets",
        openapi_url="/api/openapi.json",
    )
    errors.install(app)
    for resource in (generate, processes, webhook, ably_token, media, health, unknown):
        app.include_router(resource.router)
    return app
