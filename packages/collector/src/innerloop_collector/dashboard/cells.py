"""Commands and targets: the ranked lists, and the page of one of them, or of one system, version or cohort."""

from collections.abc import Iterator
from dataclasses import dataclass

from innerloop_collector.dashboard import cell_figures, page_tables, series, words
from innerloop_collector.dashboard.alert_page import Standing
from innerloop_collector.dashboard.changes import Dated, marked
from innerloop_collector.dashboard.error_pages import PageError
from innerloop_collector.dashboard.figure import Figure
from innerloop_collector.dashboard.filters import Filters, chosen_report, period_control
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.overview import GRAINS
from innerloop_collector.dashboard.page import Page, by_id, length_of, next_figures, period_of
from innerloop_collector.dashboard.page_tables import KINDS, SPLITS
from innerloop_collector.query import Time
from innerloop_collector.reports.views import Command, Hidden, Part, Report, Target

FILTERS = {"period": None, "by": tuple(reversed(GRAINS))}
RANKED = {
    "period": None,
    "q": None,
    "sort": ("waited_minutes", *(column.fields[0] for column in page_tables.COMMANDS)),  # the first: what it is where nobody says
    "targets": ("p50_ms", *(column.fields[0] for column in page_tables.TARGETS)),
}
_WORD = {"commands": "Command", "targets": "Target", **SPLITS}


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of a cell's page."""

    label: str
    value: str
    detail: str = ""


def ranked(reader: Reader, project: str, filters: Filters) -> Page:
    """The commands and targets of a project, ranked."""
    report = chosen_report(reader, project, filters)
    query = filters.get("q")
    figures = by_id(
        page_tables.commands(report, sort=filters.get("sort"), query=query),
        page_tables.targets(report, sort=filters.get("targets"), query=query),
        cell_figures.steps(report),
        page_tables.sessions(report),
    )
    about = {
        "report": report,
        "period": period_of(report),
        "headline": _ranked_headline(report),
        "query": query,
        "next_figures": next_figures(report),
        "participation": words.participation(report.developers, report.headcount),
    }
    return Page("targets.html", "Targets", figures, (period_control(reader, project, filters),), about, "targets")


def _ranked_headline(report: Report) -> str:
    """What costs most."""
    first = next((one for one in report.commands if one.waited_minutes), None)
    if first is None or first.waited_minutes is None:
        return "Commands and targets"
    return f"People wait longest for {first.command}: {words.waited(first.waited_minutes)} in {length_of(report)}."


def cell(
    reader: Reader, project: str, kind: str, name: str, filters: Filters, changes: tuple[Dated, ...], alerts: tuple[Standing, ...]
) -> Page:
    """One command, target, system, version or cohort."""
    report = chosen_report(reader, project, filters)
    weekly = filters.get("by") == "week"
    trend = reader.trend(project, KINDS[kind], name, weekly=weekly)
    found, why = _cell(report, kind, name), _why(report, kind, name)
    if found is None and not why and not any(one.figures for one in trend.points):
        raise _not_told(report, filters)
    figures = [series.duration(trend, weekly=weekly), series.failures(trend, weekly=weekly)]
    if kind != "targets":
        figures.append(series.waiting(trend, weekly=weekly))
    session = isinstance(found, Command) and found.kind == "session"  # whose durations are use
    if kind not in SPLITS and not session:
        figures.append(cell_figures.predictability(trend, weekly=weekly))
    figures = [marked(series.in_short(one), changes, project, "" if kind in SPLITS else name) for one in figures]
    if found is not None and not session:
        figures += _of_the_period(reader, report, kind, name, found)
    about = {
        "report": report,
        "period": period_of(report),
        "name": name,
        "word": _WORD[kind],
        "kind": kind,
        "headline": _headline(found, kind),
        "facts": _facts(found) if found else (),
        "why": why,
        "alerts": alerts,
        "few": report.k,
        "next_figures": next_figures(report),
        "participation": words.participation(report.developers, report.headcount),
    }
    controls = (period_control(reader, project, filters), filters.control("by", "Series by", dict(reversed(GRAINS.items()))))
    return Page("cell.html", name, by_id(*figures), controls, about, "targets", draws=True)


