"""The week of a project in five sentences: what was waited for, what most of it went to, what became worse, what crept up, what changes did.

Each is of what was published: figures, alerts and verdicts. There are always five, since no news is news as well.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from innerloop_collector.notifications.notice import Pages, Part, part
from innerloop_collector.query import Alert, Alerts, Change, Evidence, Figures, ProjectAlerts, text
from innerloop_collector.reports.alert_report import sentence
from innerloop_collector.reports.impact import impact_of
from innerloop_collector.reports.team import offered, team_report
from innerloop_collector.reports.views import Command, Report, Span

_NAMED = 3  # of each kind
_LOOKED_AT = 5  # weeks, the newest, for one of which something is told: as many as a block has
_NEW = timedelta(days=10)  # a week is published two days after its end, and a digest comes within a week of that


class Sources(NamedTuple):
    """What is told of projects. All of it was published."""

    figures: Figures
    alerts: Alerts
    evidence: Evidence
    changes: Callable[[], Sequence[Change]]
    recipients: Callable[[str], frozenset[str]]  # whom the newest file of a project names


class Days(NamedTuple):
    """The days that a digest is about."""

    first: date
    end: date  # the day after the last

    def __contains__(self, day: object) -> bool:
        """Tell whether something was published on one of them."""
        return isinstance(day, date) and self.first <= day < self.end


class Newest(NamedTuple):
    """The newest period that tells of all runs, and the newest that tells of commands. Often it is one."""

    whole: Report | None
    commands: Report | None


def weekly_digest(sources: Sources, project: str, days: Days, visible: frozenset[str] | None, pages: Pages) -> Part:
    """The five sentences, for somebody who may see some projects (None: all)."""
    newest = _newest(sources.figures, project)
    alerts = sources.alerts.of_project(project, visible)
    changes = [one for one in sources.changes() if one.project == project and (visible is None or visible.issuperset(one.projects))]
    links = pages.links(project, ("overview", ""), ("targets", "/targets"), ("alerts", "/alerts"), ("changes", "/changes"))
    sentences = (
        _waiting(newest.whole, days, sources.figures, project),
        _most(newest, sources.figures),
        _worse(alerts, days),
        _creep(alerts.alerts, days),
        _verdicts(sources.evidence, changes, days, visible),
    )
    return part(project, sentences, links)


def _newest(figures: Figures, project: str) -> Newest:
    """What is newest: in a small team weeks tell of all runs only, and blocks of commands as well."""
    complete = [one.period for one in offered(figures, project) if one.complete]
    weeks = [one for one in complete if "-W" in one][:_LOOKED_AT]
    week = next((report for one in weeks if (report := team_report(figures, project, one)).whole is not None), None)
    if week is not None and _waited_for(week):
        return Newest(week, week)
    block = next((team_report(figures, project, one) for one in complete if "-B" in one), None)
    told = block if block is not None and block.whole is not None else None
    return Newest(week or told, told)


def _waiting(report: Report | None, days: Days, figures: Figures, project: str) -> str:
    if report is None or report.whole is None:
        year, week, _ = (days.end - timedelta(days=1)).isocalendar()
        return f"There are no figures: {team_report(figures, project, f'{year}-W{week:02d}').explanation}."
    whole, span = report.whole, report.period
    who = f"{report.developers} developers" if report.developers else "the developers"
    what = f"In {_named(span)} {who} waited {text(whole.waited_minutes, 'a time that may not be told')}"
    failed = f", of which {whole.failure_rate} failed" if whole.failure_rate else ""
    before = f"; in the period before it was {whole.waited_minutes_before}" if whole.waited_minutes_before else ""
    said = f"{what} for {whole.runs} runs{failed}{before}."
    if date.fromisoformat(span.last_day or "") >= days.end - _NEW:
        return said
    due = (
        f"the next block of weeks is published on {figures.next_block()}" if _is_block(report) else f"the next do on {report.next_figures}"
    )
    return f"No new figures came; {due}. {said}"


def _most(newest: Newest, figures: Figures) -> str:
    waited = _waited_for(newest.commands) if newest.commands else []
    if newest.commands is None or not waited:
        return "Of no command may it be told what was waited for it."
    listed = _listed(map(_command, waited[:_NAMED]))
    if newest.commands is newest.whole:
        return f"Of the commands that may be told, most was waited for {listed}."
    until = f"in weeks of so few people none may be told, and the next block is published on {figures.next_block()}"
    return f"In {_named(newest.commands.period)}, of the commands that may be told, most was waited for {listed}; {until}."


def _named(span: Span) -> str:
    return f"{span.period} ({span.first_day} to {span.last_day})"


def _is_block(report: Report) -> bool:
    return "-B" in (report.period.period or "")


def _waited_for(report: Report) -> list[Command]:
    """What was waited for, the most first."""
    return [one for one in report.commands if one.waited_minutes is not None and one.kind != "session"]


def _command(one: Command) -> str:
    median = f", half of its runs within {one.p50.about}" if one.p50 and one.p50.about else ""
    failed = f", {one.failure_rate} failed" if one.failure_rate else ""
    return f"{one.command} ({one.waited_minutes}{median}{failed})"


def _worse(found: ProjectAlerts, days: Days) -> str:
    """What was told first in these days, and what became of what was told before."""
    news = [one for one in found.alerts if one.fate != "creep" and one.published in days]
    if not news:
        looked = f" (looked at up to {found.looked_at})" if found.looked_at else ""
        return f"No alert is new, confirmed or gone{looked}."
    words = {"confirmed": "confirmed", "open": "new and not confirmed yet", "gone": "gone"}
    counts = [f"{number} {word}" for fate, word in words.items() if (number := sum(one.fate == fate for one in news))]
    return f"Alerts: {_listed(counts)}; {_sentences(sorted(news, key=lambda one: list(words).index(one.fate)))}."


def _creep(alerts: Iterable[Alert], days: Days) -> str:
    news = [one for one in alerts if one.fate == "creep" and one.published in days]
    return f"Little by little: {_sentences(news)}." if news else "Nothing new crept up; that is looked for once a block of weeks."


def _verdicts(evidence: Evidence, changes: Sequence[Change], days: Days, visible: frozenset[str] | None) -> str:
    """The verdicts of these days, or else when the next one comes."""
    told, coming = [], []
    for one in changes:
        found = impact_of(evidence, one.project, one.name, visible)
        newest = found.impact.verdicts[0] if found.impact.verdicts else None
        if newest is not None and newest.made in days:
            told.append(f"{one.name}: {newest.refused or found.sentence}")
        if found.impact.coming is not None:
            coming.append((found.impact.coming.due, one.name))
    if told:
        return f"Verdicts: {_first(told)}."
    if coming:
        due, name = min(coming)
        return f"No verdict came; the next is due on {due}, of {name}."
    return "No verdict came, and of no registered change one is due."


def _sentences(alerts: Sequence[Alert]) -> str:
    return _first([sentence(one) for one in alerts])


def _first(told: Sequence[str]) -> str:
    """The first of some sentences, and how many more there are."""
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return "; ".join(told[:_NAMED]) + more


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
