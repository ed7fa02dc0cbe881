"""`POST /api/webhook/{category}`: what providers report."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from hexwave_app.api.context import OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.processes.errors import HexwaveError, ProcessNotFound, WebhookRefused
from hexwave_app.processes.model import Process, Source
from hexwave_app.processes.observer import Act, Deed
from hexwave_app.services import Services

router = APIRouter(tags=["webhook"])


@router.post("/api/webhook/{category}")
async def receive_webhook(
    category: str,
    request: Request,
    services: OpenServices,
    address: ClientAddress,
    process_id: Annotated[str, Query(alias="processId", max_length=64)],
    token: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, bool]:
    """Check the token, then the signature over the raw bytes, then parse; results are kept afterwards."""
    await services.limits.webhook(address)
    try:
        with services.activity.webhooks.receiving(process_id) as delivery:
            process, body = await _verified(category, request, services, process_id, token)
            delivery.verified(body)
            await services.deliveries.receive(process, body)
    except HexwaveError as error:
        words = f"webhook: {error.message}"
        refused = Act(Deed.REFUSED, None, Source.WEBHOOK, words, process_id=process_id, code=error.code)
        services.activity.observer.observe(refused)
        raise
    return {"ok": True}


async def _verified(
    category: str, request: Request, services: Services, process_id: str, token: str
) -> tuple[Process, bytes]:
    services.webhooks.check(process_id, token)
    # Not earlier: who only knows the id could keep its provider out.
    await services.limits.report(process_id)
    process = await services.processes.reported_on(process_id)
    if process.category != category:
        raise ProcessNotFound
    provider = services.providers.get(process.provider.name)
    if provider is None:
        raise WebhookRefused(f"The provider {process.provider.name} is not set up here.")
    body = await request.body()
    await provider.verify(request.headers, body)
    return process, body
