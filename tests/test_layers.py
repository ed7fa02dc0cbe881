"""One direction of imports."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hexwave_app"

ALLOWED = {
    "ably_local": set(),
    "activity": {"processes"},
    "asked": {"processes"},
    "background": set(),
    "draining": {"processes"},
    "logs": {"processes"},
    "processes": set(),
    "server": {"processes", "settings"},
    "settings": {"processes"},
    "identity": {"background", "processes"},
    # The ports of what is kept are in two rooms: processes, and the API keys of users.
    "stores": {"identity", "processes"},
    # Without a key, the channel is one of our own server's.
    "realtime": {"ably_local", "background", "processes"},
    "live": {"processes"},
    "worker_processes": set(),
    "media": {"processes", "worker_processes"},
    "tools": {"processes", "identity", "media", "background", "draining"},
    "providers": {"processes", "tools", "background", "identity", "media", "worker_processes"},
    "health": {"activity", "media", "processes", "realtime", "settings", "tools"},
    "services": {
        *("activity", "background", "draining", "health", "identity", "media", "processes"),
        *("providers", "realtime", "settings", "stores", "tools", "traces"),
    },
    "api": {"processes", "identity", "media", "tools", "services"},
    "doctor": {"health", "processes", "services", "settings", "tools"},
    "ui": {"activity", "health", "identity", "live", "processes", "tools", "services"},
    "tab_tokens": set(),
    "traces": {"processes"},
    "hexwave_app": {
        *("api", "asked", "identity", "live", "logs", "processes", "services", "server", "settings"),
        *("tab_tokens", "ui"),
    },
}
"""Each room of the house, and the rooms it may lean on."""


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def leaned_on(path: Path) -> set[str]:
    """The rooms that the file imports from, type-checking imports included."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                continue
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        found |= {part[1] for part in parts if part[0] == "hexwave_app" and len(part) > 1}
    return found


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_leans_only_on_the_rooms_below_its_own(path: Path) -> None:
    """The heart leans on nothing of ours; only the services know every adapter."""
    own = room(path)
    assert leaned_on(path) - {own} <= ALLOWED[own]


def test_no_two_rooms_lean_on_each_other() -> None:
    """The allowed directions themselves have no circle."""
    rest = dict(ALLOWED)
    while rest:
        free = {name for name, below in rest.items() if not below & rest.keys()}
        assert free, f"a circle among {sorted(rest)}"
        rest = {name: below for name, below in rest.items() if name not in free}
