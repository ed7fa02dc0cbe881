"""Checking what a provider calls a picture, and making our own copy of it."""

import io
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageCms, ImageOps

from hexwave_app.media.origin import Origin
from hexwave_app.processes.errors import ResultLost

BYTES_LIMIT = 32 * 2**20
PIXELS_LIMIT = 40_000_000
SIDE_LIMIT = 16_383
"""Pixels; WebP holds no longer side."""

THUMBNAIL_SIDE = 512

_BLUR_SIDE = 12
"""Pixels; in fewer, nobody knows the picture again."""

CARD_SIZE = (1200, 630)
"""Pixels of what other apps show beside a link: the shape that none of them cuts."""

_CARD_GROUND = "#101211"

BROUGHT_SIDE = 1536
"""Pixels: more than any model here makes of it."""

_FORMATS = ("WEBP", "PNG", "JPEG", "AVIF")
_BROUGHT = ("WEBP", "PNG", "JPEG")
_NO_RESULT = "What the provider sent is not a WebP, PNG, JPEG or AVIF picture."
NOT_BROUGHT = "That file is not a PNG, JPEG or WebP."
_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg"}
_START_OF_SCAN = b"\xff\xda"
_SCANS_LIMIT = 100
_RUN_LENGTHS = 3
_QUALITIES = (95, 90, 80)
_LIGHT_SIDE = 1536


@dataclass(frozen=True)
class Picture:
    """A re-encoded picture and its WebP thumbnail; `suffix` is png, jpg or webp, sizes are in pixels.

    `colour` is the average, `#rrggbb`, and `blur` holds its place until it comes, see `KeptPicture`.
    """

    content: bytes
    suffix: str
    thumbnail: bytes
    width: int
    height: int
    colour: str
    blur: str


def copied(raw: bytes, origin: Origin) -> Picture:
    """Our own copy of a WebP, PNG, JPEG or AVIF picture: its pixels upright and in sRGB, and our word of it.

    PNG loses nothing but what is over 8 bits a channel; AVIF becomes WebP. Of what moves it is the first
    frame. `ResultLost` when it is no picture, or over a limit. Blocks for the decoding and encoding: call it
    in a thread.
    """
    image, suffix = _decoded(raw)
    content = _encoded(image, **_form(suffix, origin, image.size))
    return Picture(
        content=content,
        suffix=suffix,
        thumbnail=thumbnail(image),
        width=image.width,
        height=image.height,
        colour=average_colour(image),
        blur=blur(image),
    )


def preview(raw: bytes) -> bytes:
    """A WebP copy of at most 512 pixels a side, for a picture that is still in the making."""
    return thumbnail(_decoded(raw)[0])


def brought(raw: bytes) -> tuple[bytes, bytes]:
    """A WebP copy of a PNG, JPEG or WebP that somebody brought along, and its thumbnail: its pixels alone.

    At most `BROUGHT_SIDE` pixels a side; what is transparent becomes white. `ResultLost` as for `copied`.
    """
    image = _decoded(raw, _BROUGHT, NOT_BROUGHT)[0].convert("RGBA")
    image.thumbnail((BROUGHT_SIDE, BROUGHT_SIDE), Image.Resampling.LANCZOS)
    opaque = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return _encoded(opaque, format="WEBP", quality=90, method=2), thumbnail(opaque)


def light(picture: bytes, limit: int) -> tuple[bytes, str]:
    """One of our pictures for sending it on, and its suffix: as it is, or as a JPEG of at most `limit` bytes.

    Blocks for the encoding: call it in a thread.
    """
    image, suffix = _decoded(picture)
    if len(picture) <= limit:
        return picture, suffix
    image = image.convert("RGB")
    for quality in _QUALITIES:
        content = _encoded(image, format="JPEG", quality=quality)
        if len(content) <= limit:
            return content, "jpg"
    image.thumbnail((_LIGHT_SIDE, _LIGHT_SIDE), Image.Resampling.LANCZOS)
    return _encoded(image, format="JPEG", quality=_QUALITIES[-1]), "jpg"


