"""fal's queue as its documentation has it: https://fal.ai/docs/api-reference/inference-api."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "key-of-the-tests:secret"


def jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": x}


def signed(
    key: Ed25519PrivateKey, body: bytes, *, at: float | None = None, request_id: str = "req0"
) -> dict[str, str]:
    """The headers of a webhook."""
    stamp = str(int(time.time() if at is None else at))
    message = "\n".join((request_id, "user", stamp, hashlib.sha256(body).hexdigest()))
    return {
        "x-fal-webhook-request-id": request_id,
        "x-fal-webhook-user-id": "user",
        "x-fal-webhook-timestamp": stamp,
        "x-fal-webhook-signature": key.sign(message.encode()).hex(),
    }


@dataclass
class Asked:
    """A request as it arrived at the queue."""

    model: str
    query: dict[str, str]
    input: dict[str, Any]


@dataclass
class FakeFal:
    """`refusal` is its answer to each submission instead; `jwks` what it has for keys, or for an answer."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    refusal: Response | None = None
    jwks: Response | None = None
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    results: dict[str, tuple[int, Any]] = field(default_factory=dict[str, tuple[int, Any]])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    asked: list[Asked] = field(default_factory=list[Asked])
    cancelled: list[str] = field(default_factory=list[str])
    authorizations: set[str | None] = field(default_factory=set[str | None])
    jwks_reads: int = 0

    def app(self) -> Starlette:
        # The requests of fal-ai/flux/schnell are below fal-ai/flux.
        request = "/fal-ai/{app}/requests/{id}"
        return Starlette(
            routes=[
                Route("/.well-known/jwks.json", self._jwks),
                Route(f"{request}/status", self._status),
                Route(f"{request}/cancel", self._cancel, methods=["PUT"]),
                Route(request, self._result),
                Route("/files/{name}", self._file),
                Route("/{model:path}", self._submit, methods=["POST"]),
            ]
        )

    async def _submit(self, request: Request) -> Response:
        self.authorizations.add(request.headers.get("authorization"))
        self.asked.append(
            Asked(request.path_params["model"], dict(request.query_params), await request.json())
        )
        if self.refusal is not None:
            return self.refusal
        id = f"req{len(self.statuses)}"
        self.statuses[id] = {"status": "IN_QUEUE", "queue_position": 0, "request_id": id}
        return JSONResponse({"request_id": id, "gateway_request_id": id, "status": "IN_QUEUE"})

    async def _status(self, request: Request) -> Response:
        self.authorizations.add(request.headers.get("authorization"))
        status = self.statuses.get(request.path_params["id"])
        if status is None:
            return JSONResponse({"detail": "Not found"}, 404)
        return JSONResponse(status, 200 if status["status"] == "COMPLETED" else 202)

    async def _result(self, request: Request) -> Response:
        status, content = self.results[request.path_params["id"]]
        return Response(content, status) if isinstance(content, str) else JSONResponse(content, status)

    async def _cancel(self, request: Request) -> Response:
        id = request.path_params["id"]
        if id not in self.statuses:
            return JSONResponse({"status": "NOT_FOUND"}, 404)
        if self.statuses[id]["status"] == "COMPLETED":
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        self.cancelled.append(id)
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    async def _jwks(self, request: Request) -> Response:
        self.jwks_reads += 1
        assert "authorization" not in request.headers
        return self.jwks or JSONResponse({"keys": [{"kty": "RSA", "n": "x"}, jwk(self.key)]})

    async def _file(self, request: Request) -> Response:
        content = self.files.get(request.path_params["name"])
        return Response(content) if content is not None else Response("gone", 404)
