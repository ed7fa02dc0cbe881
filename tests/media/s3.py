"""An S3-compatible server: moto's, over real HTTP."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from moto.server import ThreadedMotoServer

REGION, KEY_ID, SECRET = "us-east-1", "test-key", "test-secret"

_SIGNED = (
    f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
)


@dataclass(frozen=True)
class ObjectStorage:
    """Where it is reached. It takes any key."""

    endpoint: str

    def bucket(self) -> str:
        """The name of a fresh bucket."""
        name = f"hexwave-{secrets.token_hex(8)}"
        httpx.put(f"{self.endpoint}/{name}", headers={"Authorization": _SIGNED}).raise_for_status()
        return name


@contextmanager
def object_storage() -> Generator[ObjectStorage, None, None]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield ObjectStorage(f"http://{host}:{port}")
    finally:
        server.stop()
