"""What the workers do. The server imports this file too, so what paints is loaded within.

Each writes one file, which has its name when it is whole: a reader never sees half of one. Its folder is that
of the job; where it is gone, the job was called off: FileNotFoundError, before work is spent on it or after.
"""

# PyAV declares some of its types only in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from hexwave_app.providers.demo.scene import Scene

if TYPE_CHECKING:
    from PIL.Image import Image

RATE = 24
"""Frames a second."""

Camera = Literal["still", "pan-left", "pan-right", "push-in", "pull-out"]

_MARGIN = 1.14
"""How much larger a frame is than what a moving camera sees of it."""

_PAN = 0.1
"""How far a camera goes sideways in a clip, in the painter's units."""


def paint(scene: Scene, seed: int, size: tuple[int, int], styles: tuple[str, ...], path: Path) -> None:
    """The scene as a WebP picture, drawn in `styles`."""
    from hexwave_app.providers.demo.painting import paint

    with _unfinished(path) as file:
        paint(scene, seed, *size, styles).save(file, "WEBP", quality=95, method=1)


def repaint(
    picture: Path, scene: Scene, seed: int, size: tuple[int, int], styles: tuple[str, ...], path: Path
) -> None:
    """The picture in strokes and in the scene's light, as a WebP picture drawn in `styles`."""
    from PIL import Image

    from hexwave_app.providers.demo.repainting import repaint

    with _unfinished(path) as file, Image.open(picture) as image:
        repaint(image.convert("RGB"), scene, seed, *size, styles).save(file, "WEBP", quality=95, method=1)


def paint_frame(
    scene: Scene, seed: int, size: tuple[int, int], camera: Camera, at: float, share: float, path: Path
) -> None:
    """A frame of the scene `at` a time in seconds, which is the `share` 0..1 of the clip, as a JPEG."""
    from hexwave_app.providers.demo.painting import paint_frame

    # The way of the camera that each layer sees; the frame is moved over the whole besides.
    pan = {"pan-left": -_PAN, "pan-right": _PAN}.get(camera, 0.0) * share

    def painted(width: int, height: int) -> "Image":
        return paint_frame(scene, seed, width, height, at, pan)

    _save_frame(_seen(painted, size, camera, share), path)


def move_over(picture: Path, size: tuple[int, int], camera: Camera, share: float, path: Path) -> None:
    """A frame of the camera's way over a picture, which fills it."""
    from PIL import ImageOps
    from PIL.Image import Resampling, open

    with open(picture) as image:
        whole = image.convert("RGB")

    def fitted(width: int, height: int) -> "Image":
        return ImageOps.fit(whole, (width, height), Resampling.LANCZOS)

    # A camera that stands still before a picture would make no clip of it.
    _save_frame(_seen(fitted, size, "push-in" if camera == "still" else camera, share), path)


def encode(frames: list[Path], size: tuple[int, int], path: Path) -> None:
    """The frames as an H.264 MP4."""
    import av
    from PIL import Image

    options = {"preset": "medium", "crf": "19"}
    with _unfinished(path) as file, av.open(file, "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            with Image.open(frame) as image:
                target.mux(stream.encode(av.VideoFrame.from_image(image)))
        target.mux(stream.encode())


def enlarge(picture: Path, scale: int, path: Path) -> None:
    """The picture `scale` times as wide and high, by Lanczos, as WebP."""
    from PIL import Image

    with _unfinished(path) as file, Image.open(picture) as image:
        large = image.resize((image.width * scale, image.height * scale), Image.Resampling.LANCZOS)
        large.save(file, "WEBP", quality=95, method=1)


def _seen(
    painted: "Callable[[int, int], Image]", size: tuple[int, int], camera: Camera, share: float
) -> "Image":
    """What the camera sees of a picture that is painted in the size that it needs."""
    from PIL import Image

    width, height = size
    if camera == "still":
        return painted(width, height)
    whole = painted(round(width * _MARGIN), round(height * _MARGIN))
    gone = share * share * (3 - 2 * share)
    zoom = {"push-in": 1 - gone * (1 - 1 / _MARGIN), "pull-out": 1 / _MARGIN + gone * (1 - 1 / _MARGIN)}
    side = zoom.get(camera, 1 / _MARGIN)
    across = {"pan-left": 1 - gone, "pan-right": gone}.get(camera, 0.5)
    left, top = (1 - side) * whole.width * across, (1 - side) * whole.height / 2
    box = (left, top, left + side * whole.width, top + side * whole.height)
    return whole.resize(size, Image.Resampling.BICUBIC, box=box)


def _save_frame(image: "Image", path: Path) -> None:
    with _unfinished(path) as file:
        # Nothing that anybody sees is lost before the clip is encoded.
        image.save(file, "JPEG", quality=97, subsampling="4:4:4")


@contextmanager
def _unfinished(path: Path) -> Generator[IO[bytes], None, None]:
    # The name is this process's own: one whose server was killed may still paint the same picture.
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    # Opened before it is painted: a job that was called off has no folder, and costs nothing more.
    with unfinished.open("wb") as file:
        yield file
    unfinished.replace(path)
