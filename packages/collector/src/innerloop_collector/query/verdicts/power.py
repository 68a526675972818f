# ruff: noqa: PLC0415 - who reads what was published need not wait for numpy and scipy to be imported
"""What could be seen of a change, told at registration from closed weeks: once for each question and block, however often it is asked."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from innerloop_collector.errors import UsageError
from innerloop_collector.query.releases.calendar import GRACE, block_of
from innerloop_collector.query.verdicts.looks import BEFORE, Change
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_publisher import Figures, Known, Source, checks_of, sums_of
from innerloop_collector.query.verdicts.verdict_views import DETECTABLE, Detectable

MOST_QUESTIONS = 20  # of a project in a block: what many have apart would tell of few people


class AskedEnoughError(UsageError):
    """More different questions were asked in a block than are answered."""


class Power:
    """Says how large a change must be to be found."""

    def __init__(self, source: Callable[[], Source], verdicts: Verdicts, figures: Figures, known: Known) -> None:
        self._source = source
        self._verdicts = verdicts
        self._figures = figures
        self._known = known

    def detectable(self, change: Change, today: date) -> Detectable:
        """What could be seen of a change of such commands, from the eight weeks before this block. What was told once in a block is told again.

        Raises UsageError for a project that is not there, and AskedEnoughError for a question too many.
        """
        if missing := set(change.projects) - self._known.settings().keys():
            raise UsageError(f"no project {min(missing)!r} here")
        end = block_of(today - GRACE).first
        unit = f"{DETECTABLE}/{block_of(end).name}/{_question(change)}"
        for told in self._verdicts.detectable(change.project, _question(change)):
            if told.unit == unit:
                return told
        if self._verdicts.asked(change.project, block_of(end).name) >= MOST_QUESTIONS:
            raise AskedEnoughError(
                f"what could be seen was told of {MOST_QUESTIONS} other questions about {change.project} in this block of weeks, and no more is "
                f"told before {block_of(end).end + GRACE}"
            )
        made = self._make(change, end, Detectable(change.project, unit, today, change.metric), today)
        self._verdicts.add(made)
        return made

    def told(self, change: Change) -> Detectable | None:
        """What was said last. None: nobody asked."""
        return next(reversed(self._verdicts.detectable(change.project, _question(change))), None)

    def _make(self, change: Change, end: date, blank: Detectable, today: date) -> Detectable:
        from innerloop_collector.query.verdicts.judgement import foreseen

        early = replace(change, day=end, in_checkout=False)
        span = (end - timedelta(weeks=BEFORE), end, self._known.committed())
        sums = sums_of(self._source(), self._figures, self._known, early, span, today)
        k = max(self._known.settings()[one].k for one in change.projects)
        return foreseen(blank, sums, early, checks_of(self._known, change, sums), k)


def _question(change: Change) -> str:
    """The same question has the same name."""
    asked = repr((sorted(change.affected), sorted(change.controls), change.metric, len(change.looks)))
    return hashlib.sha256(asked.encode()).hexdigest()[:12]
