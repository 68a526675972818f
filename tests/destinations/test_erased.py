"""What was erased or has expired is not passed on, and its receipt can say what became of the rest."""

import json
import subprocess
import sys
import threading

import pytest

from tests.collector.support import Owner, run_event
from tests.destinations.receivers import Answer, Receiver, Request
from tests.destinations.support import PSEUDONYM, WITHOUT_ID, Configured, project

STATES = """
import json, os, pathlib, sys
from innerloop_collector.config.loading import load
from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.paths import prepare
opened = Collector(prepare(pathlib.Path(sys.argv[1])), load(None, os.environ))
opened.open()
print(json.dumps([opened.exporters.erasure_states("acme", opened.store.hasher.installation("acme", name)) for name in sys.argv[2:]]))
opened.close()
"""


@pytest.mark.slow
def test_what_is_erased_while_a_destination_is_down_never_gets_there(configured: Configured, receiver: Receiver) -> None:
    receiver.say = lambda _: Answer(503)
    configured.destination("nr", "newrelic", receiver, longest_pause_seconds=0.1).start(project(("Metrics Ltd", PSEUDONYM)))
    leaving, staying = Owner(), Owner()
    events = [run_event(leaving.id, duration_ms=1), run_event(staying.id, duration_ms=2)]
    configured.collector.send(*events, owners=[leaving, staying])
    configured.wait("nr", lambda it: it["failures"] > 1)
    configured.collector.forget(leaving)
    receiver.say = lambda _: Answer()
    receiver.wait_for(lambda it: len(it.events) == 1)

    assert [2] == [event["duration_ms"] for event in receiver.events]
    assert 0 == configured.wait("nr", lambda it: it["state"] == "level")["behind_events"]


def test_what_is_erased_after_it_was_read_and_before_it_is_sent_is_not_sent(configured: Configured, receiver: Receiver) -> None:
    """A page of events is read at once and sent in batches; the first one waits for its answer here."""
    asked, answer = threading.Event(), threading.Event()

    def take_its_time(_: Request) -> Answer:
        asked.set()
        answer.wait(60)
        return Answer()

    receiver.say = take_its_time
    configured.destination("nr", "newrelic", receiver, batch=1, timeout_seconds=60).start(project(("Metrics Ltd", PSEUDONYM)))
    leaving = Owner()
    first, second, third = run_event(duration_ms=1), run_event(leaving.id, duration_ms=2), run_event(duration_ms=3)
    configured.collector.send(first, second, third, owners=[leaving])
    assert asked.wait(30)
    told = configured.collector.forget(leaving)["destinations"]
    answer.set()
    receiver.wait_for(lambda it: any(event["duration_ms"] == 3 for event in it.events))

    assert [1, 3] == [event["duration_ms"] for event in receiver.events]
    assert [{"name": "nr", "state": "erased"}] == told
    again = Owner()
    configured.collector.send(run_event(again.id, duration_ms=4), owners=[again])
    receiver.wait_for(lambda it: len(it.events) == 3)
    assert [{"name": "nr", "state": "not provable"}] == configured.collector.forget(again)["destinations"]


@pytest.mark.slow
def test_an_event_that_was_set_aside_and_is_erased_is_gone_from_there_too(configured: Configured, receiver: Receiver) -> None:
    receiver.say = lambda it: Answer(400 if any(event["duration_ms"] == 1 for event in it.events) else 200)
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", PSEUDONYM)))
    leaving = Owner()
    configured.collector.send(run_event(leaving.id, duration_ms=1), run_event(duration_ms=2), owners=[leaving])
    configured.wait("nr", lambda it: it["set_aside"] == 1)
    configured.collector.forget(leaving)
    receiver.say = lambda _: Answer()
    configured.collector.cli("destinations", "retry", "nr")
    configured.wait("nr", lambda it: it["set_aside"] == 0)

    assert [2] == [event["duration_ms"] for event in receiver.events]


@pytest.mark.slow
def test_each_destination_says_what_an_erasure_means_there(configured: Configured, receiver: Receiver) -> None:
    """Nothing passed on: erased with the rest. Something passed on: none of them can be made to show that it is gone."""
    configured.destination("rows", "newrelic", receiver).destination("totals", "segment", receiver, recipient="Totals Ltd")
    configured.destination("paused", "segment", receiver, recipient="Later Ltd")
    text = project(("Metrics Ltd", WITHOUT_ID), ("Totals Ltd", "group totals"), ("Later Ltd", PSEUDONYM))
    configured.start(text)
    configured.collector.cli("destinations", "pause", "paused")
    configured.send(run_event("somebody"))
    configured.wait("rows", lambda it: it["sent"] == 1)
    configured.collector.stop()
    done = subprocess.run(
        [sys.executable, "-c", STATES, str(configured.collector.data), "somebody", "nobody"],
        env=configured.collector.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    somebody, nobody = (dict(states) for states in json.loads(done.stdout))

    assert {"rows": "not provable", "totals": "erased", "paused": "not provable"} == somebody, (
        "who opens the store anew cannot know of tries"
    )
    assert {"rows": "erased", "totals": "erased", "paused": "erased"} == nobody
