"""`GET /api/health`: up or not."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from hexwave_app.api.context import OpenServices

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """`status` is the server's; `live` the status channel's: while that is down, followers read the store."""

    status: Literal["up"] = "up"
    live: Literal["up", "down"]


@router.get("/api/health")
async def health(services: OpenServices) -> Health:
    """Answers while the server takes requests. Outsiders are told up or down, and no reasons."""
    return Health(live="down" if services.channel.trouble else "up")
