"""The same rows give the same report and the same weekly totals, to the byte: a fixed store, and what it has to answer."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.collector.support import Collector, Event, project, run_event, target_event

GOLDEN = Path(__file__).with_name("golden")
KEPT = project(project={"retention_days": 120})
FIRST, SECOND, ASKED, GONE = (datetime(2026, month, day, 12, tzinfo=UTC) for month, day in ((9, 2), (9, 9), (9, 16), (12, 30)))
STOPPED = (-1, -2, -15, 130, 143)
COMMANDS = {"test": 24, "build": 14, "lint": 8, "docs": 3}  # developers


def at(collector: Collector, moment: datetime) -> Collector:
    """Have the collector live at a moment."""
    if collector.process:
        collector.kill()
    collector.move_clock(moment - datetime.now(UTC))
    return collector


def runs(chance: random.Random, moment: datetime) -> list[Event]:
    """What a team did in ten weeks before a moment: people, their agents, jobs and tests, with all that may be missing."""
    people = [str(uuid.UUID(int=number + 1)) for number in range(24)]
    events = []
    for command, developers in COMMANDS.items():
        for person in people[:developers]:
            events += [_run(chance, moment, person, command) for _ in range(chance.randrange(2, 14))]
    events += [_run(chance, moment, people[0], "lint") for _ in range(40)]
    events += [_run(chance, moment, person, "test", actor="agent") for person in people[:9] for _ in range(4)]
    events += [_run(chance, moment, person, "build", is_test="smoke") for person in people[:9]]
    for _ in range(30):
        job = _run(chance, moment, "", "test", actor="ci")
        job["anonymousId"] = str(uuid.UUID(int=chance.getrandbits(128)))
        del job["userId"]
        events.append(job)
    return events


def _run(chance: random.Random, moment: datetime, person: str, command: str, **others: str) -> Event:
    start = moment.replace(minute=30) - timedelta(days=chance.randrange(1, 70))
    run = run_event(
        person,
        message=str(uuid.UUID(int=chance.getrandbits(128))),
        command=command,
        start_time=start.replace(minute=0).isoformat(),
        duration_ms=chance.choice([None, 0, 420, 9990, 12300, chance.randrange(100, 999) * 1000]),
        exit_status=chance.choice([0, 0, 0, 1, 2, 255, None, -9, *STOPPED]),
        suspended=chance.random() < 0.1,
        **others,
    )
    return {**run, "timestamp": start.isoformat()}


def _targets(chance: random.Random, all_runs: list[Event]) -> list[Event]:
    chosen = [run for run in all_runs if run["properties"]["command"] == "build"]
    made = []
    for run in chosen:
        for target in chance.sample(["test", "build", "lint", "docs"], 2):
            run["properties"].setdefault("run", str(uuid.UUID(int=chance.getrandbits(128))))
            ended = {"duration_ms": chance.randrange(1, 999) * 10, "exit_status": chance.choice([0, 0, 2, None])}
            made.append({**target_event(run, target, **ended), "messageId": str(uuid.UUID(int=chance.getrandbits(128)))})
    return made


def _deliver(collector: Collector, moment: datetime, seed: int) -> None:
    chance = random.Random(seed)
    sent = runs(chance, moment)
    sent += _targets(chance, sent)
    for first in range(0, len(sent), 400):
        collector.send(*sent[first : first + 400], sent_at=moment.isoformat())


@pytest.fixture
def answers(idle: Collector) -> dict[str, str]:
    """What a fixed store answers, by the names of the files that hold it."""
    at(idle, FIRST).start_with(KEPT)
    idle.apply(KEPT, "--min-active-weeks", "2")
    _deliver(idle, FIRST, 1)
    at(idle, SECOND).start()
    _deliver(idle, SECOND, 2)
    idle.send(run_event(), plan="0" * 16, sent_at=SECOND.isoformat())
    at(idle, ASKED).start()
    found = {}
    for weeks in ("1", "8", "13"):
        found[f"report-{weeks}.json"] = idle.ask_text("report", "acme", "--weeks", weeks, "--json")
    for columns in ("50", "120"):
        found[f"report-{columns}-columns.txt"] = idle.cli("report", "acme", env={"COLUMNS": columns}).stdout
    idle.stop()
    at(idle, GONE).ask("retain")
    found["totals.json"] = idle.ask_text("totals", "acme", "--json")
    found["totals.txt"] = idle.cli("totals", "acme", env={"COLUMNS": "120"}).stdout
    return found


def test_a_fixed_store_answers_to_the_byte_what_is_written_down(answers: dict[str, Any]) -> None:
    assert sorted(answers) == sorted(path.name for path in GOLDEN.iterdir())
    for name, text in answers.items():
        assert (GOLDEN / name).read_text() == text, name
