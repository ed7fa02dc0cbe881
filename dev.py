"""Hexwave's commands. They need Python 3.11 or later and nothing else.

    python3 dev.py run [--host 127.0.0.1] [--port 3000]
    python3 dev.py build
    python3 dev.py test [arguments for pytest]
    python3 dev.py faults [--runs 300] [--store sqlite|mongo] [--seed 1] [--guests 10]
    python3 dev.py bench [--quick] [--store sqlite|mongo] [--json FILE]

`run` installs what requirements.txt pins into .venv, builds the pages, and serves them and the API on one
port. `build` does the same without serving, which is then left to python -m hexwave_app.server, see
docs/deploy.md. `test` installs requirements-dev.txt, ably-js and axe as well, finds a browser and, on Debian,
a Redis server and nginx, then runs every gate: lint, format, types, tests. `faults` drives a real server
through random faults for as long as you like, see docs/reliability.md. `bench` measures how fast it is,
beside the floors of the same run, see docs/performance.md. Work that was done is not done again: stamps in
.venv, .web and node_modules hold digests of what those were made from, and are written last, so whatever was
interrupted is redone.
"""

import argparse
import contextlib
import ctypes
import errno
import functools
import hashlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NoReturn

# The whole file must parse on Python 3.6, so that an old Python meets this line and no SyntaxError.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "Hexwave needs Python 3.11 or later; this is {}.{}. "
        "Run it with a newer one, such as: python3.11 dev.py run".format(*sys.version_info)
    )
if os.name != "posix":
    sys.exit("dev.py runs on Linux and macOS. On Windows, use it inside WSL.")

import fcntl

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOGS = VENV / "log"
VENV_STAMP = VENV / "hexwave.json"
WEB = ROOT / ".web"
PAGES = WEB / "build" / "client" / "index.html"
PAGES_STAMP = WEB / "hexwave.stamp"
JAVASCRIPT = ROOT / "tests"
JAVASCRIPT_STAMP = JAVASCRIPT / "node_modules" / "hexwave.stamp"
REQUIREMENTS = {"run": "requirements.txt", "test": "requirements-dev.txt"}
SERVER = "hexwave_app.server"
# The headless shell takes half the processor time of a Chromium with windows.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
INSTALL_SECONDS = 1800
START_SECONDS = 60
STOP_SECONDS = 10
NO_NETWORK = (
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname",
    "NameResolutionError",
    "NewConnectionError",
    "Failed to establish a new connection",
    "Network is unreachable",
    "ConnectTimeoutError",
    "Cannot connect to proxy",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "ENETUNREACH",
)


class Failure(Exception):
    """What went wrong and what to do, in one line, or nothing if it was said; `details` may follow it."""

    def __init__(self, message: str, details: str = ""):
        super().__init__(message)
        self.details = details


def say(line: str) -> None:
    print(line, flush=True)


# Processes

Command = list[str | Path]


def die_with_parent() -> None:
    """Ask Linux to end this process when dev.py dies, by SIGKILL too. Elsewhere nothing promises that."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)


def environment() -> dict[str, str]:
    """The environment of every process started here: the venv first, no update checks, no telemetry."""
    return {
        **os.environ,
        "PATH": str(VENV / "bin") + os.pathsep + os.environ.get("PATH", os.defpath),
        "VIRTUAL_ENV": str(VENV),
        "PYTHONUNBUFFERED": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        "NPM_CONFIG_AUDIT": "false",
        "NPM_CONFIG_FUND": "false",
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        "REFLEX_DIR": str(VENV / "reflex"),
        "REFLEX_USE_NPM": "1",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_TELEMETRY_ENABLED": "false",
    }


def start(command: Command, output: int | None = None, **settings: str) -> subprocess.Popen[bytes]:
    """Start `command` from the root, as the leader of its own session and process group."""
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=str(ROOT),
        env={**environment(), **settings},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent if sys.platform == "linux" else None,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End `process` kindly, then whatever is left of its group by force."""
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        pass
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def call(command: Command, output: int | None = None, seconds: float | None = None, **settings: str) -> int:
    """Run `command` to its end and return its exit code; nothing of its group outlives the call."""
    process = start(command, output, **settings)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return 124
    finally:
        stop(process)


