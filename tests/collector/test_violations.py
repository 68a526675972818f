"""Violations are counted by project, reason, field and day, once each, and the counts stay when the events go."""

from datetime import UTC, datetime
from typing import Any

from tests.collector.support import Collector, project, run_event

TODAY = datetime.now(UTC).date().isoformat()


def _counts(collector: Collector) -> dict[tuple[str, str], int]:
    return {(one["reason"], one["field"]): one["events"] for one in collector.ask("quarantine", "violations")["violations"]}


def test_violations_are_counted_once_however_often_they_are_sent_and_stay_when_released(collector: Collector) -> None:
    deploys = [run_event(command="deploy") for _ in range(2)]
    both = run_event(command="deploy", duration_ms=12345)
    for _ in range(2):
        collector.send(*deploys, both)
    expected = {
        ("violates the plan", ""): 3,
        ("violates the plan", "not allowed: command"): 3,
        ("violates the plan", "not allowed: duration_ms"): 1,
    }
    assert expected == _counts(collector)
    listed: list[dict[str, Any]] = collector.ask("quarantine", "violations")["violations"]
    assert {("acme", TODAY)} == {(one["project"], one["day"]) for one in listed}

    assert 2 == collector.apply(project(names={"allow": ["deploy"]}))["released"]
    collector.kill()
    collector.start()
    assert expected == _counts(collector)


def test_violations_never_hold_a_value(collector: Collector) -> None:
    collector.send(run_event(command="canary"), run_event(canary=1))
    shown = collector.cli("quarantine", "violations").stdout + collector.cli("quarantine", "violations", "--json").stdout

    assert "command" in shown
    assert "canary" not in shown
