"""The directory that a demo happens in: one that goes with it, or one that was asked for and stays."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from innerloop_collector.demo import orphans
from innerloop_collector.demo.commands import DemoError


@contextmanager
def directory(keep: str | None) -> Iterator[Path]:
    """Make the directory. Nobody writes there any more when it goes."""
    made = kept(Path(keep).absolute()) if keep else Path(tempfile.mkdtemp(prefix="innerloop-demo-"))
    try:
        yield made
    finally:
        orphans.wait(10.0)
        if not keep:
            shutil.rmtree(made)


def kept(asked: Path) -> Path:
    """Take a directory that is to stay, if it is new or empty, and make it private. Raises DemoError."""
    try:
        asked.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(asked.iterdir()):
            raise DemoError(f"{asked} is not empty; --keep needs a new or empty directory")
    except OSError as error:
        raise DemoError(f"{asked} cannot be used: {error.strerror}") from error
    return asked


def left(keep: str | None) -> str:
    """Say what is left of a demo."""
    return f"its files are in {keep}" if keep else "nothing is left behind"
