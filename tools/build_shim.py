"""Compile the probe's shim for every machine that the client's wheel carries one for. Does nothing where that is done.

usage: build_shim.py [--force]

The compiler is zig (ziglang on PyPI, locked in uv.lock), which brings musl's C library for each of them: static files
that need nothing of the system they run on. The same source and the same zig give the same bytes. They are not
committed; packages/client/pyproject.toml puts them into the wheel.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROBE = ROOT / "packages" / "client" / "src" / "innerloop" / "core" / "probe"
SOURCE = PROBE / "shim.c"
BIN = PROBE / "bin"
TARGETS = {"linux-x86_64": "x86_64-linux-musl", "linux-aarch64": "aarch64-linux-musl"}
FLAGS = ("-std=c99", "-Os", "-static", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none")


def main() -> int:
    """Compile what is not there yet, and say what is there."""
    parser = argparse.ArgumentParser(description="Compile the probe's shim.")
    parser.add_argument("--force", action="store_true", help="compile also where nothing changed")
    force = parser.parse_args().force
    try:
        build(force=force)
    except subprocess.CalledProcessError as error:
        print(f"build_shim: {' '.join(map(str, error.cmd))} failed:\n{error.output}", file=sys.stderr)
        return 1
    for machine in TARGETS:
        path = BIN / machine
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size} bytes  sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}")
    return 0


def build(*, force: bool = False) -> None:
    """Compile the shim for each machine, unless that was done with this very source, compiler and flags."""
    BIN.mkdir(exist_ok=True)
    for machine, target in TARGETS.items():
        stamp, wanted = ROOT / ".cache" / "shim" / machine, _key(target)
        path = BIN / machine
        if force or not path.exists() or not stamp.exists() or stamp.read_text() != f"{wanted} {_digest(path)}":
            compile_for(target, path)
            stamp.write_text(f"{wanted} {_digest(path)}")


def compile_for(target: str, output: Path) -> None:
    """Compile the shim for one of zig's targets."""
    cache = str(ROOT / ".cache" / "zig")
    temporary = ROOT / ".cache" / "shim" / f"{output.name}.{os.getpid()}"
    temporary.parent.mkdir(parents=True, exist_ok=True)
    # Names relative to the source's directory: what is compiled must not depend on where the checkout is.
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, *FLAGS, "-o", str(temporary), SOURCE.name]
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache, "SOURCE_DATE_EPOCH": "0"}
    subprocess.run(command, cwd=SOURCE.parent, env=environment, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    temporary.replace(output)


def _key(target: str) -> str:
    said = " ".join([metadata.version("ziglang"), target, *FLAGS])
    return hashlib.sha256(said.encode() + b"\0" + SOURCE.read_bytes()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
