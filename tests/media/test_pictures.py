"""What a provider calls a picture, and our own copy of it."""

import contextlib
import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hexwave_app.media.pictures import BYTES_LIMIT, SIDE_LIMIT, THUMBNAIL_SIDE, copied, preview
from hexwave_app.processes.errors import ResultLost

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def encoded(form: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", color: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, color).save(buffer, form)
    return buffer.getvalue()


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header claims a size, whatever follows."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=["WEBP"])


@pytest.mark.parametrize("form", ["WEBP", "PNG", "JPEG"])
def test_the_three_formats_become_webp(form: str) -> None:
    """The copy has the picture's size and look; a small picture is its own thumbnail."""
    picture = copied(encoded(form))
    assert (picture.width, picture.height) == opened(picture.content).size == (64, 48)
    assert opened(picture.thumbnail).size == (64, 48)
    shown = opened(picture.content).convert("RGB").getpixel((30, 20))
    assert isinstance(shown, tuple)
    assert all(abs(is_ - was) < 12 for is_, was in zip(shown, (0, 128, 128), strict=True))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA"])
def test_every_kind_of_png_is_taken(mode: str) -> None:
    """Palettes, grey, 16 bits, with and without alpha."""
    image = Image.new("I;16", (8, 8), 40_000) if mode == "I;16" else Image.new("RGBA", (8, 8)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert opened(copied(buffer.getvalue()).content).size == (8, 8)


def test_alpha_is_kept() -> None:
    """What was half transparent still is, in the copy and the thumbnail."""
    image = Image.new("RGBA", (40, 40), (200, 30, 30, 128))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    picture = copied(buffer.getvalue())
    for content in (picture.content, picture.thumbnail):
        pixel = opened(content).convert("RGBA").getpixel((20, 20))
        assert isinstance(pixel, tuple)
        assert pixel[3] == 128


@pytest.mark.parametrize(
    ("size", "small"), [((1024, 512), (512, 256)), ((600, 1200), (256, 512)), ((512, 512), (512, 512))]
)
def test_a_thumbnail_fits_a_square(size: tuple[int, int], small: tuple[int, int]) -> None:
    """At most 512 pixels a side, in the picture's own shape; a preview alike."""
    raw = encoded("PNG", size)
    assert opened(copied(raw).thumbnail).size == opened(preview(raw)).size == small
    assert max(small) <= THUMBNAIL_SIDE


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GIF89a" + b"\x00" * 40,
        SVG,
        b"<?xml version='1.0'?>" + SVG,
        b"<html>404</html>",
        b"%PDF-1.7",
        encoded("GIF"),
        encoded("BMP"),
        encoded("TIFF"),
        encoded("PNG")[:60],
        encoded("JPEG")[:200],
        png(64, 64, b"not deflated"),
        png(0, 0),
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_is_no_picture_is_lost(raw: bytes) -> None:
    """Other formats, documents, half a picture: refused, whatever it was called."""
    with pytest.raises(ResultLost):
        copied(raw)
    with pytest.raises(ResultLost):
        preview(raw)


@pytest.mark.parametrize("size", [(60_000, 60_000), (6_400, 6_400), (SIDE_LIMIT + 1, 8), (8, SIDE_LIMIT + 1)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a pixel of it is decoded."""

    def decoded(_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", decoded, raising=False)
    with pytest.raises(ResultLost):
        copied(png(*size, zlib.compress(b"\x00" * 1000)))


def test_too_many_bytes_are_refused() -> None:
    """Before anything looks into them."""
    with pytest.raises(ResultLost, match="MiB"):
        copied(encoded("PNG") + b"\x00" * BYTES_LIMIT)


def test_nothing_but_the_picture_is_kept() -> None:
    """A script behind the picture and words inside it are gone from the copy."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    Image.new("RGB", (64, 64)).save(buffer, "JPEG", exif=exif, comment=b"<script>alert(2)</script>")
    picture = copied(buffer.getvalue() + SVG)
    for content in (picture.content, picture.thumbnail):
        assert b"script" not in content
        assert b"secret" not in content


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_damage_is_lost_or_survived(form: str, data: st.DataObject) -> None:
    """Whatever byte is turned and wherever it is cut, there is a copy or a `ResultLost`, nothing else."""
    raw = bytearray(encoded(form, (24, 24)))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    with contextlib.suppress(ResultLost):
        assert copied(bytes(raw[:cut])).content
