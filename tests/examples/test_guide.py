"""docs/guide.md says what is so: its code is the example's, or runs."""

import re
import subprocess
import sys
from pathlib import Path

import hexwave_app.live
import hexwave_app.processes
from tests.live.reflex_server import ROOT, environment

GUIDE = (ROOT / "docs" / "guide.md").read_text()
_INCLUDED = re.compile(r"<!-- (examples/\S+) -->\n```python\n(.*?)```", re.DOTALL)
_RUN = re.compile(r"<!-- run -->\n```python\n(.*?)```", re.DOTALL)
_FENCE = re.compile(r"^```python$", re.MULTILINE)


def test_the_app_it_shows_is_the_example() -> None:
    """To the letter; and no block of code is neither that nor run."""
    shown = dict(_INCLUDED.findall(GUIDE))
    assert shown == {name: (ROOT / name).read_text() for name in shown}
    assert len(shown) == 2
    assert len(_FENCE.findall(GUIDE)) == len(shown) + len(_RUN.findall(GUIDE))


def test_its_other_code_runs(tmp_path: Path) -> None:
    """All of it in one program, whose pages are drawn too."""
    program = "\n\n".join([*_RUN.findall(GUIDE), "print(len(str(history().render())) > 0)"])
    (tmp_path / "program.py").write_text(program)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr


def test_the_names_it_gives_are_there() -> None:
    """What the table sets beside the TypeScript names, among others."""
    assert hasattr(hexwave_app.processes.Process, "begin")
    for name in [*re.findall(r"`Processes\.(\w+)`", GUIDE), "update", "get", "create"]:
        assert hasattr(hexwave_app.processes.Processes, name)
    for name in re.findall(r"`(status|data|error|is_loading|process_id|on_complete|on_error)`", GUIDE):
        assert hasattr(hexwave_app.live.LiveProcess, name)
