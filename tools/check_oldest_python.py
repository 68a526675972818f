"""Import every module of the client with Python 3.9, the oldest that it promises, where one is at hand.

mypy and the test tools need a newer one, so this is what stands for 3.9 in `make lint`. End-to-end tests run the client
under it with `make test SUBJECT_PYTHON=python3.9`.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "packages" / "client" / "src"
IMPORT = """
import importlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


def main() -> int:
    """Import them all, or say that there is no Python 3.9."""
    python = find("3.9")
    if python is None:
        print("oldest python: there is no Python 3.9 on this machine, so nothing was imported with it")
        return 0
    return subprocess.run([python, "-I", "-W", "error", "-c", IMPORT, SOURCES, *modules()], check=False).returncode


def find(version: str) -> str | None:
    """Find an interpreter that runs: on PATH, or where pyenv keeps those that are not on it."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    on_path = [Path(directory) / f"python{version}" for directory in os.environ.get("PATH", "").split(os.pathsep) if directory]
    for candidate in [*on_path, *sorted(pyenv.glob(f"{version}*/bin/python"))]:
        if os.access(candidate, os.X_OK) and _is(candidate, version):
            return str(candidate)
    return None


def _is(candidate: Path, version: str) -> bool:
    """A shim may stand where no interpreter is."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([candidate, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == version


def modules() -> list[str]:
    """Name the client's modules, but for those that act when they are imported."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        if parts[-1] not in ("__main__", "start"):
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


if __name__ == "__main__":
    sys.exit(main())
