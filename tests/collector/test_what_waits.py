"""What waits in quarantine is delivered to its sender, so the collector itself says that it waits, why, and on which day it goes."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from innerloop_collector.pipeline.outcome import KEEP_THEIR_BODY, Reason
from tests.collector.clock import moved
from tests.collector.support import Collector, Event, digest_of, project, run_event
from tests.collector.test_metrics import value

TODAY = datetime.now(UTC).date()
GOES = TODAY + timedelta(days=30)
FORGOTTEN = project(fields={"arch": False})  # changed, committed, and never applied


def nameless() -> Event:
    return {name: value for name, value in run_event().items() if name != "userId"}


WAITS: dict[Reason, list[Event]] = {
    Reason.MALFORMED: [{**run_event(), "type": 5}],
    Reason.NO_ID: [nameless()],
    Reason.TOO_LARGE: [run_event(padding="x" * 40_000)],
    Reason.OUTSIDE: [{**run_event(), "type": "identify"}],
    Reason.VIOLATION: [run_event(command="deploy")],
    Reason.OUT_OF_RANGE: [run_event(ago=timedelta(days=400))],
    Reason.NEW_ID: [run_event(), run_event()],
}


@pytest.fixture
def full(idle: Collector) -> Collector:
    """A collector where something waits for each reason that there is."""
    idle.environment["INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY"] = "1"
    idle.start_with()
    for events in WAITS.values():
        idle.send(*events)
    idle.send(run_event(), plan=digest_of(FORGOTTEN))
    return idle


def found(collector: Collector) -> dict[str, Any]:
    """The findings about what waits, by reason."""
    findings = [one for one in collector.check()["findings"] if one["about"] == "quarantine"]
    return {re.findall(r"\(([^)]*)\)", one["text"])[0]: one for one in findings}


def test_check_fails_and_names_the_project_and_the_day_on_which_it_goes_for_each_reason(full: Collector) -> None:
    done, answer = full.cli("check"), full.check()

    assert (1, False) == (done.returncode, answer["ok"])
    lines = [line.removeprefix("innerloop-collector: ") for line in done.stderr.splitlines() if "quarantine (" in line]
    assert sorted(map(str, Reason)) == sorted(re.findall(r"\(([^)]*)\)", line)[0] for line in lines)
    assert [] == [line for line in lines if not line.startswith("acme: 1 event") or str(GOES) not in line]
    assert {(str(reason), "acme", str(GOES)) for reason in Reason} == {
        (one["reason"], one["project"], one["removed_on"]) for one in answer["waiting"]
    }
    assert all(re.search(r"; [a-z ]+:", line) for line in lines), lines


def test_after_the_forgotten_apply_all_is_well(collector: Collector) -> None:
    collector.send(run_event(), plan=digest_of(FORGOTTEN))
    broken = collector.cli("check")
    assert (1, True) == (broken.returncode, "projects apply" in broken.stderr)
    narrow = run_event()
    del narrow["properties"]["arch"]
    collector.send(narrow, plan=digest_of(FORGOTTEN))
    collector.apply(FORGOTTEN)

    assert {"violates the plan"} == set(found(collector))
    collector.apply(project())
    assert 1 == collector.stored


def test_it_is_said_until_the_day_on_which_it_goes_and_it_goes_on_that_day(collector: Collector) -> None:
    collector.send(run_event(), plan=digest_of(FORGOTTEN))
    collector.stop()
    moved(collector, 29).start()
    assert str(GOES) in found(collector)["unknown plan"]["text"]
    collector.stop()
    moved(collector, 30)
    collector.ask("retain")

    assert {} == found(collector)


def test_what_nothing_can_release_is_a_note_once_no_more_of_it_comes(full: Collector) -> None:
    assert {False} == {one["note"] for one in found(full).values()}
    full.stop()
    moved(full, 3).start()

    assert {str(reason): reason not in KEEP_THEIR_BODY for reason in Reason} == {reason: one["note"] for reason, one in found(full).items()}


def test_metrics_say_how_many_wait_and_when_they_go_and_name_no_project(full: Collector) -> None:
    text = full.http.get(full.url + "/metrics").text
    seconds = datetime(GOES.year, GOES.month, GOES.day, tzinfo=UTC).timestamp()

    for reason in Reason:
        assert 1 == value(text, f'innerloop_quarantine_events{{reason="{reason}"}}')
        assert seconds == value(text, f'innerloop_quarantine_removal_timestamp_seconds{{reason="{reason}"}}')
    assert "acme" not in text


def test_metrics_name_projects_where_the_operator_asks_for_it(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_PER_PROJECT"] = "true"
    idle.start_with()
    idle.send(run_event(), run_event(), plan=digest_of(FORGOTTEN))

    assert 'innerloop_quarantine_events{project="acme",reason="unknown plan"} 2.0' in idle.http.get(idle.url + "/metrics").text.replace(
        'reason="unknown plan",project="acme"', 'project="acme",reason="unknown plan"'
    )


def test_neither_readyz_nor_a_report_says_that_anything_waits(full: Collector) -> None:
    assert {"status": "ready"} == full.http.get(full.url + "/readyz").json()
    said = json.dumps(full.ask("report", "acme")) + full.ask_text("report", "acme")
    assert [] == [reason for reason in Reason if reason in said]


def test_where_nothing_waits_nothing_is_said(shared: Collector) -> None:
    assert [] == shared.check()["waiting"]
    assert "innerloop_quarantine_events{" not in shared.http.get(shared.url + "/metrics").text


def test_the_list_names_the_day_too(full: Collector) -> None:
    rows = full.ask("quarantine", "list")["quarantine"]

    assert {str(GOES)} == {row["removed_on"] for row in rows}
    assert str(GOES) in full.ask_text("quarantine", "list")
