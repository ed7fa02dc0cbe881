"""Whatever fails, each process ends once, and everybody is told the same end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.trial import trial
from tests.stores.mongod import INSTALL, Mongod, binary, running

RUNS = 150


@pytest.fixture(params=["sqlite", "mongo"])
def mongod(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mongod | None]:
    if request.param == "sqlite":
        yield None
        return
    server = binary()
    if server is None:
        pytest.fail(INSTALL)
    with running(server, tmp_path) as mongod:
        yield mongod


@pytest.mark.timeout(400)
async def test_nothing_is_lost_and_nothing_is_told_twice(mongod: Mongod | None, tmp_path: Path) -> None:
    """Webhooks lost, doubled, reordered and contradicting; server, database and Ably killed at any moment."""
    tally = await trial(RUNS, 1, tmp_path, mongod)
    assert not tally.broken
    assert tally.runs >= RUNS
    assert tally.faults["server killed"]
    assert len(tally.ends) > 2
