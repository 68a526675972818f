"""Regression on sums, with an effect of each cell and of each week, and the jackknife over clusters.

A cell is what is compared with itself: a developer's runs of a target. A cluster is what was drawn or assigned as a whole: a developer, or a
project. Everything follows from one matrix of moments for each cluster, so that leaving a cluster out is a subtraction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from innerloop_collector.analysis.impact.codes import numbered
from innerloop_collector.analysis.impact.panel import Codes, Numbers, summed

_NOTHING = 1e-9  # a share of variation that is rounding
_AT_ONCE = 4_000_000  # numbers in the matrices of clusters that are made at a time


@dataclass(frozen=True, eq=False)
class Observations:
    """Means of runs. Rows are sorted by cell, cells by cluster; codes run from 0 without a gap; of no row is the weight 0."""

    cell: Codes
    cluster: Codes
    user: Codes
    week: Codes
    calendar: Codes  # the number of each of these weeks
    weight: Numbers
    y: Numbers
    x: Numbers  # 1 where the change is in effect
    treated: NDArray[np.bool_]  # the same for all rows of a cell

    @property
    def weeks(self) -> int:
        """How many weeks there are."""
        return len(self.calendar)

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max()) + 1

    def by_user(self) -> "Observations":
        """The same with developers as clusters."""
        order = np.lexsort((self.cell, self.user))
        cell, user = self.cell[order], self.user[order]
        numbers = np.cumsum(np.r_[False, cell[1:] != cell[:-1]])
        cluster = numbered(user)[1]
        rest = (self.week[order], self.calendar, self.weight[order], self.y[order], self.x[order], self.treated[order])
        return Observations(numbers, cluster, user, *rest)

    def having(self, x: Numbers) -> "Observations":
        """The same with another change."""
        return replace(self, x=x)


@dataclass(frozen=True, eq=False)
class Fit:
    """What the regression says of x, and how much each cluster adds to what is known."""

    value: float
    error: float  # by leaving out each cluster in turn, which is called CR3
    effective: float  # G*: as many equally informative clusters would tell as much
    largest: float  # the share of the most informative cluster
    clusters: int
    pull: Numbers  # by how much the value moves where all treated rows of a week do by 1


def fit(seen: Observations, nuisance: Numbers, totals: "Totals | None" = None) -> Fit | None:
    """Regress y on x with an effect of each cell and of the columns of `nuisance`, which has a row for each week. None: x cannot be told from those."""
    total = (totals or Totals.of(seen)).projected(nuisance)
    solved = _solved(total[None])
    if not solved.determined[0]:
        return None
    value, slopes = float(solved.value[0]), solved.slopes[0]
    squares, information = 0.0, []
    for of_clusters in _OfClusters(seen, nuisance).chunks():
        without = _solved(total - of_clusters)
        if not without.determined.all():
            return None
        squares += float(((without.value - value) ** 2).sum())
        information.append(_information(of_clusters, slopes))
    each = np.maximum(np.concatenate(information), 0.0)
    clusters = seen.clusters
    error = float(np.sqrt((clusters - 1) / clusters * squares))
    effective, largest = float(each.sum() ** 2 / (each**2).sum()), float(each.max() / each.sum())
    return Fit(value, error, effective, largest, clusters, _pull(seen, nuisance @ slopes))


def _pull(seen: Observations, explained: Numbers) -> Numbers:
    """What each week adds to the value, of treated rows. `explained` is what the nuisance says of x, by week."""
    left = seen.weight * _within(seen, seen.x - explained[seen.week])
    total = float(left @ seen.x)
    return summed(seen.week[seen.treated], left[seen.treated], seen.weeks) / total


def _within(seen: Observations, column: Numbers) -> Numbers:
    """A column without the means of its cells."""
    cells = int(seen.cell[-1]) + 1
    mean = summed(seen.cell, seen.weight * column, cells) / summed(seen.cell, seen.weight, cells)
    out: Numbers = column - mean[seen.cell]
    return out


def fitted(seen: Observations, nuisance: Numbers) -> tuple[float, Numbers]:
    """The coefficient of x, and what the regression expects of each row."""
    total = Totals.of(seen).projected(nuisance)
    slopes = np.linalg.lstsq(total[:-1, :-1], total[:-1, -1], rcond=_NOTHING)[0]
    left = seen.y - (nuisance @ slopes[:-1])[seen.week] - slopes[-1] * seen.x
    return float(slopes[-1]), seen.y - _within(seen, left)


def by_week(seen: Observations) -> Numbers:
    """Nuisance: an effect of each week."""
    return np.eye(seen.weeks)[:, 1:]


def by_trend(seen: Observations) -> Numbers:
    """Nuisance: a straight line through the calendar."""
    line: Numbers = (seen.calendar - seen.calendar.mean())[:, None].astype(np.float64)
    return line


@dataclass(frozen=True, eq=False)
class Totals:
    """The weighted products, within cells, of an effect of each week, x and y: of all cells, and of treated ones."""

    whole: Numbers
    treated: Numbers

    @staticmethod
    def of(seen: Observations) -> "Totals":
        """Add them up, some cells at a time."""
        weeks, size = seen.weeks, int(seen.cell[-1]) + 1
        nx, ny = seen.weight * seen.x, seen.weight * _within(seen, seen.y)
        treated = _raw(seen, (seen.weight * seen.treated, nx * seen.treated, ny * seen.treated))
        whole = _raw(seen, (seen.weight, nx, ny))
        weight = summed(seen.cell, seen.weight, size)
        of_cell = np.zeros(size, dtype=bool)
        of_cell[seen.cell] = seen.treated
        step = max(1, _AT_ONCE // (weeks + 2))
        for low in range(0, size, step):
            some, count = slice(*np.searchsorted(seen.cell, [low, low + step])), min(step, size - low)
            sums = (seen.weight[some], nx[some], ny[some])
            means = _cell_sums(seen.cell[some] - low, seen.week[some], sums, (count, weeks), weight[low : low + count])
            whole -= means.T @ means
            means = means[of_cell[low : low + count]]
            treated -= means.T @ means
        return Totals(whole, treated)

    def projected(self, nuisance: Numbers) -> Numbers:
        """Of all cells, with columns of the nuisance in place of weeks."""
        return _projected(self.whole, nuisance)

    def effects(self, products: Numbers) -> tuple[Numbers, Numbers]:
        """The weeks' effects on y and on x among some cells. A week without any: not a number."""
        weeks = len(products) - 2
        inside = products[:weeks, :weeks]
        effects = np.linalg.pinv(inside, rcond=_NOTHING, hermitian=True) @ products[:weeks, weeks:]
        effects[np.diag(inside) <= 0] = np.nan
        return effects[:, 1], effects[:, 0]

    def steps(self, nuisance: Numbers, steps: Sequence[Numbers]) -> list[float | None]:
        """The coefficients of other changes: of treated cells, in the weeks in which a step is 1. None: not determined."""
        weeks = len(self.whole) - 2
        found: list[float | None] = []
        for step in steps:
            moments = self.whole.copy()
            of_step = self.treated[:weeks, :weeks] @ step
            moments[:weeks, weeks] = moments[weeks, :weeks] = of_step
            moments[weeks, weeks] = step @ of_step
            moments[weeks, weeks + 1] = moments[weeks + 1, weeks] = step @ self.treated[:weeks, weeks + 1]
            solved = _solved(_projected(moments, nuisance)[None])
            found.append(float(solved.value[0]) if solved.determined[0] else None)
        return found


