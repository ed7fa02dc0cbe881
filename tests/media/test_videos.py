"""What a provider calls a video, and our own copy of it."""

import contextlib
import io
import socket
import struct
import threading
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hexwave_app.media import videos
from hexwave_app.media.results import BYTES_LIMIT, copied
from hexwave_app.media.videos import SECONDS_LIMIT
from hexwave_app.media.workers import Workers
from hexwave_app.processes.errors import ResultLost, ResultUnavailable
from tests.media.clips import clip
from tests.media.test_pictures import ORIGIN, encoded

CLIP = clip()
SECRET = clip(frames=5, size=(64, 64))
KINDS = [
    ("mp4", "libx264", None),
    ("mp4", "libx264", "aac"),
    ("webm", "libvpx-vp9", "libopus"),
    ("mp4", "libsvtav1", None),
    ("webm", "libsvtav1", None),
]


def packets(content: bytes) -> list[bytes]:
    """The compressed frames, in the order in which they are kept."""
    with av.open(io.BytesIO(content), "r") as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize(("container", "codec", "sound"), KINDS)
def test_a_copy_has_the_same_frames(container: str, codec: str, sound: str | None) -> None:
    """Not one is encoded again; it is an MP4 that plays before it has all come."""
    raw = clip(container, codec, sound=sound)
    video = videos.copied(raw, ORIGIN)
    assert (video.width, video.height, video.suffix) == (128, 96, "mp4")
    assert video.seconds == pytest.approx(0.5, abs=0.03)
    assert packets(video.content) == packets(raw)
    assert video.content[4:8] == b"ftyp"
    assert video.content.index(b"moov") < video.content.index(b"mdat")
    with av.open(io.BytesIO(video.content), "r") as copy:
        assert len(list(copy.decode(video=0))) == 12
        assert len(copy.streams.audio) == (sound is not None)


def test_the_poster_is_the_first_frame() -> None:
    """In the video's size, with a thumbnail of at most 512 pixels, its average colour and its blur."""
    video = videos.copied(clip(size=(640, 480)), ORIGIN)
    poster, small = (Image.open(io.BytesIO(each)) for each in (video.poster, video.thumbnail))
    assert (poster.format, poster.size, small.size) == ("WEBP", (640, 480), (512, 384))
    assert max(poster.convert("L").tobytes()) < 8
    assert video.colour == "#000000"
    assert Image.open(io.BytesIO(b64decode(video.blur))).size == (12, 9)


def test_a_copy_says_where_it_comes_from() -> None:
    """For players in its tags, for everybody else in an XMP packet; the original's own words are gone."""
    video = videos.copied(clip(metadata={"title": "SECRET", "comment": "SECRET"}), ORIGIN)
    with av.open(io.BytesIO(video.content)) as copy:
        assert copy.metadata["title"] == ORIGIN.prompt
    packet = video.content[video.content.index(b"<x:xmpmeta") : video.content.index(b"<?xpacket end")]
    assert "trainedAlgorithmicMedia" in packet.decode()
    ElementTree.fromstring(packet)
    assert b"SECRET" not in video.content


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Once upon a time there was a video.",
        encoded("PNG"),
        CLIP[: len(CLIP) // 3],
        b"\0\0\0\x18ftypisom" + bytes(4000),
        b"\x1a\x45\xdf\xa3" + bytes(4000),
        clip("mp4", "mpeg4"),
        clip("mp4", "libx264", size=(4096, 2304), frames=1),
        clip("mp4", "libx264", size=(16, 16), rate=1, frames=2 * 3600),
        bytes(BYTES_LIMIT + 1),
    ],
    ids=[
        *("nothing", "a text", "a picture", "half a file", "an empty MP4", "an empty WebM"),
        *("another codec", "too large a picture", "two hours", "too many bytes"),
    ],
)
def test_what_is_no_video_is_lost(raw: bytes) -> None:
    """Or not one that a page could show: with a sentence, and nothing else."""
    with pytest.raises(ResultLost):
        videos.copied(raw, ORIGIN)


