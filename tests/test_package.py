"""Hexwave as a package: what `pip install .` brings, and that it is enough."""

import ast
import re
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

ROOMS = ("ably_local", "live", "processes", "realtime", "stores")
"""What docs/guide.md has others import."""

_USE = """
import asyncio, importlib, pathlib, sys

import hexwave_app
from hexwave_app.live import LiveProcess, LiveProcesses, serving
from hexwave_app.processes import Completed, Process, Processes
from hexwave_app.realtime.channel import status_channel
from hexwave_app.stores.sql import SqlStore

async def main(folder):
    async with SqlStore.open(folder / "app.db") as store, status_channel() as channel:
        processes = Processes(store, channel)
        process = Process.begin(user_id="u", tool_name="t", category="c", req={})
        await processes.create(process)
        await processes.update(process.process_id, Completed(result={"answer": 42}))
        print((await processes.get(process.process_id, "u")).data.result)

asyncio.run(main(pathlib.Path(sys.argv[1])))
home = pathlib.Path(hexwave_app.__file__).parent
print(home.is_relative_to(sys.prefix), (home / "py.typed").exists(), "hexwave_app.ui" in sys.modules)
"""


def test_a_wheel_is_all_that_another_app_needs(tmp_path: Path) -> None:
    """Installed without the repository: typed, its migrations found, and no page of ours imported."""
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("hexwave-*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    (packages,) = (tmp_path / "venv").glob("lib/*/site-packages")
    target = ("--no-deps", "--target", packages, wheel)
    run(sys.executable, "-m", "pip", "install", *target)
    # What it needs is here already.
    (here,) = {path for path in sys.path if path.endswith("site-packages")}
    (packages / "tests.pth").write_text(here)
    said = run(tmp_path / "venv" / "bin" / "python", "-W", "ignore", "-c", _USE, tmp_path, cwd=tmp_path)
    assert said.splitlines() == ["{'answer': 42}", "True True False"]


def test_what_its_rooms_import_is_what_it_depends_on() -> None:
    """Nothing is missing where only the package's own dependencies are installed."""
    assert imported(set(ROOMS)) <= named(PROJECT["dependencies"])


def test_mongo_is_an_extra() -> None:
    """The embedded store asks for no driver of another's."""
    extra = named(PROJECT["optional-dependencies"]["mongo"])
    assert {"motor", "pymongo"} == extra
    assert not extra & named(PROJECT["dependencies"])


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    made = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False, timeout=100
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=]", each)[0].lower() for each in requirements}


def imported(rooms: set[str]) -> set[str]:
    """The distributions that the rooms import from, those of the files of ours that they import in turn."""
    distributions, found, seen = packages_distributions(), set[str](), set[str]()
    waiting = [f"hexwave_app.{room}" for room in rooms]
    while waiting:
        for name in imports_of(waiting.pop()) - seen:
            seen.add(name)
            top = name.partition(".")[0]
            if top == "hexwave_app":
                waiting.append(name)
            elif top not in sys.stdlib_module_names:
                found |= {each.lower() for each in distributions[top]}
    return found


def imports_of(name: str) -> set[str]:
    """What a module imports by its full name; of a room, all of its modules but those for MongoDB."""
    place = ROOT / name.replace(".", "/")
    files = list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    found = set[str]()
    for file in files:
        if not file.exists() or file.name.startswith("mongo"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module))
    return found
