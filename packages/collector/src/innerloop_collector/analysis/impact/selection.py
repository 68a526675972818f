"""From a panel and a question to what is compared, and the checks whether it can be."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.codes import grouped, numbered
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.panel import Codes, Exposed, Numbers, Panel, summed
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Group, Question
from innerloop_collector.analysis.impact.regression import Observations

Chosen = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Selected:
    """The rows of a panel that a question is about."""

    panel: Panel
    question: Question
    treated: Chosen
    after: Chosen  # from the change's date on
    changed: Numbers  # 1 where the change is in effect, by the question's kind of exposure
    exposed_share: float | None  # of treated runs since the date, among those of which it is known; None: of most it is not
    unknown_share: float
    exposed_before: float
    firsts_known: bool  # whether first exposed runs are marked


def select(panel: Panel, question: Question) -> Selected:
    """Choose rows: treated and control ones, of the weeks that count."""
    treated = within(panel, question.treated)
    control = np.zeros(len(panel), dtype=bool) if question.control is None else within(panel, question.control)
    chosen = (treated | control) & counted(panel, question)
    late = chosen & treated & (panel.week >= question.week)
    shares = (*_exposed(panel, late), _exposed(panel, chosen & treated & ~late)[0] or 0.0)
    firsts = bool((panel.exposed == Exposed.FIRST).any())
    if question.exposure is Exposure.BY_EXPOSURE:
        chosen &= (panel.exposed != Exposed.FIRST) & ~(late & (panel.exposed == Exposed.UNKNOWN))
    rows = panel if chosen.all() else panel.where(chosen)
    treated, after = treated[chosen], rows.week >= question.week
    held = (rows.exposed >= Exposed.YES) if question.exposure is Exposure.BY_EXPOSURE else after
    return Selected(rows, question, treated, after, (treated & held).astype(np.float64), *shares, firsts)


def _exposed(panel: Panel, rows: Chosen) -> tuple[float | None, float]:
    """Which share of some runs was exposed, among those of which it is known (None: less than half), and of which share it is not known."""
    runs = panel.runs * rows
    total, known = float(runs.sum()), float(runs[panel.exposed != Exposed.UNKNOWN].sum())
    if not known or 2 * known < total:
        return None, 1 - known / total if total else 0.0
    return float(runs[panel.exposed >= Exposed.YES].sum()) / known, 1 - known / total


def within(panel: Panel, group: Group) -> Chosen:
    """Rows of a group."""
    chosen = np.ones(len(panel), dtype=bool)
    if group.targets is not None:
        chosen &= among(panel.target, list(group.targets))
    if group.projects is not None:
        chosen &= among(panel.project, list(group.projects))
    return chosen


def counted(panel: Panel, question: Question) -> Chosen:
    """Rows of weeks that count, whatever was run. A window is of weeks in the calendar, whether or not they are dropped."""
    chosen = ~among(panel.week, list(question.dropped)) & (panel.runs > 0)
    if question.weeks_before is not None:
        chosen &= panel.week >= question.week - question.weeks_before
    if question.weeks_after is not None:
        chosen &= panel.week < question.week + question.weeks_after
    return chosen


@dataclass(frozen=True, eq=False)
class Grid:
    """The rows of a panel that weigh something, by cell, week and whether the change is in effect."""

    rows: Codes  # of the panel
    place: Codes  # of each of these, its row of observations
    size: int
    shape: Observations  # without values

    def sums(self, column: Numbers) -> Numbers:
        """Add a column of the panel up, by row of observations."""
        return summed(self.place, column[self.rows], self.size)

    def means(self, weight: Numbers, total: Numbers) -> Observations:
        """Means of `total / weight`."""
        n = self.sums(weight)
        return replace(self.shape, weight=n, y=self.sums(total) / n)


def grid(selected: Selected, weight: Numbers) -> Grid | None:
    """Lay out what is compared. None: there is nothing."""
    panel, question = selected.panel, selected.question
    some = np.flatnonzero(weight > 0)
    if not len(some):
        return None
    people, projects = panel.user[some], panel.project[some]
    cluster, other = (projects, people) if question.assignment is Assignment.PROJECT else (people, projects)
    parts = [cluster, other, panel.target[some]]
    if question.same_work:
        parts.append(panel.work[some])
    changed = selected.changed[some]
    place, firsts = grouped([*parts, panel.week[some], changed.astype(np.int64)])
    cell = grouped([one[firsts] for one in parts])[0]
    calendar, week = numbered(panel.week[some][firsts])
    nothing = np.zeros(len(firsts))
    shape = Observations(
        cell=cell,
        cluster=numbered(cluster[firsts])[1],
        user=people[firsts],
        week=week,
        calendar=calendar,
        weight=nothing,
        y=nothing,
        x=changed[firsts],
        treated=selected.treated[some][firsts],
    )
    return Grid(some, place, len(firsts), shape)


def observe(selected: Selected, weight: Numbers, total: Numbers) -> Observations | None:
    """Means of `total / weight` to compare within cells. None: there is nothing."""
    laid = grid(selected, weight)
    return None if laid is None else laid.means(weight, total)
