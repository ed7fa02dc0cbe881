"""`GET /api/docs`: the API to read and to try, with nothing from another host."""

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from hexwave_app.api.headers import content_security_policy, script_hashes

ASSETS_URL = "/api/docs-assets"
OPENAPI_URL = "/api/openapi.json"

router = APIRouter(include_in_schema=False)

_PAGE = bytes(
    get_swagger_ui_html(
        openapi_url=OPENAPI_URL,
        title="Hexwave API",
        swagger_js_url=f"{ASSETS_URL}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS_URL}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS_URL}/favicon.png",
    ).body
)
_POLICY = content_security_policy(script_hashes(_PAGE.decode()))


@router.get("/api/docs")
async def docs() -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})
