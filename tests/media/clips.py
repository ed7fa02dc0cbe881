"""Real videos, of every kind that FFmpeg can write here."""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np


def clip(
    container: str = "mp4",
    codec: str = "libx264",
    *,
    frames: int = 12,
    rate: int = 24,
    size: tuple[int, int] = (128, 96),
    sound: str | None = None,
    metadata: dict[str, str] | None = None,
) -> bytes:
    """A clip that goes from black to white."""
    if codec != "libsvtav1":
        return _encoded(container, codec, frames, rate, size, sound, metadata or {})
    # As root, SVT-AV1 gives its whole process, and so all that this one starts later, real-time priority.
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        given = container, codec, frames, rate, size, sound, metadata or {}
        return apart.submit(_encoded, *given).result()


def _encoded(
    container: str,
    codec: str,
    frames: int,
    rate: int,
    size: tuple[int, int],
    sound: str | None,
    metadata: dict[str, str],
) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"clip.{container}"
        with av.open(str(path), "w", metadata_errors="replace") as target:
            target.metadata.update(metadata)
            stream = target.add_stream(codec, rate=rate)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            heard = None
            if sound is not None:
                heard = target.add_stream(sound, rate=48000)
                assert isinstance(heard, av.AudioStream)
            for shade in np.linspace(0, 255, frames):
                pixels = np.full((size[1], size[0], 3), shade, np.uint8)
                target.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            target.mux(stream.encode())
            if heard is not None:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 24000), np.float32), "fltp", "mono")
                silence.sample_rate = 48000
                target.mux(heard.encode(silence))
                target.mux(heard.encode())
        return path.read_bytes()
