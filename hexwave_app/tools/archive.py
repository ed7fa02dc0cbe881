"""The results of many processes as one zip, made as it is sent."""

import stat
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from stream_zip import ZIP_AUTO, AsyncMemberFile, async_stream_zip

from hexwave_app.media.library import Library
from hexwave_app.processes.model import Process
from hexwave_app.tools.filename import slug

_MODE = stat.S_IFREG | 0o644

# Pictures and clips are compressed already: to deflate them again takes time and saves nothing.
_STORED = 0


def results(processes: Sequence[Process]) -> list[tuple[Process, str]]:
    """Each picture or clip of each process, in order, as its process and its URL."""
    return [(process, url) for process in processes for url in process.data.generations or ()]


async def archive(library: Library, processes: Sequence[Process]) -> AsyncIterator[bytes]:
    """The zip's bytes. Of no file more than a chunk is in memory; one that is gone is left out."""
    async for chunk in async_stream_zip(_members(library, processes)):
        yield chunk


async def _members(library: Library, processes: Sequence[Process]) -> AsyncIterator[AsyncMemberFile]:
    found = results(processes)
    digits = len(str(len(found)))
    for number, (process, url) in enumerate(found, 1):
        process_id, name = url.split("/")[-2:]
        file = await library.find(process_id, name)
        if file is None:
            continue
        # Numbered, so that they are in the order of the page, and no two have one name.
        suffix = name.rpartition(".")[2]
        called = f"{number:0{digits}}-{slug(str(process.data.req.get('prompt', '')))}.{suffix}"
        content = library.read(process_id, name, 0, file.size)
        yield called, _local(process.created_at), _MODE, ZIP_AUTO(file.size, level=_STORED), content


def _local(at: datetime) -> datetime:
    # A zip tells the time without its zone.
    return at.astimezone().replace(tzinfo=None)
