"""Our own copy of a result, of whichever kind it is."""

from dataclasses import dataclass

from hexwave_app.media import pictures
from hexwave_app.media.origin import Origin
from hexwave_app.media.pictures import Picture

BYTES_LIMIT = 64 * 2**20
"""Of any result; a picture may have fewer."""


@dataclass(frozen=True)
class Video(Picture):
    """An MP4, with its first frame as a WebP picture for its poster; `seconds` is how long it is."""

    poster: bytes
    seconds: float


def copied(category: str, raw: bytes, origin: Origin) -> Picture:
    """The copy of a picture, or of a video where that is the category. `ResultLost` when it is none."""
    if category == "video":
        # Loaded here: FFmpeg never is in the server, only in its workers.
        from hexwave_app.media import videos

        return videos.copied(raw, origin)
    return pictures.copied(raw, origin)