def _of_the_period(reader: Reader, report: Report, kind: str, name: str, found: Command | Target | Part) -> Iterator[Figure]:
    """What is told of a cell in the period, or why it is not. Where a rule hides all of it, the page says so once."""
    yield cell_figures.distribution(reader.distribution(report.project, report.period.period, KINDS[kind], name), report.k)
    if isinstance(found, Command):
        yield page_tables.bands(found.bands)
        yield page_tables.tries(found.tries)
    if isinstance(found, Target):
        yield cell_figures.steps(report, name)


def _not_told(report: Report, filters: Filters) -> PageError:
    """The same for a name that too few ran, for one that nobody ran and for one that does not exist."""
    sentence = f"Nothing is published under this name: fewer than {report.k} developers ran it, or nobody did."
    page = filters.path.split("/")
    return PageError(404, "Nothing is published of this", sentence, (("What is published", "/".join([*page[:3], "targets"])),))


def _cell(report: Report, kind: str, name: str) -> Command | Target | Part | None:
    if kind == "commands":
        return next((one for one in report.commands if one.command == name), None)
    if kind == "targets":
        return next((one for one in report.targets if one.target == name), None)
    return next((one for one in report.parts if (one.by, one.name) == (kind, name)), None)


def _why(report: Report, kind: str, name: str) -> str:
    """The rule that hides a cell in the period."""
    hidden: dict[str, tuple[Hidden, ...]] = {"commands": report.hidden_commands, "targets": report.hidden_targets}
    return next((one.why for one in hidden.get(kind, ()) if one.name == name), "")


def _headline(of: Command | Target | Part | None, kind: str) -> str:
    """What follows the name."""
    if of is None:
        return "is not told in this period."
    if isinstance(of, Command) and of.kind == "session":
        return "is something that people keep open."
    p50, p90 = of.p50, None if isinstance(of, Part) else of.p90
    if p50 is None:
        return "has no durations that may be told."
    verb = "runs take" if kind in SPLITS else "takes"
    slow = f", one run in ten more than {_about(p90)}" if p90 and p90.about else ""
    return f"{verb} {'about ' if p50.about else ''}{_about(p50)}{slow}."


def _about(of: Time) -> str:
    return words.quantile(of)


def _facts(of: Command | Target | Part) -> tuple[Fact, ...]:
    runs = of.times if isinstance(of, Target) else of.runs
    failed = words.share_range(of.failure_range)
    typical = words.bounds(of.p50) if of.p50 and of.p50.about else ""
    facts = [Fact("Typical (p50)", words.quantile(of.p50), _and(typical, _time_before(of)))]
    if not isinstance(of, Part):
        facts.append(Fact("Slow (p90)", words.quantile(of.p90), words.bounds(of.p90) if of.p90 and of.p90.about else ""))
        if of.spread and of.spread.at_least.value > 1:  # else it says nothing
            facts.append(Fact("A slow one takes", words.spread(of.spread), "as long as a typical one"))
    facts.append(Fact("Failed", words.share(of.failure_rate), _and(failed, _before(of))))
    if isinstance(of, Command):
        each = of.waited_per_developer_week
        facts.append(Fact("Waited", words.waited(of.waited_minutes), f"{words.waiting(each)} each per week, of who ran it" if each else ""))
    if isinstance(of, Target) and of.critical_minutes:
        facts.append(Fact("On the critical path", words.waited(of.critical_minutes), "its own time in all runs, in whole blocks"))
    facts.append(Fact("Times" if isinstance(of, Target) else "Runs", words.count(runs), "rounded to 5"))
    facts.append(Fact("Developers", words.people(of.developers), "in the period's last block"))
    return tuple(facts)


def _before(of: Command | Target | Part) -> str:
    before = of.failure_rate_before if isinstance(of, Command) else None
    return f"before: {words.share(before)}" if before else ""


def _time_before(of: Command | Target | Part) -> str:
    return f"before: {words.time(of.p50_before)}" if isinstance(of, Command) and of.p50_before else ""


def _and(*said: str) -> str:
    return " \N{MIDDLE DOT} ".join(filter(None, said))
