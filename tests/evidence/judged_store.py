"""A real embedded store with a simulated team in it, and what verdicts are made of over it. Runs as a process of its own: nothing may fork where the engine is open.

`python -m tests.evidence.judged_store SCENARIO DIRECTORY` runs a function of `judged_scenarios` and prints what it returns.
"""

import hashlib
import importlib
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from innerloop_collector.db import schema
from innerloop_collector.db.embedded import embedded
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.upgrade import bring_up
from innerloop_collector.query.population import Settings
from innerloop_collector.query.releases.archive import Archive, project_and_unit
from innerloop_collector.query.verdicts.looks import Change, Name
from innerloop_collector.query.verdicts.power import Power
from innerloop_collector.query.verdicts.scan_publisher import ScanPublisher
from innerloop_collector.query.verdicts.statistics import Statistics
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_publisher import Known, VerdictPublisher
from innerloop_collector.query.verdicts.verdict_reader import Evidence
from innerloop_collector.store.release_journal import ReleaseJournal
from innerloop_collector.store.releases import Releases

FIRST = date(2030, 1, 7)  # a Monday
WEEK = timedelta(weeks=1)
COMMANDS = {"build": 60.0, "test": 40.0, "lint": 15.0}  # median seconds
DAY = FIRST + 10 * WEEK  # of the change


def change(name: str = "cache", project: str = "acme", *, day: date = DAY, looks: Sequence[int] = (4, 8), **more: Any) -> Change:
    """A change of `build`."""
    given = {
        "affected": (Name(project, "build"),),
        "controls": (Name(project, "test"), Name(project, "lint")),
        "looks": tuple(looks),
        **more,
    }
    return Change(project, name, name.title(), day, **given)


@dataclass
class Team:
    """Developers of a project, drawn by a seed."""

    size: int = 24
    weeks: int = 22
    seed: int = 1
    effect: float = math.log(0.7)  # of the change, on `build`
    lags: bool = False  # the change reaches each developer later
    columns: dict[str, Any] = field(default_factory=dict)
    project: str = "acme"
    shift: int = 0  # of the numbers that developers have

    def rows(self) -> Iterable[dict[str, Any]]:
        """Every run, as columns."""
        for number in range(self.size):
            yield from self._of(number, Random(f"{self.seed} {self.project} {number}"))

    def _of(self, number: int, draw: Random) -> Iterable[dict[str, Any]]:
        speed = {name: draw.gauss(0, 0.4) for name in COMMANDS}
        lag = draw.randrange(21) if self.lags else 0
        for week in range(self.weeks):
            mood = draw.gauss(0, 0.08)
            for run in range(9):
                name = draw.choice(list(COMMANDS))
                start = datetime.combine(FIRST + week * WEEK + timedelta(days=draw.randrange(5)), datetime.min.time(), UTC) + timedelta(
                    hours=9 + run
                )
                held = start.date() >= DAY + timedelta(days=lag)
                log = (
                    math.log(COMMANDS[name]) + speed[name] + mood + draw.gauss(0, 0.4) + (self.effect if name == "build" and held else 0.0)
                )
                luck = draw.random()
                yield {
                    "project": self.project, "installation": _number(self.project, number + self.shift), "kind": "run", "command": name, "start": start,
                    "duration_ms": round(1000 * math.exp(log)), "exit_status": 1 if luck < 0.12 else -2 if luck < 0.15 else 0,
                    "targets": draw.choice((1, 5, 40)), "held": held, **self.columns,
                }  # fmt: skip


def _number(project: str, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{project} {number}".encode()).digest()[:16], "big")


class Store:
    """The store, with what is made of it. `today` is moved by whoever tries something."""

    def __init__(self, directory: Path, journal: type[ReleaseJournal] = ReleaseJournal) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "scratch").mkdir(exist_ok=True)
        self.engine = Engine(embedded(directory / "store", directory / "scratch"))
        bring_up(self.engine, "f" * 32, FIRST)
        self.today = FIRST
        self.changes: list[Change] = []
        self.settings: dict[str, Settings] = {}
        self.checks: frozenset[str] = frozenset({"lint"})
        self.journal = directory / "releases.log"
        self.releases = Releases(self.engine, journal(self.journal, [], project_and_unit))
        self.releases.load()
        self.verdicts = Verdicts(self.releases)
        self.closed: list[tuple[str, str]] = []
        self.statistics = Statistics(self.engine)
        self.known = known = Known(
            lambda: self.settings,
            lambda: self.changes,
            lambda _, names: self.checks & set(names),
            lambda _: ("held",),
            lambda: self._position,
            lambda one: ("cache",) if one.name == "same-week" else (),
            lambda project, name: self.closed.append((project, name)),
        )
        self.publisher = VerdictPublisher(lambda: self.statistics, self.verdicts, Archive(self.releases), known)
        self.scans = ScanPublisher(lambda: self.statistics, self.verdicts, Archive(self.releases), known)
        self.power = Power(lambda: self.statistics, self.verdicts, Archive(self.releases), known)
        self._position = int(self.engine.query("SELECT max(position) FROM events")[0][0])

    def fill(self, *teams: Team) -> "Store":
        """Store what teams did."""
        months: dict[str, list[tuple[Any, ...]]] = {}
        for team in teams:
            self.settings.setdefault(team.project, Settings(3, 5, None, 400))
        for one in (one for team in teams for one in team.rows()):
            self._position += 1
            months.setdefault(one["start"].strftime("%Y%m"), []).append(self._row(one))
        for rows in months.values():
            self.engine.insert("events", schema.STORED, rows)
        return self

    def _row(self, one: dict[str, Any]) -> tuple[Any, ...]:
        start = one["start"]
        values = {
            "message_key": self._position, "plan": "held", "event_time": start, "corrected_time": start, "received_day": start.date(),
            "keep_until": date(2033, 1, 1), "start_time": start, "actor": "human", "is_test": "no", "suspended": False, "position": self._position,
            "changes": ["cache"] if one["held"] else [], **one,
        }  # fmt: skip
        return tuple(values.get(name, empty) for name, empty in _EMPTY)

    def erase(self, project: str, number: int) -> None:
        """Take somebody's rows away, as an erasure does."""
        self.engine.command(f"ALTER TABLE events DELETE WHERE installation = {_number(project, number)} SETTINGS mutations_sync = 2")

    def publish(self, until: date) -> list[str]:
        """Let days pass up to one. Returns the units that were published."""
        done = []
        while self.today < until:
            self.today += timedelta(days=1)
            if self.today.weekday() == 2:
                done += [unit for one in (self.publisher, self.scans) for _, unit in one.publish(self.today)]
        return done

    def evidence(self) -> Evidence:
        """What can be asked of changes, on the day that it is."""
        return Evidence(self.verdicts, self.power, lambda: self.changes, lambda: datetime.combine(self.today, datetime.min.time(), UTC))

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()


def _empty(kind: str) -> Any:
    if kind.startswith("Nullable"):
        return None
    if kind.startswith("Array"):
        return []
    if "String" in kind:
        return ""
    return datetime(1970, 1, 1, tzinfo=UTC) if kind.startswith("DateTime") else date(1970, 1, 1) if kind == "Date" else 0


_EMPTY = [(name, _empty(kind)) for name, kind in schema.STORED.items()]


def main() -> None:
    """Run a scenario."""
    scenario: Callable[[Path], Any] = getattr(importlib.import_module("tests.evidence.judged_scenarios"), sys.argv[1])
    print(json.dumps(scenario(Path(sys.argv[2])), default=str))


if __name__ == "__main__":
    main()
