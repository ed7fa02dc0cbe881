"""Replicate as its documentation has it: https://replicate.com/docs/reference/http."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "r8_a-token-of-the-tests"
SECRET = "whsec_" + base64.b64encode(b"the secret of the tests").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"the secret of a forger").decode()


def signed(
    body: bytes, *, at: float | None = None, secret: str = SECRET, id: str = "msg_1"
) -> dict[str, str]:
    """The headers of a webhook: Standard Webhooks, symmetric."""
    stamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}


@dataclass
class FakeReplicate:
    """`refusal` is its answer to each creation instead; `secrets` are its answers for the secret, in turn."""

    refusal: Response | None = None
    secrets: list[Response] = field(default_factory=list[Response])
    predictions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    created: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    authorizations: set[str | None] = field(default_factory=set[str | None])
    secret_reads: int = 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/predictions", self._create, methods=["POST"]),
                Route("/v1/predictions/{id}", self._get),
                Route("/v1/predictions/{id}/cancel", self._cancel, methods=["POST"]),
                Route("/v1/webhooks/default/secret", self._secret),
                Route("/xezq/{name}", self._file),
            ]
        )

    def tell(self, id: str, **news: Any) -> bytes:
        """Change a prediction; the body of the webhook that says so."""
        self.predictions[id] |= news
        return json.dumps(self.predictions[id]).encode()

    async def _create(self, request: Request) -> Response:
        self.authorizations.add(request.headers.get("authorization"))
        body = await request.json()
        self.created.append(body)
        if self.refusal is not None:
            return self.refusal
        id = f"pred{len(self.predictions)}"
        self.predictions[id] = {
            "id": id,
            "model": body["version"],
            "version": "hidden",
            "input": body["input"],
            "logs": "",
            "output": None,
            "error": None,
            "status": "starting",
            "created_at": "2026-01-01T00:00:00Z",
            "urls": {"get": "…", "cancel": "…", "web": "…"},
        }
        return JSONResponse(self.predictions[id], 201)

    async def _get(self, request: Request) -> Response:
        self.authorizations.add(request.headers.get("authorization"))
        prediction = self.predictions.get(request.path_params["id"])
        return JSONResponse(prediction) if prediction else JSONResponse({"detail": "Not found."}, 404)

    async def _cancel(self, request: Request) -> Response:
        prediction = self.predictions.get(request.path_params["id"])
        if prediction is None:
            return JSONResponse({"detail": "Not found."}, 404)
        if prediction["status"] in ("starting", "processing"):
            prediction["status"] = "canceled"
        return JSONResponse(prediction)

    async def _secret(self, request: Request) -> Response:
        self.authorizations.add(request.headers.get("authorization"))
        self.secret_reads += 1
        return self.secrets.pop(0) if self.secrets else JSONResponse({"key": SECRET})

    async def _file(self, request: Request) -> Response:
        content = self.files.get(request.path_params["name"])
        return Response(content) if content is not None else Response("gone", 404)
