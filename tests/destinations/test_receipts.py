"""The receipt of an erasure says for each destination what became of what was passed on, then and later."""

from tests.collector.support import KEY, Owner, run_event
from tests.destinations.receivers import Answer, Receiver
from tests.destinations.support import PSEUDONYM, Configured, project


def test_a_receipt_tells_destinations_that_got_something_from_those_that_did_not(configured: Configured, receiver: Receiver) -> None:
    receiver.say = lambda _: Answer()
    configured.destination("got", "newrelic", receiver).destination("paused", "newrelic", receiver)
    configured.start(project(("Metrics Ltd", PSEUDONYM)))
    collector = configured.collector
    collector.cli("destinations", "pause", "paused")
    passed, fresh = Owner(), Owner()
    collector.send(run_event(passed.id), owners=[passed, fresh])
    configured.wait("got", lambda it: it["sent"] == 1)
    answer = collector.forget(passed)
    expected = [{"name": "got", "state": "not provable"}, {"name": "paused", "state": "erased"}]

    assert expected == answer["destinations"]
    looked_up = collector.http.get(f"{collector.url}/v1/forget/{answer['receipt']}", auth=(KEY, "")).json()
    assert expected == looked_up["destinations"]
    assert {"got": "not provable", "paused": "erased"} == collector.ask("receipt", answer["receipt"])["destinations"]
    assert {"erased"} == {one["state"] for one in collector.forget(fresh)["destinations"]}
    assert {"not provable"} == {one["state"] for one in collector.forget(fresh)["destinations"]}, "nothing is left that could tell"
