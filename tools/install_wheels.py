"""Build both wheels and install them as their users would have them. The demo and the end-to-end tests use it.

usage: install_wheels.py DIRECTORY [--client-python PYTHON] [--wheels-only]

  DIRECTORY/wheels/                       both wheels, built without isolation, so without a network
  DIRECTORY/client/                       an environment with innerloop alone
  DIRECTORY/home/.local/bin/innerloop     a symbolic link into it, as `uv tool install` leaves it; uv's place for tools,
                                          .local/share/uv/tools/innerloop, is a link to client/
  DIRECTORY/collector/                    an environment with both and with what uv.lock names for them

With --wheels-only, DIRECTORY itself receives the wheels and nothing is installed.

Run it with the Python of .venv. Third-party packages come out of uv's cache where they are there, else from the index.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import build_shim

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Build and install, or show what failed."""
    parser = argparse.ArgumentParser(description="Build both wheels and install them into environments of their own.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--client-python", default=sys.executable, help="the interpreter of the client's environment")
    parser.add_argument("--wheels-only", action="store_true", help="put both wheels into the directory and install nothing")
    arguments = parser.parse_args()
    directory = arguments.directory.absolute()
    try:
        if arguments.wheels_only:
            print("\n".join(str(wheel) for wheel in build(directory)))
            return 0
        wheels = build(directory / "wheels")
        with step("an environment with innerloop alone"):
            install_client(directory, wheels, arguments.client_python)
        with step("an environment with the collector, and the packages that it needs"):
            install_collector(directory, wheels)
    except subprocess.CalledProcessError as error:
        print(f"install_wheels: {' '.join(map(str, error.cmd))} failed:\n{error.output}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is at work, before it begins, and how long it took."""
    began = time.monotonic()
    print(f"  {what} ...", end="", file=sys.stderr, flush=True)
    yield
    print(f" {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def uv() -> str:
    """Find the uv that `make setup` installed, else any."""
    own = ROOT / ".uv" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        sys.exit("install_wheels: there is no uv. Try: make setup")
    return found


def build(target: Path) -> list[Path]:
    """Build both wheels into `target`, which is emptied first."""
    with step("the probe's shim, compiled by zig unless it is there"):
        build_shim.build()
    shutil.rmtree(target, ignore_errors=True)
    for package in ("innerloop", "innerloop-collector"):
        with step(f"the wheel of {package}"):
            _uv("build", "--wheel", "--package", package, "--no-build-isolation", "--python", sys.executable, "--out-dir", target)
    return sorted(target.glob("*.whl"))


def install_client(directory: Path, wheels: list[Path], python: str) -> None:
    """Make the client's environment and the link that stands on a developer's PATH."""
    environment = directory / "client"
    wheel = next(wheel for wheel in wheels if wheel.name.startswith("innerloop-"))
    _uv("venv", "--clear", "--python", python, environment)
    _uv("pip", "install", "--offline", "--no-deps", "--python", environment / "bin" / "python", wheel)
    local = directory / "home" / ".local"
    tools = local / "share" / "uv" / "tools"
    for link, target in ((tools / "innerloop", environment), (local / "bin" / "innerloop", environment / "bin" / "innerloop")):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def install_collector(directory: Path, wheels: list[Path]) -> None:
    """Make the collector's environment: locked third-party packages first, then both wheels without their dependencies."""
    environment = directory / "collector"
    locked = ["sync", "--locked", "--no-default-groups", "--no-install-workspace", "--python", sys.executable]
    try:
        _uv(*locked, "--offline", UV_PROJECT_ENVIRONMENT=str(environment))
    except subprocess.CalledProcessError:
        _uv(*locked, UV_PROJECT_ENVIRONMENT=str(environment))
    _uv("pip", "install", "--offline", "--no-deps", "--reinstall", "--python", environment / "bin" / "python", *wheels)


def _uv(*words: object, **extra: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"} | {"UV_PYTHON_DOWNLOADS": "never"} | extra
    command = [uv(), *map(str, words)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main())
