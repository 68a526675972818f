"""Simulated time passes only in a store that was made for a simulation; there everything goes by it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from tests.collector.support import Collector, project, run_event

CLOCK = "INNERLOOP_COLLECTOR_STORE_SIMULATED_CLOCK"
MONDAY = datetime(2031, 3, 3, tzinfo=UTC)  # years from the machine's own time, whenever this runs


def simulated(collector: Collector, at: datetime = MONDAY) -> Collector:
    """Have the store made with a simulated clock. Before the first start."""
    collector.for_trying().environment[CLOCK] = at.isoformat()
    return collector


def move(collector: Collector, to: datetime | str) -> httpx2.Response:
    """Ask the running service to have time pass."""
    call = {"operation": "simulation.move", "arguments": {"to": to if isinstance(to, str) else to.isoformat()}}
    token = (collector.data / "admin-token").read_text().strip()
    return collector.post("/admin/v1/call", call, None, {"Authorization": f"Bearer {token}"})


def at(moment: datetime, user: str | None = None) -> dict[str, Any]:
    """A run at a simulated hour."""
    return {**run_event(user, start_time=moment.isoformat()), "timestamp": moment.isoformat()}


def test_a_store_that_is_kept_refuses_a_simulated_clock(idle: Collector) -> None:
    """Whether the environment asks for it or a configuration, and whatever is run."""
    idle.start_with()
    idle.send(run_event())
    idle.stop()
    file = idle.directory / "innerloop-collector.toml"
    file.write_text(f'[store]\nthrow_away = true\nsimulated_clock = "{MONDAY.isoformat()}"\n')
    for words, environment in ((["check", "--config", str(file)], {}), (["serve", "--port", "0"], {CLOCK: MONDAY.isoformat()})):
        done = idle.cli(*words, env=environment)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert "is kept, and so it goes by this machine's clock, and store.simulated_clock cannot be set" in done.stderr

    assert 1 == idle.stored, "and it is as it was"


def test_no_store_is_made_with_a_simulated_clock_unless_it_is_made_to_be_thrown_away(idle: Collector) -> None:
    done = idle.cli("serve", "--port", "0", env={CLOCK: MONDAY.isoformat()})

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "with store.throw_away" in done.stderr
    assert not (idle.data / "secret").exists()


def test_a_throw_away_store_of_this_machines_clock_keeps_to_it(idle: Collector) -> None:
    idle.for_trying().start_with().stop()
    done = idle.cli("check", env={CLOCK: MONDAY.isoformat()})

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "was made with this machine's clock" in done.stderr


def test_nobody_moves_the_clock_of_a_usual_service(collector: Collector) -> None:
    refused = move(collector, datetime.now(UTC) + timedelta(days=1))

    assert 409 == refused.status_code
    assert "does not know the operation 'simulation.move'" in refused.json()["detail"]
    assert "simulation" not in collector.http.get(collector.url + "/openapi.json").text


def test_what_comes_in_and_what_goes_goes_by_the_simulated_clock(idle: Collector) -> None:
    """Days of receipt, the correction of a sender's clock, reports and retention."""
    simulated(idle).start_with(project(project={"retention_days": 10}))
    idle.apply(project(project={"retention_days": 10}), "--min-active-weeks", "1")
    people = [f"00000000-0000-4000-8000-{number:012}" for number in range(6)]
    assert 200 == move(idle, MONDAY + timedelta(hours=20)).status_code
    wrong = MONDAY + timedelta(days=40, hours=15)
    idle.send(*(at(MONDAY + timedelta(hours=15), one) for one in people[:3]), sent_at=(MONDAY + timedelta(hours=20)).isoformat())
    idle.send(*(at(wrong, one) for one in people[3:]), sent_at=(wrong + timedelta(hours=5)).isoformat())
    report = idle.ask("report", "acme")
    assert ("2031-03-09", ["test"]) == (report["period"]["last_day"], [one["command"] for one in report["commands"]])

    for day, left in ((10, 6), (11, 0)):
        assert 200 == move(idle, MONDAY + timedelta(days=day, hours=1)).status_code
        assert left == idle.stored
    assert "retention paused" not in idle.log


def test_the_simulated_clock_never_goes_back_and_stands_where_it_stood_when_the_store_is_opened_again(idle: Collector) -> None:
    simulated(idle).start_with()
    (said,) = [json.loads(line) for line in idle.log.splitlines() if "SIMULATED" in line]
    assert ("warning", MONDAY.isoformat()) == (said["level"], said["now"])
    assert 200 == move(idle, MONDAY + timedelta(days=8)).status_code
    back, naive = move(idle, MONDAY + timedelta(days=7)), move(idle, "2031-04-01T00:00:00")
    assert (409, 400) == (back.status_code, naive.status_code)
    assert "only moves forward" in back.json()["detail"]
    idle.stop()
    del idle.environment[CLOCK], idle.environment["INNERLOOP_COLLECTOR_STORE_THROW_AWAY"]

    assert "2031-03-16" == idle.ask("report", "acme")["period"]["last_day"]
    checked = idle.cli("check")
    assert (0, True) == (checked.returncode, "SIMULATED" in checked.stdout), checked.stderr
    idle.start()
    assert 200 == move(idle, MONDAY + timedelta(days=9)).status_code


def test_a_simulated_clock_that_is_no_instant_is_one_clear_line(idle: Collector) -> None:
    done = idle.cli("check", env={CLOCK: "2031-03-03T00:00:00"})

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "simulated_clock must be an instant with an offset" in done.stderr