def logged(command: Command, log: str, failure: str, offline: str = "", **settings: str) -> None:
    """Run `command` with its output in the log file `log`.

    Raises Failure: `offline` if that is given and the network was the reason, else `failure` and the end
    of the log.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / log
    with path.open("wb") as output:
        code = call(command, output.fileno(), INSTALL_SECONDS, **settings)
    if code == 0:
        return
    text = path.read_text(errors="replace")
    where = f"The log is {path.relative_to(ROOT)}"
    if offline and any(sign in text for sign in NO_NETWORK):
        raise Failure(f"{offline} {where}.")
    raise Failure(f"{failure} {where}; its last lines:", "\n".join(text.strip().splitlines()[-20:]))


@contextlib.contextmanager
def only_one() -> Generator[None]:
    """Let one dev.py at a time install and build here. The lock is on dev.py itself and ends with it."""
    with Path(__file__).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another dev.py that is installing or building here ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Packages


def digest(*paths: Path) -> str:
    """The SHA-256 of the names and contents of `paths`; folders count with all their files."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
                total.update(file.read_bytes())
    return total.hexdigest()


def interpreter() -> str:
    """What a venv cannot survive a change of: the Python it was made by and the place it was made at."""
    return f"{sys.version} {sys.base_prefix} {VENV}"


def read_stamp() -> dict[str, str]:
    try:
        return json.loads(VENV_STAMP.read_text())
    except (OSError, ValueError):
        return {}


def pins(command: str) -> str:
    return digest(*(ROOT / name for name in sorted({REQUIREMENTS["run"], REQUIREMENTS[command]})))


def install(command: str) -> None:
    """Bring .venv to what the requirements of `command` pin. Raises Failure."""
    stamp = read_stamp()
    whole = stamp.get("interpreter") == interpreter() and PYTHON.exists()
    if whole and stamp.get(command) == pins(command):
        return
    # Without a stamp an install was interrupted, and what it left half-written must not be built upon.
    if not whole:
        make_venv()
        stamp = {"interpreter": interpreter()}
    VENV_STAMP.unlink(missing_ok=True)
    say("Installing packages (once) ..." if command == "run" else "Installing what the tests need (once) ...")
    logged(
        [PYTHON, "-m", "pip", "install", "--no-input", "--retries", "2", "-r", REQUIREMENTS[command]],
        "install.log",
        "The packages could not be installed.",
        "The packages could not be downloaded: no package index was reached. "
        "Check the network, then run this again.",
    )
    done = {"run": pins("run"), command: pins(command)}
    VENV_STAMP.write_text(json.dumps({**stamp, **done}))


def make_venv() -> None:
    check_venv_support()
    say("Making a virtual environment (once) ...")
    shutil.rmtree(VENV, ignore_errors=True)
    # Started by the venv's own Python, this removes it: the one that it was made by is what remains.
    maker = sys.executable if sys.prefix == sys.base_prefix else sys._base_executable  # pyright: ignore
    logged(
        [maker, "-m", "venv", VENV],
        "venv.log",
        "The virtual environment could not be made.",
    )


def check_venv_support() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Failure(
            "This Python cannot make a virtual environment (its venv and ensurepip modules are incomplete). "
            "On Debian or Ubuntu: apt install python3-venv, then run this again."
        )


# Pages


def sources() -> str:
    """The digest of what the pages are compiled from. Files that compiling itself links into assets/external
    do not count."""
    code = sorted((ROOT / "hexwave_app").rglob("*.py"))
    assets = [path for path in sorted((ROOT / "assets").glob("*")) if path.name != "external"]
    return digest(*code, *assets, ROOT / "rxconfig.py", ROOT / "requirements.txt")


