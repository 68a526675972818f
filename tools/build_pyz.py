"""Build innerloop.pyz: the client in one file that any Python >= 3.9 runs. The same sources give the same bytes.

usage: build_pyz.py OUTPUT

Nothing is compressed: `unzip -p` and an editor show the sources as they are, and no version of zlib can change a byte.
"""

import argparse
import sys
import zipfile
from pathlib import Path

import build_shim

CLIENT = Path(__file__).resolve().parent.parent / "packages" / "client"
sys.path.insert(0, str(CLIENT / "scripts"))
import version  # noqa: E402 - it stands beside what the wheel's build reads too

INTERPRETER = b"#!/usr/bin/env python3\n"
MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip file knows


def main() -> int:
    """Build it."""
    parser = argparse.ArgumentParser(description="Build innerloop.pyz.")
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    build(output)
    print(output)
    return 0


def contents() -> dict[str, Path]:
    """Every file of the archive by its name in it."""
    package = CLIENT / "src"
    found = {
        path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    found |= {"__main__.py": CLIENT / "scripts" / "pyz.py", "bin/innerloop": CLIENT / "scripts" / "innerloop"}
    return dict(sorted(found.items()))


def build(output: Path) -> None:
    """Write the archive, executable, in the place of an older one."""
    build_shim.build()
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(INTERPRETER)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, path in contents().items():
                entry = zipfile.ZipInfo(name, MOMENT)
                entry.create_system = 3  # Unix: the mode below is one
                entry.external_attr = (0o100755 if name.startswith("bin/") else 0o100644) << 16
                archive.writestr(entry, _content(name, path))
    temporary.chmod(0o755)
    temporary.replace(output)


def _content(name: str, path: Path) -> bytes:
    """Return a file's bytes; the package's own `__init__.py` names the version of this build, as in the wheel."""
    content = path.read_bytes()
    if name != "innerloop/__init__.py":
        return content
    line = f'__version__ = "{version.release()}"'.encode()
    assert content.count(line) == 1
    return content.replace(line, f'__version__ = "{version.version()}"'.encode())


if __name__ == "__main__":
    sys.exit(main())
