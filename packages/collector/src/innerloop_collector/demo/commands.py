"""The two installed commands, the scrubbed environment that they run in, and what to do when one fails."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_KEPT = ("TERM", "LANG")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class DemoError(Exception):
    """What stops the demo, said in one line; the rest is what a command printed."""


def find(name: str) -> str:
    """Find an installed command: beside the interpreter that runs this, else on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    if found is None:
        raise DemoError(f"the command `{name}` is not installed beside {sys.executable}, nor is it on PATH")
    return found


def need(packages: Mapping[str, str]) -> None:
    """Check that commands are there (command -> Debian package). Raises DemoError, which says how to get them."""
    missing = [name for name in packages if shutil.which(name) is None]
    if missing:
        install = " ".join(dict.fromkeys(packages[name] for name in missing))
        raise DemoError(f"the builds need {' and '.join(missing)}. On Debian: apt-get install {install}")


def scrubbed(home: Path) -> dict[str, str]:
    """Make the environment of a person who just logged in: nothing of the caller's but terminal and language.

    Marks of CI, of coding agents, of an outer make and of people who want no tracking must not get in: with any of them
    innerloop rightly records nothing, or records something else.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"TERM": "dumb"} | kept | {"HOME": str(home), "PATH": f"{Path(find('innerloop')).parent}:{_path()}"}


def _path() -> str:
    return os.environ.get("PATH") or _SYSTEM_PATH


def run(command: list[str], environment: Mapping[str, str], directory: Path, timeout: float = 60.0) -> str:
    """Run a command without a terminal and return what it printed. Raises DemoError where it fails."""
    shown = " ".join([Path(command[0]).name, *command[1:]])
    try:
        done = subprocess.run(
            command, env=dict(environment), cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DemoError(f"`{shown}` did not end within {timeout:.0f} s") from None
    if done.returncode:
        raise DemoError(f"`{shown}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
