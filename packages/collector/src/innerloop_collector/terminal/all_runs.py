"""What a report says of all runs together, in sentences: who, how often, how long, how it was before, and who else ran something."""

from collections.abc import Iterable, Iterator

from innerloop_collector.query import Band, RateRange, Waited, text
from innerloop_collector.reports.views import Actor, Report, Whole

_ACTORS = {"agent": "coding agents", "ci": "CI"}


def sentences(report: Report, whole: Whole) -> Iterator[str]:
    """All of them, each a line."""
    waited = f", {whole.waited_minutes} waited" if whole.waited_minutes else ""
    of = f" of {report.headcount:,}" if report.headcount else ""
    by = f", by {report.developers}{of} developers{between(report.participation)}" if report.developers else ""
    rates = (
        (whole.failure_rate, "failed", whole.failure_range),
        (whole.failure_rate_of_checks, "of checks failed", whole.failure_range_of_checks),
    )
    failed = "".join(f" {rate} {what}{between(range_)}." for rate, what, range_ in rates if rate)
    yield f"All commands: {whole.runs} runs{waited}{by}.{failed}"
    yield from _more(whole, report.actors)


def of_several(whole: Whole, others: Iterable[Actor]) -> Iterator[str]:
    """The same of several projects, whose developers are not added up."""
    waited = f", {whole.waited_minutes} waited" if whole.waited_minutes else ""
    failed = f" {whole.failure_rate} failed{between(whole.failure_range)}." if whole.failure_rate else ""
    yield f"Together: {whole.runs} runs{waited}.{failed}"
    yield from _more(whole, others)


def _more(whole: Whole, others: Iterable[Actor]) -> Iterator[str]:
    if whole.waited_per_developer_week:
        yield f"A developer's week: {of_a_week(whole.waited_per_developer_week)} waited."
    if whole.bands:
        yield f"By wait: {', '.join(_bands(whole.bands))}."
    if whole.runs_before:
        yield f"The period before: {', '.join(_before(whole))}."
    if besides := [_actor(one) for one in others]:
        yield f"Besides people: {'; '.join(besides)}."


def between(of: RateRange | None) -> str:
    """A range in brackets."""
    return f" ({of.at_least} to {of.at_most})" if of else ""


def of_a_week(of: Waited) -> str:
    """What a developer waited in a week, with its bounds."""
    return f"{text(of.about)} ({of.at_least} to {text(of.at_most)})"


def _bands(bands: Iterable[Band]) -> Iterator[str]:
    for one in bands:
        yield f"{one.name} {one.share}" if one.share else f"{one.name} cannot be told"


def _before(whole: Whole) -> Iterator[str]:
    yield f"{whole.runs_before} runs"
    if whole.waited_minutes_before:
        yield f"{whole.waited_minutes_before} waited"
    if whole.waited_per_developer_week_before:
        yield f"{text(whole.waited_per_developer_week_before.about)} in a developer's week"
    if whole.developers_before:
        yield f"by {whole.developers_before} developers"
    if whole.failure_rate_before:
        yield f"{whole.failure_rate_before} failed"


def _actor(one: Actor) -> str:
    by = f" for {one.people} developers" if one.people else ""
    waited = f", {one.waited_minutes} long" if one.waited_minutes else ""
    failed = f", {one.failure_rate} failed" if one.failure_rate else ""
    return f"{_ACTORS.get(one.actor, one.actor)} {one.runs} runs{by}{waited}{failed}"
