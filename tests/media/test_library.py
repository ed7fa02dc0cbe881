"""The kept files, in a directory and in a bucket."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from obstore.store import S3Store

from hexwave_app.media import library as library_module
from hexwave_app.media.bucket import open_bucket
from hexwave_app.media.library import KeptFile, Library
from hexwave_app.processes.errors import SettingsError, StoreUnavailable
from tests.conftest import free_port
from tests.media.s3 import KEY_ID, REGION, SECRET, ObjectStorage, object_storage


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with object_storage() as storage:
        yield storage


@pytest_asyncio.fixture(params=["directory", "bucket"])
async def library(request: pytest.FixtureRequest, data_dir: Path) -> Library:
    if request.param == "directory":
        return Library(data_dir / "media")
    storage: ObjectStorage = request.getfixturevalue("storage")
    return Library(await open_bucket(storage.bucket(), KEY_ID, SECRET, REGION, storage.endpoint))


async def nothing_exists(_name: str, _touched: datetime) -> bool:
    return False


async def content(library: Library, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in library.read("p_a", "0.webp", start, end)])


async def test_what_is_put_can_be_got(library: Library) -> None:
    """Under the URL that `put` returns; the same name again replaces it."""
    assert await library.put("p_a", "0.webp", b"one") == "/media/p_a/0.webp"
    assert await library.get("p_a", "0.webp") == b"one"
    await library.put("p_a", "0.webp", b"two")
    assert await library.get("p_a", "0.webp") == b"two"


async def test_what_is_not_there_is_none(library: Library) -> None:
    """No such process, no such name."""
    await library.put("p_a", "0.webp", b"one")
    assert await library.get("p_b", "0.webp") is None
    assert await library.get("p_a", "1.webp") is None


async def test_deleting_by_prefix_spares_the_rest(library: Library) -> None:
    """Previews and raw answers go, pictures stay; another process whose id begins alike keeps everything."""
    for name in ("preview-0.webp", "raw-0.bin", "0.webp"):
        await library.put("p_a", name, b"x")
    await library.put("p_ab", "preview-0.webp", b"x")
    await library.delete("p_a", "preview-", "raw-")
    assert await library.names("p_a") == ["0.webp"]
    await library.delete("p_a")
    assert await library.get("p_a", "0.webp") is None
    assert await library.get("p_ab", "preview-0.webp") == b"x"


async def test_deleting_nothing_is_no_error(library: Library) -> None:
    """Whether it never was or is gone already."""
    await library.delete("p_a")
    await library.put("p_a", "0.webp", b"x")
    await library.delete("p_a")
    await library.delete("p_a")


async def test_a_file_is_described_before_it_is_read(library: Library) -> None:
    """Its size, its type, and a strong tag that another content does not have."""
    await library.put("p_a", "0.png", b"0123456789")
    found = await library.find("p_a", "0.png")
    assert found is not None
    assert found == KeptFile(10, found.etag, "image/png")
    assert found.etag.startswith('"')
    assert found.etag.endswith('"')
    assert found == await library.find("p_a", "0.png")
    await library.put("p_a", "0.png", b"0123456780x")
    changed = await library.find("p_a", "0.png")
    assert changed is not None
    assert changed.etag != found.etag
    assert await library.find("p_a", "1.png") is None


async def test_a_part_of_a_file_can_be_read(library: Library) -> None:
    """In pieces, so that a large file is never whole in memory; nothing of what is gone."""
    whole = os.urandom(1_000_000)
    await library.put("p_a", "0.webp", whole)
    chunks = [chunk async for chunk in library.read("p_a", "0.webp", 0, len(whole))]
    assert b"".join(chunks) == whole
    assert len(chunks) > 1
    assert await content(library, 5, 600_000) == whole[5:600_000]
    assert await content(library, 999_999, 1_000_000) == whole[-1:]
    await library.delete("p_a")
    assert await content(library, 0, 10) == b""


async def test_only_a_bucket_has_urls_of_its_own(library: Library, request: pytest.FixtureRequest) -> None:
    """They need no key, say what the file is, and end after five minutes."""
    await library.put("p_a", "0.jpg", b"a picture")
    url = await library.presigned("p_a", "0.jpg")
    if "directory" in request.node.name:
        assert url is None
        return
    assert url is not None
    async with httpx.AsyncClient() as http:
        answer = await http.get(url)
    assert (answer.content, answer.headers["content-type"]) == (b"a picture", "image/jpeg")
    assert httpx.URL(url).params["X-Amz-Expires"] == "300"


async def test_a_sweep_deletes_what_belongs_to_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And asks of each process once."""
    monkeypatch.setattr(library_module, "ORPHAN_AGE", timedelta(minutes=-1))
    for process_id in ("p_there", "p_gone"):
        for name in ("0.webp", "0-512.webp"):
            await library.put(process_id, name, b"x")
    asked: list[str] = []

    async def exists(process_id: str, _touched: datetime) -> bool:
        asked.append(process_id)
        return process_id == "p_there"

    await library.sweep(exists)
    assert sorted(asked) == ["p_gone", "p_there"]
    assert await library.get("p_gone", "0.webp") is await library.get("p_gone", "0-512.webp") is None
    assert await library.get("p_there", "0.webp") == b"x"


