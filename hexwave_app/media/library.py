"""The kept files of processes."""

from pathlib import Path

from obstore.exceptions import NotFoundError
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
        except NotFoundError:
            return None
        return bytes(await found.bytes_async())

    async def delete(self, process_id: str, prefix: str = "") -> None:
        """Delete the process's files whose names begin with `prefix`; all of them without one."""
        listed = self._store.list(f"{process_id}/")
        async for batch in listed:
            paths = [str(entry["path"]) for entry in batch]
            doomed = [path for path in paths if path.removeprefix(f"{process_id}/").startswith(prefix)]
            if doomed:
                await self._store.delete_async(doomed)
