"""The kept files of processes."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from hexwave_app.processes.errors import StoreUnavailable

URL_LIFETIME = timedelta(minutes=5)

ORPHAN_AGE = timedelta(hours=1)
"""What is younger may be of a process whose saving is not seen everywhere yet."""

_CONTENT_TYPES = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg", "mp4": "video/mp4"}
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class KeptFile:
    """What there is to say of a file: its size in bytes, its strong entity tag, quotes included."""

    size: int
    etag: str
    content_type: str


class Library:
    """Files under `{processId}/{name}`, in a local directory or in a bucket.

    Every method raises `StoreUnavailable` when the bucket or the disk does not do as it should.
    """

    def __init__(self, place: Path | S3Store) -> None:
        if isinstance(place, Path):
            place.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(place, automatic_cleanup=True)
        else:
            self._store = place

    async def put(self, process_id: str, name: str, content: bytes) -> str:
        """Keep `content`, replacing what has the name; returns its URL, `/media/{processId}/{name}`."""
        path, attributes = f"{process_id}/{name}", None
        if isinstance(self._store, S3Store):
            # A bucket serves its files itself, with what it was told of them.
            attributes = {"Content-Type": _content_type(name)}
        with _working():
            await self._store.put_async(path, content, attributes=attributes)
        return f"/media/{path}"

    async def get(self, process_id: str, name: str) -> bytes | None:
        """The file's content; `None` when there is none."""
        with _working():
            try:
                found = await self._store.get_async(f"{process_id}/{name}")
            except FileNotFoundError:
                return None
            return bytes(await found.bytes_async())

    async def find(self, process_id: str, name: str) -> KeptFile | None:
        """What is known of the file without reading it; `None` when there is none."""
        with _working():
            try:
                meta = await self._store.head_async(f"{process_id}/{name}")
            except FileNotFoundError:
                return None
        return KeptFile(meta["size"], meta["e_tag"] or "", _content_type(name))

    async def read(self, process_id: str, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The file's bytes from `start` up to, and without, `end`, as they come; none when it is gone."""
        with _working(), contextlib.suppress(FileNotFoundError):
            found = await self._store.get_async(f"{process_id}/{name}", options={"range": (start, end)})
            async for chunk in found.stream(_CHUNK):
                yield bytes(chunk)

    async def presigned(self, process_id: str, name: str) -> str | None:
        """A URL of the bucket's own, good for five minutes; `None` where the files are local."""
        if not isinstance(self._store, S3Store):
            return None
        return await obstore.sign_async(self._store, "GET", f"{process_id}/{name}", URL_LIFETIME)

    async def delete(self, process_id: str, *prefixes: str) -> None:
        """Delete the process's files whose names begin with one of `prefixes`; all of them without any."""
        home = f"{process_id}/"
        async for files in self._listed(home):
            doomed = [path for path, _ in files if path.removeprefix(home).startswith(prefixes or "")]
            if doomed:
                # Gone in between is gone as well.
                with _working(), contextlib.suppress(FileNotFoundError):
                    await self._store.delete_async(doomed)

    async def names(self, process_id: str) -> list[str]:
        """What its files are called."""
        home = f"{process_id}/"
        return [path.removeprefix(home) async for files in self._listed(home) for path, _ in files]

    async def sweep(self, known: Callable[[str, datetime], Awaitable[bool]]) -> None:
        """Delete every folder that got no file for an hour and, by its name and that time, is not known."""
        newest = dict[str, datetime]()
        async for files in self._listed():
            for path, at in files:
                process_id = path.partition("/")[0]
                newest[process_id] = max(at, newest.get(process_id, at))
        before = datetime.now(UTC) - ORPHAN_AGE
        for process_id, at in newest.items():
            if at < before and not await known(process_id, at):
                await self.delete(process_id)

    async def _listed(self, prefix: str | None = None) -> AsyncIterator[list[tuple[str, datetime]]]:
        with _working():
            # Its other overload is of a type that comes with pyarrow, which is not needed here.
            listed = self._store.list(prefix)  # pyright: ignore[reportUnknownMemberType]
            async for batch in listed:
                yield [(str(entry["path"]), entry["last_modified"]) for entry in batch]


def _content_type(name: str) -> str:
    return _CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream")


@contextlib.contextmanager
def _working() -> Generator[None, None, None]:
    try:
        yield
    except BaseError as error:
        raise StoreUnavailable("The kept files cannot be reached. Try again in a moment.") from error
