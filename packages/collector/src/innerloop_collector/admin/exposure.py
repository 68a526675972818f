"""Who else on this machine may reach what a collector keeps."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from innerloop_collector.admin.checks import Finding
from innerloop_collector.config.paths import Paths, open_to_others
from innerloop_collector.lifecycle.backup_catalog import Known


def of_the_data(paths: Paths) -> Iterator[Finding]:
    """Judge the data directory and what leads to it."""
    try:
        if open_to_others(paths.data):
            mode = stat.S_IMODE(paths.data.stat().st_mode)
            yield Finding(
                "data",
                f"others may look into {paths.data} (mode {mode:04o}); the next start of the service closes it, or: chmod 700 {paths.data}",
            )
        elif loose := sorted(path.name for path in paths.data.iterdir() if not path.is_symlink() and open_to_others(path)):
            text = (
                f"{', '.join(loose)} in {paths.data} would be open to others if the directory were; the next start of the service closes it"
            )
            yield Finding("data", text, note=True)
        yield from _of_the_way(paths.data)
    except OSError as error:
        yield Finding("data", f"cannot look at {error.filename}: {error.strerror}")


def _of_the_way(data: Path) -> Iterator[Finding]:
    """Whoever owns a directory, or may write to it, may put another in the place of what is in it."""
    ours = {os.geteuid(), 0}
    place = data.resolve()
    for path in (place, *place.parents):
        found = path.stat()
        if found.st_uid not in ours:
            yield Finding(
                "data",
                f"{path} belongs to another user ({found.st_uid}), who may replace {data}; give it to the user whom the service runs as",
            )
        elif path != place and found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            yield Finding(
                "data",
                f"anybody may write to {path}, and so replace {data}; take that permission away, or choose another place for the data",
            )


def of_the_backups(known: Iterable[Known]) -> Iterator[Finding]:
    """Judge who may read backups: they hold every row, and mostly the key of the hashes."""
    for one in known:
        try:
            if open_to_others(Path(one.path)):
                yield Finding("backups", f"others may look into the backup {one.path}; close it: chmod 700 {one.path}")
        except OSError:
            continue  # out of reach


def of_the_secrets(files: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Judge the files that a configuration names as secret: setting and file."""
    for setting, name in files:
        try:
            if name and Path(name).stat().st_mode & stat.S_IROTH:
                yield Finding("secrets", f"{setting}: everybody on this machine may read {name}; close it: chmod 600 {name}", note=True)
        except OSError:
            continue  # whoever uses it says so
