"""What an effect is worth: time saved per developer and month, and how long people waited."""

from dataclasses import dataclass

import numpy as np

from innerloop_collector.analysis.impact.codes import distinct, grouped
from innerloop_collector.analysis.impact.estimates import Estimate
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Question
from innerloop_collector.analysis.impact.selection import counted, select, within

_MS_A_MINUTE = 60_000
_MOST = 20.0  # of a logarithm, as of percentages
WEEKS_A_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True)
class Saved:
    """Minutes that each developer saves in a month, negative where they lose some."""

    minutes: float
    low: float
    high: float
    developers: int  # who ran it since the change
    waited: float  # minutes that they spend on it in a month, with the change


def saved(panel: Panel, question: Question, effect: Estimate) -> Saved | None:
    """Put the effect on what completed runs took since the change. None: there were none."""
    selected = select(panel, question)
    changed = (selected.changed > 0) & (selected.panel.timed > 0)
    rows = selected.panel
    developers, weeks = len(distinct(rows.user[changed])), len(distinct(rows.week[changed]))
    if not developers:
        return None
    waited = float(rows.sum_ms[changed].sum()) / _MS_A_MINUTE / developers / weeks * WEEKS_A_MONTH
    # Without the change the same runs would have taken exp(-effect) times as long.
    value, low, high = (float(waited * np.expm1(min(-one, _MOST))) for one in (effect.value, effect.high, effect.low))
    return Saved(value, low, high, developers, waited)


@dataclass(frozen=True)
class Waited:
    """Minutes of waiting for treated runs, also for those that failed or were interrupted, per developer and week in which they ran anything. A description, no effect."""

    before: float
    after: float


def waited(panel: Panel, question: Question) -> Waited | None:
    """Describe waiting before and since. None: a side is empty."""
    rows = counted(panel, question)
    treated, after = rows & within(panel, question.treated), panel.week >= question.week
    sides = []
    for side in (~after, after):
        active = len(grouped([panel.user[rows & side], panel.week[rows & side]])[1])
        if not active:
            return None
        sides.append(float(panel.waited_ms[treated & side].sum()) / _MS_A_MINUTE / active)
    return Waited(*sides)
