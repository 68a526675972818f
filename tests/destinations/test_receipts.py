"""The receipt of an erasure says for each destination what became of what was passed on, then and later."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector.support import KEY, Collector, Owner, run_event
from tests.destinations.receivers import Answer, Receiver, wait_until
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


def _die_erasing(collector: Collector, owner: Owner, step: str) -> None:
    """Begin an erasure in a process that is killed after a step."""
    root = Path(__file__).parents[2]
    script = root / "tests" / "collector" / "die_while_erasing.py"
    environment = {**collector.environment, "PYTHONPATH": f"{root}:{collector.environment['PYTHONPATH']}"}
    done = subprocess.run(
        [sys.executable, str(script), str(collector.data), owner.id, step],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert -9 == done.returncode, done.stderr


@pytest.mark.parametrize("step", ["rows", "purge"])
def test_an_erasure_that_a_crash_cut_off_names_the_destinations_and_the_backups(
    configured: Configured, receiver: Receiver, step: str
) -> None:
    receiver.say = lambda _: Answer()
    configured.destination("got", "newrelic", receiver).start(project(("Metrics Ltd", PSEUDONYM)))
    collector = configured.collector
    passed = Owner()
    collector.send(run_event(passed.id), owners=[passed])
    configured.wait("got", lambda it: it["sent"] == 1)
    collector.ask("backup", str(collector.directory / "backup"))
    collector.stop()
    _die_erasing(collector, passed, step)
    collector.start()
    wait_until(lambda: not collector.check()["unfinished_erasures"])
    answer = collector.forget(passed)

    assert {"got": "not provable", "backups": "erased"} == {one["name"]: one["state"] for one in answer["destinations"]}
