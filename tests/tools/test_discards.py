"""What was deleted, and the time to think it over."""

from datetime import timedelta

import pytest

from hexwave_app.processes import Failed
from hexwave_app.tools import discards
from hexwave_app.tools.discards import Discards
from tests.tools.conftest import Bench


async def test_what_was_deleted_long_ago_goes_with_its_files(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was deleted a moment ago, and what was not, stays."""
    made = [await bench.start() for _ in range(2)]
    for process in made:
        await bench.processes.update(process.process_id, Failed("No.", "timeout"))
        await bench.library.put(process.process_id, "0.png", b"x")
    gone, stays = (process.process_id for process in made)
    await bench.processes.discard([gone], "g_a")
    sweep = Discards(bench.processes, bench.library).sweep
    await sweep()
    assert await bench.library.get(gone, "0.png") == b"x"
    monkeypatch.setattr(discards, "KEPT", timedelta(seconds=-1))
    await sweep()
    assert await bench.library.get(gone, "0.png") is None
    assert await bench.processes.restore([gone], "g_a") == []
    assert await bench.library.get(stays, "0.png") == b"x"
    assert (await bench.processes.load(stays)).terminal
