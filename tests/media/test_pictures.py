"""What a provider calls a picture, and our own copy of it."""

import contextlib
import io
import struct
import zlib
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from hexwave_app.media.origin import Origin
from hexwave_app.media.pictures import BYTES_LIMIT, SIDE_LIMIT, THUMBNAIL_SIDE, copied, preview
from hexwave_app.processes.errors import ResultLost

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ORIGIN = Origin(
    prompt='a harbour <at> dawn & "naïve" 日本\nsecond line',
    negative_prompt="fog",
    seed=7,
    model="flux-schnell",
    provider="replicate",
    process_id="p_abc",
    created_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    ai=True,
)
FORMS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


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
    return Image.open(io.BytesIO(content), formats=["WEBP", "PNG", "JPEG"])


def copy(raw: bytes) -> Image.Image:
    return opened(copied(raw, ORIGIN).content)


def pixel(image: Image.Image, at: tuple[int, int] = (4, 4)) -> tuple[int, ...]:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return found


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def near(is_: tuple[int, ...], was: tuple[int, ...], by: int = 6) -> bool:
    return all(abs(a - b) <= by for a, b in zip(is_, was, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_keeps_its_format(form: str) -> None:
    """Its size and its look too; a small picture is its own thumbnail, in WebP."""
    picture = copied(encoded(form), ORIGIN)
    image = opened(picture.content)
    assert (picture.suffix, image.format) == (FORMS[form], form)
    assert (picture.width, picture.height) == image.size == (64, 48)
    assert near(pixel(image.convert("RGB")), (0, 128, 128))
    thumbnail = opened(picture.thumbnail)
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (64, 48))


def test_its_average_colour_holds_its_place() -> None:
    """Half of it black and half of it white is grey."""
    image = Image.new("RGB", (64, 64))
    image.paste("white", (0, 0, 32, 64))
    assert copied(saved(image, "PNG"), ORIGIN).colour in ("#7f7f7f", "#808080")


def test_its_blur_is_the_picture_in_a_few_pixels() -> None:
    """A WebP of its shape in base64, dark where the picture is; none where it is transparent."""
    image = Image.new("RGB", (640, 320), "black")
    image.paste("white", (320, 0, 640, 320))
    small = opened(b64decode(copied(saved(image, "PNG"), ORIGIN).blur))
    assert (small.format, small.size) == ("WEBP", (12, 6))
    left, *_, right = small.convert("L").tobytes()[:12]
    assert left < 32 < 223 < right
    assert copied(saved(Image.new("RGBA", (64, 64)), "PNG"), ORIGIN).blur == ""


def test_an_avif_becomes_a_webp() -> None:
    """Few programs can open an AVIF."""
    picture = copied(encoded("AVIF"), ORIGIN)
    assert (picture.suffix, opened(picture.content).format) == ("webp", "WEBP")


def test_a_png_loses_nothing() -> None:
    """Not one bit of any pixel."""
    noise = Image.effect_noise((80, 60), 90)
    image = Image.merge("RGBA", (noise, noise.rotate(90), noise.rotate(180), noise.rotate(270)))
    assert copy(saved(image, "PNG")).tobytes() == image.tobytes()


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_no_loss_can_be_seen(form: str) -> None:
    """A picture with soft and sharp parts differs by a level or two on average from what was sent."""
    image = Image.linear_gradient("L").resize((256, 256)).convert("RGB")
    image.paste((220, 30, 30), (60, 60, 130, 130))
    raw = saved(image, form, quality=90)
    was, is_ = opened(raw).convert("RGB").tobytes(), copy(raw).convert("RGB").tobytes()
    assert sum(abs(a - b) for a, b in zip(was, is_, strict=True)) / len(was) < 2


def test_the_orientation_is_applied() -> None:
    """As a camera held upright says it; and the word of it is gone."""
    image = Image.new("RGB", (60, 40), "white")
    image.paste((255, 0, 0), (0, 0, 30, 40))
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    upright = copy(saved(image, "JPEG", exif=exif))
    assert upright.size == (40, 60)
    assert near(pixel(upright, (20, 10)), (255, 0, 0))
    assert near(pixel(upright, (20, 50)), (255, 255, 255))
    assert upright.getexif().get(Base.Orientation) is None


def test_sixteen_bits_become_eight() -> None:
    """Grey stays as grey as it was."""
    assert near(pixel(copy(saved(Image.new("I;16", (8, 8), 0x8000), "PNG"))), (0x80,) * 3, 1)


def test_ink_becomes_light() -> None:
    """A CMYK picture looks as it did."""
    assert near(pixel(copy(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))), (255, 0, 0))


