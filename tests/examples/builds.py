"""The examples' pages, built as their readers would build them, and kept between runs."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from tests.live.reflex_server import ROOT, environment

EXAMPLES = ROOT / "examples"
_SECONDS = 600


def built(name: str, cache: Path) -> Path:
    """A copy of the Reflex app in examples/`name` with its pages compiled, made anew when it has changed."""
    source, folder = EXAMPLES / name, cache / name
    stamp, digest = folder / "digest", _digest(source)
    if not stamp.exists() or stamp.read_text() != digest:
        stamp.unlink(missing_ok=True)
        shutil.copytree(source, folder, dirs_exist_ok=True)
        made = subprocess.run(
            ["reflex", "export", "--frontend-only", "--no-zip"],
            cwd=folder,
            env=environment(NPM_CONFIG_REGISTRY=registry()),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        stamp.write_text(digest)
    return folder


def turn_to(folder: Path, port: int) -> None:
    """Reflex writes the port into the pages that it builds: name another."""
    assets = folder / ".web" / "build" / "client" / "assets"
    (chunk,) = assets.glob("reflex-env-*.js")
    # Served in place of the file, where there is one.
    Path(f"{chunk}.gz").unlink(missing_ok=True)
    chunk.write_text(re.sub(r"localhost:\d+", f"localhost:{port}", chunk.read_text()))


def _digest(source: Path) -> str:
    """Of what pages are compiled from: the example, and the States that it mixes in."""
    files = [*source.rglob("*.py"), *(ROOT / "hexwave_app" / "live").glob("*.py"), ROOT / "requirements.txt"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


def registry() -> str:
    """Unless told, Reflex would compare the speed of two public ones."""
    return subprocess.run(
        ["npm", "config", "get", "registry"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()
