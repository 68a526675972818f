"""What `check` and `/metrics` say of destinations."""

import re
import threading
import time
from pathlib import Path

import pytest

from innerloop_collector.terminal.tables import status as table
from tests.collector.support import Collector, fill, run_event
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


@pytest.mark.slow
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

    assert (0, 1) == (status["failures"], status["behind_events"])
    assert "the store failed" in status["last_error"]
    assert ["/v1/traces", "/v1/metrics"] == [request.path for request in receiver.requests]
    assert [
        "innerloop-collector: 0.0 GB are free (0%)",
        "innerloop-collector: no file can be made in the data directory",
        "innerloop-collector: the destinations (traces) wait, as the store cannot be read or written: the store failed: [Errno 28] No space left on device",
    ] == said
    (small_disk / "filler").unlink()
    configured.wait("traces", lambda it: it["state"] == "level")
    assert ["/v1/traces", "/v1/metrics"] == [request.path for request in receiver.requests], "what was taken is not sent again"


def test_a_store_that_cannot_be_read_is_said_to_be_that_and_is_asked_ever_more_rarely(configured: Configured, receiver: Receiver) -> None:
    """Writing works: that alone must not pass for a store that works again."""
    configured.destination("nr", "newrelic", receiver, first_pause_seconds=0.5, longest_pause_seconds=60)
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    collector = configured.collector
    collector.cli("destinations", "pause", "nr")
    configured.send(*(run_event() for _ in range(20)))
    whole = damaged(collector)
    collector.cli("destinations", "resume", "nr")
    status = configured.wait("nr", lambda it: it["next_try_seconds"] > 1)
    checked = collector.cli("check")

    assert ("waiting", 0, 20) == tuple(status[name] for name in ("state", "failures", "behind_events"))
    assert "the store failed" in status["last_error"]
    assert 1 == checked.returncode
    assert "the destinations (nr) wait, as the store cannot be read or written: the store failed" in checked.stderr
    assert "nr fails" not in checked.stderr
    for path, content in whole.items():
        path.write_bytes(content)
    collector.cli("destinations", "resume", "nr")
    receiver.wait_for(lambda it: len(it.events) == 20)
    configured.wait("nr", lambda it: (it["state"], it["last_error"]) == ("level", None))
    said = [line for line in collector.log.splitlines() if "the store" in line and "destination" in line]
    assert ["waits for the store", "as the store works again"] == [
        words for line in said for words in ("waits for the store", "as the store works again") if words in line
    ]


def damaged(collector: Collector) -> dict[Path, bytes]:
    """Overwrite what the store holds of events, under the running service; what it was before."""
    whole = {
        path: path.read_bytes() for path in collector.data.rglob("*.bin") if b"message_key" in (path.parent / "columns.txt").read_bytes()
    }
    assert whole
    for path, content in whole.items():
        path.write_bytes(b"?" * len(content))
    return whole
