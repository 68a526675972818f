# ruff: noqa: S608 - the text is ours, from constants; every value is a parameter
"""From rows to the sums that a verdict is made of: one GROUP BY for a project, by developer, name, week, class of work and exposure.

Developers, names and projects are numbers in what comes out, drawn anew each time; no id leaves this module. A run that was left alone (a prompt nobody answered, a
debugger) would say more than all others: no time counts for more than fifty times the median of its name.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from innerloop_collector.analysis.impact.panel import Exposed, Panel
from innerloop_collector.query.population import (
    AGREED,
    AWAKE,
    COUNTED,
    ENDED,
    FAILED,
    IN_SPAN,
    INTERRUPTED,
    KEPT,
    PERSON,
    REAL,
    SUCCEEDED,
    WAIT,
    Population,
    Store,
)
from innerloop_collector.query.verdicts.looks import Name

LEFT_ALONE = 50  # times the median of its name
_EPOCH = date(1970, 1, 5)  # a Monday
_WEEK = timedelta(weeks=1)
_TIMED = f"({SUCCEEDED} AND {AWAKE})"
_STOPPED = f"({INTERRUPTED} AND {AWAKE})"
_NAME = "if(kind = 'run', command, target)"
_ROWS = f"{REAL} AND {PERSON} AND kind IN ('run', 'target') AND {KEPT} AND {AGREED} AND {IN_SPAN} AND position <= {{upto:UInt64}}"
_NAMES = f"""SELECT kind, {_NAME} AS name, quantileExactIf(0.5)({WAIT}, {_TIMED}), countIf({_TIMED}) FROM events
    WHERE {_ROWS} AND ({{all:Bool}} AND (kind = 'run' OR {{made:Bool}}) OR name IN {{names:Array(String)}}) AND name NOT IN ('', 'other') GROUP BY kind, name ORDER BY kind, name"""
_HELD = "kind = 'run' AND plan IN {telling:Array(String)} AND has(changes, {change:String})"
_FIRST = f"min(if({_HELD}, corrected_time, NULL)) OVER (PARTITION BY installation, kind, name)"
_EXPOSED = f"""multiIf({{change:String}} = '' OR kind != 'run' OR NOT plan IN {{telling:Array(String)}}, {int(Exposed.UNKNOWN)},
    NOT has(changes, {{change:String}}), {int(Exposed.NO)}, corrected_time = first, {int(Exposed.FIRST)}, {int(Exposed.YES)})"""
_SUMS = f"""countIf({_TIMED}), sumIf(ln, {_TIMED}), sumIf(ln * ln, {_TIMED}), sumIf(ms, {_TIMED}), countIf({ENDED}), countIf({FAILED}), countIf({INTERRUPTED}),
    countIf({_STOPPED}), sumIf(ln, {_STOPPED}), sumIf(ln * ln, {_STOPPED}), sumIf(ms, {AWAKE})"""


@dataclass(frozen=True, slots=True)
class Span:
    """Which weeks are read, and up to which position."""

    first: date
    end: date
    upto: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """Which change's presence in a checkout is asked for, and the digests of the plans under which events tell it. Nothing tells: no change."""

    change: str = ""
    telling: tuple[str, ...] = ()


@dataclass(eq=False)
class Sums:
    """The panel of some projects, and what its numbers stand for. No number of a developer stands for anybody."""

    panel: Panel
    targets: dict[Name, int] = field(default_factory=dict)
    projects: dict[str, int] = field(default_factory=dict)

    def codes(self, names: Collection[Name]) -> frozenset[int]:
        """The numbers of those names that were seen."""
        return frozenset(self.targets[name] for name in names if name in self.targets)


def week_number(monday: date) -> int:
    """The number of a week in a panel."""
    return (monday - _EPOCH) // _WEEK


def monday_of(number: int) -> date:
    """The Monday of a numbered week."""
    return _EPOCH + _WEEK * number


