"""`POST /api/generate-{category}`: begin a run."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hexwave_app.api.context import CurrentUser, IdempotencyKey, OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest

router = APIRouter(tags=["generate"])


class Begun(BaseModel):
    """The process that follows the run; subscribe to `process:{processId}` or read `/api/processes/{id}`."""

    process_id: Annotated[str, Field(serialization_alias="processId")]


@router.post("/api/generate-image")
async def generate_image(
    request: ImageRequest,
    services: OpenServices,
    user: CurrentUser,
    address: ClientAddress,
    idempotency_key: IdempotencyKey = None,
) -> Begun:
    """Begin one to four pictures. A repeated `Idempotency-Key` answers with the process of its first use."""
    process = await services.runs.start(
        IMAGE_GENERATOR, request, user.id, idempotency_key=idempotency_key, address=address
    )
    return Begun(process_id=process.process_id)