def test_other_colours_become_srgb() -> None:
    """By the profile, which is gone: here one that calls sRGB's green red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"????"), (b"gXYZ", b"rXYZ"), (b"????", b"gXYZ")):
        profile = profile.replace(old, new)
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    image = copy(saved(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "PNG", icc_profile=profile))
    assert "icc_profile" not in image.info
    assert near(pixel(image), (0, 255, 0, 128))


@pytest.mark.parametrize(
    "profile", [b"nonsense", b"", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]
)
def test_colours_that_are_srgb_are_left_alone(profile: bytes) -> None:
    """Where it says so, says nothing, or cannot be understood."""
    image = copy(saved(Image.new("RGB", (8, 8), (64, 128, 192)), "PNG", icc_profile=profile))
    assert pixel(image) == (64, 128, 192)
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_of_what_moves_the_first_frame_is_kept(form: str) -> None:
    """A picture is what was asked for."""
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue", "green")]
    image = copy(saved(frames[0], form, save_all=True, append_images=frames[1:], duration=50))
    assert getattr(image, "n_frames", 1) == 1
    assert near(pixel(image.convert("RGB")), (255, 0, 0))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA"])
def test_every_kind_of_png_is_taken(mode: str) -> None:
    """Palettes, grey, 16 bits, with and without alpha."""
    image = Image.new("I;16", (8, 8), 40_000) if mode == "I;16" else Image.new("RGBA", (8, 8)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert copy(buffer.getvalue()).size == (8, 8)


def test_alpha_is_kept() -> None:
    """What was half transparent still is, in the copy and the thumbnail."""
    image = Image.new("RGBA", (40, 40), (200, 30, 30, 128))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    picture = copied(buffer.getvalue(), ORIGIN)
    for content in (picture.content, picture.thumbnail):
        assert pixel(opened(content).convert("RGBA"), (20, 20))[3] == 128


@pytest.mark.parametrize(
    ("size", "small"), [((1024, 512), (512, 256)), ((600, 1200), (256, 512)), ((512, 512), (512, 512))]
)
def test_a_thumbnail_fits_a_square(size: tuple[int, int], small: tuple[int, int]) -> None:
    """At most 512 pixels a side, in the picture's own shape; a preview alike."""
    raw = encoded("PNG", size)
    assert opened(copied(raw, ORIGIN).thumbnail).size == opened(preview(raw)).size == small
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
        copied(raw, ORIGIN)
    with pytest.raises(ResultLost):
        preview(raw)


