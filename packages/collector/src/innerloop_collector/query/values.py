"""From what was published to values that may be shown."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.query.published import Count, Milliseconds, Minutes, People, Rate, View, seal
from innerloop_collector.query.releases.disclosure import STEP
from innerloop_collector.query.releases.document import Atom, Hidden, Release
from innerloop_collector.query.releases.shown import WHOLE, Key
from innerloop_collector.query.releases.sums import Quantile, Sum, summed


class Time(View, frozen=True):
    """A quantile of durations: within a published bin. None: the bin has no end."""

    about: Milliseconds | None
    at_least: Milliseconds
    at_most: Milliseconds | None


class FigureRow(View, frozen=True):
    """The figures of one cell. None: may not be shown, or cannot be told."""

    name: str
    runs: Count
    developers: People | None
    p50: Time | None
    p90: Time | None
    failure_rate: Rate | None
    waited: Minutes | None


class FigureTable(View, frozen=True):
    """The figures of a breakdown."""

    rows: tuple[FigureRow, ...]
    hidden: tuple[tuple[str, str], ...]  # name, and why


class Unit(View, frozen=True):
    """One release."""

    unit: str
    made: date
    whole: FigureRow | None
    commands: FigureTable
    targets: FigureTable


Atoms = Mapping[Key, Sequence[Atom]]


def by_key(releases: Iterable[Release]) -> dict[Key, list[Atom]]:
    """What was published of each cell."""
    out: dict[Key, list[Atom]] = {}
    for one in releases:
        for atom in one.atoms:
            out.setdefault((atom.breakdown, atom.name), []).append(atom)
    return out


def whole(releases: Sequence[Release]) -> FigureRow | None:
    """The figures of all runs."""
    return cell(releases, WHOLE)


def cell(releases: Sequence[Release], key: Key) -> FigureRow | None:
    """The figures of one cell. None: nothing of it is published."""
    atoms = by_key(releases).get(key)
    return figure_row(key, summed(atoms), _people(releases, key)) if atoms else None


def table(releases: Sequence[Release], breakdown: str) -> FigureTable:
    """The figures of a breakdown, and what is hidden in all of it."""
    cells = {key: atoms for key, atoms in by_key(releases).items() if key[0] == breakdown}
    rows = tuple(figure_row(key, summed(atoms), _people(releases, key)) for key, atoms in sorted(cells.items()))
    reasons = {(one.breakdown, one.name): _reason(one, release.k) for release in releases for one in release.hidden}
    return FigureTable(rows, tuple((key[1], why) for key, why in sorted(reasons.items()) if key[0] == breakdown and key not in cells))


def figure_row(key: Key, of: Sum, developers: People | None) -> FigureRow:
    """One cell's sum, as values."""
    return FigureRow(
        name=key[1],
        runs=seal(Count, of.runs or None),
        developers=developers,
        p50=_time(of.p50),
        p90=_time(of.p90),
        failure_rate=_rate(of.failure_rate),
        waited=None if of.waited_ms is None else seal(Minutes, round(three_digits(of.waited_ms) / 60_000, 4)),
    )


def failure_rate(releases: Iterable[Release], commands: Collection[str]) -> Rate | None:
    """Of some commands together. None: too few of their runs tell."""
    found = summed(
        [atom for (breakdown, name), atoms in by_key(releases).items() if breakdown == "command" and name in commands for atom in atoms]
    )
    return _rate(found.failure_rate)


def people(at_least: int) -> People:
    """A range of people, by its lower end."""
    return seal(People, (at_least, at_least + STEP - 1))


def _people(releases: Sequence[Release], key: Key) -> People | None:
    """How many were behind a cell, in the last block in which it was published."""
    found = [one.people[key[0]][key[1]] for one in releases if key[1] in one.people.get(key[0], {})]
    return people(found[-1]) if found else None


def _reason(one: Hidden, k: int) -> str:
    return one.rule.format(k=k)


def _time(of: Quantile | None) -> Time | None:
    if of is None:
        return None
    return Time(_milliseconds(of.value), seal(Milliseconds, round(of.low)), _milliseconds(of.high))


def _rate(value: float | None) -> Rate | None:
    return None if value is None else seal(Rate, round(value, 2))


def _milliseconds(value: float | None) -> Milliseconds | None:
    return None if value is None else seal(Milliseconds, three_digits(round(value)))