def card(raw: bytes) -> bytes:
    """A JPEG of `CARD_SIZE` with the whole picture in its middle: the one format that every app shows."""
    picture = ImageOps.contain(_decoded(raw)[0], CARD_SIZE, Image.Resampling.LANCZOS)
    ground = Image.new("RGB", CARD_SIZE, _CARD_GROUND)
    place = ((ground.width - picture.width) // 2, (ground.height - picture.height) // 2)
    ground.paste(picture, place, picture if picture.mode == "RGBA" else None)
    return _encoded(ground, format="JPEG", quality=88)


def _decoded(
    raw: bytes, formats: tuple[str, ...] = _FORMATS, otherwise: str = _NO_RESULT
) -> tuple[Image.Image, str]:
    if len(raw) > BYTES_LIMIT:
        raise ResultLost(f"The picture is over {BYTES_LIMIT // 2**20} MiB.")
    try:
        # By the first bytes alone, whatever the provider calls it.
        image = Image.open(io.BytesIO(raw), formats=formats)
        suffix = _SUFFIXES.get(image.format or "", "webp")
        # Known from the header: a bomb is refused before a pixel of it is decoded.
        if image.width * image.height > PIXELS_LIMIT or max(image.size) > SIDE_LIMIT:
            raise ResultLost(
                f"The picture is {image.width} x {image.height} pixels, which is over the limit."
            )
        # Each scan of a progressive JPEG goes over the whole picture, and takes a few bytes to ask for.
        if suffix == "jpg" and raw.count(_START_OF_SCAN) > _SCANS_LIMIT:
            raise ResultLost("The picture takes too long to decode.")
        image.load()
        return _bare(ImageOps.exif_transpose(image)), suffix
    except ResultLost:
        raise
    except Exception as error:
        # Pillow's decoders raise errors of every kind at what is damaged or made to harm.
        raise ResultLost(otherwise) from error


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone, 8 bits a channel, RGB or RGBA, in sRGB."""
    profile, alpha = image.info.get("icc_profile"), None
    if image.mode.startswith("I"):
        # Pillow's own conversion would cut off what is over 8 bits, not scale it.
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    if image.mode not in ("L", "CMYK"):
        image = image.convert("RGB")
    if profile:
        image = _in_srgb(image, profile)
    image = image.convert("RGB")
    if alpha is not None:
        image.putalpha(alpha)
    image.info = {}
    return image


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        # What is there already would only be rounded.
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        # Most viewers pass over a profile that is damaged, or of another kind of picture.
        return image


def _form(suffix: str, origin: Origin, size: tuple[int, int]) -> dict[str, Any]:
    if suffix == "png":
        # Run lengths: a third of the time of the default, for about as many bytes.
        return {"format": "PNG", "compress_type": _RUN_LENGTHS, "pnginfo": origin.png_text(size)}
    words = {"xmp": origin.xmp(), "exif": origin.exif(size)}
    if suffix == "jpg":
        return {"format": "JPEG", "quality": 95, "subsampling": "4:4:4", **words}
    # Method 2: a third of the time of the default 4, for a few per cent more bytes.
    return {"format": "WEBP", "quality": 95, "method": 2, **words}


def thumbnail(image: Image.Image) -> bytes:
    """A WebP copy of at most 512 pixels a side."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return _encoded(small, format="WEBP", quality=85, method=2)


def webp(image: Image.Image, origin: Origin) -> bytes:
    return _encoded(image, **_form("webp", origin, image.size))


def average_colour(image: Image.Image) -> str:
    """As `#rrggbb`."""
    pixel = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).tobytes()
    return f"#{pixel.hex()}"


def blur(image: Image.Image) -> str:
    """The picture in a few pixels, a WebP in base64 of some 150 characters; none where it is transparent."""
    if image.mode == "RGBA":
        return ""
    small = image.copy()
    small.thumbnail((_BLUR_SIDE, _BLUR_SIDE))
    return b64encode(_encoded(small, format="WEBP", quality=80, method=6)).decode()


def _encoded(image: Image.Image, **form: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **form)
    return buffer.getvalue()