class Statistics:
    """Reads sums for verdicts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(
        self,
        populations: Sequence[Population],
        names: Mapping[str, Collection[str]],
        span: Span,
        exposure: Exposure,
        *,
        targets: bool = False,
    ) -> Sums:
        """What the people of some projects add to some of their names; to all of their commands (and `targets`) where a project names none."""
        sums = _Collected()
        for people in populations:
            sums.add(people.project, self._rows(people, names.get(people.project, ()), span, exposure, made=targets))
        return sums.all()

    def _rows(self, people: Population, names: Collection[str], span: Span, exposure: Exposure, *, made: bool) -> list[Sequence[Any]]:
        parameters = {
            **people.parameters, "first": span.first, "end": span.end, "upto": span.upto, "sessions": [], "names": sorted(names), "all": not names, "made": made,
        }  # fmt: skip
        found = self._store.query(_NAMES, parameters)
        sessions = sorted(people.sessions({str(name) for kind, name, *_ in found if kind == "run"}))
        commands = {name for kind, name, *_ in found if kind == "run"}
        of_kind = {"run": commands, "target": {name for kind, name, *_ in found} - commands}  # a name that people type is a command
        most = [(kind, name, LEFT_ALONE * median) for kind, name, median, timed in found if name in of_kind[kind] and timed]
        parameters |= {
            "sessions": sessions, "commands": sorted(of_kind["run"]), "targets": sorted(of_kind["target"]),
            "limited": [f"{kind} {name}" for kind, name, _ in most], "limits": [float(limit) for *_, limit in most],
            "change": exposure.change if exposure.telling else "", "telling": list(exposure.telling),
        }  # fmt: skip
        return self._store.query(_sql(exposed=bool(exposure.change and exposure.telling)), parameters)


def _sql(*, exposed: bool) -> str:
    """The statement. Presence in a checkout is asked for only where something tells it."""
    limit = "transform(concat(kind, ' ', name), {limited:Array(String)}, {limits:Array(Float64)}, 1e18)"
    state = _EXPOSED if exposed else str(int(Exposed.UNKNOWN))
    columns = f"installation, kind, command, target, plan, exit_status, duration_ms, suspended, targets, corrected_time{', changes' if exposed else ''}"
    first = f", {_FIRST} AS first" if exposed else ""
    wanted = "(kind = 'run' AND command IN {commands:Array(String)} OR kind = 'target' AND target IN {targets:Array(String)})"
    return f"""SELECT installation, name, week, work, {state} AS exposed, {_SUMS} FROM (
        SELECT *, least(toFloat64({WAIT}), {limit}) AS ms, log(greatest(ms, 1)) AS ln FROM (
            SELECT {columns}, {_NAME} AS name, intDiv(toInt32(toMonday(corrected_time)) - toInt32(toDate('{_EPOCH}')), 7) AS week,
                if(kind = 'run' AND targets IS NOT NULL, toInt16(ceil(log2(assumeNotNull(targets) + 1))), -1) AS work{first}
            FROM events WHERE {_ROWS} AND {wanted} AND {COUNTED}))
    GROUP BY installation, name, week, work, exposed ORDER BY installation, name, week, work, exposed"""


class _Collected:
    """Gives developers, names and projects numbers."""

    def __init__(self) -> None:
        self._users: dict[tuple[str, Any], int] = {}
        self._targets: dict[Name, int] = {}
        self._projects: dict[str, int] = {}
        self._rows: list[tuple[float, ...]] = []

    def add(self, project: str, rows: Sequence[Sequence[Any]]) -> None:
        place = self._projects.setdefault(project, len(self._projects))
        for installation, name, week, work, exposed, *numbers in rows:
            user = self._users.setdefault((project, installation), len(self._users))
            target = self._targets.setdefault(Name(project, str(name)), len(self._targets))
            self._rows.append((user, target, place, week, work, exposed, *numbers))

    def all(self) -> Sums:
        table = np.array(self._rows, dtype=np.float64).reshape(len(self._rows), len(_COLUMNS))
        codes, numbers = table[:, :6].astype(np.int64), table[:, 6:]
        named: dict[str, Any] = dict(zip(_COLUMNS, [*codes.T, *numbers.T], strict=True))
        return Sums(Panel(**named), self._targets, self._projects)


_COLUMNS = (
    "user", "target", "project", "week", "work", "exposed", "timed", "sum_log", "sum_log2", "sum_ms", "ended", "failed", "interrupted",
    "stopped", "stopped_sum_log", "stopped_sum_log2", "waited_ms",
)  # fmt: skip
