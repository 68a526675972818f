"""Arize Phoenix, somebody else's receiver of OTLP traces, in an environment of its own under .cache (850 MB, fetched once)."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
VERSION = "20.26.1"
PLACE = ROOT / ".cache" / f"phoenix-{VERSION}"


def installed() -> Path:
    """The command of Phoenix. Skips the test, loudly, where it cannot be fetched."""
    command = PLACE / "bin" / "phoenix"
    if not (PLACE / ".complete").exists():
        uv = ROOT / ".uv" / "bin" / "uv"
        for words in (
            ["venv", "--clear", str(PLACE)],
            ["pip", "install", "--python", str(PLACE / "bin" / "python"), f"arize-phoenix=={VERSION}"],
        ):
            done = subprocess.run([str(uv), *words], capture_output=True, text=True, timeout=1200, check=False)
            if done.returncode:
                pytest.skip(f"NOT TESTED: no independent receiver; arize-phoenix {VERSION} cannot be installed: {done.stderr[-300:]}")
        (PLACE / ".complete").touch()
    return command


class Phoenix:
    """A running Phoenix."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(trust_env=False, timeout=30)

    def spans(self, least: int) -> list[dict[str, Any]]:
        """Read its spans back through its own API, once there are enough."""
        deadline = time.monotonic() + 60
        while True:
            found: list[dict[str, Any]] = self.http.get(f"{self.url}/v1/projects/default/spans", params={"limit": 1000}).json()["data"]
            if len(found) >= least or time.monotonic() > deadline:
                return found
            time.sleep(0.5)


@contextmanager
def running(directory: Path) -> Iterator[Phoenix]:
    """Run it over a directory, on the loopback interface."""
    command = installed()
    port, other = _free_ports()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(directory), "PHOENIX_WORKING_DIR": str(directory), "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(other), "PHOENIX_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    with (directory / "phoenix.log").open("wb") as log:
        process = subprocess.Popen([command, "serve"], env=environment, cwd=directory, stdout=log, stderr=log)
    phoenix = Phoenix(f"http://127.0.0.1:{port}")
    try:
        _wait(phoenix, process, directory)
        yield phoenix
    finally:
        phoenix.http.close()
        process.terminate()
        process.wait(30)


def _wait(phoenix: Phoenix, process: "subprocess.Popen[bytes]", directory: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if phoenix.http.get(f"{phoenix.url}/healthz").status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(1)
    raise AssertionError((directory / "phoenix.log").read_text()[-2000:])


def _free_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]