def _raw(seen: Observations, sums: tuple[Numbers, Numbers, Numbers]) -> Numbers:
    """The products before cells' means are taken away."""
    weeks, (n, nx, ny) = seen.weeks, sums
    out = np.zeros((weeks + 2, weeks + 2))
    out[np.arange(weeks), np.arange(weeks)] = summed(seen.week, n, weeks)
    out[:weeks, weeks], out[:weeks, weeks + 1] = summed(seen.week, nx, weeks), summed(seen.week, ny, weeks)
    out[weeks:, :weeks] = out[:weeks, weeks:].T
    y = np.divide(ny, n, out=np.zeros_like(ny), where=n > 0)
    out[weeks:, weeks:] = [[nx @ seen.x, nx @ y], [nx @ y, ny @ y]]
    return out


def _cell_sums(cell: Codes, week: Codes, sums: tuple[Numbers, Numbers, Numbers], shape: tuple[int, int], weight: Numbers) -> Numbers:
    """Of each cell its sums by week, of x and of y, divided by the root of its weight: their products are what the means take away."""
    cells, weeks = shape
    out = np.empty((cells, weeks + 2))
    out[:, :weeks] = _table(cell, week, sums[0], shape)
    out[:, weeks], out[:, weeks + 1] = summed(cell, sums[1], cells), summed(cell, sums[2], cells)
    out /= np.sqrt(np.where(weight > 0, weight, 1.0))[:, None]
    return out