async def test_a_sweep_leaves_what_is_young(library: Library) -> None:
    """Its process may not be seen everywhere yet: nobody is even asked."""
    await library.put("p_a", "0.webp", b"x")
    await library.sweep(nothing_exists)
    assert await library.get("p_a", "0.webp") == b"x"


async def test_the_newest_file_tells_a_processs_age(data_dir: Path) -> None:
    """Two hours of silence are enough, one file of just now is a sign of life."""
    library = Library(data_dir / "media")
    for process_id in ("p_old", "p_busy"):
        for name in ("0.webp", "1.webp"):
            await library.put(process_id, name, b"x")
    ago = time.time() - 7200
    for path in ("p_old/0.webp", "p_old/1.webp", "p_busy/0.webp"):
        os.utime(data_dir / "media" / path, (ago, ago))
    await library.sweep(nothing_exists)
    assert await library.get("p_old", "1.webp") is None
    assert await library.get("p_busy", "0.webp") == b"x"
    assert not (data_dir / "media" / "p_old").exists()


async def test_keeping_races_with_deleting(library: Library) -> None:
    """Neither fails for the other, and what is put last is there."""
    for _ in range(20):
        await library.put("p_a", "0.webp", b"x")
        await asyncio.gather(library.put("p_a", "1.webp", b"y"), library.delete("p_a", "0"))
        assert await library.get("p_a", "1.webp") == b"y"
        await library.delete("p_a")


async def test_a_bucket_that_does_not_answer_is_said_so(storage: ObjectStorage) -> None:
    """Whatever is asked of it, as an error of ours."""
    bucket = S3Store(
        "gone",
        endpoint=f"http://127.0.0.1:{free_port()}",
        region=REGION,
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    library = Library(bucket)
    for work in (
        library.put("p_a", "0.webp", b"x"),
        library.get("p_a", "0.webp"),
        library.find("p_a", "0.webp"),
        content(library, 0, 1),
        library.delete("p_a"),
        library.sweep(nothing_exists),
    ):
        with pytest.raises(StoreUnavailable):
            await work


async def forbidden(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


@pytest_asyncio.fixture
async def refusing() -> AsyncIterator[str]:
    """A server that knows nobody."""
    async with await asyncio.start_server(forbidden, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_bucket_that_cannot_work_stops_the_start(storage: ObjectStorage, refusing: str) -> None:
    """With one line that names what to change, and shows no secret."""
    for endpoint, word in (
        (storage.endpoint, "no such bucket"),
        (refusing, "not allowed"),
        (f"http://127.0.0.1:{free_port()}", "does not answer"),
    ):
        with pytest.raises(SettingsError, match=word) as refused:
            await open_bucket("missing", KEY_ID, SECRET, REGION, endpoint)
        assert refused.value.message.startswith("S3_BUCKET cannot work: ")
        assert "\n" not in refused.value.message
        assert SECRET not in refused.value.message


@pytest.mark.parametrize("name", ["../secret.key", "../p_b/0.webp", "..", "a/../../../secret.key"])
async def test_no_name_leads_out_of_the_library(data_dir: Path, name: str) -> None:
    """Whatever asks for it, a file beside the library is not read."""
    library = Library(data_dir / "media")
    (data_dir / "secret.key").write_text("s")
    await library.put("p_b", "0.webp", b"x")
    try:
        found = await library.get("p_a", name)
    except Exception:
        found = None
    assert found is None
