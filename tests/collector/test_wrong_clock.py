"""A clock that jumps takes nothing away: what goes by its age goes by a clock that the store has reason to believe."""

from datetime import timedelta

import pytest

from tests.collector.backups import backed_up, holds
from tests.collector.clock import moved, wait_until
from tests.collector.support import PROJECT, Collector, Owner, project, run_event

YEAR, LONG_AGO = 365, 730
SHORT = project(project={"retention_days": 10})


def _paused(collector: Collector) -> list[str]:
    return [one["text"] for one in collector.check()["findings"] if one["about"] == "retention"]


def _sweeps(collector: Collector) -> int:
    return collector.log.count('"retention"')


@pytest.mark.slow
def test_started_two_years_ahead_nothing_goes_and_everything_says_why(idle: Collector) -> None:
    leaving, staying = Owner(), Owner()
    idle.start_with(SHORT)
    idle.send(run_event(leaving.id), run_event(staying.id), run_event(command="deploy"), owners=[leaving])
    backup, secret = backed_up(idle), (idle.data / "secret").read_bytes()
    idle.stop()
    moved(idle, LONG_AGO).start()
    wait_until(lambda: "retention paused" in idle.log)
    said = idle.http.get(idle.url + "/readyz")
    assert (200, "ready") == (said.status_code, said.json()["status"])
    assert "nothing is removed by its age, because this machine's clock jumped" in said.json()["detail"]
    (why,) = _paused(idle)
    assert "and the store was last used at" in why
    assert "innerloop-collector retain --dry-run" in why

    idle.forget(leaving)
    assert {staying.id} == holds(backup, secret, leaving.id, staying.id), "an erasure rewrites backups, and takes what is erased only"
    released = idle.apply(project(project={"retention_days": 10}, names={"allow": ["deploy"]}))
    assert (1, 0) == (released["released"], released["still_quarantined"])
    unsent = run_event(command="deploy")  # of an SDK that says nothing of its own clock
    assert 200 == idle.post("/v1/batch", {"batch": [unsent]}).status_code
    assert (2, 1) == (idle.stored, idle.waiting), "its time is impossible by this clock, and that waits too"
    assert 0 == _sweeps(idle)


@pytest.mark.slow
def test_what_came_under_a_clock_a_year_back_is_there_when_it_is_right_again(idle: Collector) -> None:
    idle.start_with(SHORT)
    idle.send(run_event())
    idle.stop()
    moved(idle, -YEAR).start()
    wait_until(lambda: "retention paused" in idle.log)
    idle.send(run_event())
    idle.stop()
    moved(idle, 0).start()
    wait_until(lambda: 2 == idle.log.count("retention paused"))
    assert 2 == idle.stored
    assert "events were stored while this machine's clock said" in _paused(idle)[0]
    would = idle.ask("retain", "--dry-run")
    assert (1, True) == (len(would["gone"]), bool(would["doubt"]))
    assert _paused(idle), "to look decides nothing"

    assert 1 == idle.ask("retain")["gone"][0]["rows"]
    assert ([], 1) == (_paused(idle), idle.stored)


def test_a_new_store_that_was_begun_with_a_clock_a_year_back_loses_nothing(idle: Collector) -> None:
    moved(idle, -YEAR).start_with(SHORT)
    idle.send(run_event())
    idle.stop()
    moved(idle, 0).start()
    wait_until(lambda: "retention paused" in idle.log)

    assert 1 == idle.stored


@pytest.mark.slow
@pytest.mark.parametrize("days", [LONG_AGO, -YEAR, -2])
def test_a_clock_that_is_set_before_anything_is_stored_pauses_nothing_for_long(idle: Collector, days: int) -> None:
    idle.start_with(SHORT)
    idle.send(run_event(ago=timedelta(days=8)))
    idle.stop()
    moved(idle, days).start()
    wait_until(lambda: "retention paused" in idle.log)
    idle.stop()
    moved(idle, 4).start()
    wait_until(lambda: _sweeps(idle))

    assert ([], 0) == (_paused(idle), idle.stored)


@pytest.mark.slow
def test_an_idle_month_is_nothing_and_after_a_longer_one_a_person_has_the_word(idle: Collector) -> None:
    idle.start_with(SHORT)
    idle.send(run_event())
    idle.stop()
    moved(idle, 36).start()
    wait_until(lambda: "retention paused" in idle.log)
    assert 1 == idle.stored
    idle.stop()
    moved(idle, 34).start()
    wait_until(lambda: _sweeps(idle))
    assert 0 == idle.stored
    idle.stop()
    moved(idle, 34 + 36)
    assert _paused(idle)
    idle.ask("retain")
    assert not _paused(idle)


@pytest.mark.slow
def test_a_store_of_before_there_were_notes_goes_by_its_newest_rows(idle: Collector) -> None:
    idle.start_with(PROJECT)
    idle.send(run_event())
    idle.stop()
    idle.rows("TRUNCATE TABLE clock")
    moved(idle, LONG_AGO).start()
    wait_until(lambda: "retention paused" in idle.log)

    assert 1 == idle.stored


@pytest.mark.slow
def test_the_engine_removes_nothing_by_itself(idle: Collector) -> None:
    idle.start_with()
    idle.stop()

    assert [] == idle.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND position(engine_full, ' TTL ') > 0")
