"""What an engine hands over as bytes, kept until its process has fetched it."""

import re

from hexwave_app.media.library import Library
from hexwave_app.processes.errors import ResultLost, ResultUnavailable, StoreUnavailable

_URL = re.compile(r"raw:([A-Za-z0-9_-]{1,64})/(raw-[a-z0-9-]{1,40})")


class RawFiles:
    """Files in the library whose names begin with `raw-`: they end with their process."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def keep(self, key: str, name: str, content: bytes) -> str:
        """Keep `content` of the process `key` as `raw-{name}`; its URL, which `read` understands."""
        await self._library.put(key, f"raw-{name}", content)
        return f"raw:{key}/raw-{name}"

    async def find(self, key: str, name: str) -> bytes | None:
        return await self._library.get(key, f"raw-{name}")

    async def read(self, url: str) -> bytes:
        """The bytes behind a URL of `keep`."""
        parts = _URL.fullmatch(url)
        try:
            content = await self._library.get(parts[1], parts[2]) if parts else None
        except StoreUnavailable as error:
            raise ResultUnavailable(error.message) from error
        if content is None:
            raise ResultLost("There is no such result.")
        return content
