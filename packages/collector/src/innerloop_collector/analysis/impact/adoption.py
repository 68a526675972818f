"""By how many something is run."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import bdtr

from innerloop_collector.analysis.impact.codes import distinct
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.estimates import Answer, Counts, Estimate, Label, Reason, Refusal, Warned, Width
from innerloop_collector.analysis.impact.intervals import normal_quantile
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Exposure, Metric, Question
from innerloop_collector.analysis.impact.selection import counted, select, within
from innerloop_collector.analysis.impact.tally import Lacking, exposed_in_part, hardly_exposed


@dataclass(frozen=True)
class Newcomers:
    """Developers who were not there before: which share ran it, with Wilson's interval."""

    users: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Adoption:
    """Who ran it: the same developers before and after, and newcomers beside them. Each in as many weeks."""

    answer: Answer
    before: float | None
    after: float | None
    newcomers: Newcomers | None


def adoption(panel: Panel, question: Question) -> Adoption:
    """Compare the share of developers who ran it at all, before and after, of those who ran anything in both windows; these are equally long."""
    question = replace(question, exposure=Exposure.BY_DATE)
    rows = counted(panel, question)
    treated = rows & within(panel, question.treated)
    weeks = distinct(panel.week[rows])
    each = int((weeks < question.week).sum()), int((weeks >= question.week).sum())
    span = min(each)
    early, late = weeks[weeks < question.week][-span:] if span else weeks[:0], weeks[weeks >= question.week][:span]
    sides = [among(panel.week, one.tolist()) for one in (early, late)]
    there = [set(distinct(panel.user[rows & side]).tolist()) for side in sides]
    ran = [set(distinct(panel.user[treated & side]).tolist()) for side in sides]
    both = there[0] & there[1]
    counts = Counts(
        len(both), round(float(panel.runs[treated & sides[0]].sum())), round(float(panel.runs[treated & sides[1]].sum())), span, span
    )
    fresh = _newcomers(len(there[1] - there[0]), len(ran[1] - there[0]), question)
    selected = select(panel, question)
    hardly = hardly_exposed(selected)
    needed: tuple[Lacking, ...] = (
        (Reason.TOO_FEW_WEEKS_BEFORE, question.limits.weeks_after, each[0]),  # as many as since: no trend is taken from them
        (Reason.TOO_FEW_WEEKS_AFTER, question.limits.weeks_after, each[1]),
        *([hardly] if hardly else []),
        (Reason.TOO_FEW_USERS, question.limits.users, len(both)),
    )
    for reason, least, found in needed:
        if found < least:
            return Adoption(Refusal(Metric.ADOPTION, Label.CHANGE, question.exposure, reason, least, found, counts), None, None, fresh)
    started, stopped = len((ran[1] - ran[0]) & both), len((ran[0] - ran[1]) & both)
    answer = paired(len(ran[0] & ran[1] & both), started, stopped, len(both), question, counts)
    if isinstance(answer, Estimate) and exposed_in_part(selected):
        answer = replace(answer, warnings=(*answer.warnings, Warned.EXPOSED_IN_PART))
    return Adoption(answer, len(ran[0] & both) / len(both), len(ran[1] & both) / len(both), fresh)


def paired(stayed: int, started: int, stopped: int, users: int, question: Question, counts: Counts) -> Answer:
    """Compare shares of the same developers: so many ran it in both windows, so many in the later or the earlier one alone.

    The test is McNemar's, exact; where it sees nothing the interval, which is Newcombe's (1998, of paired shares), reaches 0.
    """
    moved = started + stopped
    if not moved:
        return Refusal(Metric.ADOPTION, Label.CHANGE, question.exposure, Reason.NO_VARIATION, counts=counts)
    value = (started - stopped) / users
    p = min(1.0, 2 * float(bdtr(min(started, stopped), moved, 0.5)))
    z = normal_quantile(1 - question.level / 2)
    low, high = _newcombe(stayed, started, stopped, users, z)
    if p > question.level:
        low, high = min(low, 0.0), max(high, 0.0)
    return Estimate(
        metric=Metric.ADOPTION,
        label=Label.CHANGE,
        exposure=question.exposure,
        assignment=question.assignment,
        value=value,
        low=max(low, -1.0),
        high=min(high, 1.0),
        confidence=1 - question.level,
        p=p,
        # Where all moved one way nothing scatters, which says little of how many would have to move: one more that does.
        detectable=(z + normal_quantile(0.8)) * float(np.sqrt(moved + 1)) / users,
        width=Width.USERS,
        counts=replace(counts, effective_users=float(users)),
        warnings=(Warned.NO_CONTROL,),
    )


def _newcombe(stayed: int, started: int, stopped: int, users: int, z: float) -> tuple[float, float]:
    """The interval of a difference of paired shares, from Wilson's of each: it has a width also where all moved one way."""
    late, early = _wilson(stayed + started, users, z), _wilson(stayed + stopped, users, z)
    after, before, never = (stayed + started) / users, (stayed + stopped) / users, users - stayed - started - stopped
    product = stayed * never - started * stopped
    corrected = max(product - users / 2, 0.0) if product > 0 else float(product)
    size = np.sqrt(float((stayed + started) * (stopped + never)) * float((stayed + stopped) * (started + never)))
    phi = corrected / size if size > 0 else 0.0

    def apart(one: float, other: float) -> float:
        return float(np.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0)))

    value = after - before
    return value - apart(after - late[0], early[1] - before), value + apart(late[1] - after, before - early[0])


def _newcomers(users: int, ran: int, question: Question) -> Newcomers | None:
    """Those who came since. None: fewer than may be told of."""
    if users < question.limits.users_a_week:
        return None
    z = normal_quantile(1 - question.level / 2)
    return Newcomers(users, ran / users, *_wilson(ran, users, z))


def _wilson(ran: int, users: int, z: float) -> tuple[float, float]:
    """Wilson's interval of a share."""
    share, scale = ran / users, 1 + z * z / users
    middle = (share + z * z / (2 * users)) / scale
    half = z / scale * float(np.sqrt(share * (1 - share) / users + z * z / (4 * users * users)))
    return max(0.0, middle - half), min(1.0, middle + half)
