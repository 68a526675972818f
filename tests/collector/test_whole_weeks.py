"""A report is of weeks that are over, and nothing that happens in the running one changes it. Only a store made to be thrown away is quicker."""

import os
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.collector.asking import asked
from tests.collector.clock import moved
from tests.collector.support import PROJECT, Collector, project, run_event

TODAY = datetime.now(UTC).date()
NEXT_MONDAY = TODAY + timedelta(days=7 - TODAY.weekday())


def days_until(day: date) -> int:
    return (day - TODAY).days


def people(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def later(collector: Collector, day: date) -> Collector:
    """Go on with a collector on a later day. What is sent then counts as of then: the sender's clock is set right by the collector's."""
    collector.kill()
    moved(collector, days_until(day)).start()
    return collector


def shown(report: dict[str, Any]) -> dict[str, int]:
    return {one["command"]: one["runs"] for one in report["commands"]}


@pytest.fixture
def ready(idle: Collector) -> Collector:
    """A running collector whose developers count from their first whole week on."""
    idle.start_with()
    idle.apply(PROJECT, "--min-active-weeks", "1")
    return idle


def test_the_running_week_is_in_no_report_until_it_is_over(ready: Collector) -> None:
    team = people(8)
    ready.send(*(run_event(person, ago=timedelta(days=days)) for person in team for days in (0, 8, 15)))
    early, text = ready.ask("report", "acme"), ready.ask_text("report", "acme")
    assert ("no events", {}, str(NEXT_MONDAY)) == (early["state"], shown(early), early["next_figures"])
    assert (None, str(TODAY - timedelta(days=TODAY.weekday() + 1))) == (early["window"]["running_week"], early["window"]["last_day"])
    assert f"Next figures: {NEXT_MONDAY}" in text
    assert early == asked(ready, "report", project="acme").json()

    report = later(ready, NEXT_MONDAY).ask("report", "acme")
    assert ("figures", {"test": 25}, str(NEXT_MONDAY - timedelta(days=1))) == (report["state"], shown(report), report["window"]["last_day"])


def test_nothing_that_comes_in_during_a_week_changes_its_report(ready: Collector) -> None:
    """Else whoever asks again and again finds the one run that came between, and how long it took."""
    team = people(8)
    ready.send(*(run_event(person) for person in team))
    before = later(ready, NEXT_MONDAY).ask("report", "acme")
    assert {"test": 10} == shown(before)

    ready.send(*(run_event(person, ago=timedelta(days=3)) for person in [*team, *people(3)] for _ in range(9)))
    ready.send(*(run_event(person, command="build") for person in team))
    for weeks in ((), ("--weeks", "1"), ("--weeks", "13")):
        ready.ask("report", "acme", *weeks)
    after = ready.ask("report", "acme")
    assert before == after

    assert {"test", "build"} == set(shown(later(ready, NEXT_MONDAY + timedelta(days=7)).ask("report", "acme")))


def test_what_goes_in_the_running_week_is_gone_from_its_report_since_its_first_day(idle: Collector) -> None:
    kept = project(project={"retention_days": 10})
    moved(idle, days_until(NEXT_MONDAY) - 3).start_with(kept)
    idle.apply(kept, "--min-active-weeks", "1")
    team = people(8)
    idle.send(*(run_event(person) for person in team))  # on a Friday, and the Sunday before it
    idle.send(*(run_event(person, ago=timedelta(days=5), command="build") for person in team))
    monday, thursday = (later(idle, NEXT_MONDAY + timedelta(days=days)).ask("report", "acme") for days in (0, 3))

    assert {"test": 10} == shown(monday)
    assert monday == thursday


def test_developers_count_after_enough_whole_weeks_and_until_then_a_day_is_named(idle: Collector) -> None:
    idle.start_with()
    team = people(6)
    idle.send(*(run_event(person) for person in team))
    for weeks in (0, 1, 2):
        later(idle, NEXT_MONDAY + timedelta(days=7 * weeks))
        report = idle.ask("report", "acme")
        if weeks < 2:
            day = NEXT_MONDAY + timedelta(days=14)
            assert ("too little history", str(day)) == (report["state"], report["first_figures"])
            idle.send(*(run_event(person) for person in team))

    assert ("figures", {"test": 20}) == (report["state"], shown(report))


def test_totals_of_a_week_are_told_when_it_is_over(idle: Collector) -> None:
    """A project that keeps rows for a day has them made on its second."""
    short = project(project={"retention_days": 1})
    tuesday = NEXT_MONDAY + timedelta(days=1)
    moved(idle, days_until(tuesday)).start_with(short)
    idle.apply(short, "--min-active-weeks", "1")
    idle.send(*(run_event(person) for person in people(8)))
    later(idle, tuesday + timedelta(days=3))
    assert [] != idle.ask("retain")["today"]
    assert [] == idle.ask("totals", "acme")["totals"]

    assert [str(NEXT_MONDAY)] == [one["week"] for one in later(idle, tuesday + timedelta(days=7)).ask("totals", "acme")["totals"]]


# a store to throw away


def test_a_throw_away_store_shows_the_running_week_and_every_output_says_what_that_means(idle: Collector) -> None:
    idle.for_trying().start_with()
    idle.apply(PROJECT, "--min-active-weeks", "1")
    idle.send(*(run_event(person) for person in people(6)))
    report, text, checked = idle.ask("report", "acme"), idle.ask_text("report", "acme"), idle.cli("check")

    assert ({"test": 5}, None) == (shown(report), report["next_figures"])
    assert report["window"]["last_week"] == report["window"]["running_week"] == f"{TODAY:%G-W%V}"
    assert report["rules"][0].startswith("THROW-AWAY STORE")
    assert "THROW-AWAY STORE" in text
    assert (0, True) == (checked.returncode, "throw-away store" in checked.stdout)


def test_a_store_that_was_made_to_be_kept_is_never_switched_and_a_throw_away_store_neither(new_collector: Callable[[], Collector]) -> None:
    kept, trying = new_collector(), new_collector()
    kept.start_with().stop()
    done = kept.for_trying().cli("check")
    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "store.throw_away" in done.stderr

    trying.for_trying().start_with().stop()
    del trying.environment["INNERLOOP_COLLECTOR_STORE_THROW_AWAY"]
    trying.start()
    assert None is not trying.ask("report", "acme")["window"]["running_week"]


@pytest.mark.parametrize(
    "environment",
    [
        {"INNERLOOP_COLLECTOR_SERVER_HOST": "0.0.0.0"},
        {
            "INNERLOOP_COLLECTOR_ACCESS_TRUSTED_PROXIES": "127.0.0.1",
            "INNERLOOP_COLLECTOR_ACCESS_PROXY_USER_HEADER": "X-User",
            "INNERLOOP_COLLECTOR_ACCESS_PROXY_SECRET_FILE": "proxy-secret",
        },
    ],
    ids=["another interface", "a proxy"],
)
def test_a_throw_away_store_is_served_to_this_machine_only(idle: Collector, environment: dict[str, str]) -> None:
    (idle.directory / "proxy-secret").write_text("0123456789abcdef" * 2)
    os.chmod(idle.directory / "proxy-secret", 0o600)
    environment = {name: str(idle.directory / value) if value == "proxy-secret" else value for name, value in environment.items()}
    try:
        done = idle.for_trying().cli("serve", "--port", "0", env=environment)
    except subprocess.TimeoutExpired:
        raise AssertionError("it is served") from None

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "throw-away store" in done.stderr


def test_no_store_is_a_throw_away_store_by_itself_or_by_what_an_earlier_one_left(new_collector: Callable[[], Collector]) -> None:
    usual = new_collector()
    usual.start_with()
    assert None is usual.ask("report", "acme")["window"]["running_week"]

    again = new_collector()
    again.data.mkdir(mode=0o700)
    (again.data / "throw-away").touch()
    again.start_with()
    assert None is again.ask("report", "acme")["window"]["running_week"]
