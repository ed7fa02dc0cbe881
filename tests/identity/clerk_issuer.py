"""A Clerk of our own, as far as a backend meets it: keys, session JWTs, the state of sessions."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

LIFE = 60
"""Seconds that Clerk's session JWTs last."""


def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def publishable_key(host: str) -> str:
    return f"pk_test_{base64.b64encode(f'{host}$'.encode()).decode()}"


@dataclass
class Issuer:
    """What it serves can be changed while it runs; `asked` are the paths it was asked for.

    A browser gets tokens at `/token/{session}/{user}`, for `page`, and ends a session at `/end/{session}`.
    """

    port: int
    secret_key: str = field(default_factory=lambda: f"sk_test_{secrets.token_hex(16)}")
    keys: dict[str, RSAPrivateKey] = field(default_factory=lambda: {"kid-1": rsa_key()})
    sessions: dict[str, str] = field(default_factory=dict[str, str])
    pages: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    page: str = ""
    life: int = LIFE
    away: bool = False
    asked: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a Hexwave whose people sign in here."""
        return {
            "CLERK_PUBLISHABLE_KEY": publishable_key(f"127.0.0.1:{self.port}"),
            "CLERK_SECRET_KEY": self.secret_key,
            "CLERK_ISSUER": self.url,
            "CLERK_API_URL": self.url,
        }

    def session(self, name: str = "") -> str:
        """The id of a session that lives."""
        session = f"sess_{name or secrets.token_hex(12)}"
        self.sessions[session] = "active"
        return session

    def claims(self, page: str, user_id: str = "user_a", **changed: Any) -> dict[str, Any]:
        """What a session JWT of Clerk says; what is changed to None is left out."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "azp": page,
            "sub": user_id,
            "sid": "sess_a",
            "iat": now,
            "nbf": now - 10,
            "exp": now + LIFE,
            "v": 2,
            "sts": "active",
        } | changed
        return {name: value for name, value in said.items() if value is not None}

    def sign(self, claims: dict[str, Any], kid: str = "kid-1") -> str:
        # Not `jwt.encode`, which has its own mind about what may be claimed.
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.keys[kid], "RS256", {"kid": kid})

    def token(self, page: str, user_id: str = "user_a", **changed: Any) -> str:
        return self.sign(self.claims(page, user_id, **changed))

    @property
    def jwks(self) -> dict[str, Any]:
        def public(kid: str, key: RSAPrivateKey) -> dict[str, Any]:
            return {
                **RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
                "kid": kid,
                "use": "sig",
                "alg": "RS256",
            }

        return {"keys": [public(kid, key) for kid, key in self.keys.items()]}

    def answer(self, path: str, authorization: str) -> tuple[int, str, str]:
        """Status, type and body of a GET."""
        self.asked.append(path)
        if self.away:
            return 503, "text/plain", "away"
        if path == "/.well-known/jwks.json":
            return 200, "application/json", json.dumps(self.jwks)
        if path.startswith("/v1/sessions/"):
            if authorization != f"Bearer {self.secret_key}":
                return 401, "application/json", "{}"
            session = path.rpartition("/")[2]
            status = self.sessions.get(session)
            return (200 if status else 404), "application/json", json.dumps({"id": session, "status": status})
        if path.startswith("/token/"):
            _, _, session, user_id = path.split("/")
            if self.sessions.setdefault(session, "active") != "active":
                return 401, "text/plain", ""
            until = int(time.time()) + self.life
            return 200, "text/plain", self.token(self.page, user_id, sid=session, exp=until)
        if path.startswith("/end/"):
            self.sessions[path.rpartition("/")[2]] = "ended"
            return 200, "text/plain", ""
        if path in self.pages:
            return 200, *self.pages[path]
        return 404, "text/plain", "nothing"


@contextmanager
def issuer() -> Iterator[Issuer]:
    """It runs in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, type_, body = clerk.answer(
                self.path.partition("?")[0], self.headers.get("Authorization", "")
            )
            self.send_response(status)
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(body.encode())))
            # The page's scripts are of another origin than the page, as Clerk's are.
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Cross-Origin-Resource-Policy", "cross-origin")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        clerk = Issuer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield clerk
        server.shutdown()
        thread.join()
