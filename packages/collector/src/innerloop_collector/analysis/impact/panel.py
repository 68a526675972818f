"""What is known of runs, as sums: all that the estimators need, and no run.

A row is one developer, target, project, week, class of work and state of exposure. The estimators are exact on these sums: a regression
on the runs themselves gives the same numbers.
"""

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.question import Invalid

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Exposed(IntEnum):
    """Whether the checkout in which a run happened held the change."""

    UNKNOWN = -1
    NO = 0
    YES = 1
    FIRST = 2  # held it, and it is this developer's first such run of the target; where times are rounded, all runs of the first such hour


_CODES = ("user", "target", "project", "week", "work", "exposed")
_COUNTS = ("timed", "ended", "failed", "interrupted", "stopped")
_SUMS = ("sum_log", "sum_log2", "sum_ms", "waited_ms", "stopped_sum_log", "stopped_sum_log2")
_ROUNDING = 1e-9  # of sums, relative to their size


@dataclass(frozen=True, eq=False)
class Panel:
    """Sums of runs, one row for each developer, target, project, week, work and exposed. Arrays of one length, which nobody may write to.

    Logarithms are natural, of milliseconds, of which there is at least one: `log(max(ms, 1))`. Several rows may have the same codes: they add up.

    Raises Invalid where the numbers contradict each other.
    """

    user: Codes
    target: Codes
    project: Codes
    week: Codes  # a number; the next week has the next
    work: Codes  # the class of targets made, or -1 where it is not known
    exposed: Codes  # see Exposed
    timed: Numbers  # runs that ended with success and whose time is waiting: none of a session
    sum_log: Numbers  # of those
    sum_log2: Numbers  # sum of the squares of their logarithms
    sum_ms: Numbers  # of those
    ended: Numbers  # runs that ended by themselves, also of sessions
    failed: Numbers  # of those
    interrupted: Numbers  # runs that somebody or something stopped, also of sessions
    stopped: Numbers  # of those, the ones whose time until then is waiting: of none of a session it is known how long it would have taken
    stopped_sum_log: Numbers  # of those
    stopped_sum_log2: Numbers
    waited_ms: Numbers  # of all runs whose time is waiting, also failed and interrupted ones

    def __post_init__(self) -> None:
        for name in _CODES:
            self._set(name, np.int64)
        for name in (*_COUNTS, *_SUMS):
            self._set(name, np.float64)
        lengths = {one.name: len(getattr(self, one.name)) for one in fields(self)}
        if len(set(lengths.values())) > 1:
            raise Invalid("columns differ in length: " + ", ".join(f"{name} {length}" for name, length in lengths.items()))
        self._check()

    def _set(self, name: str, kind: Any) -> None:
        column = np.asarray(getattr(self, name))
        if column.ndim != 1:
            raise Invalid(f"{name} is not a column but has {column.ndim} dimensions")
        if column.dtype.kind not in "iubf":
            raise Invalid(f"{name} does not hold numbers but {column.dtype}")
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            raise Invalid(f"{name} holds a number that is missing or infinite")
        if kind is np.int64 and column.dtype.kind == "f" and (column != np.floor(column)).any():
            raise Invalid(f"{name} holds a number that is not whole")
        own = np.array(column, dtype=kind)
        own.setflags(write=False)
        object.__setattr__(self, name, own)

    def _check(self) -> None:
        for name in _CODES:
            least = {"week": None, "work": -1, "exposed": -1}.get(name, 0)
            _at_least(self, name, least)
        if (self.exposed > max(Exposed)).any():
            raise Invalid(f"exposed holds a number above {int(max(Exposed))}")
        for name in (*_COUNTS, *_SUMS):
            _at_least(self, name, 0)
        _no_more(self, "failed", self.ended, "ended")
        _no_more(self, "timed", self.ended - self.failed, "ended without failed")
        _no_more(self, "stopped", self.interrupted, "interrupted")
        _no_more(self, "sum_ms", self.waited_ms, "waited_ms")
        _squares(self.timed, self.sum_log, self.sum_log2, "sum_log")
        _squares(self.stopped, self.stopped_sum_log, self.stopped_sum_log2, "stopped_sum_log")

    def __len__(self) -> int:
        return len(self.user)

    @property
    def runs(self) -> Numbers:
        """Runs, however they ended."""
        return self.ended + self.interrupted

    def unexposed(self) -> "Panel":
        """The same, of which it is not known whether checkouts held the change."""
        return replace(self, exposed=np.full(len(self), int(Exposed.UNKNOWN)))

    def where(self, chosen: NDArray[np.bool_]) -> "Panel":
        """The rows that are chosen."""
        rows = object.__new__(Panel)  # its rows were checked when they came
        for one in fields(self):
            column = getattr(self, one.name)[chosen]
            column.setflags(write=False)
            object.__setattr__(rows, one.name, column)
        return rows


def summed(codes: Codes, values: NDArray[Any], size: int) -> Numbers:
    """Add the values up that have a code, for each code below `size`."""
    return np.bincount(codes, weights=values, minlength=size).astype(np.float64, copy=False)


def _at_least(panel: Panel, name: str, least: int | None) -> None:
    if least is not None and (getattr(panel, name) < least).any():
        raise Invalid(f"{name} holds a number below {least}")


def _no_more(panel: Panel, name: str, most: Numbers, what: str) -> None:
    column = getattr(panel, name)
    if (column > most + _ROUNDING * (1 + most)).any():
        raise Invalid(f"{name} is more than {what} in a row")


def _squares(n: Numbers, total: Numbers, squares: Numbers, name: str) -> None:
    """What sums of n numbers and of their squares must fulfil."""
    if ((n == 0) & ((total != 0) | (squares != 0))).any():
        raise Invalid(f"{name} is not 0 in a row that counts no such run")
    if (n * squares - total * total < -_ROUNDING * (1 + total * total)).any():
        raise Invalid(f"{name} and the sum of its squares contradict each other in a row")
