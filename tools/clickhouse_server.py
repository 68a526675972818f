"""Start a real ClickHouse server and run a command with it: `python tools/clickhouse_server.py make test-slow T=tests/store`.

The command finds it in CLICKHOUSE_URL. The server comes from `clickhousectl` (PyPI), which downloads it from ClickHouse's hosts; where
those cannot be reached, nothing is tested and that is said. Everything lies in a directory of its own, which is removed afterwards.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "innerloop-tests"


def main() -> int:
    """Start, run, stop. The exit status is the command's; 0 where there was no server, unless one is required."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", default="stable", help="ClickHouse's version or channel (default: stable)")
    parser.add_argument("--required", action="store_true", help="fail where no server can be started")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("which command shall run with the server?")
    with tempfile.TemporaryDirectory(prefix="clickhouse-") as place:
        url, trouble = start(Path(place), arguments.version)
        if not url:
            print(f"NOT TESTED: no ClickHouse server can be started here: {trouble}", file=sys.stderr)
            return int(arguments.required)
        try:
            return subprocess.run(arguments.command, env={**os.environ, "CLICKHOUSE_URL": url}, cwd=ROOT, check=False).returncode
        finally:
            ctl(Path(place), "local", "server", "stop", NAME)


def start(place: Path, version: str) -> tuple[str, str]:
    """Start a server. Returns its address, or nothing and what went wrong."""
    http, tcp = free_port(), free_port()
    done = ctl(place, "local", "server", "start", NAME, "--version", version, "--http-port", str(http), "--tcp-port", str(tcp))
    if done.returncode == 0:
        return f"http://default@127.0.0.1:{http}", ""
    said = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if "error" in line.lower()]
    return "", said[-1] if said else f"clickhousectl ended with {done.returncode}"


def ctl(place: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run clickhousectl with a home of its own."""
    command = [str(ROOT / ".uv" / "bin" / "uv"), "tool", "run", "--quiet", "clickhousectl", *words]
    environment = {**os.environ, "HOME": str(place), "DO_NOT_TRACK": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=place, timeout=600, check=False)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
