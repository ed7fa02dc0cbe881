"""Checking what a provider calls a video, and making our own copy of it.

FFmpeg, by PyAV, knows hundreds of formats, among them playlists that make it read other files and addresses.
Here it is told which of two demuxers to use and which decoders it may open, it reads from memory, and it may
open nothing else.
"""

# PyAV declares some of its types only in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import io
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from PIL import Image

from hexwave_app.media.origin import Origin
from hexwave_app.media.pictures import average_colour, blur, thumbnail, webp
from hexwave_app.media.results import BYTES_LIMIT, Video
from hexwave_app.processes.errors import ResultLost

PIXELS_LIMIT = 3840 * 2160
SECONDS_LIMIT = 60
FRAMES_LIMIT = SECONDS_LIMIT * 60

# By the names of their decoders.
_PICTURES = {"h264", "vp9", "libdav1d"}
_SOUNDS = {"aac", "opus", "libopus", "mp3float"}
_DECODERS = ",".join(sorted(_PICTURES | _SOUNDS))
_STREAMS_LIMIT = 8
# The box of an XMP packet (XMP Specification Part 3, 1.2.7.1).
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def copied(raw: bytes, origin: Origin) -> Video:
    """Our own copy of an MP4 or WebM with H.264, VP9 or AV1: the same frames and sound, and our word of it.

    Nothing is encoded again; whatever else is in the file is left behind. `ResultLost` when it is no such
    video, or over a limit. Blocks for the reading and the decoding of a frame: call it in a process that may
    be killed.
    """
    if len(raw) > BYTES_LIMIT:
        raise ResultLost(f"The video is over {BYTES_LIMIT // 2**20} MiB.")
    try:
        first = _first_frame(raw)
        content, seconds = _remuxed(raw, origin)
    except ResultLost:
        raise
    except Exception as error:
        # What is damaged, or made to harm, raises errors of every kind.
        raise ResultLost("What the provider sent is not an MP4 or WebM video.") from error
    return Video(
        content=content,
        suffix="mp4",
        poster=webp(first, origin),
        thumbnail=thumbnail(first),
        width=first.width,
        height=first.height,
        seconds=seconds,
        colour=average_colour(first),
        blur=blur(first),
    )


def _opened(raw: bytes) -> InputContainer:
    return av.open(
        io.BytesIO(raw),
        "r",
        format=_demuxer(raw),
        # Without them the decoders that probe a file would be FFmpeg's choice.
        options={"codec_whitelist": _DECODERS, "protocol_whitelist": "", "max_streams": str(_STREAMS_LIMIT)},
        io_open=_refuse,
        metadata_errors="replace",
    )


def _demuxer(raw: bytes) -> str:
    if raw[4:8] == b"ftyp":
        return "mp4"
    if raw[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    raise ResultLost("What the provider sent is not an MP4 or WebM video.")


def _refuse(url: str, flags: int, options: Any) -> NoReturn:
    raise ResultLost("The provider's video refers to something outside itself.")


def _checked(container: InputContainer) -> VideoStream:
    """The container's one video. `ResultLost` where there is none, or it is over a limit."""
    if not container.streams.video:
        raise ResultLost("The provider's video has no pictures.")
    stream = container.streams.video[0]
    codec = stream.codec_context
    if codec.name not in _PICTURES:
        raise ResultLost(f"The provider's video is in {codec.name}, which browsers do not play.")
    if not 0 < codec.width * codec.height <= PIXELS_LIMIT:
        raise ResultLost(f"The video is {codec.width} x {codec.height} pixels, which is over the limit.")
    # In millionths, as the header claims; the packets are counted besides.
    if (container.duration or 0) > SECONDS_LIMIT * av.time_base:
        raise _too_long()
    return stream


def _first_frame(raw: bytes) -> Image.Image:
    with _opened(raw) as container:
        stream = _checked(container)
        stream.thread_count = 1
        frame = next(container.decode(stream))
        if frame.width * frame.height > PIXELS_LIMIT:
            raise ResultLost("The video's pictures are over the limit.")
        return frame.to_image()


def _remuxed(raw: bytes, origin: Origin) -> tuple[bytes, float]:
    """The MP4, ready to be played from its beginning, and its length in seconds."""
    with tempfile.TemporaryDirectory() as directory, _opened(raw) as source:
        path = Path(directory) / "copy.mp4"
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as target:
            target.metadata.update(origin.tags())
            seconds = _copied_packets(source, target)
        return path.read_bytes() + _xmp_box(origin), seconds


def _copied_packets(source: InputContainer, target: OutputContainer) -> float:
    video = _checked(source)
    sound = next((each for each in source.streams.audio if each.codec_context.name in _SOUNDS), None)
    copies: dict[int, Stream] = {video.index: target.add_stream_from_template(video, opaque=True)}
    if sound is not None:
        copies[sound.index] = target.add_stream_from_template(sound, opaque=True)
    end, frames = Fraction(0), 0
    for packet in _packets(source, video, sound):
        if packet.stream.index == video.index:
            frames += 1
            end = max(end, _end(packet))
            if end > SECONDS_LIMIT or frames > FRAMES_LIMIT:
                raise _too_long()
        packet.stream = copies[packet.stream.index]
        target.mux(packet)
    return round(float(end), 3)


def _packets(
    source: InputContainer, video: VideoStream, sound: AudioStream | None
) -> Iterator["Packet[Any]"]:
    for packet in source.demux(*(stream for stream in (video, sound) if stream is not None)):
        # The last of a stream is empty: a sign to decoders, which are not here.
        if packet.dts is not None:
            yield packet


def _end(packet: "Packet[Any]") -> Fraction:
    return Fraction(((packet.pts or 0) + (packet.duration or 0)) * packet.time_base)


def _xmp_box(origin: Origin) -> bytes:
    packet = origin.xmp()
    return (8 + len(_XMP_BOX) + len(packet)).to_bytes(4, "big") + b"uuid" + _XMP_BOX + packet


def _too_long() -> ResultLost:
    return ResultLost(f"The provider's video is longer than {SECONDS_LIMIT} s.")
