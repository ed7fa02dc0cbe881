"""Files that no process names any more."""

import os
import time

from hexwave_app.tools.orphans import Orphans
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
