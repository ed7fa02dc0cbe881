"""`/api/` paths that are nobody's: answered here, since Reflex would answer them with a page."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match

router = APIRouter(include_in_schema=False)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@router.api_route("/api/{path:path}", methods=list(_METHODS))
async def unknown(path: str, request: Request) -> None:
    """404, or 405 where the path takes another method."""
    others = [route for route in request.app.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    taken = [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in others)
    ]
    if taken:
        message = f"/api/{path} does not take {request.method}. /api/docs says what it takes."
        raise HTTPException(405, message, {"Allow": ", ".join(taken)})
    raise HTTPException(404, f"There is no /api/{path}. /api/docs lists what there is.")
