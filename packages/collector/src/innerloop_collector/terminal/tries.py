"""How successes come about, in sentences: at once or after failures, given up, how long until green, and after how long people stop."""

from collections.abc import Iterable, Iterator

from innerloop_collector.query import Class, Tries
from innerloop_collector.reports.views import Report
from innerloop_collector.terminal.all_runs import between


def sentences(report: Report) -> Iterator[str]:
    """One for all commands, and one for each that says something."""
    if report.whole and report.whole.tries:
        yield f"all commands: {'; '.join(_parts(report.whole.tries))}"
    for one in report.commands:
        if one.tries:
            yield f"{one.command}: {'; '.join(_parts(one.tries))}"


def _parts(of: Tries) -> Iterator[str]:
    if of.first_time:
        yield f"{of.first_time} at the first try{between(of.first_time_range)}"
    if of.solved:
        yield f"successes by try: {_classes(of.solved)}"
    if of.given_up:
        yield f"{of.given_up} failures after which nothing worked within a day"
    if of.green:
        yield f"green after {_classes(of.green)}"
    if of.stopped:
        yield f"stopped after {_classes(of.stopped)}"


def _classes(many: Iterable[Class]) -> str:
    return ", ".join(f"{one.name} {one.share}" for one in many)
