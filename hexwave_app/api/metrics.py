"""`GET /metrics`: figures for Prometheus, for whoever has the token."""

import secrets

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from hexwave_app.api.context import OpenServices
from hexwave_app.identity.bearer import bearer_token
from hexwave_app.processes.errors import NotSignedIn

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def read_metrics(request: Request, services: OpenServices) -> Response:
    """Those of the worker that answers. 404 unless HEXWAVE_METRICS_TOKEN is set."""
    token = services.settings.metrics_token
    if token is None:
        raise HTTPException(404, "There is no /metrics.")
    if not secrets.compare_digest((bearer_token(request.scope) or "").encode(), token.encode()):
        raise NotSignedIn("Send HEXWAVE_METRICS_TOKEN as a bearer token.")
    return Response(services.activity.metrics.read(), headers={"Content-Type": CONTENT_TYPE_LATEST})
