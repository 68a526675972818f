"""What `check` and `/metrics` say of destinations."""

import re
import threading
import time
from pathlib import Path

import pytest

from innerloop_collector.terminal.destinations import status as table
from tests.collector.support import fill, run_event
from tests.destinations.receivers import Answer, Receiver, Request, wait_until
from tests.destinations.support import WITHOUT_ID, Configured, project


def test_the_table_breaks_no_word_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    one = {
        "destination": "newrelic", "kind": "newrelic", "projects": ["shop", "innerloop-example"], "state": "delivering", "behind_events": 12_345,
        "sent": 1_234_567, "set_aside": 1_234, "last_error": "it answered 401; see its key and its address", "next_try_seconds": 12.3,
    }  # fmt: skip
    shown = table({"destinations": [one]})

    for word in ("newrelic", "innerloop-example", "delivering", "12,345", "1,234,567", "1,234"):
        assert word in shown
    assert shown.endswith("\nnewrelic: it answered 401; see its key and its address, next try in 12 s")


def test_a_destination_that_fails_shows_in_check_and_in_the_metrics(configured: Configured, receiver: Receiver) -> None:
    receiver.say = lambda _: Answer(401)
    configured.destination("billing", "segment", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    collector = configured.collector
    assert 0 == collector.cli("check").returncode
    configured.send(run_event(), run_event())
    configured.wait("billing", lambda it: it["failures"] > 0)
    checked = collector.cli("check")
    text = collector.http.get(collector.url + "/metrics").text

    assert 1 == checked.returncode
    assert (
        "innerloop-collector: the destination billing fails (it answered 401; see its key and its address) and is behind by 2 events"
        in checked.stderr
    )
    assert 'innerloop_destination_behind_events{destination="billing"} 2.0' in text
    assert 'innerloop_destination_sent_total{destination="billing"} 0.0' in text
    failures = re.search(r'^innerloop_destination_failures{destination="billing"} (\S+)$', text, re.MULTILINE)
    assert failures
    assert 0 < float(failures[1])


def test_a_full_disk_is_no_fault_of_the_destinations_and_what_cannot_be_noted_is_not_sent_on_and_on(
    configured: Configured, receiver: Receiver, small_disk: Path
) -> None:
    asked, full = threading.Event(), threading.Event()

    def say(_: Request) -> Answer:
        asked.set()
        full.wait(30)
        return Answer()

    receiver.say = say
    collector = configured.collector
    collector.data = small_disk / "data"
    collector.environment["INNERLOOP_COLLECTOR_DATA"] = str(collector.data)
    configured.destination("traces", "otlp", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())
    wait_until(asked.is_set)
    fill(small_disk / "filler")
    full.set()
    status = configured.wait("traces", lambda it: it["state"] == "waiting")
    time.sleep(2)
    said = [line.partition(";")[0] for line in collector.cli("check").stderr.splitlines()]

    assert (0, None, 1) == (status["failures"], status["last_error"], status["behind_events"])
    assert ["/v1/traces", "/v1/metrics"] == [request.path for request in receiver.requests]
    assert [
        "innerloop-collector: 0.0 GB are free (0%)",
        "innerloop-collector: no file can be made in the data directory",
    ] == said
    (small_disk / "filler").unlink()
    configured.wait("traces", lambda it: it["state"] == "level")
    assert ["/v1/traces", "/v1/metrics", "/v1/traces"] == [request.path for request in receiver.requests], "a metric counts each time"
