"""The overview of a project: what did waiting cost us, and what is to be known? And the list of all projects."""

from collections.abc import Iterable
from dataclasses import dataclass

from innerloop_collector.dashboard import page_tables, series, words
from innerloop_collector.dashboard.changes import Dated, marked
from innerloop_collector.dashboard.filters import Filters, chosen_report, period_control
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.page import Page, by_id, length_of, next_figures, period_of
from innerloop_collector.dashboard.project_pages import Watch
from innerloop_collector.reports.views import Hidden, Report, Whole

GRAINS = {"week": "Weeks", "block": "Blocks of weeks"}
FILTERS = {"period": None, "by": tuple(GRAINS)}
_UNTOLD = "may not be told of this period"
_CHECKS = "Of all runs, checks among them."


Spark = tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline number."""

    label: str
    value: str
    unit: str
    link: str
    spark: Spark = ()
    before: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know, with a tag."""

    tag: str
    text: str


def overview(reader: Reader, project: str, filters: Filters, changes: tuple[Dated, ...], watch: Watch) -> Page:
    """The first page of a project."""
    report = chosen_report(reader, project, filters)
    weekly = filters.get("by") == "week"
    trend = reader.trend(project, weekly=weekly)
    controls = (period_control(reader, project, filters), filters.control("by", "Series by", GRAINS))
    figures = by_id(
        marked(series.in_short(series.waiting(trend, weekly=weekly)), changes, project),
        page_tables.commands(report),
        marked(series.in_short(series.duration(trend, weekly=weekly)), changes, project),
        marked(series.in_short(series.failures(trend, weekly=weekly, note=_CHECKS)), changes, project),
        page_tables.systems(report),
        page_tables.sessions(report),
        page_tables.bands(report.whole.bands if report.whole else ()),
        page_tables.tries(report.whole.tries if report.whole else None),
        page_tables.actors(report.actors),
    )
    about = {
        "report": report,
        "period": period_of(report),
        "headline": headline(report),
        "next_figures": next_figures(report),
        "newest": next((one.period for one in reader.periods(project)), ""),
        "tiles": _tiles(report, reader, project),
        "notes": tuple(_notes(report)),
        "watch": watch,
        "participation": words.participation(report.developers, report.headcount),
    }
    return Page("overview.html", report.name, figures, controls, about, "overview", draws=True)


def headline(report: Report) -> str:
    """What the period was like, in one sentence. It claims no change: that takes an interval."""
    if report.state != "figures" or report.whole is None:
        return report.explanation[:1].upper() + report.explanation[1:] + "." if report.explanation else "Figures of targets only."
    each, waited, failed = report.whole.waited_per_developer_week, report.whole.waited_minutes, report.whole.failure_rate
    if each and each.about:
        first = f"Developers waited about {words.waiting(each)} each per week"
    else:
        first = f"Developers waited {words.waited(waited)} in {length_of(report)}" if waited else ""
    said = [first, f"{words.share(failed)} of runs failed" if failed else ""]
    return "; ".join(filter(None, said)) + "." if any(said) else f"{words.count(report.whole.runs)} runs in {length_of(report)}."


def _tiles(report: Report, reader: Reader, project: str) -> tuple[Tile, ...]:
    whole = report.whole
    if whole is None:
        return ()
    points = reader.trend(project, weekly=True).points
    of = f"of {words.number(report.headcount)} share their data" if report.headcount else "share their data"
    waiting = series.sparkline(points, lambda one: one.waited.value if one.waited else None)
    runs = series.sparkline(points, lambda one: one.runs.value)
    checks, of_checks = whole.failure_rate_of_checks, whole.failure_range_of_checks
    return (
        _waiting_tile(whole, length_of(report), waiting),
        Tile(
            "Failed runs",
            words.share(whole.failure_rate),
            _between(words.share_range(whole.failure_range), "of commands that are no checks") if whole.failure_rate else _UNTOLD,
            "#failures",
            before=_before(words.share(whole.failure_rate_before), whole.failure_rate_before),
        ),
        Tile(
            "Failed checks",
            words.share(checks),
            _between(words.share_range(of_checks), "of tests and the like") if checks else _UNTOLD,
            "#failures",
        ),
        Tile(
            "Runs", words.count(whole.runs), "rounded to 5", "#commands", runs, _before(words.count(whole.runs_before), whole.runs_before)
        ),
        Tile(
            "Developers",
            words.people(report.developers),
            of,
            "#systems",
            before=_before(words.people(whole.developers_before), whole.developers_before),
        ),
    )


def _waiting_tile(whole: Whole, length: str, spark: Spark) -> Tile:
    """Each developer's week where that can be told, else all developers together."""
    each, before = whole.waited_per_developer_week, whole.waited_per_developer_week_before
    together = f"{words.waited(whole.waited_minutes)} by all together in {length}"
    if each and each.about:
        return Tile("Waiting", words.waiting(each), f"each per week; {together}", "#waiting", spark, _before(words.waiting(before), before))
    before_all = whole.waited_minutes_before
    return Tile(
        "Waiting",
        words.waited(whole.waited_minutes),
        f"by all together in {length}",
        "#waiting",
        spark,
        _before(words.waited(before_all), before_all),
    )


def _between(between: str, of: str) -> str:
    return f"{between}, {of}" if between else of


def _before(said: str, value: object) -> str:
    """The number of the period before."""
    return f"before: {said}" if value else ""


def _notes(report: Report) -> Iterable[Note]:
    """What is to be known about the figures of this page."""
    if day := next_figures(report):
        yield Note("Next figures", f"{day}. A week is published once, two days after its end; the running week is in no figure.")
    else:
        yield Note(
            "At once", "This store is for trying: it also shows what is there now, and protects nobody who can be watched meanwhile."
        )
    if not report.period.complete and report.period.period:
        yield Note("So far", "More of this period will be published. What is published does not change.")
    yield from (Note("Note", f"{one[0].upper()}{one[1:]}.") for one in report.notes)
    for what, hidden in (("command", report.hidden_commands), ("target", report.hidden_targets)):
        yield from _hidden(what, hidden)


def _hidden(what: str, hidden: tuple[Hidden, ...]) -> Iterable[Note]:
    by_rule: dict[str, list[str]] = {}
    for one in hidden:
        by_rule.setdefault(one.why, []).append(one.name)
    for why, names in by_rule.items():
        yield Note("Hidden", f"{what if len(names) == 1 else what + 's'} {words.listed(names)}: {why}.")
