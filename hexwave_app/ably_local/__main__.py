"""Run the server alone: `python -m hexwave_app.ably_local --port 4100 --key app.key:secret`."""

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

from .server import serve


def main() -> None:
    arguments = _parser().parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m hexwave_app.ably_local", description=__doc__)
    parser.add_argument("--key", action="append", required=True, help="appId.keyId:secret; may be repeated")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4100, help="0 takes a free port")
    parser.add_argument("--port-file", type=Path, help="write the port here once the server is ready")
    return parser


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        # Windows has no handlers on its event loops: there Ctrl+C raises KeyboardInterrupt.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        keys = {key: {"*": ["*"]} for key in arguments.key}
        async with serve(keys, arguments.host, arguments.port) as server:
            if arguments.port_file:
                arguments.port_file.write_text(f"{server.port}\n")
            print(f"Ably-compatible server ready on http://{server.host}:{server.port}", flush=True)
            await stop.wait()
    except (OSError, ValueError) as error:
        sys.exit(f"The server cannot start: {error}. Choose another --host, --port or --key.")


if __name__ == "__main__":
    main()
