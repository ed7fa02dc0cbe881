"""Whom a request counts for."""

from typing import Annotated

from fastapi import Depends, Request

from hexwave_app.api.context import OpenServices


def _address(request: Request, services: OpenServices) -> str:
    peer = request.client.host if request.client is not None else ""
    return services.proxies.client(peer, ",".join(request.headers.getlist("x-forwarded-for")))


ClientAddress = Annotated[str, Depends(_address)]
