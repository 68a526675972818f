"""The SDKs of others, each installed by its own package manager in the pinned version, and run in a process of its own."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from filelock import FileLock

from tests.sdks.proxy import CUTS, RETRIED_BY_NEW_SDKS, STATUSES

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "sdks"
UV = ROOT / ".uv" / "bin" / "uv"


@dataclass(frozen=True)
class Sdk:
    """One SDK: what is installed, which of our programs sends with it, and what it lives through."""

    name: str
    packages: str  # a file or directory in packages/; empty: needs nothing
    sender: str
    harm: tuple[str, ...] = CUTS + STATUSES
    options: dict[str, Any] = field(default_factory=dict)
    module: str = ""
    retries: bool = True

    @property
    def is_node(self) -> bool:
        return self.sender.endswith(("cjs", "mjs"))


OFTEN = {"upload_size": 20, "upload_interval": 0.1}
SDKS = {
    sdk.name: sdk
    for sdk in (
        Sdk(
            "segment-analytics-python 2.4.0",
            "segment-analytics-python.txt",
            "segment_python.py",
            CUTS + STATUSES + RETRIED_BY_NEW_SDKS,
            OFTEN,
            "segment.analytics",
        ),
        Sdk("analytics-python 1.4.post1", "analytics-python.txt", "segment_python.py", options={**OFTEN, "gzip": True}, module="analytics"),
        Sdk("rudder-sdk-python 2.1.9", "rudder-sdk-python.txt", "segment_python.py", options=OFTEN, module="rudderstack.analytics"),
        Sdk(
            "@segment/analytics-node 3.1.0",
            "analytics-node-3",
            "segment_node.mjs",
            CUTS + STATUSES + RETRIED_BY_NEW_SDKS,
            {"flushInterval": 200},
        ),
        Sdk("analytics-node 6.2.0", "analytics-node-6", "old_node.cjs", options={"flushInterval": 200}),
        Sdk("@rudderstack/rudder-sdk-node 3.0.13", "rudder-node-3", "rudder_node.cjs", options={"flushInterval": 200}),
        Sdk("the founding system's POST", "", "bare_post.py", CUTS, retries=False),
    )
}


class Sending:
    """An SDK's process that sends numbered events. As a context it is gone at the end, whatever became of the test."""

    def __init__(self, sdk: Sdk, host: str, order: dict[str, Any], directory: Path) -> None:
        self._sdk = sdk
        self._log = directory / f"{hashlib.sha256(sdk.name.encode()).hexdigest()[:8]}-{order['first']}.log"
        whole = {"host": host, "module": sdk.module, **order, "options": {**sdk.options, **order.get("options", {})}}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command(sdk), json.dumps(whole)],
                stdout=subprocess.PIPE,
                stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(directory)},
                cwd=directory,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def finish(self, seconds: float = 300) -> set[int]:
        """Wait until everything was delivered or given up. Returns the numbers of what was given up."""
        with self:
            out, _ = self._process.communicate(timeout=seconds)
        assert 0 == self._process.returncode, self.log
        return {int(line) for line in out.split()}

    @property
    def log(self) -> str:
        return self._log.read_text()


def command(sdk: Sdk) -> list[str]:
    """How the sender of an SDK is started, after whatever it needs was installed."""
    if not sdk.packages:
        return [sys.executable, str(HERE / "senders" / sdk.sender)]
    place = installed(sdk.packages)
    if sdk.is_node:  # Node looks for packages beside the program
        return ["node", str(place / sdk.sender)]
    return [str(place / "bin" / "python"), str(HERE / "senders" / sdk.sender)]


@functools.cache
def installed(packages: str) -> Path:
    """Install an SDK into .cache, once for each state of its lock file. Skips the test, loudly, where that cannot be done."""
    wanted = HERE / "packages" / packages
    locked = wanted / "package-lock.json" if wanted.is_dir() else wanted
    place = CACHE / f"{wanted.stem}-{hashlib.sha256(locked.read_bytes()).hexdigest()[:12]}-{sys.version_info[1]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if not (place / ".ready").exists():
            shutil.rmtree(place, ignore_errors=True)
            _install(wanted, place)
            (place / ".ready").touch()
    if wanted.is_dir():
        for sender in (HERE / "senders").glob("*.?js"):
            _put(sender, place / sender.name)
    return place


def _put(source: Path, target: Path) -> None:
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, temporary)
    os.replace(temporary, target)


def _install(wanted: Path, place: Path) -> None:
    if wanted.is_dir():
        shutil.copytree(wanted, place)
        steps: list[Sequence[str]] = [["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]]
    else:
        steps = [
            [str(UV), "venv", "--quiet", "--python", sys.executable, str(place)],
            [str(UV), "pip", "install", "--quiet", "--require-hashes", "--python", str(place), "-r", str(wanted)],
        ]
    home = CACHE / "home"
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "UV_CACHE_DIR": str(CACHE / "uv"), "npm_config_cache": str(CACHE / "npm")}
    environment.pop("VIRTUAL_ENV", None)
    for step in steps:
        directory = CACHE if wanted.is_file() else place
        done = subprocess.run(step, cwd=directory, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
            pytest.skip(f"NOT TESTED: {wanted.stem} cannot be installed here: {said}")


def wait_for(what: "Any", seconds: float = 20) -> None:
    """Wait until something is the case."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.05)
