"""All projects together, and each in a line."""

from datetime import date

from innerloop_collector.dashboard import figure, page_tables, words
from innerloop_collector.dashboard.error_pages import unknown_value
from innerloop_collector.dashboard.figure import Column, Figure, Row
from innerloop_collector.dashboard.filters import FORMS, NOW, Filters, control_of
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.page import Page, by_id
from innerloop_collector.errors import UsageError
from innerloop_collector.reports.views import AllProjects, InAll, Offered, ProjectName

FILTERS = {"period": None}
_COLUMNS = (
    Column("Project", ("project",), numeric=False),
    Column("Waited", ("waited_minutes",), bars=True),
    Column("Each per week", ("waited_each_minutes", "waited_each_at_least_minutes", "waited_each_at_most_minutes")),
    Column("Failed", ("failed",)),
    Column("Runs", ("runs",)),
    Column("Developers", ("developers_at_least", "developers_at_most")),
)


def projects(reader: Reader, seen: tuple[ProjectName, ...], filters: Filters) -> Page:
    """Every project that somebody may see, in the newest block of any, or in the period that was chosen."""
    offered = {one.period: one for project in seen for one in reader.periods(project.project)}
    newest = max((one for project in seen if (one := reader.newest(project.project))), key=lambda one: one.last, default=None)
    wanted = filters.get("period") or (newest.period if newest else None)
    try:
        report = reader.all_projects(seen, None if wanted == NOW and reader.at_once else wanted)
    except UsageError:
        raise unknown_value("period", str(wanted), list(FORMS), filters.path) from None
    chosen = offered.get(wanted or "")
    figures = by_id(_lines(report), page_tables.bands(report.whole.bands if report.whole else ()), page_tables.actors(report.actors))
    about = {
        "period": words.period(chosen.period, chosen.first, chosen.last) if chosen else "",
        "headline": _headline(report, chosen),
        "facts": _facts(report),
        "next_figures": words.weekday(date.fromisoformat(report.next_figures)) if report.next_figures else "",
    }
    controls = (control_of(tuple(offered.values()), newest, filters, at_once=reader.at_once),) if offered else ()
    return Page("projects.html", "All projects", figures, controls, about, "projects")


def _headline(report: AllProjects, chosen: Offered | None) -> str:
    if report.whole is None or report.whole.waited_minutes is None:
        return "All projects"
    length = f" in {words.weeks(chosen.first, chosen.last)}" if chosen else ""
    return f"Developers waited {words.waited(report.whole.waited_minutes)}{length}, over all projects."


def _facts(report: AllProjects) -> tuple[tuple[str, str, str], ...]:
    """Label, value and detail."""
    whole = report.whole
    if whole is None:
        return ()
    before = f"before: {words.waited(whole.waited_minutes_before)}" if whole.waited_minutes_before else ""
    runs_before = f"before: {words.count(whole.runs_before)}" if whole.runs_before else ""
    return (
        ("Waited", words.waited(whole.waited_minutes), before),
        ("Failed runs", words.share(whole.failure_rate), words.share_range(whole.failure_range)),
        ("Runs", words.count(whole.runs), runs_before),
        ("Projects", words.number(len(report.projects)), "that you may see"),
    )


def _lines(report: AllProjects) -> Figure:
    bars = figure.with_bars([figure.waited(one.waited_minutes) for one in report.projects])
    rows = [_line(one, bar) for one, bar in zip(report.projects, bars, strict=True)]
    return Figure(
        "projects",
        "Each project",
        "Time waited by all developers of a project together, and by each of them per week",
        _COLUMNS,
        tuple(rows),
        note="Sums are of what is published of each project; what is hidden there is in no sum. Developers are not added up: one may work on several.",
        empty="No project is registered.",
    )


def _line(one: InAll, bar: figure.Cell) -> Row:
    name = figure.Cell(one.name, (one.project,), link=page_tables.home(one.project))
    if one.runs is None:
        return Row((name,), hidden=one.state)
    return Row(
        (
            name,
            bar,
            figure.waiting(one.waited_per_developer_week),
            figure.share(one.failure_rate),
            figure.count(one.runs),
            figure.people(one.developers),
        )
    )
