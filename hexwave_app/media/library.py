"""The kept files of processes."""

import contextlib
from pathlib import Path

from obstore.store import LocalStore


class Library:
    """Files under `{processId}/{name}`, in a local directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(directory)

    async def put(self, process_id: str, name: str, content: bytes) -> str:
        """Keep `content`, replacing what has the name; returns its URL, `/media/{processId}/{name}`."""
        await self._store.put_async(f"{process_id}/{name}", content)
        return f"/media/{process_id}/{name}"

    async def get(self, process_id: str, name: str) -> bytes | None:
        """The file's content; `None` when there is none."""
        try:
            found = await self._store.get_async(f"{process_id}/{name}")
        except FileNotFoundError:
            return None
        return bytes(await found.bytes_async())

    async def delete(self, process_id: str, prefix: str = "") -> None:
        """Delete the process's files whose names begin with `prefix`; all of them without one."""
        # Its other overload is of a type that comes with pyarrow, which is not needed here.
        listed = self._store.list(f"{process_id}/")  # pyright: ignore[reportUnknownMemberType]
        async for batch in listed:
            paths = [str(entry["path"]) for entry in batch]
            doomed = [path for path in paths if path.removeprefix(f"{process_id}/").startswith(prefix)]
            if doomed:
                # Gone in between is gone as well.
                with contextlib.suppress(FileNotFoundError):
                    await self._store.delete_async(doomed)
