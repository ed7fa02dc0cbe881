"""The benchmark measures what it says it does; how fast that is, no test holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import PATIENCE

ROOT = Path(__file__).parents[1]


def test_a_quick_run_comes_to_a_figure_in_every_line(tmp_path: Path) -> None:
    """And to a table of the same lines, whose floors are of the same run."""
    told = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--browser", "", "--json", tmp_path / "lines.json"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * PATIENCE,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    lines = json.loads((tmp_path / "lines.json").read_text())
    assert all(line["figures"] for line in lines)
    assert all((line["floor"] is not None) == ("floor" in line["name"]) for line in lines)
    # By how much so few sessions make a server grow is less than it grows by itself.
    clear = [line for line in lines if not line["name"].startswith("memory a ")]
    assert all(figure > 0 for line in clear for figure in line["figures"])
    for what in ("start-up", "memory", "create", "webhooks", "state change", "Ably", "tick", "submit"):
        assert any(what in line["name"] for line in lines), what
    assert len(told.stdout.splitlines()) == 2 + len(lines)
