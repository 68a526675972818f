"""What every demo does around its story: signals, a directory, a collector, and what is said at its end."""

import contextlib
import os
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

_LINK_SECONDS = 540.0  # for which the link is surely good
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
        _let_look(progress, service)
    finally:
        service.stop()


def _let_look(progress: Progress, service: Service) -> None:
    """At a terminal: show where the dashboard is, and wait."""
    if os.environ.get("CI") or not (progress.stream is sys.stdout and sys.stdin.isatty() and sys.stdout.isatty()):
        return
    progress.heading("Look at it")
    if progress.seconds() < _LINK_SECONDS:
        progress.line(f"  the dashboard, with a link that signs you in once: {service.sign_in_link()}")
    else:
        progress.line(f"  the dashboard: {service.address}\n  a token for it: {service.create_token()}")
    progress.line("  Enter or Ctrl-C ends the demo.")
    with contextlib.suppress(KeyboardInterrupt, EOFError):
        input()
