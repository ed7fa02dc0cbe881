"""Kept files over HTTP, from a directory and from a bucket."""

import os
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from hexwave_app.settings import Settings
from tests.api.conftest import Guest, visit
from tests.conftest import Served, free_port, serve
from tests.media.s3 import KEY_ID, SECRET, object_storage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = os.urandom(300_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The API of an installation whose files are in a bucket."""
    with object_storage() as storage:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("data"),
            port=free_port(),
            s3_bucket=storage.bucket(),
            s3_endpoint=storage.endpoint,
            s3_access_key_id=KEY_ID,
            s3_secret_access_key=SECRET,
        )
        async with serve(settings) as served:
            yield served


async def kept(guest: Guest, server: Served, name: str = "0.png") -> str:
    """The URL of a picture of the guest's."""
    process = await guest.begin()
    return await server.services.library.put(process.process_id, name, PICTURE)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("0.png", "image/png"), ("0.jpg", "image/jpeg"), ("0.webp", "image/webp"), ("0-512.webp", "image/webp")],
)
async def test_a_file_is_its_owners(guest: Guest, server: Served, name: str, content_type: str) -> None:
    """To be shown, and to be kept by the browser for good; it can do nothing there but be a picture."""
    answer = await guest.http.get(await kept(guest, server, name))
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-length"] == str(len(PICTURE))
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=299999-", 299_999, 300_000),
        ("bytes=0-", 0, 300_000),
        ("bytes=299000-999999999999", 299_000, 300_000),
        ("bytes=-1", 299_999, 300_000),
        ("bytes=-999999999", 0, 300_000),
    ],
)
async def test_a_part_is_answered_with_that_part(
    guest: Guest, server: Served, asked: str, start: int, end: int
) -> None:
    """206, and which part it is."""
    answer = await guest.http.get(await kept(guest, server), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, PICTURE[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/300000"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=300000-", "bytes=300000-300001", "bytes=-0", "bytes=9-3"])
async def test_a_part_that_is_not_there_is_said_so(guest: Guest, server: Served, asked: str) -> None:
    """416, with the size there is."""
    answer = await guest.http.get(await kept(guest, server), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == "bytes */300000"


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-6", "items=0-1", "bytes=", "bytes=-", "bytes=a-b", "bytes", "bytes=1" + "0" * 30 + "-"],
)
async def test_a_range_that_is_not_understood_is_passed_over(
    guest: Guest, server: Served, asked: str
) -> None:
    """The whole is a right answer to it."""
    answer = await guest.http.get(await kept(guest, server), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, PICTURE)


async def test_what_the_browser_has_is_not_sent_again(guest: Guest, server: Served) -> None:
    """304 by the tag, which is strong and another one for another file."""
    url = await kept(guest, server)
    tag = (await guest.http.get(url)).headers["etag"]
    assert tag.startswith('"')
    for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = await guest.http.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert answer.headers["cache-control"].startswith("private")
    assert (await guest.http.get(url, headers={"If-None-Match": '"x"'})).status_code == 200
    other = await guest.http.get(await kept(guest, server), headers={"If-None-Match": tag})
    assert other.status_code == 200


async def test_a_part_is_only_sent_of_the_file_that_is_meant(guest: Guest, server: Served) -> None:
    """If-Range names the file that the beginning was of; of another one comes the whole."""
    url = await kept(guest, server)
    tag = (await guest.http.get(url)).headers["etag"]
    for condition, status in (
        (tag, 206),
        ('"x"', 200),
        (f"W/{tag}", 200),
        ("Mon, 23 Nov 2026 10:00:00 GMT", 200),
    ):
        headers = {"Range": "bytes=5-9", "If-Range": condition}
        assert (await guest.http.get(url, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("cold-harbour-1", "cold-harbour-1.png"),
        ("", "hexwave-0.png"),
        ("../../etc/passwd", "hexwave-0.png"),
        ('x"; filename="evil.html', "hexwave-0.png"),
        ("a\r\nSet-Cookie: x=y", "hexwave-0.png"),
        ("x" * 81, "hexwave-0.png"),
    ],
)
async def test_a_download_has_a_name(guest: Guest, server: Served, wish: str, name: str) -> None:
    """The one that is wished for where it is harmless; the ending is always the file's own."""
    answer = await guest.http.get(await kept(guest, server), params={"download": wish})
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert "set-cookie" not in answer.headers


async def test_another_users_file_is_not_there(guest: Guest, stranger: Guest, server: Served) -> None:
    """Whole, in part, as a download, or by the tag; nor is one of a process that is deleted."""
    url = await kept(guest, server)
    tag = (await guest.http.get(url)).headers["etag"]
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": tag}):
        for params in ({}, {"download": "x"}):
            answer = await stranger.http.get(url, headers=headers, params=params)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "process_not_found")
            assert "etag" not in answer.headers


async def test_a_bucket_is_asked_by_the_browser_itself(on_s3: Served) -> None:
    """A redirect to a URL that needs no cookie of ours, and that nobody keeps."""
    async with visit(on_s3) as guest:
        answer = await guest.http.get(await kept(guest, on_s3))
    assert answer.status_code == 307
    assert answer.headers["cache-control"] == "private, no-store"
    async with httpx.AsyncClient() as anyone:
        file = await anyone.get(answer.headers["location"])
        part = await anyone.get(answer.headers["location"], headers={"Range": "bytes=5-9"})
    assert (file.content, file.headers["content-type"]) == (PICTURE, "image/png")
    assert (part.status_code, part.content) == (206, PICTURE[5:10])


async def test_a_download_from_a_bucket_has_a_name_too(on_s3: Served) -> None:
    """So it comes through us, in parts where it is asked for."""
    async with visit(on_s3) as guest:
        url = await kept(guest, on_s3)
        whole = await guest.http.get(url, params={"download": "harbour"})
        headers = {"Range": "bytes=5-9", "If-Range": whole.headers["etag"]}
        part = await guest.http.get(url, params={"download": "harbour"}, headers=headers)
    assert (whole.status_code, whole.content) == (200, PICTURE)
    assert whole.headers["content-disposition"] == 'attachment; filename="harbour.png"'
    assert (part.status_code, part.content) == (206, PICTURE[5:10])


async def test_a_bucket_gives_nothing_to_others(on_s3: Served) -> None:
    """Neither a redirect nor a file; nor of what is not there."""
    async with visit(on_s3) as guest, visit(on_s3) as stranger:
        url = await kept(guest, on_s3)
        answers = [
            await stranger.http.get(url),
            await stranger.http.get(url, params={"download": "x"}),
            await guest.http.get(url.replace("0.png", "1.png")),
        ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert not any("location" in answer.headers for answer in answers)
