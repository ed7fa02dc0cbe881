"""Paths that are nobody's: answered here, since Reflex would answer them with a page, or with its own."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match

router = APIRouter(include_in_schema=False)

REFLEX = ("/ping", "/_health", "/_upload", "/auth-codespace", "/_all_routes")
"""What Reflex serves, or would in some surroundings, and nobody here uses. `/api/health` says what outsiders
may know."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@router.api_route("/api/{path:path}", methods=list(_METHODS))
async def unknown(path: str, request: Request) -> None:
    """404, or 405 where the path takes another method."""
    taken = _taken(request)
    if taken:
        message = f"/api/{path} does not take {request.method}. /api/docs says what it takes."
        raise HTTPException(405, message, {"Allow": ", ".join(taken)})
    raise HTTPException(404, f"There is no /api/{path}. /api/docs lists what there is.")


def _taken(request: Request) -> list[str]:
    """The methods that the path takes."""
    others = [route for route in request.app.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    matched = [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in others)
    ]
    named = _named(request)
    return [method for method in matched if not named or method.lower() in named]


def _named(request: Request) -> Mapping[str, object]:
    """What is described under exactly this path, by method in lower case.

    `/api/processes/favourite` has the form of `/api/processes/{process_id}` as well, and is no process.
    """
    return request.app.openapi()["paths"].get(request.url.path, {})


async def closed(request: Request) -> None:
    raise HTTPException(404, f"There is no {request.url.path}.")


for each in REFLEX:
    for path in (each, f"{each}/{{path:path}}"):
        router.add_api_route(path, closed, methods=list(_METHODS))
