# ruff: noqa: S608 - the text is ours, from constants; every value is a parameter
"""From rows to what people add to published figures."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple, Protocol

from innerloop_collector.db.schema import WEEKLY_TOTALS
from innerloop_collector.query.population import (
    AGREED,
    AMONG,
    AWAKE,
    ENDED,
    FAILED,
    IN_SPAN,
    KEPT,
    PERSON,
    REAL,
    SUCCEEDED,
    WAIT,
    WHO_COUNTS,
    Population,
    Store,
)
from innerloop_collector.query.releases import habits
from innerloop_collector.query.releases.contribution import EDGES_MS, People
from innerloop_collector.query.releases.shown import Key

_TOLD_AT_ONCE = 3_000  # ids in a parameter: of a field of a form a server takes 128 KB by default, and an id may have 41 bytes
_TIMED = f"({ENDED} AND {AWAKE})"
_BIN = f"if({_TIMED}, toUInt8({' + '.join(f'({WAIT} > {edge})' for edge in EDGES_MS)}), {len(EDGES_MS) + 1})"  # the last one: without a duration
_NUMBERS = f"""count(), sumIf({WAIT}, {AWAKE}), countIf({SUCCEEDED}), countIf({FAILED}), countIf(NOT {SUCCEEDED} AND NOT {FAILED}),
    countResample(0, {len(EDGES_MS) + 2}, 1)({_BIN})"""


BREAKDOWNS = {"command": "command", "os": "os", "arch": "arch", "version": "client", "cohort": "cohort"}  # of runs: by name, the column
_OF_RUNS = ", ".join(f"('{name}', toString({column}))" for name, column in BREAKDOWNS.items())
_CELLS = f"if(kind = 'run', [('', ''), {_OF_RUNS}], [('target', toString(target))])"  # runs are never counted by their targets


class Watermark(NamedTuple):
    """How far a week's release went: rows with a higher position came later."""

    week: date
    position: int


Cells = dict[Key, People]


class Crowd(Protocol):
    """Who is there."""

    def could_count(self, of: Population) -> int:
        """How many people could count in a block, if any number might."""


def left_out(source: Crowd, of: Population) -> bool:
    """Whether more people could count in a block than may."""
    return source.could_count(of) > of.most


class Rows:
    """Reads what people add to every cell of a span of weeks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def known(self, of: Population, first: date, end: date) -> Population:
        """The same people, with who they are and what they keep open in some weeks: for who reads several sums of these, which then need not find it out again."""
        counted = of.counted
        if counted is None:
            counted = tuple(sorted(int(number) for (number,) in self._store.query(WHO_COUNTS, of.parameters)))
        return replace(of, counted=counted, kept_open=self._sessions(of, first, end))

    def cells(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> dict[date | None, Cells]:
        """What was added in each released week by then, and under None the rest, up to a position. The whole is a cell too."""
        out: dict[date | None, Cells] = defaultdict(lambda: defaultdict(dict))
        parameters = self._parameters(of, first, end, upto, released)
        for week, (breakdown, name), installation, *numbers in self._sums(_SQL, parameters):
            if name or not breakdown:  # without a name the field is off, or the event is from a time when it was
                out[week if week in parameters["weeks"] else None][str(breakdown), str(name)][installation] = _vector(numbers)
        return {week: dict(cells) for week, cells in out.items()}

    def classes(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> dict[date | None, Cells]:
        """The same of the classes that runs were sent with, for all runs and each command. Runs without any are left out."""
        out: dict[date | None, Cells] = defaultdict(lambda: defaultdict(dict))
        parameters = self._parameters(of, first, end, upto, released)
        for week, (breakdown, name), installation, (places, counts) in self._sums(_CLASSES_SQL, parameters):
            if name or not breakdown:
                numbers = dict(zip(places, counts, strict=True))
                vector = tuple(float(numbers.get(column, 0)) for column in range(habits.SIZE))
                out[week if week in parameters["weeks"] else None][str(breakdown), str(name)][installation] = vector
        return {week: dict(cells) for week, cells in out.items()}

    def critical(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> dict[date | None, Cells]:
        """The same of each target's own time on the critical path (ms): without that of the targets in makes that its recipe ran."""
        out: dict[date | None, Cells] = defaultdict(lambda: defaultdict(dict))
        parameters = self._parameters(of, first, end, upto, released)
        for week, target, installation, own_ms in self._sums(_CRITICAL_SQL, parameters):
            out[week if week in parameters["weeks"] else None]["target", str(target)][installation] = (float(own_ms),)
        return {week: dict(cells) for week, cells in out.items()}

    def _parameters(self, of: Population, first: date, end: date, upto: int, released: Sequence[Watermark] = ()) -> dict[str, Any]:
        known = of if of.counted is not None and of.kept_open is not None else self.known(of, first, end)
        return {
            **of.parameters, "counted": list(known.counted or ()), "sessions": list(known.kept_open or ()), "first": first, "end": end, "upto": upto,
            "weeks": [one.week for one in released], "positions": [one.position for one in released],
        }  # fmt: skip

    def _sums(self, sql: str, parameters: dict[str, Any]) -> list[Sequence[Any]]:
        """Ask for sums of those who count, who are told in as many parameters as a server takes."""
        counted = parameters["counted"]
        parts = {f"counted_{first}": counted[first : first + _TOLD_AT_ONCE] for first in range(0, len(counted), _TOLD_AT_ONCE)}
        if len(parts) > 1:
            among = " OR ".join(AMONG.replace("counted", name) for name in parts)
            return self._store.query(sql.replace(AMONG, f"({among})"), {**parameters, "counted": [], **parts})
        return self._store.query(sql, parameters)

    def agents(self, of: Population, first: date, end: date, upto: int) -> People:
        """What coding agents added, by the people they work for."""
        where = (
            f"{REAL} AND kind = 'run' AND actor = 'agent' AND {KEPT} AND {AGREED} AND {IN_SPAN} AND position <= {{upto:UInt64}} AND {AMONG}"
        )
        rows = self._sums(
            f"SELECT installation, {_NUMBERS} FROM events WHERE {where} GROUP BY installation ORDER BY installation",
            self._parameters(of, first, end, upto),
        )
        return {installation: _vector(numbers) for installation, *numbers in rows}

    def _sessions(self, of: Population, first: date, end: date) -> tuple[str, ...]:
        sql = f"SELECT DISTINCT command FROM events WHERE project = {{project:String}} AND kind = 'run' AND {IN_SPAN}"
        found = self._store.query(sql, {"project": of.project, "first": first, "end": end})
        return tuple(sorted(of.sessions(str(name) for (name,) in found)))

    def jobs(self, project: str, first: date, end: date, upto: int) -> int:
        """How many runs there were in CI. They carry no id and are nobody's."""
        sql = f"""SELECT count() FROM events WHERE project = {{project:String}} AND kind = 'run' AND actor = 'ci' AND installation = 0
            AND is_test IN ('', 'no') AND {IN_SPAN} AND position <= {{upto:UInt64}}"""
        return int(self._store.query(sql, {"project": project, "first": first, "end": end, "upto": upto})[0][0])

    def could_count(self, of: Population) -> int:
        """How many people could count in a block, if any number might."""
        return int(self._store.query(f"SELECT count() FROM ({WHO_COUNTS})", replace(of, most=2**62).parameters)[0][0])

    def position(self) -> int:
        """The highest position that there is."""
        return int(self._store.query("SELECT max(position) FROM events")[0][0])

    def first_day(self, project: str) -> date | None:
        """The day on which the first run of a person happened that is there. None: there is none."""
        sql = f"SELECT count(), min(toDate(corrected_time)) FROM events WHERE {REAL} AND {PERSON} AND kind = 'run'"
        count, day = self._store.query(sql, {"project": project})[0]
        return day if count else None

    def weekly_totals(self, project: str) -> list[dict[str, Any]]:
        """What versions before releases kept of a project's weeks."""
        rows = self._store.query(
            f"SELECT {', '.join(WEEKLY_TOTALS)} FROM weekly_totals FINAL WHERE project = {{project:String}} AND kind != 'week'",
            {"project": project},
        )
        return [dict(zip(WEEKLY_TOTALS, row, strict=True)) for row in rows]