def test_a_length_that_is_a_lie_does_not_pass() -> None:
    """The header claims a second, the frames go on for longer than any video may."""
    raw = clip(size=(16, 16), rate=1, frames=SECONDS_LIMIT + 2)
    lie = raw
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        at = lie.index(box) + offset
        lie = lie[:at] + struct.pack(">I", 1000) + lie[at + 4 :]
    with pytest.raises(ResultLost, match="longer"):
        videos.copied(lie, ORIGIN)


class Trap:
    """A server that counts who comes."""

    def __init__(self) -> None:
        self.visitors = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                visitor, _ = self.socket.accept()
            except OSError:
                return
            self.visitors += 1
            visitor.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap()
    yield trap
    trap.socket.close()


def referring(url: str) -> bytes:
    """An MP4 whose frames are said to be in another file (ISO 14496-12, 8.7.2)."""
    entry = struct.pack(">I4sI", 12 + len(url) + 1, b"url ", 0) + url.encode() + b"\0"
    own = struct.pack(">I4sI", 12, b"url ", 1)
    at = CLIP.index(own)
    grown, raw = len(entry) - len(own), CLIP
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = raw.rindex(box, 0, at) - 4
        size = struct.unpack(">I", raw[start : start + 4])[0]
        raw = raw[:start] + struct.pack(">I", size + grown) + raw[start + 4 :]
    return raw[:at] + entry + raw[at + len(own) :]


def hostile(url: str) -> list[bytes]:
    """Files by which FFmpeg could be made to open `url`."""
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n".encode()
    concat = f"ffconcat version 1.0\nfile '{url}'\n".encode()
    dash = f'<?xml version="1.0"?><MPD><Period><BaseURL>{url}</BaseURL></Period></MPD>'.encode()
    lists = [playlist, concat, dash, f"v=0\nc=IN IP4 127.0.0.1\na=control:{url}\n".encode()]
    return [*lists, *(b"\0\0\0\x18ftypisom" + each for each in lists), referring(url)]


def test_a_file_that_refers_to_others_reaches_none(trap: Trap, tmp_path: Path) -> None:
    """No playlist, whatever it calls itself, and no reference of an MP4's own, opens an address or a file."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(SECRET)
    for url in (f"http://127.0.0.1:{trap.port}/x.mp4", f"file://{secret}", str(secret)):
        for raw in hostile(url):
            try:
                content = videos.copied(raw, ORIGIN).content
            except ResultLost:
                continue
            assert packets(SECRET)[0] not in content
    assert trap.visitors == 0


def test_the_traps_are_real(tmp_path: Path) -> None:
    """FFmpeg left to itself does follow such a list: the test above would see it."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(SECRET)
    listed = tmp_path / "list.ffconcat"
    listed.write_bytes(hostile(secret.name)[1])
    with av.open(str(listed)) as container:
        assert len(list(container.decode(video=0))) == 5


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_video_is_lost_or_copied(data: st.DataObject) -> None:
    """Whatever bytes are changed: no other error, and never a hang."""
    raw = bytearray(CLIP)
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=12)):
        raw[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ResultLost):
        videos.copied(bytes(raw), ORIGIN)


async def test_a_video_is_copied_in_a_worker() -> None:
    """By its category; the server itself never loads FFmpeg for it."""
    async with Workers.open() as workers:
        video = await workers.run(partial(copied, "video", CLIP, ORIGIN))
        assert video.suffix == "mp4"
        with pytest.raises(ResultLost):
            await workers.run(partial(copied, "image", CLIP, ORIGIN))


async def test_a_video_that_takes_too_long_ends_with_its_worker() -> None:
    """And the next one finds a fresh worker."""
    async with Workers.open(patience=0.02) as workers:
        with pytest.raises(ResultUnavailable):
            await workers.run(partial(copied, "video", clip(size=(1280, 720), frames=200), ORIGIN))
