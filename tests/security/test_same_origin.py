"""Other sites' pages, in the browser of somebody who has a session here."""

import httpx
import pytest

from tests.e2e.conftest import Server

CHANGING = [
    ("POST", "/api/generate-image"),
    ("POST", "/api/processes/p_x/cancel"),
    ("POST", "/api/processes/p_x/retry"),
    ("PUT", "/api/processes/p_x/favourite"),
    ("DELETE", "/api/processes/p_x/favourite"),
    ("DELETE", "/api/processes/p_x"),
]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1:1"])
@pytest.mark.parametrize(("method", "path"), CHANGING)
async def test_another_site_changes_nothing(
    guest: httpx.AsyncClient, method: str, path: str, origin: str
) -> None:
    """403 before anything is looked up, with the guest's cookie and a body that is right."""
    answer = await guest.request(method, path, json={"prompt": "a"}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")
    assert (await guest.get("/api/processes")).json() == {"processes": []}


@pytest.mark.parametrize(("method", "path"), CHANGING[1:])
async def test_our_own_pages_and_scripts_are_heard(
    server: Server, guest: httpx.AsyncClient, method: str, path: str
) -> None:
    """With an origin of ours, and with none: it is the process that is not there."""
    for origin in ({"Origin": server.url}, {"Origin": f"http://localhost:{server.port}"}, {}):
        answer = await guest.request(method, path, headers=origin)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "process_not_found")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize(("method", "path"), CHANGING)
async def test_a_form_changes_nothing(guest: httpx.AsyncClient, method: str, path: str, kind: str) -> None:
    """The three types that a page may send without asking first are refused, whatever they hold."""
    answer = await guest.request(method, path, content=b'{"prompt":"a"}', headers={"Content-Type": kind})
    assert answer.status_code == 422
    assert "application/json" in answer.json()["error"]["message"]


async def test_a_download_by_a_form_is_for_our_own_pages(server: Server, guest: httpx.AsyncClient) -> None:
    """It needs no JSON; another site's form gets nothing, and no other type is taken."""
    form = {"ids": "p_x"}
    assert (await guest.post("/api/zip", data=form, headers={"Origin": server.url})).status_code == 404
    assert (
        await guest.post("/api/zip", data=form, headers={"Origin": "https://evil.example"})
    ).status_code == 403
    text = {"Content-Type": "text/plain"}
    assert (await guest.post("/api/zip", content=b"ids=p_x", headers=text)).status_code == 422


async def test_a_picture_is_taken_from_our_own_pages(server: Server, guest: httpx.AsyncClient) -> None:
    """Under its own type, on the one path; another site's page, a form and no type at all are refused."""
    path, png = "/api/references", {"Content-Type": "image/png"}
    ours = await guest.post(path, content=b"x", headers=png | {"Origin": server.url})
    assert ours.json()["error"]["message"] == "That file is not a PNG, JPEG or WebP."
    foreign = await guest.post(path, content=b"x", headers=png | {"Origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "cross_site")
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "image/svg+xml"}):
        assert (await guest.post(path, content=b"x", headers=headers)).status_code == 422
    elsewhere = await guest.post("/api/generate-image", content=b"x", headers=png)
    assert "application/json" in elsewhere.json()["error"]["message"]


async def test_another_site_reads_nothing(guest: httpx.AsyncClient) -> None:
    """No answer is shared with its pages, and no question of theirs is approved."""
    read = await guest.get("/api/processes", headers={"Origin": "https://evil.example"})
    asked = await guest.options(
        "/api/generate-image",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert read.headers["cross-origin-resource-policy"] == "same-origin"
    for answer in (read, asked):
        assert "access-control-allow-origin" not in answer.headers


async def test_webhooks_need_no_origin_of_ours(guest: httpx.AsyncClient) -> None:
    """It is their token that is looked at."""
    answer = await guest.post(
        "/api/webhook/image?processId=p_x&token=x", headers={"Origin": "https://provider.example"}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/", "/api/processes"])
async def test_the_session_is_for_this_server_alone(server: Server, path: str) -> None:
    """No script reads the cookie and no other site sends it along with what changes something."""
    async with httpx.AsyncClient(base_url=server.url) as nobody:
        cookie = (await nobody.get(path)).headers["set-cookie"].split("; ")
    assert cookie[0].startswith("hexwave=g_")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie)
    assert not any(part.startswith("Domain") for part in cookie)
