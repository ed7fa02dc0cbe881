"""Files that no process names any more."""

import os
import time

from hexwave_app.tools.orphans import Orphans
from hexwave_app.tools.request import Reference
from tests.tools.conftest import Bench


async def test_only_what_no_process_names_and_is_old_goes(bench: Bench) -> None:
    """A crash between forgetting a process and its files leaves nothing for ever."""
    process = await bench.start()
    for process_id in (process.process_id, "p_gone", "p_young"):
        await bench.library.put(process_id, "0.png", b"x")
    hours_ago = time.time() - 2 * 3600
    for process_id in (process.process_id, "p_gone"):
        os.utime(bench.media / process_id / "0.png", (hours_ago, hours_ago))
    await Orphans(bench.processes, bench.library).sweep()
    assert await bench.library.get("p_gone", "0.png") is None
    assert await bench.library.get("p_young", "0.png") == b"x"
    assert await bench.library.get(process.process_id, "0.png") == b"x"


async def test_a_reference_stays_while_it_is_young_or_a_process_is_made_of_it(bench: Bench) -> None:
    """A day after its last use by a process that is gone, it goes too."""
    process = await bench.start()
    folders = [f"r_{digit * 32}" for digit in "0123"]
    young, _unused, used, forgotten = folders
    for folder in folders:
        await bench.library.put(folder, "0.webp", b"x")
    await bench.references.use(Reference(f"{used}.{'0' * 64}"), process.process_id)
    await bench.references.use(Reference(f"{forgotten}.{'0' * 64}"), "p_gone")
    days_ago, hours_ago = time.time() - 2 * 86_400, time.time() - 2 * 3600
    for folder in folders:
        for path in (bench.media / folder).iterdir():
            at = hours_ago if folder == young else days_ago
            os.utime(path, (at, at))
    await Orphans(bench.processes, bench.library).sweep()
    left = [folder for folder in folders if await bench.library.get(folder, "0.webp") is not None]
    assert left == [young, used]