_WEEK = "toMonday(corrected_time)"
_SLOT = f"if(position <= transform({_WEEK}, {{weeks:Array(Date)}}, {{positions:Array(UInt64)}}, toUInt64(0)), {_WEEK}, toDate(0))"
ROWS = f"{REAL} AND {PERSON} AND {KEPT} AND {AGREED} AND {IN_SPAN} AND position <= {{upto:UInt64}} AND {AMONG}"  # that figures are of
_SQL = f"""SELECT {_SLOT} AS slot, arrayJoin({_CELLS}) AS cell, installation, {_NUMBERS}
    FROM events WHERE {ROWS} AND kind IN ('run', 'target')
    GROUP BY slot, cell, installation ORDER BY slot, cell, installation"""


def _place(column: str, split: str) -> str:
    """The place of a class in a person's vector, as SQL. What is none has the one of those that did not say."""
    places = {name: place for place, name in habits.NAMES.items() if place in habits.COLUMNS[split]}
    return f"transform({column}, {list(places)}, {list(places.values())}, {habits.unsaid(split)})"


_BEGINS = f"if(failures_before IN ('', '0'), {_place('failures_before', 'failed')}, {habits.COLUMNS['failed'][1]})"
_CLASS = f"multiIf({SUCCEEDED}, {_place('failures_before', 'solved')}, {FAILED}, {_BEGINS}, {_place('gave_up_after', 'stopped')})"
_GREEN = f"{SUCCEEDED} AND failures_before NOT IN ('', '0') AND time_to_green != ''"
_PLACES = f"if({_GREEN}, [{_CLASS}, {_place('time_to_green', 'green')}], [{_CLASS}])"
_CLASSES_SQL = f"""SELECT {_SLOT} AS slot, arrayJoin([('', ''), ('command', toString(command))]) AS cell, installation,
        sumMap(arrayMap(place -> toUInt8(place), {_PLACES}), arrayMap(place -> toUInt64(1), {_PLACES}))
    FROM events WHERE {ROWS} AND kind = 'run' AND (failures_before != '' OR gave_up_after != '')
    GROUP BY slot, cell, installation ORDER BY slot, cell, installation"""


_CRITICAL_SQL = f"""SELECT {_SLOT} AS slot, toString(target) AS name, installation,
        sum(greatest(toInt64({WAIT}) - toInt64(ifNull(inner_ms, 0)), 0))
    FROM events GLOBAL LEFT JOIN (SELECT run AS inner_run, parent AS inner_parent, sum({WAIT}) AS inner_ms FROM events
        WHERE {REAL} AND kind = 'target' AND ifNull(critical, 0) AND ifNull(parent, 0) > 0 AND {IN_SPAN} AND position <= {{upto:UInt64}}
        GROUP BY inner_run, inner_parent) AS inside ON run = inner_run AND sequence = inner_parent
    WHERE {ROWS} AND kind = 'target' AND target != '' AND ifNull(critical, 0) AND {AWAKE}
    GROUP BY slot, name, installation ORDER BY slot, name, installation"""


def _vector(numbers: Sequence[Any]) -> tuple[float, ...]:
    *others, bins = numbers
    return (*others, *bins)