class _OfClusters:
    """The same of each cluster, with the columns of a nuisance."""

    def __init__(self, seen: Observations, nuisance: Numbers) -> None:
        self._seen, self._nuisance = seen, nuisance
        self._row_ends = np.searchsorted(seen.cluster, np.arange(seen.clusters + 1))
        firsts = np.searchsorted(seen.cell, np.arange(int(seen.cell[-1]) + 1))
        self._cell_ends = np.searchsorted(seen.cluster[firsts], np.arange(seen.clusters + 1))
        y, nx = _within(seen, seen.y), seen.weight * seen.x
        self._sums = (seen.weight, nx, seen.weight * y)
        self._squares = (nx * seen.x, nx * y, seen.weight * y * y)

    def chunks(self) -> Iterator[Numbers]:
        step, count = max(1, _AT_ONCE // (self._seen.weeks + 2) ** 2), self._seen.clusters
        for low in range(0, count, step):
            yield self._of(low, min(low + step, count))

    def _of(self, low: int, high: int) -> Numbers:
        """The moments of clusters `low` to `high`."""
        rows, weeks = slice(self._row_ends[low], self._row_ends[high]), self._seen.weeks
        cells = self._cell_ends[low : high + 1] - self._cell_ends[low]
        cluster = self._seen.cluster[rows] - low
        week = self._seen.week[rows]
        n, nx, ny = (one[rows] for one in self._sums)
        nxx, nxy, nyy = (summed(cluster, one[rows], high - low) for one in self._squares)
        by_week = [_table(cluster, week, one, (high - low, weeks)) for one in (n, nx, ny)]
        raw = np.zeros((high - low, weeks + 2, weeks + 2))
        raw[:, np.arange(weeks), np.arange(weeks)] = by_week[0]
        raw[:, :weeks, weeks] = raw[:, weeks, :weeks] = by_week[1]
        raw[:, :weeks, weeks + 1] = raw[:, weeks + 1, :weeks] = by_week[2]
        raw[:, weeks, weeks], raw[:, weeks + 1, weeks + 1] = nxx, nyy
        raw[:, weeks, weeks + 1] = raw[:, weeks + 1, weeks] = nxy
        cell = self._seen.cell[rows] - self._seen.cell[rows.start]
        means = _cell_sums(cell, week, (n, nx, ny), (int(cells[-1]), weeks), summed(cell, n, int(cells[-1])))
        for number, (start, end) in enumerate(pairwise(cells)):
            raw[number] -= means[start:end].T @ means[start:end]
        return _projected(raw, self._nuisance)


def _projected(raw: Numbers, nuisance: Numbers) -> Numbers:
    """From an effect of each week to the columns of the nuisance."""
    weeks, columns = nuisance.shape
    turn = np.zeros((weeks + 2, columns + 2))
    turn[:weeks, :columns] = nuisance
    turn[weeks, columns] = turn[weeks + 1, columns + 1] = 1.0
    out: Numbers = turn.T @ raw @ turn
    return out


def _table(row: Codes, column: Codes, values: Numbers, shape: tuple[int, int]) -> Numbers:
    return summed(row * shape[1] + column, values, shape[0] * shape[1]).reshape(shape)


@dataclass(frozen=True, eq=False)
class _Solved:
    value: Numbers
    slopes: Numbers  # of x on the nuisance
    determined: NDArray[np.bool_]


def _solved(moments: Numbers) -> _Solved:
    """Solve the normal equations of each matrix. A nuisance that is not determined is left at nothing."""
    size = moments.shape[-1] - 2
    slopes: Numbers
    nuisance, rest = moments[:, :size, :size].copy(), moments[:, :size, size:]
    if size:
        places = np.arange(size)
        most = nuisance[:, places, places].max(axis=1, keepdims=True)
        nuisance[:, places, places] += np.maximum(most, 1e-300) * 1e-12
        slopes = np.asarray(np.linalg.solve(nuisance, rest), dtype=np.float64)
    else:
        slopes = rest
    xx, xy = moments[:, size, size], moments[:, size, size + 1]
    left = xx - (rest[:, :, 0] * slopes[:, :, 0]).sum(axis=1)
    determined = left > _NOTHING * np.maximum(xx, 1e-300)
    found = xy - (rest[:, :, 0] * slopes[:, :, 1]).sum(axis=1)
    value = np.divide(found, left, out=np.full_like(found, np.nan), where=determined)
    return _Solved(value, slopes[:, :, 0], determined)


def _information(moments: Numbers, slopes: Numbers) -> Numbers:
    """What each cluster adds to the sum of squares of x that is left when the nuisance is taken out."""
    turn = np.concatenate([-slopes, [1.0]])
    inner = moments[:, :-1, :-1]
    out: Numbers = np.einsum("i,nij,j->n", turn, inner, turn)
    return out
