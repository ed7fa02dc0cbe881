"""Pictures that people bring along."""

import io
import json

import httpx
import pytest
from PIL import Image

from hexwave_app.tools.references import THUMBNAIL
from tests.api.conftest import Guest
from tests.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = {"Content-Type": "image/png"}
FORGED = f"r_{'0' * 32}.{'0' * 64}"


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, "teal").save(buffer, kind)
    return buffer.getvalue()


async def bring(guest: Guest, content: bytes) -> httpx.Response:
    return await guest.http.post("/api/references", content=content, headers=PNG)


async def brought(guest: Guest) -> str:
    answer = await bring(guest, picture())
    assert answer.status_code == 200, answer.text
    return answer.json()["reference"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_reference_is_its_owners(guest: Guest, stranger: Guest, kind: str) -> None:
    """They look at its thumbnail, which can do nothing but be a picture; nobody else finds it."""
    answer = (await bring(guest, picture(kind))).json()
    seen = await guest.http.get(answer["thumbnail"])
    with Image.open(io.BytesIO(seen.content)) as image:
        assert (image.format, image.size) == ("WEBP", (64, 48))
    assert seen.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert seen.headers["cache-control"].startswith("private")
    for url in (answer["thumbnail"], f"/api/references/{FORGED}", "/api/references/x"):
        assert (await stranger.http.get(url)).status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\0" * 64,
        b"%PDF-1.7",
        picture("PNG")[:-40],
    ],
    ids=["nothing", "SVG", "GIF", "PDF", "cut short"],
)
async def test_what_is_no_picture_is_refused(guest: Guest, content: bytes) -> None:
    """Whatever type it is sent under."""
    answer = await bring(guest, content)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "That file is not a PNG, JPEG or WebP."


async def test_a_picture_of_over_ten_megabytes_is_refused(guest: Guest) -> None:
    """Up to there its bytes are read, however much they look like deep JSON; other paths stay small."""
    answer = await bring(guest, b"x" * (10 * 2**20 + 1))
    assert (answer.status_code, answer.json()["error"]["message"]) == (413, "That picture is over 10 MB.")
    assert (await bring(guest, picture() + b"[" * 9_000_000)).status_code == 200
    big = await guest.http.post("/api/generate-image", content=b"x" * (2**20 + 1))
    assert big.status_code == 413


async def test_too_many_pixels_are_refused(guest: Guest) -> None:
    """By the header, before they are decoded."""
    answer = await bring(guest, picture(size=(9000, 9000), mode="1"))
    assert answer.status_code == 422
    assert "9000 x 9000 pixels" in answer.json()["error"]["message"]


async def test_nothing_but_the_pixels_is_kept(guest: Guest, server: Served) -> None:
    """Of a picture that is a page as well, and says where it was taken, neither is left."""
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, "JPEG", exif=exif)
    reference = (await bring(guest, buffer.getvalue() + b"<html><script>alert(1)</script>")).json()[
        "reference"
    ]
    folder = reference.partition(".")[0]
    for name in ("0.webp", THUMBNAIL):
        kept = await server.services.library.get(folder, name)
        assert kept is not None
        assert b"script" not in kept
        assert kept.startswith(b"RIFF")


async def test_a_picture_is_made_of_a_reference(guest: Guest, server: Served) -> None:
    """In its colours; the process names it, and keeps it."""
    reference = await brought(guest)
    asked = {"prompt": "zzz", "reference": reference, "seed": 7}
    begun = await guest.http.post("/api/generate-image", json=asked)
    process = await guest.ended(begun.json()["processId"])
    assert process["status"] == "completed", process
    assert process["data"]["req"]["reference"] == reference
    made = await guest.http.get(process["data"]["generations"][0])
    with Image.open(io.BytesIO(made.content)) as image:
        red, green, blue = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
    assert red < 40 < 100 < min(green, blue)
    names = await server.services.library.names(reference.partition(".")[0])
    assert f"of-{process['processId']}" in names


@pytest.mark.parametrize("reference", [FORGED, "r_x", "/etc/passwd", "", 7])
async def test_a_reference_that_is_none_begins_nothing(guest: Guest, reference: object) -> None:
    """The field is named, and nothing is saved."""
    answer = await guest.http.post("/api/generate-image", json={"prompt": "a", "reference": reference})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "reference")
    assert (await guest.http.get("/api/processes")).json() == {"processes": []}


async def test_anothers_reference_begins_nothing(guest: Guest, stranger: Guest) -> None:
    """Who reads its id somewhere can do nothing with it."""
    asked = {"prompt": "a", "reference": await brought(guest)}
    answer = await stranger.http.post("/api/generate-image", json=asked)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "reference")
    assert (await stranger.http.get("/api/processes")).json() == {"processes": []}


async def test_the_api_says_what_it_takes(guest: Guest) -> None:
    """The body as the three types it may have."""
    spec = (await guest.http.get("/api/openapi.json")).json()
    body = spec["paths"]["/api/references"]["post"]["requestBody"]
    assert set(body["content"]) == {"image/png", "image/jpeg", "image/webp"}
    assert "reference" in json.dumps(spec["components"]["schemas"]["ImageRequest"])
