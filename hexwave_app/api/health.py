"""`GET /api/health`: up or not."""

from fastapi import APIRouter

router = APIRouter(tags=["health"])


@router.get("/api/health")
async def health() -> dict[str, str]:
    """Answers while the server takes requests."""
    return {"status": "up"}
