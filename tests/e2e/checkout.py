"""A checkout with two tools more, added as docs/tools.md says: that page's own, and one of many inputs.

Its pages are kept between runs.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import ROOT, Server
from tests.examples.builds import registry
from tests.live.reflex_server import environment

_SECONDS = 600
_FILES = ("rxconfig.py", "requirements.txt", "alembic.ini")
_FOLDERS = ("hexwave_app", "assets", "alembic", "reflex.lock")
_LAST_IMPORT = "from hexwave_app.tools.video_generator import VIDEO_GENERATOR\n"
_LAST_TOOL = "UPSCALE)"
_POSTCARD = Path(__file__).parent / "postcard.py"


@dataclass
class CheckoutServer(Server):
    """Serves the pages that are built in `folder`."""

    def __post_init__(self) -> None:
        self.settings = environment(PYTHONPATH=str(self.folder), HEXWAVE_PORT=str(self.port), **self.settings)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "hexwave_app.server"]


def with_tools(folder: Path) -> Path:
    """The checkout in `folder`, made anew when something that it is made of has changed."""
    page = ROOT / "docs" / "tools.md"
    sources = [ROOT / name for name in _FILES] + [
        file for name in _FOLDERS for file in sorted((ROOT / name).rglob("*")) if _counts(file)
    ]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in [page, _POSTCARD, *sources])).hexdigest()
    stamp = folder / "digest"
    if not stamp.exists() or stamp.read_text() != digest:
        stamp.unlink(missing_ok=True)
        _copy(folder)
        _add(folder, page.read_text())
        _build(folder)
        stamp.write_text(digest)
    return folder


def _counts(file: Path) -> bool:
    return file.is_file() and not {"__pycache__", "external"} & {*file.parts}


def _copy(folder: Path) -> None:
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "external"))
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)


def _add(folder: Path, page: str) -> None:
    """A file each, and their names in the registry."""
    tools = folder / "hexwave_app" / "tools"
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tools / "wallpaper.py").write_text(code)
    shutil.copy(_POSTCARD, tools)
    listed = (tools / "registry.py").read_text()
    assert listed.count(_LAST_IMPORT) == listed.count(_LAST_TOOL) == 1
    listed = listed.replace(
        _LAST_IMPORT,
        f"{_LAST_IMPORT}from hexwave_app.tools.wallpaper import WALLPAPER\n"
        "from hexwave_app.tools.postcard import POSTCARD\n",
    ).replace(_LAST_TOOL, "UPSCALE, WALLPAPER, POSTCARD)")
    (tools / "registry.py").write_text(listed)


def _build(folder: Path) -> None:
    made = subprocess.run(
        ["reflex", "export", "--frontend-only", "--no-zip"],
        cwd=folder,
        env=environment(PYTHONPATH=str(folder), NPM_CONFIG_REGISTRY=registry()),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert made.returncode == 0, made.stdout + made.stderr
