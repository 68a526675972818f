"""From what was published to values that may be shown."""

from collections.abc import Collection, Iterable, Sequence
from math import ceil, floor
from typing import Any

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.query.figure_tables import Band, Bin, Class, FigureRow, FigureTable, RateRange, Spread, Time, Tries, Waited
from innerloop_collector.query.published import Count, Milliseconds, Minutes, People, Rate, Ratio, seal
from innerloop_collector.query.releases import sums
from innerloop_collector.query.releases.bands import bands
from innerloop_collector.query.releases.developer_weeks import developer_weeks
from innerloop_collector.query.releases.disclosure import STEP
from innerloop_collector.query.releases.document import Atom, Hidden, Release
from innerloop_collector.query.releases.shown import WHOLE, Key
from innerloop_collector.query.releases.split_sums import Share, chains_given_up, first_time, shares, splits_of
from innerloop_collector.query.releases.sums import Quantile, rounding_ms, summed
from innerloop_collector.query.releases.uncertainty import chance, ratio

AGENT: Key = ("actor", "agent")
_WAITED_FOR = (WHOLE[0], "command")  # breakdowns of what people wait for as a whole


def atoms_of(releases: Iterable[Release], key: Key) -> list[Atom]:
    """What was published of a cell."""
    return [atom for one in releases for atom in one.cells.get(key, ())]


def names(releases: Iterable[Release], breakdown: str) -> tuple[str, ...]:
    """Of which cells of a breakdown something is published."""
    return tuple(sorted({name for one in releases for by, name in one.cells if by == breakdown}))


def whole(releases: Sequence[Release]) -> FigureRow | None:
    """The figures of all runs."""
    return cell(releases, WHOLE)


def cell(releases: Sequence[Release], key: Key) -> FigureRow | None:
    """The figures of one cell. None: nothing of it is published."""
    atoms = atoms_of(releases, key)
    return _row(releases, key, atoms) if atoms else None


def table(releases: Sequence[Release], breakdown: str) -> FigureTable:
    """The figures of a breakdown, and what is hidden in all of it."""
    cells = [(breakdown, name) for name in names(releases, breakdown)]
    rows = tuple(_row(releases, key, atoms_of(releases, key)) for key in cells)
    reasons = {(one.breakdown, one.name): _reason(one, release.k) for release in releases for one in release.hidden}
    return FigureTable(rows, tuple((key[1], why) for key, why in sorted(reasons.items()) if key[0] == breakdown and key not in cells))


def distribution(releases: Sequence[Release], key: Key) -> tuple[Bin, ...]:
    """A cell's runs by how long they took. Empty: nothing of it is published, or its durations cannot be told apart."""
    timed = summed(atoms_of(releases, key)).timed
    whole = sum(one.runs for one in timed)
    if len(timed) < 2 or not whole:
        return ()
    return tuple(
        Bin(
            Time(None, seal(Milliseconds, round(one.low_ms)), _milliseconds(one.high_ms)),
            seal(Count, one.runs or None),
            seal(Rate, round(one.runs / whole, 2)),
            one.mixed,
        )
        for one in timed
    )


def agents(releases: Iterable[Release]) -> FigureRow | None:
    """The figures of coding agents, by the people they work for. They are published by the block."""
    atoms = [one.agents for one in releases if one.agents is not None]
    return _row([], AGENT, atoms) if atoms else None


def jobs(releases: Iterable[Release]) -> Count | None:
    """How many runs there were in CI. They are published by the block."""
    found = [one.jobs for one in releases if one.jobs is not None]
    return seal(Count, sum(found) or None) if found else None


def failure_rate(releases: Sequence[Release], commands: Collection[str]) -> tuple[Rate | None, RateRange | None]:
    """Of some commands together, and between what it lies. None: too few of their runs tell."""
    found = summed(_of_commands(releases, commands))
    return _rate(found.failures), _range(found.failures, _number(releases, WHOLE))


def _of_commands(releases: Sequence[Release], commands: Collection[str]) -> list[Atom]:
    return [atom for name in names(releases, "command") if name in commands for atom in atoms_of(releases, ("command", name))]


def across(many: Sequence[tuple[Sequence[Release], Collection[str]]]) -> tuple[FigureRow | None, Rate | None, RateRange | None]:
    """The sums of some projects' whole figures, and how often some commands of each failed. People are not added up: one may work on several.

    So chance is taken as if there were only those of the largest project.
    """
    atoms = [atom for releases, _ in many for atom in atoms_of(releases, WHOLE)]
    found = summed([atom for releases, commands in many for atom in _of_commands(releases, commands)])
    developers = max((_number(releases, WHOLE) or 0 for releases, _ in many), default=0)
    return _row([], WHOLE, atoms) if atoms else None, _rate(found.failures), _range(found.failures, developers)


def people(at_least: int) -> People:
    """A range of people, by its lower end."""
    return seal(People, (at_least, at_least + STEP - 1))


