"""What `check` and `/metrics` say of destinations."""

import re

from tests.collector.support import run_event
from tests.destinations.receivers import Answer, Receiver
from tests.destinations.support import WITHOUT_ID, Configured, project


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
