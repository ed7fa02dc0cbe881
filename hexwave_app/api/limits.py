"""Whom a request counts for."""

from typing import Annotated

from fastapi import Depends, Request

from hexwave_app.api.context import OpenServices


async def _address(request: Request, services: OpenServices) -> str:
    return services.proxies.client_of(request.scope)


ClientAddress = Annotated[str, Depends(_address)]