def count(runs: int) -> Count:
    """A published count. Less than a step is none that is shown."""
    return seal(Count, runs if runs >= STEP else None)


def part_of(developers: People | None, headcount: int | None) -> RateRange | None:
    """How many of those who are there take part."""
    if developers is None or not headcount:
        return None
    low, high = (seal(Rate, round(min(number / headcount, 1.0), 2)) for number in developers.value)
    return RateRange(low, high)


def _row(releases: Sequence[Release], key: Key, atoms: Sequence[Atom]) -> FigureRow:
    """One cell's sum, as values."""
    of, number = summed(atoms), _number(releases, key)
    return FigureRow(
        name=key[1],
        runs=seal(Count, of.runs or None),
        developers=None if number is None else people(number),
        p50=_time(of.p50),
        p90=_time(of.p90),
        failure_rate=_rate(of.failures),
        waited=None if of.waited_ms is None else minutes(of.waited_ms),
        failure_range=_range(of.failures, number),
        spread=_spread(of.p90, of.p50),
        critical=_critical(releases, key[1]) if key[0] == "target" else None,
        **(_of_waiting(releases, key, of, number) if key[0] in _WAITED_FOR else {}),
    )


def _of_waiting(releases: Sequence[Release], key: Key, of: sums.Sum, developers: int | None) -> dict[str, Any]:
    """What is told of all runs and of commands only."""
    return {
        "waited_per_developer_week": _per_developer_week(releases, key),
        "bands": tuple(
            Band(
                name,
                seal(Count, one.runs or None) if one else None,
                seal(Rate, round(one.share, 2)) if one else None,
                Waited(None, minutes(one.least_ms), None if one.most_ms is None else minutes(one.most_ms)) if one else None,
            )
            for name, one in bands(of.timed)
        ),
        "tries": _tries(releases, key, developers),
    }


def _critical(releases: Iterable[Release], target: str) -> Minutes | None:
    """A target's own time on the critical path, in the blocks that tell it."""
    found = [one.critical[target] for one in releases if target in one.critical]
    return minutes(sum(found)) if found else None


def _tries(releases: Sequence[Release], key: Key, developers: int | None) -> Tries | None:
    """How successes come about, from the blocks that say so."""
    found, chains = splits_of(releases, key), splits_of(releases, key, both=True)
    if not any(found.values()):
        return None
    first, given_up = first_time(chains), chains_given_up(chains)
    solved, green, stopped = (tuple(map(_class, shares(split, found[split]))) for split in ("solved", "green", "stopped"))
    count = None if given_up is None else seal(Count, given_up or None)
    return Tries(_rate(first), _range(first, developers), solved, count, green, stopped)


def _class(of: Share) -> Class:
    return Class(of.name, seal(Count, of.runs or None), seal(Rate, round(of.share, 2)))


def _number(releases: Sequence[Release], key: Key) -> int | None:
    """How many people at least were behind a cell, in the last block in which it was published."""
    found = [one.people[key[0]][key[1]] for one in releases if key[1] in one.people.get(key[0], {})]
    return found[-1] if found else None


def _per_developer_week(releases: Sequence[Release], key: Key) -> Waited | None:
    found = developer_weeks(releases, key)
    if found is None or not found.low or any(one.waited_ms is None for one in found.atoms):
        return None
    waited = sum(one.waited_ms or 0 for one in found.atoms)
    off = rounding_ms(found.atoms)
    return Waited(*map(minutes, (2 * waited / (found.low + found.high), (waited - off) / found.high, (waited + off) / found.low)))


def _reason(one: Hidden, k: int) -> str:
    return one.rule.format(k=k)


def _time(of: Quantile | None) -> Time | None:
    if of is None:
        return None
    return Time(_milliseconds(of.value), seal(Milliseconds, round(of.low)), _milliseconds(of.high))


def _spread(p90: Quantile | None, p50: Quantile | None) -> Spread | None:
    if p90 is None or p50 is None:
        return None
    low, about, high = ratio(p90, p50)
    tenth = None if about is None else seal(Ratio, round(about, 1))
    return Spread(tenth, seal(Ratio, floor(low * 10) / 10), None if high is None else seal(Ratio, ceil(high * 10) / 10))


def _rate(of: sums.Rate | None) -> Rate | None:
    return None if of is None else seal(Rate, round(of.value, 2))


def _range(of: sums.Rate | None, developers: int | None) -> RateRange | None:
    if of is None or not developers:
        return None
    low, high = chance(of, developers)
    return RateRange(seal(Rate, round(low, 2)), seal(Rate, round(high, 2)))


def minutes(milliseconds: float) -> Minutes:
    """A published sum of time, to three digits."""
    return seal(Minutes, round(three_digits(round(milliseconds)) / 60_000, 4))


def _milliseconds(value: float | None) -> Milliseconds | None:
    return None if value is None else seal(Milliseconds, three_digits(round(value)))