def build() -> None:
    """Compile the pages into .web/build/client, unless they are up to date. Raises Failure."""
    made_from = sources()
    lock = ROOT / "reflex.lock"
    stamp = PAGES_STAMP.read_text() if PAGES_STAMP.exists() and PAGES.exists() else ""
    if stamp == made_from + digest(lock):
        return
    PAGES_STAMP.unlink(missing_ok=True)
    say("Building the pages (once) ...")
    logged(
        [PYTHON, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
        "build.log",
        "The pages could not be built.",
        "The packages of the pages could not be downloaded: npm did not reach its registry. "
        "Check the network, then run this again.",
        NPM_CONFIG_REGISTRY=npm_registry(),
    )
    # Building may write the lock, so its digest is taken afterwards.
    PAGES_STAMP.write_text(made_from + digest(lock))


def npm_registry() -> str:
    """The registry npm is set to. Unless told, Reflex would compare the speed of two public ones."""
    npm = [str(VENV / "bin" / "npm"), "config", "get", "registry"]
    answer = subprocess.run(
        npm,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if answer.returncode != 0:
        raise Failure("npm does not start. Remove .venv, then run this again.", answer.stderr.strip())
    return answer.stdout.strip()


# Run


def reachable(host: str) -> str:
    """The address of this machine by which a server bound to `host` is reached."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def url(host: str, port: int) -> str:
    name = reachable(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def ip(host: str) -> str:
    """The address `host` stands for, IPv4 where there is a choice. Raises socket.gaierror."""
    found = {
        family: str(place[0]) for family, *_, place in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    }
    return found.get(socket.AF_INET) or found[socket.AF_INET6]


def check_port(host: str, port: int) -> None:
    """Raise Failure if `host`:`port` cannot be listened on."""
    try:
        listen_once(host, port)
    except socket.gaierror:
        raise Failure(f"{host} is not an address of this machine. Choose another with --host.") from None
    except OSError as error:
        raise Failure(f"{refusal(error, host, port)}: python3 dev.py run --port {port % 65535 + 1}") from None


def listen_once(host: str, port: int) -> None:
    place = ip(host)
    with socket.socket(socket.AF_INET6 if ":" in place else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((place, port))
        probe.listen()


def refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken. Stop what is using it, or choose another port"
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023"
    return f"{host}, port {port}, cannot be listened on ({error.strerror}). Choose another --host or --port"


def serve(host: str, port: int) -> subprocess.Popen[bytes]:
    """Start the server of the built pages and the API."""
    return start([PYTHON, "-m", SERVER], HEXWAVE_HOST=host, HEXWAVE_PORT=str(port))


def check_settings(host: str, port: int) -> None:
    """Raise Failure with the line in which a setting that cannot work is named."""
    answer = subprocess.run(
        [str(PYTHON), "-m", "hexwave_app.settings"],
        cwd=str(ROOT),
        env={**environment(), "HEXWAVE_HOST": host, "HEXWAVE_PORT": str(port)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if answer.returncode != 0:
        raise Failure(answer.stderr.strip())


def wait_until_served(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    """Return once the server answers. Raises Failure if it ends or stays silent instead."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        code = process.poll()
        if code is not None:
            # An app that gives up has said why, and its server ends as if it had been asked to.
            raise Failure("The server ended before it was ready; the reason is above." if code else "")
        if answers(reachable(host), port):
            return
        time.sleep(0.05)
    raise Failure(f"The server did not answer within {START_SECONDS} seconds.")


def answers(host: str, port: int) -> bool:
    try:
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=2)) as connection:
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def run(host: str, port: int) -> int:
    check_port(host, port)
    with only_one():
        install("run")
        check_settings(host, port)
        build()
    check_port(host, port)
    say("Starting ...")
    process = serve(host, port)
    try:
        wait_until_served(process, host, port)
        say(f"Hexwave is at {url(host, port)}")
        code = process.wait()
        raise Failure(f"The server ended by itself with exit code {code}; the reason is above.")
    finally:
        stop(process)


def prepare() -> int:
    """Install and build what `run` serves."""
    with only_one():
        install("run")
        build()
    return 0


# Test


def install_javascript() -> None:
    """Bring the JavaScript of the tests to what their package.json pins. Raises Failure."""
    made_from = digest(JAVASCRIPT / "package.json")
    if JAVASCRIPT_STAMP.exists() and JAVASCRIPT_STAMP.read_text() == made_from:
        return
    shutil.rmtree(JAVASCRIPT_STAMP.parent, ignore_errors=True)
    say("Installing the tests' JavaScript (once) ...")
    logged(
        # A lock would name the registry it was made with.
        [VENV / "bin" / "npm", "--prefix", JAVASCRIPT, "install", "--no-package-lock", "--ignore-scripts"],
        "javascript.log",
        "The tests' JavaScript could not be installed.",
        "The tests' JavaScript could not be downloaded: npm did not reach its registry. "
        "Check the network, then run this again.",
    )
    JAVASCRIPT_STAMP.write_text(made_from)


def find_browser() -> str:
    """The path of a Chromium, installed if need be. Raises Failure."""
    chosen = os.environ.get("HEXWAVE_TEST_BROWSER")
    if chosen:
        if works(chosen):
            return chosen
        raise Failure(f"HEXWAVE_TEST_BROWSER names {chosen}, which does not start. Correct or unset it.")
    return system_browser() or apt_browser() or playwright_browser()


def works(browser: str) -> bool:
    try:
        return call([browser, "--version"], subprocess.DEVNULL, 30) == 0
    except OSError:
        return False


def system_browser() -> str:
    paths = (shutil.which(name) for name in BROWSERS)
    return next((path for path in paths if path and works(path)), "")


def apt_browser() -> str:
    for package in BROWSERS[:2]:
        apt_install("Chromium", package)
        found = system_browser()
        if found:
            return found
    return ""


