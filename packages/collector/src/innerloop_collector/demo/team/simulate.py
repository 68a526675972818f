"""What a simulated team delivers: a seed in, batches out, day by day. No clock, no file, no network.

All of it is what the client would send: start times by the hour, durations to three digits, a plan's properties and no other.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from innerloop_collector.demo.team.people import Installation, Team
from innerloop_collector.demo.team.planted import PLANTED, Planted, Truth
from innerloop_collector.demo.team.runs import Event
from innerloop_collector.demo.team.work import Work

MOST = 500  # events in a batch
_SENT_AT = time(23, 45)
_SATURDAY = 5
LATE = 0.02  # of a developer's days are delivered on a later one


class Batch(NamedTuple):
    """What one request says."""

    project: str
    sent_at: datetime  # by its sender's clock
    events: list[Event]


class Day(NamedTuple):
    """What is delivered at an instant."""

    moment: datetime
    batches: list[Batch]


def days(team: Team, truth: Truth, planted: Sequence[Planted] = PLANTED) -> Iterator[Day]:
    """The batches of each day, in their order. What was done is added to `truth`.

    With less planted, all other chance is the same, for as long as no run fails or is typed for another reason.
    """
    work = Work(team, truth, planted)
    last = team.end - timedelta(days=1)
    late: dict[date, list[tuple[Installation | None, str, list[Event]]]] = {}
    for day in team.days():
        for worker, project, events in work.day(day):
            arrives = day
            if worker and worker.random.random() < LATE:
                arrives = day + timedelta(days=1 + int(worker.random.expovariate(0.5)))
            late.setdefault(min(_working(arrives), last), []).append((worker, project, events))
        if day in (_working(day), last):
            moment = datetime.combine(day, _SENT_AT, UTC)
            yield Day(moment, _batches(moment, late.pop(day, [])))


def _working(day: date) -> date:
    """The day itself, or the Monday after a weekend: what was done then is delivered on it."""
    return day if day.weekday() < _SATURDAY else day + timedelta(days=7 - day.weekday())


def _batches(moment: datetime, deliveries: list[tuple[Installation | None, str, list[Event]]]) -> list[Batch]:
    """Put what is sent by the same clock for the same project into few batches."""
    together: dict[tuple[str, int], list[Event]] = {}
    for worker, project, events in deliveries:
        together.setdefault((project, worker.person.clock_minutes if worker else 0), []).extend(events)
    return [
        Batch(project, moment + timedelta(minutes=minutes), events[first : first + MOST])
        for (project, minutes), events in sorted(together.items(), key=lambda item: item[0])
        for first in range(0, len(events), MOST)
    ]
