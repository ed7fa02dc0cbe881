"""The programs of a fault run: the server under test, Ably, the database; each can be killed and started."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
KEY = "app.key:secret"
START = 60.0


@dataclass
class Program:
    """A command in a process of its own, and the URL that answers once it is up."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    ready: str | None = None
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)
    _killed: bool = False

    async def start(self) -> None:
        if self.process is not None:
            await self.process.wait()
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=ROOT,
                env=os.environ | self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._killed = False
        await self._answering()

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            # The wait may be called off, and it is as good as dead all the same.
            self._killed = True
            await self.process.wait()

    @property
    def dead(self) -> bool:
        return self.process is None or self._killed or self.process.returncode is not None

    async def _answering(self) -> None:
        if self.ready is None:
            return
        async with asyncio.timeout(START), httpx.AsyncClient(timeout=2) as client:
            while not self.dead:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(self.ready)).status_code < 500:
                        return
                await asyncio.sleep(0.05)


def server(port: int, external: str, seed: int, folder: Path, environment: dict[str, str]) -> Program:
    command = [sys.executable, "-m", "tests.faults.server", str(port), external, str(seed)]
    own = {
        "REFLEX_ENV_MODE": "prod",
        "__REFLEX_SKIP_COMPILE": "true",
        "HEXWAVE_DATA_DIR": str(folder / "data"),
        "HEXWAVE_PORT": str(port),
        "ABLY_API_KEY": KEY,
    }
    log = folder / "server.log"
    return Program(command, own | environment, log, f"http://127.0.0.1:{port}/api/health")


def ably(port: int, folder: Path) -> Program:
    command = [sys.executable, "-m", "hexwave_app.ably_local", "--port", str(port), "--key", KEY]
    return Program(command, {}, folder / "ably.log", f"http://127.0.0.1:{port}/time")
