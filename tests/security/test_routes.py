"""Every route there is: one that is not named here is a hole until it is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hexwave_app.api.unknown import REFLEX
from tests.conftest import PATIENCE
from tests.e2e.conftest import ROOT, Server

OWN = {
    *("/api/generate-image", "/api/generate-video", "/api/generate-upscale"),
    *("/api/references", "/api/references/{reference}"),
    *("/api/processes", "/api/processes/{process_id}", "/api/processes/{process_id}/share"),
    *("/s/{link}", "/shared/{link}/{name}"),
    *("/api/processes/{process_id}/cancel", "/api/processes/{process_id}/retry"),
    *("/api/processes/{process_id}/favourite", "/api/processes/favourite", "/api/processes/discard"),
    *("/api/processes/restore", "/api/zip"),
    *("/api/webhook/{category}", "/api/ably/token", "/api/keys", "/api/keys/{key_id}"),
    *("/api/health", "/api/ready", "/metrics"),
    *(
        "/api/session",
        "/media/{process_id}/{name}",
        "/api/docs",
        "/api/docs-assets",
        "/api/openapi.json",
        "/api/{path:path}",
    ),
}
CLOSED = {path for each in REFLEX for path in (each, f"{each}/{{path:path}}")}

# Beneath ours: the websocket of the pages, their files, and two that are answered for above.
REFLEXES = {"/_event", "", "/ping", "/_health"}


def test_there_is_no_other_route() -> None:
    """What Reflex mounts is counted as it is served, in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys; from {__name__} import tell; tell()"],
        cwd=ROOT,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "REFLEX_ENV_MODE": "prod"}
        | {"__REFLEX_SKIP_COMPILE": "true", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true"},
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    ours, reflexes = json.loads(told.stdout.splitlines()[-1])
    assert set(ours) - CLOSED - {""} == OWN
    assert set(reflexes) == REFLEXES


def tell() -> None:
    """Print the paths of the outer app, and those of the one beneath it."""
    from hexwave_app.hexwave_app import app

    apps = list(_apps(app()))
    (top, ours, *beneath) = apps
    assert [route.path for route in top.routes] == [""]
    print(json.dumps([_paths(ours), [path for each in beneath for path in _paths(each)]]))


def _paths(app: Any) -> list[str]:
    """Of its routes, and of those of the routers that it includes."""
    found = list[str]()
    for route in app.routes:
        included = getattr(route, "original_router", None)
        found += [route.path] if included is None else _paths(included)
    return found


def _apps(app: Any) -> Iterator[Any]:
    """Those that have routes, from the outermost inwards."""
    if hasattr(app, "routes"):
        yield app
        for route in app.routes:
            if getattr(route, "path", None) == "":
                yield from _apps(route.app)
    else:
        inner = getattr(app, "app", None) or getattr(app, "_app", None)
        if inner is not None:
            yield from _apps(inner)


@pytest.mark.parametrize("path", sorted(REFLEX))
@pytest.mark.parametrize("rest", ["", "/", "/x", "?a=1"])
def test_what_nobody_uses_is_closed(server: Server, path: str, rest: str) -> None:
    """By every method, and beneath it as well."""
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = httpx.request(method, f"{server.url}{path}{rest}", timeout=PATIENCE)
        assert answer.status_code == 404, method
        if method != "HEAD":
            assert answer.json()["error"]["code"] == "not_found"


def test_outsiders_are_told_up_or_down(server: Server) -> None:
    """No version, no reason, no name of a database or a provider."""
    assert httpx.get(f"{server.url}/api/health").json() == {"status": "up", "live": "up"}
    assert httpx.get(f"{server.url}/api/ready").json() == {"status": "ready"}
