# ruff: noqa: S608 - the text is ours, from constants; every value is a parameter
"""From rows to each target's sums by person and day. People are numbers without a meaning from here on."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from innerloop_collector.analysis.alerts.daily import Daily, Measure
from innerloop_collector.query.alerts.alert_documents import Appeared, Subject
from innerloop_collector.query.population import (
    AGREED,
    AS_IT_STARTED,
    AWAKE,
    COUNTED,
    ENDED,
    FAILED,
    IN_SPAN,
    KEPT,
    PERSON,
    REAL,
    SUCCEEDED,
    WAIT,
    Population,
    Store,
)

_TIMED = f"({SUCCEEDED} AND {AWAKE})"
_CELL = "if(kind = 'run', ('command', toString(command)), ('target', toString(target)))"
_WHERE = f"{REAL} AND {PERSON} AND {KEPT} AND {AGREED} AND {IN_SPAN} AND position <= {{upto:UInt64}} AND {COUNTED}"
_SUMS = f"""SELECT {_CELL} AS cell, installation, toDate(corrected_time) AS day,
    countIf({_TIMED}), sumIf(log(greatest({WAIT}, 1)), {_TIMED}), countIf({ENDED}), countIf({FAILED}), countIf({FAILED} AND {AS_IT_STARTED})
    FROM events WHERE {_WHERE} AND kind IN ('run', 'target') GROUP BY cell, installation, day"""
_CLASSES = {
    "version": "client",
    "os": "os",
    "arch": "arch",
    "cores": "cores",
    "memory": "memory",
}  # the plan's fields that may first appear
_NEW = timedelta(weeks=4)  # from the first who has a value to k of them
_VALUES = ", ".join(f"('{name}', toString({column}))" for name, column in _CLASSES.items())
_APPEARED = f"""SELECT value, toMonday(arrayElement(arraySort(groupArray(day)), {{k:UInt16}})) AS monday FROM (
    SELECT arrayJoin([{_VALUES}]) AS value, installation, min(toDate(corrected_time)) AS day
    FROM events WHERE {_WHERE} AND kind = 'run' GROUP BY value, installation)
    GROUP BY value HAVING tupleElement(value, 2) != '' AND count() >= {{k:UInt16}} AND monday >= {{newest:Date}} AND min(day) >= {{unknown:Date}} ORDER BY monday, value"""


class Span(NamedTuple):
    """Days, from the first up to and with the last, as they were known up to a position."""

    first: date
    last: date
    upto: int

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1

    def place(self, day: date) -> int:
        """The number of a day."""
        return (day - self.first).days

    def day(self, place: int) -> date:
        """The day with a number."""
        return self.first + timedelta(days=place)


class DailyRows:
    """Reads sums by target, person and day."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def daily(self, of: Population, span: Span) -> dict[Subject, Daily]:
        """Each target's days: durations, and failures where any run ended."""
        cells: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for (breakdown, name), *row in self._store.query(_SUMS, self._parameters(of, span)):
            if name:
                cells[str(breakdown), str(name)].append(row)
        sessions = set(of.sessions(name for breakdown, name in cells if breakdown == "command"))
        return {
            subject: found
            for key, rows in cells.items()
            for subject, found in _of_cell(key, rows, span, session=key[0] == "command" and key[1] in sessions).items()
        }

    def appeared(self, of: Population, span: Span, since: date, k: int) -> list[Appeared]:
        """Which values of runs' classes k people had within a week of a day, and nobody long before: each with the Monday of the week in which they did."""
        week = timedelta(days=7)
        newest = since - week - timedelta(days=since.weekday())
        rows = self._store.query(_APPEARED, {**self._parameters(of, span), "newest": newest, "unknown": newest - _NEW, "k": k})
        return [Appeared(str(what), str(name), monday) for (what, name), monday in rows if monday <= since + week]

    def _parameters(self, of: Population, span: Span) -> dict[str, Any]:
        """As SQL wants them. Which commands are sessions is known when their names are: until then none is."""
        return {**of.parameters, "first": span.first, "end": span.last + timedelta(days=1), "upto": span.upto, "sessions": []}


def _of_cell(key: tuple[str, str], rows: list[Any], span: Span, *, session: bool) -> dict[Subject, Daily]:
    """Days of one target, by what is measured. Nobody waits for a session, and it fails as it starts or not at all."""
    ids, days, *sums = zip(*rows, strict=True)
    person = np.array(list(map({one: number for number, one in enumerate(dict.fromkeys(ids))}.__getitem__, ids)), dtype=np.int64)
    place = np.array([span.place(day) for day in days], dtype=np.int64)
    timed, logarithms, ended, failed, failed_at_once = (np.array(one, dtype=np.float64) for one in sums)
    shape = (int(person.max()) + 1, span.days)
    failures = Daily.of(shape, person, place, ended, failed_at_once if session else failed)
    durations = {} if session else {Subject(*key, Measure.DURATION.word): Daily.of(shape, person, place, timed, logarithms)}
    return {**durations, Subject(*key, Measure.FAILURES.word): failures}