@pytest.mark.parametrize("size", [(60_000, 60_000), (6_400, 6_400), (SIDE_LIMIT + 1, 8), (8, SIDE_LIMIT + 1)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a pixel of it is decoded."""

    decoded: list[object] = []
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: decoded.append(image))
    with pytest.raises(ResultLost):
        copied(png(*size, zlib.compress(b"\x00" * 1000)), ORIGIN)
    assert decoded == []


def test_too_many_bytes_are_refused() -> None:
    """Before anything looks into them."""
    with pytest.raises(ResultLost, match="MiB"):
        copied(encoded("PNG") + b"\x00" * BYTES_LIMIT, ORIGIN)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_but_the_picture_is_kept(form: str) -> None:
    """A script behind the picture and words inside it are gone from the copy, wherever they were."""
    exif, info = Image.Exif(), PngInfo()
    exif[Base.ImageDescription] = "a secret place"
    info.add_text("Comment", "<script>alert(2)</script>", zip=False)
    options: dict[str, object] = {"pnginfo": info} if form == "PNG" else {"exif": exif, "xmp": b"<secret/>"}
    if form == "JPEG":
        options["comment"] = b"<script>alert(3)</script>"
    raw = saved(Image.new("RGB", (64, 64)), form, **options) + SVG
    assert b"<script" in raw
    picture = copied(raw, ORIGIN)
    for content in (picture.content, picture.thumbnail):
        assert b"<script" not in content
        assert b"secret" not in content
        assert b"<svg" not in content


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    """Each costs a few bytes, and a pass over the whole picture to decode."""
    raw = saved(Image.new("RGB", (64, 64)), "JPEG", progressive=True)
    assert copied(raw, ORIGIN).suffix == "jpg"
    scan = raw[raw.rindex(b"\xff\xda") : -2]
    with pytest.raises(ResultLost, match="too long"):
        copied(raw[:-2] + scan * 100 + raw[-2:], ORIGIN)


def packet(content: bytes) -> ElementTree.Element:
    """The picture's XMP, as Pillow finds it."""
    image = opened(content)
    image.load()
    found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    return ElementTree.fromstring(found)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("ai", "kind"), [(True, "trainedAlgorithmicMedia"), (False, "algorithmicMedia")], ids=["ai", "drawn"]
)
def test_the_origin_is_in_the_file(form: str, ai: bool, kind: str) -> None:
    """As XMP, under the names that other programs know, and our own for the rest."""
    found = packet(copied(encoded(form), replace(ORIGIN, ai=ai)).content)
    description = found.find(".//{http://purl.org/dc/elements/1.1/}description")
    assert description is not None
    assert "".join(description.itertext()).strip() == ORIGIN.prompt
    about = found.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert about is not None
    values = {name.rpartition("}")[2]: value for name, value in about.attrib.items()}
    del values["about"]
    assert values == {
        "CreatorTool": "Hexwave",
        "CreateDate": "2026-11-23T10:00:00+00:00",
        "DigitalSourceType": f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}",
        "NegativePrompt": "fog",
        "Seed": "7",
        "Model": "flux-schnell",
        "Provider": "replicate",
        "ProcessId": "p_abc",
    }


PARAMETERS = (
    f"{ORIGIN.prompt}\nNegative prompt: fog\nSeed: 7, Size: 64x48, Model: flux-schnell, Version: Hexwave"
)


def test_a_png_tells_its_parameters() -> None:
    """In the text chunks where picture tools look."""
    image = opened(copied(encoded("PNG"), ORIGIN).content)
    assert image.info["parameters"] == PARAMETERS
    assert (image.info["Description"], image.info["Software"]) == (ORIGIN.prompt, "Hexwave")


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_exif_tells_the_prompt(form: str) -> None:
    """And the parameters, where picture tools look."""
    exif = opened(copied(encoded(form), ORIGIN).content).getexif()
    assert exif[Base.ImageDescription].encode("latin-1").decode() == ORIGIN.prompt
    assert exif[Base.Software] == "Hexwave"
    comment = exif.get_ifd(IFD.Exif)[Base.UserComment]
    assert comment == b"UNICODE\0" + PARAMETERS.encode("utf-16-be")


@pytest.mark.parametrize("form", FORMS)
@given(prompt=st.text(max_size=40))
@settings(max_examples=30)
def test_every_prompt_can_be_written(form: str, prompt: str) -> None:
    """Without what XML has no place for; the file is whole, and the packet well-formed."""
    asked = replace(ORIGIN, prompt=prompt, negative_prompt=prompt or None, model=None, seed=None)
    packet(copied(encoded(form, (8, 8)), asked).content)


@pytest.mark.parametrize("form", FORMS)
def test_the_longest_prompt_can_be_written(form: str) -> None:
    """Whose every character takes the most room, in the segments of a JPEG as well."""
    asked = replace(ORIGIN, prompt='"' * 1000 + "日" * 1000, negative_prompt='"' * 1000 + "&" * 1000)
    packet(copied(encoded(form), asked).content)


@settings(max_examples=60)
@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_damage_is_lost_or_survived(form: str, data: st.DataObject) -> None:
    """Whatever byte is turned and wherever it is cut, there is a copy or a `ResultLost`, nothing else."""
    raw = bytearray(encoded(form, (24, 24)))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    with contextlib.suppress(ResultLost):
        assert copied(bytes(raw[:cut]), ORIGIN).content
