"""How much there is to compare: counts, what is lacking, and what a reader should know of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.codes import common, distinct, numbered
from innerloop_collector.analysis.impact.estimates import Counts, Reason, Warned
from innerloop_collector.analysis.impact.panel import Codes, Numbers
from innerloop_collector.analysis.impact.question import Assignment, Exposure
from innerloop_collector.analysis.impact.selection import Selected

_SMALL_CONTROL = 0.2
_CHANGED_USERS = 0.1
_MANY_INTERRUPTED = 0.2
_MOVED = 0.05
_MOST_UNKNOWN = 0.5
_SOME_UNKNOWN = 0.1
FEW_PROJECTS = 20
_ALL_EXPOSED = 0.95
LEAST_EXPOSED = 0.2  # a share of runs below which a change has not arrived, and by which nothing is divided

Lacking = tuple[Reason, float, float]


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of what is compared."""

    counts: Counts
    lacking: Lacking | None
    warnings: tuple[Warned, ...]
    users_by_week: Mapping[int, int]  # on the side that has fewer


def tally(selected: Selected, weight: Numbers) -> Tally:
    """Count runs that weigh something: treated ones before and after, control ones, and whose they are."""
    panel, some = selected.panel, weight > 0
    treated, control = some & selected.treated, some & ~selected.treated
    changed = selected.changed > 0
    before, after = treated & ~changed, treated & changed
    both = common(panel.user[before], panel.user[after])
    weeks = distinct(panel.week[some])
    treated_weeks = distinct(panel.week[treated])
    counts = Counts(
        users=len(both),
        runs_before=round(float(weight[before].sum())),
        runs_after=round(float(weight[after].sum())),
        weeks_before=int((treated_weeks < selected.question.week).sum()),
        weeks_after=int((treated_weeks >= selected.question.week).sum()),
    )
    return Tally(
        counts,
        _lacking(selected, counts, weight, treated, control),
        tuple(_warnings(selected, weight)),
        _users_by_week(selected, treated, control, weeks),
    )


def _lacking(selected: Selected, counts: Counts, weight: Numbers, treated: NDArray[np.bool_], control: NDArray[np.bool_]) -> Lacking | None:
    question, limits = selected.question, selected.question.limits
    by_exposure = question.exposure is Exposure.BY_EXPOSURE
    asked: list[Lacking] = [
        (Reason.NO_TREATED_RUNS, 1, float(treated.sum())),
        (Reason.TOO_FEW_WEEKS_BEFORE, limits.weeks_before, counts.weeks_before),
        (Reason.TOO_FEW_WEEKS_AFTER, limits.weeks_after, counts.weeks_after),
    ]
    if question.control is not None:
        asked.append((Reason.NO_CONTROL_RUNS, 1, min(float((control & side).sum()) for side in (selected.after, ~selected.after))))
    if question.same_work:
        asked.append((Reason.WORK_UNKNOWN, 1 - _MOST_UNKNOWN, _share(weight * (selected.panel.work >= 0), weight, treated)))
    if barely := hardly_exposed(selected):
        asked.append(barely)
    if by_exposure:
        asked.insert(1, (Reason.EXPOSURE_UNKNOWN, 1 - _MOST_UNKNOWN, 1 - selected.unknown_share))
        asked.append((Reason.NOTHING_EXPOSED, 1, counts.runs_after))
    asked.append((Reason.TOO_FEW_USERS, limits.users, counts.users))
    asked.append((Reason.TOO_FEW_RUNS, limits.runs, min(counts.runs_before, counts.runs_after)))
    if question.assignment is Assignment.PROJECT:
        sides = [len(distinct(selected.panel.project[side])) for side in (treated, control)]
        asked.append((Reason.TOO_FEW_PROJECTS, limits.projects, sum(sides)))
        asked.append((Reason.TOO_FEW_PROJECTS, 2, min(sides)))
    return next((one for one in asked if one[2] < one[1]), None)


def hardly_exposed(selected: Selected) -> Lacking | None:
    """By date: too little has the change yet for anything to be said of it, and least of all that it changed nothing. None: it has arrived, or nobody knows."""
    share = selected.exposed_share
    if selected.question.exposure is Exposure.BY_EXPOSURE or share is None or share >= LEAST_EXPOSED:
        return None
    return Reason.HARDLY_EXPOSED, LEAST_EXPOSED, share


def exposed_in_part(selected: Selected) -> bool:
    """Whether what is asked by date is about a team that a change has not reached as a whole."""
    by_date = selected.question.exposure is Exposure.BY_DATE
    return by_date and selected.exposed_share is not None and selected.exposed_share < _ALL_EXPOSED


def _users_by_week(selected: Selected, treated: NDArray[np.bool_], control: NDArray[np.bool_], weeks: Codes) -> dict[int, int]:
    sides = [treated] if selected.question.control is None else [treated, control]
    fewest = np.min([_users(selected, side, weeks) for side in sides], axis=0)
    return {int(week): int(users) for week, users in zip(weeks, fewest, strict=True)}


def _users(selected: Selected, side: NDArray[np.bool_], weeks: Codes) -> Codes:
    """How many developers there are in each week."""
    place = np.searchsorted(weeks, selected.panel.week[side])
    pairs = distinct(numbered(selected.panel.user[side])[1] * len(weeks) + place)
    return np.bincount(pairs % len(weeks), minlength=len(weeks)).astype(np.int64)


def _warnings(selected: Selected, weight: Numbers) -> list[Warned]:
    panel, late = selected.panel, selected.after
    treated = selected.treated & (weight > 0)
    users = [distinct(panel.user[treated & side]) for side in (~late, late)]
    stayed = common(users[0], users[1])
    stopped = [_share(panel.stopped, panel.timed + panel.stopped, selected.treated & side) for side in (~late, late)]
    control = float(weight[~selected.treated].sum()) / max(float(weight.sum()), 1.0)
    weeks = distinct(panel.week[treated])
    span = set(range(int(weeks[0]), int(weeks[-1]) + 1)) - selected.question.dropped if len(weeks) else set()
    signs = {
        Warned.SMALL_CONTROL: selected.question.control is not None and control < _SMALL_CONTROL,
        Warned.USERS_CHANGED: any(len(stayed) < (1 - _CHANGED_USERS) * len(one) for one in users),
        Warned.MANY_INTERRUPTED: max(stopped) > _MANY_INTERRUPTED,
        Warned.INTERRUPTIONS_MOVED: abs(stopped[1] - stopped[0]) > _MOVED,
        Warned.WEEKS_MISSING: len(span) > len(weeks),
        Warned.EXPOSED_IN_PART: exposed_in_part(selected),
        Warned.FIRST_RUNS_UNKNOWN: selected.question.exposure is Exposure.BY_EXPOSURE and not selected.firsts_known,
        Warned.EXPOSURE_PARTLY_UNKNOWN: _SOME_UNKNOWN
        < selected.unknown_share
        < (1 if selected.question.exposure is Exposure.BY_DATE else 2),
    }
    return [warned for warned, seen in signs.items() if seen]


def _share(part: Numbers, whole: Numbers, rows: NDArray[np.bool_]) -> float:
    return float(part[rows].sum()) / max(float(whole[rows].sum()), 1.0)
