"""What every demo does around its story: signals, a directory, a collector, and what is said at its end."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from innerloop_collector.demo import commands, orphans, place
from innerloop_collector.demo.commands import DemoError
from innerloop_collector.demo.progress import Progress
from innerloop_collector.demo.service import Service

T = TypeVar("T")
Ending = Callable[[], None]


def show(progress: Progress, keep: str | None, prepare: Callable[[], T], story: Callable[[T, Path], Ending]) -> int:
    """Tell a story of what was prepared, in the directory `keep` or one that goes, then its ending. Return the exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        prepared = prepare()
        orphans.adopt()
        with place.directory(keep) as directory:
            ending = story(prepared, directory)
    except DemoError as error:
        print(f"innerloop-collector demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ninnerloop-collector demo: stopped; {place.left(keep)}", file=sys.stderr)
        return 130
    ending()
    progress.line(f"\nThe collector has ended; {place.left(keep)}. All of it took {progress.seconds():.0f} seconds.")
    return 0


@contextmanager
def collector(progress: Progress, directory: Path, starting: str, settings: Mapping[str, str] | None = None) -> Iterator[Service]:
    """A collector of the demo's own, with an operator's home, for as long as its story takes."""
    home = directory / "operator"
    home.mkdir()
    with progress.busy(starting):
        service = Service(directory, commands.scrubbed(home), settings)
    try:
        progress.line(f"  it listens on {service.address}")
        yield service
    finally:
        service.stop()
