"""A year, then gone: to the day, from the files as well; what stays is what was published."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from innerloop_collector.store.keyed_hash import Hasher
from tests.collector.clock import counts, holding, moved, wait_until
from tests.collector.support import PROJECT, Collector, Event, Owner, project, run_event

DAYS = 10
SHORT = project(project={"retention_days": DAYS})


def _day(ago: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=ago)).isoformat()


def _noon(ago: int) -> timedelta:
    """How long ago noon of the day was that is so many days ago."""
    now = datetime.now(UTC)
    return now - (now.replace(hour=12) - timedelta(days=ago))


def _traces(collector: Collector, event: Event) -> list[str]:
    """The files that hold what only this event's row does: the hash of its id, as the engine writes it."""
    hasher = Hasher((collector.data / "secret").read_bytes())
    return holding(collector, hasher.message("acme", event["messageId"]).to_bytes(16, "little"))


def _gone(answer: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(one["what"], one["day"], one["rows"]) for one in answer["gone"]]


def test_rows_go_on_the_day_after_their_last_and_their_bytes_with_them(idle: Collector) -> None:
    idle.start_with(SHORT)
    old, young = run_event(ago=_noon(9)), run_event(ago=_noon(8))
    idle.send(old, old | {"messageId": "second"}, young)
    assert [] == idle.ask("retain")["gone"]
    idle.stop()
    moved(idle, 1)
    assert [] == idle.ask("retain")["gone"], "the tenth day after is the last on which it is kept"
    assert _traces(idle, old), "the trace was never there, so that its absence would say nothing"
    moved(idle, 2)
    would = idle.ask("retain", "--dry-run")

    assert [("events", _day(9), 2)] == _gone(would)
    assert _traces(idle, old)
    assert [("events", _day(9), 2)] == _gone(idle.ask("retain"))
    assert [] == _traces(idle, old)
    assert _traces(idle, young)
    assert ((1, 0), []) == (counts(idle), idle.ask("retain")["gone"])


@pytest.mark.slow
def test_the_service_sweeps_by_itself_after_a_start(idle: Collector) -> None:
    idle.start_with(SHORT)
    event = run_event(ago=_noon(3))
    idle.send(event)
    idle.stop()
    moved(idle, 9).start()
    wait_until(lambda: not counts(idle)[0])
    wait_until(lambda: not _traces(idle, event))
    wait_until(lambda: '"event": "retention"' in idle.log)


@pytest.mark.slow
def test_a_year_is_the_default(idle: Collector) -> None:
    idle.start_with()
    idle.send(run_event(ago=_noon(0)))
    idle.stop()
    moved(idle, 365)
    assert ((1, 0), []) == (counts(idle), idle.ask("retain")["gone"])
    moved(idle, 366)

    assert [("events", _day(0), 1)] == _gone(idle.ask("retain"))


@pytest.mark.slow
def test_a_shorter_promise_counts_at_once_and_a_longer_one_for_new_events_only(idle: Collector) -> None:
    idle.start_with(project(project={"retention_days": 30}))
    idle.send(run_event(ago=_noon(20)), run_event(ago=_noon(5)))
    idle.apply(SHORT)
    idle.ask("retain")  # what the service's own sweep, soon after its start, did not do before
    assert 1 == idle.stored
    idle.apply(project(project={"retention_days": 60}))
    idle.stop()

    assert [[_day(-25)]] == idle.rows("SELECT toString(keep_until) FROM events")


@pytest.mark.slow
def test_an_event_that_waited_too_long_is_not_kept_when_its_plan_comes(idle: Collector) -> None:
    idle.start_with(SHORT)
    idle.send(run_event(ago=_noon(5), command="deploy"))
    idle.stop()
    moved(idle, 7)
    answer = idle.apply(project(project={"retention_days": DAYS}, names={"allow": ["deploy"]}))

    assert (0, 0) == (answer["released"], answer["still_quarantined"])
    assert (0, 0) == counts(idle)


@pytest.mark.slow
def test_quarantine_ends_after_thirty_days_from_the_files_as_well_and_is_counted(idle: Collector) -> None:
    idle.start_with()
    idle.send(run_event(command="planted-marker"), run_event(command="planted-marker"))
    idle.stop()
    assert holding(idle, b"planted-marker")
    moved(idle, 29)
    assert ((0, 2), []) == (counts(idle), idle.ask("retain")["gone"])
    moved(idle, 30)
    assert [("quarantine", _day(0), 2)] == _gone(idle.ask("retain"))

    assert ((0, 0), []) == (counts(idle), holding(idle, b"planted-marker"))
    assert [["acme", "quarantine", _day(0), 2]] == idle.rows("SELECT project, what, toString(day), rows FROM expired FINAL")


@pytest.mark.slow
def test_a_registration_goes_when_nothing_is_left_of_its_id_for_as_long_as_rows_are_kept(idle: Collector) -> None:
    leaving, coming_back = Owner(), Owner()
    idle.start_with(SHORT)
    idle.send(run_event(leaving.id), run_event(coming_back.id), owners=[leaving, coming_back])
    idle.stop()
    moved(idle, DAYS + 1)
    assert ["events"] == [what for what, *_ in _gone(idle.ask("retain"))]
    moved(idle, DAYS + 2)
    assert [] == idle.ask("retain")["gone"]
    moved(idle, 2 * DAYS + 2).start()
    idle.send(run_event(coming_back.id))  # with a clock that is as many days slow
    idle.stop()
    assert [] == idle.ask("retain")["gone"], "the last day on which it is kept"
    moved(idle, 2 * DAYS + 3)
    found = [("registrations", _day(-DAYS - 2), 1)]
    assert (found, found) == (_gone(idle.ask("retain", "--dry-run")), _gone(idle.ask("retain")))
    assert [] == idle.ask("retain")["gone"]
    moved(idle, 3 * DAYS + 3)
    assert ["events"] == [what for what, *_ in _gone(idle.ask("retain"))]
    moved(idle, 3 * DAYS + 4).start()
    assert [] == idle.ask("retain")["gone"], "it came back, and counts anew"

    assert ["unknown", "erased"] == [one["state"] for one in idle.forget(leaving, coming_back)["ids"]]


@pytest.mark.slow
def test_killed_while_it_sweeps_the_next_start_ends_it_with_the_same_numbers(idle: Collector) -> None:
    idle.start_with(SHORT)
    for days in (1, 2, 3):
        idle.send(*(run_event(ago=_noon(days)) for _ in range(24)))
    idle.stop()
    moved(idle, 10).start()
    idle.stop()
    moved(idle, 40)
    for delay in (0.0, 0.15, 0.3):
        idle.start()
        time.sleep(delay)
        idle.kill()
    idle.start()
    wait_until(lambda: not counts(idle)[0])

    releases = (idle.data / "releases.log").read_text().splitlines()
    assert len(releases) == len(set(releases)) > 0
    idle.stop()
    assert [[72]] == idle.rows("SELECT sum(rows) FROM expired FINAL")


@pytest.mark.slow
def test_a_report_never_shows_what_is_past_its_time_even_before_a_sweep(idle: Collector) -> None:
    idle.start_with(PROJECT)
    idle.send(run_event(ago=_noon(0)))
    idle.stop()
    moved(idle, 366)

    assert None is idle.ask("report", "acme")["whole"]
