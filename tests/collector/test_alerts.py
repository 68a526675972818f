"""Alerts: a day is looked at once, what stands out is published once, and what becomes of it is kept."""

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from innerloop.core.plan.granularity import three_digits
from innerloop_collector.query.releases.calendar import block_of
from tests.collector.asking import asked
from tests.collector.clock import movable, move
from tests.collector.support import PROJECT, Collector, run_event, target_event

TODAY = datetime.now(UTC).date()
FIRST = block_of(block_of(TODAY).end)  # the next block that begins
NOW = block_of(FIRST.end).first + timedelta(days=20)
SLOW_DAYS = 12
PEOPLE = [str(uuid.UUID(int=number)) for number in range(1, 13)]


class Team:
    """People whose days come at once."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self._chance = random.Random(4)
        movable(collector)
        self.on_day((FIRST.end - NOW).days - 1)  # the last day of a block
        collector.http.timeout = 110  # two weeks of looks at once
        collector.start_with()
        collector.apply(PROJECT, "--min-active-weeks", "1")
        collector.send(*(run_event(person, command="docs") for person in PEOPLE))  # known before the block that is looked at

    def on_day(self, day: int) -> None:
        """Let it be a day, counted from the one by which the slow-down is seen."""
        move(self.collector, (NOW - TODAY).days + day)

    def work(self, days: range, *, slower: float, who: Sequence[str] = PEOPLE, failing: float | None = None) -> None:
        """A run a day, so many days ago, the slow ones by a newer version; with a target of which a part fails."""
        events = []
        for ago in days:
            for person in who:
                wait = three_digits(round(20_000 * self._chance.lognormvariate(0, 0.3) * slower))
                version = "0.2" if slower > 1 else "0.1"
                run = run_event(person, ago=timedelta(days=ago), command="build", duration_ms=wait, client=version)
                events.append(run)
                if failing is not None:
                    events.append(target_event(run, "lint", duration_ms=500, exit_status=2 if self._chance.random() < failing else 0))
        for first in range(0, len(events), 400):
            self.collector.send(*events[first : first + 400])

    def alerts(self) -> list[dict[str, Any]]:
        """What is told, after what is due was done."""
        assert asked(self.collector, "retention.sweep").status_code == 200
        found: list[dict[str, Any]] = asked(self.collector, "alerts").json()["projects"][0]["alerts"]
        return found


@pytest.fixture
def team(idle: Collector) -> Team:
    return Team(idle)


def test_what_became_worse_is_told_confirmed_and_kept(team: Team) -> None:
    team.on_day(0)
    team.work(range(SLOW_DAYS + 1, 57), slower=1, failing=0.1)
    team.work(range(1, SLOW_DAYS + 1), slower=1.6, failing=0.6)
    team.on_day(2)
    told = team.alerts()  # two weeks of days are made up for, one by one
    assert {("command", "build", "duration"), ("target", "lint", "failures")} == {(one["by"], one["name"], one["measure"]) for one in told}
    build, lint = sorted(told, key=lambda one: one["by"])
    began = NOW - timedelta(days=SLOW_DAYS)
    assert all(abs((date.fromisoformat(one["since"]) - began).days) <= 7 for one in told), [(one["since"], one["seen"]) for one in told]
    assert (True, [10, 14]) == (build["at_least"] <= 0.6 <= build["at_most"], build["developers"])
    assert lint["at_least"] <= 0.5 <= lint["at_most"]
    assert {"confirmed"} == {one["fate"] for one in told}
    assert all(timedelta(days=7) <= date.fromisoformat(one["decided"]) - date.fromisoformat(one["seen"]) for one in told)
    assert [("version", "0.2")] == [(one["what"], one["name"]) for one in build["appeared"]]

    collector = team.collector
    log = (collector.data / "releases.log").read_text()
    assert '"unit":"alerts/' in log
    assert not any(person in log for person in PEOPLE)
    assert (told, log) == (team.alerts(), (collector.data / "releases.log").read_text())
    text = collector.ask_text("alerts", "--project", "acme")
    assert "- build of acme became about" in text
    assert "developers): confirmed; about then appeared: version 0.2 (" in text
    collector.kill()
    (collector.data / "looked-at.json").unlink()
    collector.start()
    assert told == team.alerts(), "the journal knows what was told"


def test_one_persons_slow_machine_is_no_alert_and_too_few_people_have_none(team: Team) -> None:
    team.on_day(0)
    team.work(range(SLOW_DAYS + 1, 57), slower=1)
    team.work(range(1, SLOW_DAYS + 1), slower=1, who=PEOPLE[1:])
    team.work(range(1, SLOW_DAYS + 1), slower=30, who=PEOPLE[:1])
    team.on_day(2)
    assert [] == team.alerts()
    assert "no alert in the last quarter" in team.collector.ask_text("alerts")
    assert "acme: looked at up to" in team.collector.ask_text("alerts")

    refused = asked(team.collector, "alerts", project="other")
    assert (409, True) == (refused.status_code, "no project 'other'" in refused.text)
