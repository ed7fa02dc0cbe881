"""dev.py: the lines it prints when it cannot go on, what it redoes, and what it leaves behind."""

import ast
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEV = ROOT / "dev.py"
INSTALL = "import dev; dev.install('run')"
INSTALL_JAVASCRIPT = "import dev; dev.install_javascript()"

needs_app = pytest.mark.skipif(
    not (ROOT / "hexwave_app" / "hexwave_app.py").exists(), reason="the app itself is not here yet"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are read from /proc")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder with dev.py and requirements that name no package."""
    shutil.copy(DEV, tmp_path)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("# nothing\n")
    return tmp_path


def python(
    folder: Path, *arguments: str, site: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run this Python in `folder`, with `site` as its sitecustomize module."""
    if site:
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(site)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "site"), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.02)


def test_parses_on_an_old_python():
    """Python 3.6 can parse dev.py, and so reach the line that asks for a newer one."""
    ast.parse(DEV.read_text(), feature_version=(3, 6))


def test_old_python_is_told_in_one_line(project: Path):
    """On an old Python the answer is one line that names both versions."""
    result = python(project, "dev.py", "run", site="import sys; sys.version_info = (3, 8, 18, 'final', 0)")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "Hexwave needs Python 3.11 or later; this is 3.8. "
        "Run it with a newer one, such as: python3.11 dev.py run"
    ]


def test_help_names_both_commands(project: Path):
    """--help names run and test and does nothing else."""
    result = python(project, "dev.py", "--help")
    assert result.returncode == 0
    assert "run" in result.stdout
    assert "test" in result.stdout
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_impossible_port_is_refused(project: Path, port: str):
    """A port outside 1 to 65535 is refused before anything is done."""
    result = python(project, "dev.py", "run", f"--port={port}")
    assert result.returncode == 2
    assert "from 1 to 65535" in result.stderr
    assert not (project / ".venv").exists()


def test_taken_port_is_told_in_one_line(project: Path):
    """A taken port is told before any install, in one line that names it and --port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = python(project, "dev.py", "run", "--port", str(port))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert f"Port {port} on 127.0.0.1 is taken" in result.stderr
    assert "--port" in result.stderr
    assert not (project / ".venv").exists()


def test_foreign_host_is_told_in_one_line(project: Path):
    """A host that is no address of this machine is told in one line that names --host."""
    result = python(project, "dev.py", "run", "--host", "192.0.2.1")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "192.0.2.1" in result.stderr
    assert "--host" in result.stderr


def test_missing_venv_support_is_told_in_one_line(project: Path):
    """Without ensurepip, as on Debian without python3-venv, one line says what to install."""
    site = "import sys; sys.modules['ensurepip'] = None"
    result = python(project, "dev.py", "run", "--port", str(free_port()), site=site)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "apt install python3-venv" in result.stderr


def test_unreachable_index_is_told_in_one_line(project: Path):
    """With no package index in reach, one line says so and where the log is."""
    (project / "requirements.txt").write_text(
        f"probe @ http://127.0.0.1:{free_port()}/probe-1-py3-none-any.whl\n"
    )
    result = python(project, "dev.py", "run", "--port", str(free_port()))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "no package index was reached" in result.stderr
    assert ".venv/log/install.log" in result.stderr


def test_a_done_install_is_not_done_again(project: Path):
    """A second install does nothing, and one with other requirements does its work."""
    assert "Installing packages" in python(project, "-c", INSTALL).stdout
    assert python(project, "-c", INSTALL).stdout == ""
    (project / "requirements.txt").write_text("# other\n")
    assert "Installing packages" in python(project, "-c", INSTALL).stdout


class Index:
    """An HTTP server of one wheel. Until `ready` is set, whoever asks for it waits."""

    def __init__(self, wheel: bytes):
        self.asked = threading.Event()
        self.ready = threading.Event()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.set()
                index.ready.wait(60)
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(wheel)))
                    self.end_headers()
                    self.wfile.write(wheel)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/probe-1-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    path = tmp_path / "probe-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("probe.py", "")
        wheel.writestr("probe-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
        wheel.writestr(
            "probe-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("probe-1.dist-info/RECORD", "")
    index = Index(path.read_bytes())
    thread = threading.Thread(target=index.server.serve_forever)
    thread.start()
    yield index
    index.ready.set()
    index.server.shutdown()
    thread.join(10)
    index.server.server_close()


def test_an_interrupted_install_is_redone(project: Path, index: Index):
    """An install killed half-way is begun again from an empty .venv, and then holds what is pinned."""
    (project / "requirements.txt").write_text(f"probe @ {index.url}\n")
    with subprocess.Popen([sys.executable, "-c", INSTALL], cwd=project, stdout=subprocess.DEVNULL) as first:
        assert index.asked.wait(60)
        first.kill()
    index.ready.set()
    remains = project / ".venv" / "half-written"
    remains.write_text("")
    assert python(project, "-c", INSTALL).returncode == 0
    assert not remains.exists()
    imported = subprocess.run(
        [project / ".venv" / "bin" / "python", "-c", "import probe"], check=False, timeout=60
    )
    assert imported.returncode == 0


@pytest.fixture
def javascript(project: Path) -> Path:
    """The tests' folder in `project`, with npm at hand and a package that needs no network."""
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "npm").symlink_to(Path(sys.executable).parent / "npm")
    folder = project / "tests"
    (folder / "probe").mkdir(parents=True)
    (folder / "probe" / "package.json").write_text('{"name": "probe", "version": "1.0.0"}')
    (folder / "package.json").write_text('{"dependencies": {"probe": "file:probe"}}')
    return folder


def test_a_done_install_of_javascript_is_not_done_again(project: Path, javascript: Path):
    """A second one does nothing, one with another pin does its work; neither leaves a lock behind."""
    packages = javascript / "node_modules"
    assert "Installing the tests' JavaScript" in python(project, "-c", INSTALL_JAVASCRIPT).stdout
    assert (packages / "probe" / "package.json").exists()
    assert python(project, "-c", INSTALL_JAVASCRIPT).stdout == ""
    (javascript / "package.json").write_text('{"dependencies": {"other": "file:probe"}}')
    assert "Installing the tests' JavaScript" in python(project, "-c", INSTALL_JAVASCRIPT).stdout
    assert (packages / "other" / "package.json").exists()
    assert not (packages / "probe").exists()
    assert python(project, "-c", INSTALL_JAVASCRIPT).stdout == ""
    assert not (javascript / "package-lock.json").exists()


def test_an_interrupted_install_of_javascript_is_redone(project: Path, javascript: Path):
    """Packages without a stamp are not built upon."""
    remains = javascript / "node_modules" / "probe" / "half-written"
    remains.parent.mkdir(parents=True)
    remains.write_text("")
    assert python(project, "-c", INSTALL_JAVASCRIPT).returncode == 0
    assert not remains.exists()
    assert (javascript / "node_modules" / "probe" / "package.json").exists()


def test_an_unreachable_registry_is_told_in_one_line(project: Path, javascript: Path):
    """With no npm registry in reach, the words are ours, and nothing is taken for installed."""
    (javascript / "package.json").write_text('{"dependencies": {"probe": "1.0.0"}}')
    result = python(
        *(project, "-c", INSTALL_JAVASCRIPT),
        NPM_CONFIG_REGISTRY=f"http://127.0.0.1:{free_port()}",
        NPM_CONFIG_FETCH_RETRIES="0",
    )
    assert "npm did not reach its registry" in result.stderr.splitlines()[-1]
    assert not (javascript / "node_modules" / "hexwave.stamp").exists()


def test_pages_are_built_again_only_for_what_they_are_made_of(project: Path):
    """The digest of the pages follows code and assets, and neither byte code nor links made by compiling."""
    files = ("hexwave_app/ui/page.py", "assets/style.css", "assets/external/linked.js", "rxconfig.py")
    for name in (*files, "hexwave_app/__pycache__/page.pyc"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("1")

    def changes(name: str) -> bool:
        before = python(project, "-c", "import dev; print(dev.sources())").stdout
        (project / name).write_text("2")
        return python(project, "-c", "import dev; print(dev.sources())").stdout != before

    assert changes("hexwave_app/ui/page.py")
    assert changes("assets/style.css")
    assert changes("rxconfig.py")
    assert not changes("assets/external/linked.js")
    assert not changes("hexwave_app/__pycache__/page.pyc")


def groups_of(session_leaders: set[int]) -> set[int]:
    """The ids of the processes whose session is one of `session_leaders`, zombies left out."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(session) in session_leaders and state != "Z":
                found.add(int(stat.parent.name))
    return found


def children_of(parent: int) -> set[int]:
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.add(int(stat.parent.name))
    return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@needs_app
@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ending_leaves_no_process_and_no_held_port(tmp_path: Path, number: signal.Signals):
    """Ctrl+C, SIGTERM and even SIGKILL of dev.py leave no process and no held port; nothing is built anew."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, str(DEV), "run", "--port", str(port)],
        env={**os.environ, "HEXWAVE_DATA_DIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines = list(iter_until(process.stdout, "Hexwave is at"))
            leaders = children_of(process.pid)
            assert groups_of(leaders)
            assert not is_free(port)
            process.send_signal(number)
            until(lambda: process.poll() is not None)
            until(lambda: not groups_of(leaders))
        finally:
            if process.poll() is None:
                process.terminate()
    assert is_free(port)
    assert f"Hexwave is at http://127.0.0.1:{port}" in lines
    assert not [line for line in lines if "once" in line]


def iter_until(stream: Iterator[str], words: str) -> Iterator[str]:
    for line in stream:
        yield line.strip()
        if words in line:
            return
