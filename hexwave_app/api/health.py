"""`GET /api/health` and `GET /api/ready`: whether it is up, and whether it is to be sent more."""

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


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


@router.get("/api/ready")
async def ready(services: OpenServices) -> Ready:
    """200 while a load balancer is to send requests here; 503 from the moment this server is told to end.

    Of the database it says nothing: without that no server is any better, and the pages say what is amiss.
    """
    services.draining.check()
    return Ready()
