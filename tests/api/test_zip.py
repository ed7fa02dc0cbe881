"""Many processes' pictures in one file."""

import io
import zipfile

import pytest

from hexwave_app.processes import Completed
from hexwave_app.processes.model import ProcessData
from tests.api.conftest import Guest
from tests.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def painted(guest: Guest, server: Served, count: int = 1) -> str:
    """A process of the guest with so many pictures, whose content is their name."""
    process_id = (await guest.begin()).process_id
    names = [f"{number}.png" for number in range(count)]
    urls = [await server.services.library.put(process_id, name, name.encode() * 9) for name in names]
    await server.services.processes.update(process_id, Completed(tuple(urls)))
    return process_id


async def test_a_zip_has_each_picture_in_order_and_under_a_name_of_its_own(
    guest: Guest, server: Served
) -> None:
    """As it is kept: stored, not compressed again. Others', missing and doubled ids add nothing."""
    one, two, none = await painted(guest, server), await painted(guest, server, 2), await guest.begin()
    ids = f"{two}, {one},{none.process_id},p_none,{one}"
    for answer in (
        await guest.http.get("/api/zip", params={"ids": ids}),
        await guest.http.post("/api/zip", data={"ids": ids}),
    ):
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"].startswith('attachment; filename="hexwave-')
        with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
            assert file.testzip() is None
            assert {name: file.read(name) for name in file.namelist()} == {
                "1-a-long-job.png": b"0.png" * 9,
                "2-a-long-job.png": b"1.png" * 9,
                "3-a-long-job.png": b"0.png" * 9,
            }
            assert all(each.compress_size >= each.file_size for each in file.infolist())


async def test_a_zip_is_of_ones_own_pictures(guest: Guest, stranger: Guest, server: Served) -> None:
    """404 when there are none: another's, deleted ones, and what has no pictures yet."""
    process_id, runs = await painted(guest, server), (await guest.begin()).process_id
    assert (await stranger.http.get("/api/zip", params={"ids": process_id})).status_code == 404
    assert (await guest.http.get("/api/zip", params={"ids": runs})).status_code == 404
    await guest.http.post("/api/processes/discard", json={"ids": [process_id]})
    assert (await guest.http.get("/api/zip", params={"ids": process_id})).status_code == 404


async def test_a_clip_is_in_it_as_it_is_kept(guest: Guest, server: Served) -> None:
    """Beside pictures, and of a tool that was asked without a prompt."""
    clip = (await guest.begin(tool_name="video-generator", category="video")).process_id
    url = await server.services.library.put(clip, "0.mp4", b"clip" * 99)
    await server.services.processes.update(clip, Completed((url,)))
    wordless = await guest.begin(tool_name="upscale", data=ProcessData(req={"picture": "p_x/0", "scale": 2}))
    url = await server.services.library.put(wordless.process_id, "0.png", b"large")
    await server.services.processes.update(wordless.process_id, Completed((url,)))
    answer = await guest.http.get("/api/zip", params={"ids": f"{clip},{wordless.process_id}"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert {name: file.read(name) for name in file.namelist()} == {
            "1-a-long-job.mp4": b"clip" * 99,
            "2-hexwave.png": b"large",
        }


async def test_a_picture_that_is_gone_is_left_out(guest: Guest, server: Served) -> None:
    """The others come all the same."""
    process_id = await painted(guest, server, 2)
    await server.services.library.delete(process_id, "0.")
    answer = await guest.http.get("/api/zip", params={"ids": process_id})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.namelist() == ["2-a-long-job.png"]


async def test_five_hundred_processes_fit_and_no_more(guest: Guest, server: Served) -> None:
    """A form names as many as that; one more is refused with a sentence."""
    process_id = await painted(guest, server)
    many = [f"p_{number:020}" for number in range(499)]
    assert (await guest.http.post("/api/zip", data={"ids": ",".join([*many, process_id])})).is_success
    refused = await guest.http.post("/api/zip", data={"ids": ",".join([*many, process_id, "p_more"])})
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "ids")
