"""Links for anybody: made and revoked under `/api/processes`, opened at `/s/` without session or script."""

from pathlib import Path
from typing import Any
from zlib import crc32

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.api.kept_file import Wanted, found, kept_file
from hexwave_app.media.pictures import CARD_SIZE
from hexwave_app.processes.errors import ProcessNotFound
from hexwave_app.processes.model import Process
from hexwave_app.services import Services
from hexwave_app.tools.provider import titles
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.share import CARD

router = APIRouter(tags=["share"])

_HERE = Path(__file__).parent
_STYLES = _HERE.parents[1] / "assets" / "shared.css"
_READ = ["GET", "HEAD"]
_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; media-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NOBODYS = {"X-Robots-Tag": "noindex, nofollow"}
# Kept by nobody: a link that is taken back is so at once.
_PAGE = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", **_NOBODYS}
# Kept by whoever asks each time whether it may still be shown.
_FILE = {"Cache-Control": "no-cache", **_NOBODYS}
_TITLE = 70

_templates = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_PAGE_STYLES = f"/shared.css?v={crc32(_STYLES.read_bytes()):08x}"


class Shared(BaseModel):
    """Whoever has `url` may look at the results and at what they were made with."""

    url: str


@router.post("/api/processes/{process_id}/share")
async def share_process(process_id: str, services: OpenServices, user: CurrentUser) -> Shared:
    """Make a link that anybody may open, the same one until it is revoked; 409 unless completed."""
    return Shared(url=await services.shares.share(process_id, user.id))


@router.delete("/api/processes/{process_id}/share", status_code=204)
async def revoke_share(process_id: str, services: OpenServices, user: CurrentUser) -> Response:
    """Take the link back, at once and for good: sharing again makes another one."""
    await services.shares.revoke(process_id, user.id)
    return Response(status_code=204)


@router.api_route("/s/{link}", methods=_READ, response_class=HTMLResponse, include_in_schema=False)
async def shared_page(link: str, services: OpenServices) -> Response:
    """The page of a link; one 404 for a link that is revoked, forged, or never was."""
    try:
        process = await services.shares.opened(link)
    except ProcessNotFound:
        return _rendered("shared_missing.html", 404, {})
    return _rendered("shared.html", 200, await _shown(process, link, services))


@router.api_route("/shared/{link}/{name}", methods=_READ, response_class=Response, include_in_schema=False)
async def shared_file(link: str, name: str, services: OpenServices, wanted: Wanted) -> Response:
    """A file of a shared process: its results, what stands for them while they load, and its card."""
    process = await services.shares.opened(link)
    if name not in _names(process):
        raise ProcessNotFound("There is no such file.")
    # Through us even from a bucket, whose own address would be good for minutes after the link is not.
    file = await found(services.library, process.process_id, name)
    # Some apps show the card in their own page.
    more = _FILE | ({"Cross-Origin-Resource-Policy": "cross-origin"} if name == CARD else {})
    return kept_file(services.library, process.process_id, name, file, wanted, more)


def _rendered(template: str, status: int, shown: dict[str, Any]) -> Response:
    page = _templates.get_template(template).render(shown, styles=_PAGE_STYLES)
    return HTMLResponse(page, status, _PAGE)


def _names(process: Process) -> set[str]:
    posters = [picture.poster for picture in process.data.pictures or () if picture.poster]
    return {CARD, *map(_name, process.data.generations or ()), *map(_name, posters)}


def _name(url: str) -> str:
    return url.rpartition("/")[2]


async def _shown(process: Process, link: str, services: Services) -> dict[str, Any]:
    """What the template fills in."""
    req, prompt = process.data.req, _called(process)
    _, model = titles(services.providers, process.provider)
    base, card = services.settings.base_url, f"/shared/{link}/{CARD}"
    drawn = await services.library.find(process.process_id, CARD) is not None
    return {
        "prompt": prompt,
        "title": f"{prompt[:_TITLE].rstrip()}…" if len(prompt) > _TITLE else prompt,
        "model": model,
        "shape": req.get("aspectRatio"),
        "made": process.created_at,
        "results": _results(process, link),
        "url": f"{base}/s/{link}",
        "card": f"{base}{card}" if drawn else None,
        "card_size": CARD_SIZE,
    }


def _called(process: Process) -> str:
    """The prompt; a tool that was asked without one lends its title."""
    tool = TOOLS.get(process.tool_name)
    return process.data.req.get("prompt") or (process.tool_name if tool is None else tool.title)


def _results(process: Process, link: str) -> list[dict[str, Any]]:
    urls, known = process.data.generations or (), process.data.pictures or ()
    return [
        {
            "src": f"/shared/{link}/{_name(url)}",
            "video": url.endswith(".mp4"),
            "poster": f"/shared/{link}/{_name(poster)}" if poster else None,
            "size": (known[i].width, known[i].height) if i < len(known) else None,
        }
        for i, url in enumerate(urls)
        for poster in [known[i].poster if i < len(known) else None]
    ]
