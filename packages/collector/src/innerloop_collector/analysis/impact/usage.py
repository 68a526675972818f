"""How much something is run."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.codes import common, distinct, grouped, numbered
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.estimates import Answer, Counts, Estimate, Label, Reason, Refusal, Warned, Width
from innerloop_collector.analysis.impact.intervals import Uncertainty, wider
from innerloop_collector.analysis.impact.panel import Numbers, Panel, summed
from innerloop_collector.analysis.impact.question import Assignment, Exposure, Metric, Question
from innerloop_collector.analysis.impact.selection import Selected, counted, select
from innerloop_collector.analysis.impact.tally import FEW_PROJECTS, Lacking, exposed_in_part, hardly_exposed
from innerloop_collector.analysis.impact.weekly import regressed

_FEW_EFFECTIVE_USERS = 15
_NOTHING = 1e-9  # an error that is rounding


def usage(panel: Panel, question: Question) -> Answer:
    """Compare numbers of runs, as the logarithm of a ratio of ratios: treated to control, after to before. Of developers who were seen before and after.

    Without controls: runs per developer and week in which they ran anything.
    """
    question = replace(question, exposure=Exposure.BY_DATE)
    control = question.control is not None
    label = Label.EFFECT if control else Label.CHANGE
    selected = select(panel, question)
    beside = _Beside(selected, _activity(panel, question) if not control else None)
    counts = beside.counts()
    if lacking := _lacking(beside, counts, question):
        return Refusal(Metric.USAGE, label, question.exposure, *lacking, counts)
    value, errors = beside.ratio()
    if errors is None or errors <= _NOTHING:
        reason = Reason.NOT_DETERMINED if errors is None else Reason.NO_VARIATION
        return Refusal(Metric.USAGE, label, question.exposure, reason, counts=counts)
    effective = beside.effective()
    counts = replace(counts, effective_users=effective)
    if effective < question.limits.effective_users:
        return Refusal(
            Metric.USAGE, label, question.exposure, Reason.TOO_FEW_EFFECTIVE_USERS, question.limits.effective_users, effective, counts
        )
    weeks = beside.by_week()
    interval = wider(value, Uncertainty(errors, beside.freedom()), weeks, question.level)
    signs = {
        Warned.NO_CONTROL: not control,
        Warned.FEW_EFFECTIVE_USERS: effective < _FEW_EFFECTIVE_USERS,
        Warned.FEW_PROJECTS: counts.projects is not None and counts.projects < FEW_PROJECTS,
        Warned.EXPOSED_IN_PART: exposed_in_part(selected),
        Warned.USERS_ONLY: weeks is None,
    }
    return Estimate(
        metric=Metric.USAGE,
        label=label,
        exposure=question.exposure,
        assignment=question.assignment,
        value=value,
        low=interval.low,
        high=interval.high,
        confidence=1 - question.level,
        p=interval.p,
        detectable=interval.detectable,
        width=Width.WEEKS if interval.by_weeks else Width.USERS,
        counts=counts,
        warnings=tuple(warned for warned, seen in signs.items() if seen),
        exposed_share=selected.exposed_share,
        exposed_before=selected.exposed_before,
    )


def _activity(panel: Panel, question: Question) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Developers and weeks in which they ran anything at all, once each."""
    weeks = counted(panel, question)
    user, week = panel.user[weeks], panel.week[weeks]
    firsts = grouped([user, week])[1]
    return user[firsts], week[firsts]


