"""What `check` and `/metrics` say of destinations."""

import re

import pytest

from innerloop_collector.terminal.destinations import status as table
from tests.collector.support import run_event
from tests.destinations.receivers import Answer, Receiver
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
