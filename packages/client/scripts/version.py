"""The version of a build: the last release's, and the moment of the sources in UTC: 0.1.0.post20261130213305.

Each build sorts after those of older sources, so that installing it again upgrades, and builds of one commit have one
version. The moment is that of the commit. Where files were changed since, it is that of the newest change; where there is
no git, `git archive` has written it below, or it is that of the newest file. An sdist holds its version and asks nobody.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

CLIENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = os.path.dirname(CLIENT)
ROOT = os.path.dirname(PACKAGES)
ARCHIVED = "$Format:%ct$"  # git archive puts the commit's time here (.gitattributes)


def version() -> str:
    """Say the version of a build of these sources, now."""
    moment = _commit() or (int(ARCHIVED) if ARCHIVED.isdigit() else _newest(_sources()))
    return f"{release()}.post{datetime.fromtimestamp(moment, timezone.utc):%Y%m%d%H%M%S}"


def release() -> str:
    """Read the version that the sources themselves have."""
    with open(f"{CLIENT}/src/innerloop/__init__.py", encoding="utf-8") as file:
        found = re.search(r'^__version__ = "(.*)"$', file.read(), re.MULTILINE)
    assert found
    return found[1]


def _commit() -> int:
    """Tell the moment of the checkout's commit, or of the newest change since; 0 where this is no checkout."""
    if not os.path.exists(f"{ROOT}/.git"):
        return 0
    try:
        committed = int(_git("show", "--no-patch", "--format=%ct", "HEAD"))
        changed = _git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", PACKAGES).split("\0")
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0
    return max(committed, _newest(f"{ROOT}/{line[3:]}" for line in changed if line))


def _git(*words: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(["git", "-C", ROOT, *words], env=clean, capture_output=True, text=True, check=True).stdout


def _sources() -> Iterator[str]:
    for directory, below, names in os.walk(PACKAGES):
        below[:] = [name for name in below if name not in ("__pycache__", "bin")]
        yield from (os.path.join(directory, name) for name in names)


def _newest(paths: Iterable[str]) -> int:
    """Tell when the newest of these was changed; for one that is gone, when its directory was."""
    return max((int(os.stat(_there(path)).st_mtime) for path in paths), default=0)


def _there(path: str) -> str:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path