def install_redis() -> None:
    """Get a Redis server where Debian has one; elsewhere its tests are skipped, or find one on the PATH."""
    if shutil.which("redis-server") is None:
        apt_install("Redis", "redis-server")


def install_nginx() -> None:
    """The same of nginx, behind which several servers are tested."""
    if shutil.which("nginx", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin") is None:
        apt_install("nginx", "nginx-light")


def apt_install(name: str, package: str) -> None:
    """Install a package of Debian where that is allowed; whether it worked is for the caller to see."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    say(f"Installing {name} with apt-get (once) ...")
    with contextlib.suppress(Failure):
        apt_update()
        logged(
            ["apt-get", "-q", "install", "-y", package],
            "apt.log",
            "apt-get failed.",
            DEBIAN_FRONTEND="noninteractive",
        )


@functools.cache
def apt_update() -> None:
    """Read what there is to install, once for all that is installed. Raises Failure."""
    logged(["apt-get", "-q", "update"], "apt.log", "apt-get failed.")


def playwright_browser() -> str:
    path = playwright_path()
    if works(path):
        return path
    say("Installing Playwright's Chromium (once) ...")
    advice = "No browser was found or could be got. Install Chromium, or name one in HEXWAVE_TEST_BROWSER."
    logged([PYTHON, "-m", "playwright", "install", "chromium"], "browser.log", advice, advice)
    if not works(path):
        raise Failure(advice)
    return path


def playwright_path() -> str:
    ask = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    return subprocess.run(
        [str(PYTHON), "-c", ask],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def test(arguments: list[str]) -> int:
    """Run every gate and return 1 if one failed."""
    with only_one():
        install("test")
        build()
        install_javascript()
        install_redis()
        install_nginx()
        browser = find_browser()
    say(f"The browser is {browser}")
    gates: dict[str, list[str]] = {
        "ruff check": ["ruff", "check", "."],
        "ruff format --check": ["ruff", "format", "--check", "."],
        "pyright": ["pyright"],
        # One more than the cores of a small machine: what is in a browser waits for a third of its time.
        "pytest": ["pytest", "--numprocesses", "3", "--no-loadscope-reorder", *arguments],
    }
    failed = [name for name, words in gates.items() if not passes(name, words, browser)]
    say(f"FAILED: {', '.join(failed)}" if failed else "Every gate is passed.")
    return 1 if failed else 0


def passes(name: str, words: list[str], browser: str) -> bool:
    say(f"== {name}")
    return call([VENV / "bin" / words[0], *words[1:]], HEXWAVE_TEST_BROWSER=browser) == 0


def faults(arguments: list[str]) -> int:
    """Run a fault trial and return its exit code."""
    with only_one():
        install("test")
        build()
    return call([PYTHON, "-m", "tests.faults", *arguments])


def bench(arguments: list[str]) -> int:
    """Measure how fast it is and return the exit code."""
    with only_one():
        install("test")
        build()
        browser = find_browser()
    return call([PYTHON, "-m", "bench", *arguments], HEXWAVE_TEST_BROWSER=browser)


# The command line


def port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port: give a number from 1 to 65535")
    return int(text)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="dev.py", description="Hexwave: run it, or test it.")
    commands = top.add_subparsers(
        dest="command", required=True, metavar="run | build | test | faults | bench"
    )
    run_parser = commands.add_parser("run", help="serve the app on one port; Ctrl+C ends it")
    run_parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    run_parser.add_argument("--port", type=port_number, default=3000, help="port to listen on (3000)")
    commands.add_parser("build", help="install and build what run serves, and no more")
    commands.add_parser(
        "test", help="lint, format check, types and tests", usage="dev.py test [pytest arguments]"
    )
    commands.add_parser("faults", help="a real server through random faults", usage="dev.py faults [options]")
    commands.add_parser("bench", help="how fast it is, beside its floors", usage="dev.py bench [options]")
    return top


def interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def main(words: list[str]) -> int:
    """Do what `words` say and return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    # These hand what follows on to another program, which knows what it means.
    passing = words[:1] in (["test"], ["faults"], ["bench"]) and words[1:2] not in (["-h"], ["--help"])
    options = parser().parse_args(words[:1] if passing else words)
    try:
        if passing:
            return {"test": test, "faults": faults, "bench": bench}[words[0]](words[1:])
        return prepare() if options.command == "build" else run(options.host, options.port)
    except Failure as failure:
        if str(failure):
            print(failure, file=sys.stderr, flush=True)
        if failure.details:
            print(failure.details, file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130 if passing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
