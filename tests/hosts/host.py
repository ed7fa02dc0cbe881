"""A server as the image has it: the files that it gets, and nothing else of the tree."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import PATIENCE, free_port
from tests.e2e.conftest import ROOT

# One for all: each would read the certificates of the world anew.
_HTTP = httpx.Client(verify=False, timeout=2)

DOCKERFILE = ROOT / "Dockerfile"


def image() -> str:
    """The part of the Dockerfile that becomes the image."""
    return re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)[-1]


def instruction(name: str) -> str:
    """The one of that name."""
    (found,) = re.findall(rf"^{name} (.+)$", image(), re.MULTILINE)
    return found


def copied(folder: Path) -> None:
    """What the image gets, in `folder`; the packages are those that the tests run with."""
    for line in re.findall(r"^COPY (.+)$", image(), re.MULTILINE):
        *_, target = words = [word for word in line.split() if not word.startswith("--from")]
        assert len(words) == 2, line
        source, place = ROOT / target, folder / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if target == ".venv":
            place.symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place)


@dataclass
class Host:
    """Its settings are those of the image, then `settings`."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.port}.log"

    def start(self) -> None:
        """Returns once it is ready."""
        baked = dict(word.split("=", 1) for word in shlex.split(instruction("ENV")))
        # No Node on the path: the image has none.
        own = {"PATH": os.defpath, "HEXWAVE_HOST": "127.0.0.1", "HEXWAVE_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                json.loads(instruction("CMD")),
                cwd=self.folder,
                env=os.environ | baked | own | self.settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while self.status("/api/ready") != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9, of all that belongs to it; harmless where it has ended."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)

    def terminate(self) -> None:
        """SIGTERM, as of a rollout."""
        assert self.process is not None
        self.process.terminate()

    def status(self, path: str) -> int | None:
        """The status of its answer; `None` where there is none."""
        with contextlib.suppress(httpx.HTTPError):
            return _HTTP.get(f"{self.url}{path}", headers={"Connection": "close"}).status_code
        return None