class _Beside:
    """Treated runs, and what they are set against, of developers (or projects) that were seen before and after."""

    def __init__(self, selected: Selected, activity: tuple[NDArray[np.int64], NDArray[np.int64]] | None) -> None:
        self._question = selected.question
        self.hardly = hardly_exposed(selected)
        panel = selected.panel
        treated = selected.treated
        user, week, amount = panel.user, panel.week, panel.runs
        project = panel.project
        if activity is not None:
            pairs = len(activity[0])
            user, week = np.r_[user[treated], activity[0]], np.r_[week[treated], activity[1]]
            amount = np.r_[amount[treated], np.ones(pairs)]
            project = np.r_[project[treated], np.zeros(pairs, dtype=np.int64)]
            treated = np.r_[np.ones(int(treated.sum()), dtype=bool), np.zeros(pairs, dtype=bool)]
        after = week >= self._question.week
        self._seen = (week[treated & (amount > 0)], float(amount[treated].sum()))
        both = common(user[~after & (amount > 0)], user[after & (amount > 0)])
        kept = among(user, both.tolist())
        self._week, self._treated, self._after, self._amount = week[kept], treated[kept], after[kept], amount[kept]
        self.users = len(both)
        self._user = np.searchsorted(both, user[kept])
        self._by_project = self._question.assignment is Assignment.PROJECT
        self._unit = numbered(project[kept])[1] if self._by_project else self._user
        self.units = int(self._unit.max()) + 1 if len(self._unit) else 0

    def _of_units(self) -> Numbers:
        """A row for each unit: treated after, treated before, control after, control before."""
        columns = [self._treated & self._after, self._treated & ~self._after, ~self._treated & self._after, ~self._treated & ~self._after]
        return np.stack([summed(self._unit, self._amount * one, self.units) for one in columns], axis=1)

    def ratio(self) -> tuple[float, float | None]:
        """The logarithm and its error by leaving out each unit in turn. None: without one of them there is nothing to compare."""
        each = self._of_units()
        total = each.sum(axis=0)
        without = total - each
        if (without <= 0).any():
            return 0.0, None
        signs = np.array([1.0, -1.0, -1.0, 1.0])
        value = float(np.log(total) @ signs)
        left = np.log(without) @ signs
        count = len(left)
        return value, float(np.sqrt((count - 1) / count * ((left - value) ** 2).sum()))

    def effective(self) -> float:
        """As many equally active developers there are."""
        each = summed(self._user, self._amount * self._treated, self.users)
        return float(each.sum() ** 2 / (each**2).sum())

    def freedom(self) -> float:
        """Degrees of freedom of the jackknife: the side of which fewer tell knows least."""
        least = min(self.effective_units()) - 1
        return max(min(least, self.units - 2) if self._by_project else least, 1.0)

    def effective_units(self) -> tuple[float, float]:
        """As many equally active ones there are on either side."""
        sides = (self._of_units()[:, some].sum(axis=1) for some in (slice(0, 2), slice(2, 4)))
        of_treated, of_control = (float(each.sum() ** 2 / max(float((each**2).sum()), 1e-300)) for each in sides)
        return of_treated, of_control

    def projects(self) -> tuple[int, int]:
        """How many there are on either side."""
        sides = self._of_units()
        return int((sides[:, :2].sum(axis=1) > 0).sum()), int((sides[:, 2:].sum(axis=1) > 0).sum())

    def counts(self) -> Counts:
        """How much there is."""
        each = self._of_units().sum(axis=0) if self.units else np.zeros(4)
        weeks = distinct(self._seen[0])
        early = int((weeks < self._question.week).sum())
        projects = sum(self.projects()) if self._by_project else None
        effective = sum(self.effective_units()) if self._by_project else None
        return Counts(
            self.users,
            round(float(each[1])),
            round(float(each[0])),
            early,
            len(weeks) - early,
            projects=projects,
            effective_projects=effective,
        )

    def lacking_controls(self) -> bool:
        """Whether there is nothing to set against, before or since."""
        return bool((self._of_units()[:, 2:].sum(axis=0) <= 0).any())

    @property
    def treated_runs(self) -> float:
        """How many treated runs there are, also of developers who were seen on one side alone."""
        return self._seen[1]

    def by_week(self) -> Uncertainty | None:
        """How much weeks differ: the same logarithms, week by week."""
        weeks = distinct(self._week)
        place = np.searchsorted(weeks, self._week)
        treated, control = (summed(place, self._amount * side, len(weeks)) for side in (self._treated, ~self._treated))
        gaps = np.full(len(weeks), np.nan)
        some = (treated > 0) & (control > 0)
        gaps[some] = np.log(treated[some] / control[some])
        found = regressed(gaps, weeks, self._question.week, (weeks >= self._question.week).astype(np.float64), trend=False)
        return found.uncertainty if found else None


def _lacking(beside: _Beside, counts: Counts, question: Question) -> Lacking | None:
    limits = question.limits
    asked: list[Lacking] = [
        (Reason.NO_TREATED_RUNS, 1, beside.treated_runs),
        (Reason.TOO_FEW_WEEKS_BEFORE, limits.weeks_before, counts.weeks_before),
        (Reason.TOO_FEW_WEEKS_AFTER, limits.weeks_after, counts.weeks_after),
        *([beside.hardly] if beside.hardly else []),
        (Reason.TOO_FEW_USERS, limits.users, counts.users),
        (Reason.NO_CONTROL_RUNS, 1, float(not beside.lacking_controls())),
        (Reason.TOO_FEW_RUNS, limits.runs, min(counts.runs_before, counts.runs_after)),
    ]
    if question.assignment is Assignment.PROJECT:
        asked.append((Reason.TOO_FEW_PROJECTS, limits.projects, sum(beside.projects())))
        asked.append((Reason.TOO_FEW_PROJECTS, 2, min(beside.projects())))
        asked.append((Reason.TOO_FEW_PROJECTS, limits.effective_projects, sum(beside.effective_units())))
    return next((one for one in asked if one[2] < one[1]), None)
