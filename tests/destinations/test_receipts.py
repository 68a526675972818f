"""The receipt of an erasure says for each destination what became of what was passed on, then and later."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector.support import KEY, Collector, Owner, run_event
from tests.destinations.receivers import Answer, Receiver, wait_until
from tests.destinations.support import PSEUDONYM, Configured, project

_UNKNOWN = "0" * 64  # a plan that was never applied: what names it waits, and is passed on to nobody


def test_a_receipt_tells_destinations_that_got_something_from_those_that_did_not(configured: Configured, receiver: Receiver) -> None:
    receiver.say = lambda _: Answer()
    configured.destination("got", "newrelic", receiver).destination("paused", "newrelic", receiver)
    configured.start(project(("Metrics Ltd", PSEUDONYM)))
    collector = configured.collector
    collector.cli("destinations", "pause", "paused")
    passed, fresh = Owner(), Owner()
    collector.send(run_event(passed.id), run_event(fresh.id, command="waits"), owners=[passed, fresh])
    configured.wait("got", lambda it: it["sent"] == 1)
    answer = collector.forget(passed)
    expected = [{"name": "got", "state": "not provable"}, {"name": "paused", "state": "erased"}]

    assert expected == answer["destinations"]
    looked_up = collector.http.get(f"{collector.url}/v1/forget/{answer['receipt']}", auth=(KEY, "")).json()
    assert expected == looked_up["destinations"]
    told = {"got": "not provable", "paused": "nothing was sent"}
    assert told == collector.ask("receipt", answer["receipt"])["destinations"], "nothing was erased where nothing was"
    assert re.search(r"^paused +nothing was sent$", collector.ask_text("receipt", answer["receipt"]), re.MULTILINE)
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


@pytest.mark.slow
def test_what_was_passed_on_stays_not_provable_when_the_configuration_changes(configured: Configured, receiver: Receiver) -> None:
    """What a destination got it has: whatever it is called today, whichever projects it is for now, whoever the newest file names."""
    for name in ("moved", "renamed", "kept"):
        configured.destination(name, "newrelic", receiver)
    configured.start(project(("Metrics Ltd", PSEUDONYM)))
    passed, fresh = Owner(), Owner()
    configured.collector.send(run_event(passed.id), owners=[passed])
    configured.collector.send(run_event(fresh.id), plan=_UNKNOWN, owners=[fresh])
    for name in ("moved", "renamed", "kept"):
        configured.wait(name, lambda it: it["sent"] == 1)
    configured.collector.stop()
    configured.sections["destinations.called"] = configured.sections.pop("destinations.renamed")
    configured.destination("moved", "newrelic", receiver, projects=["shop"]).start(project())

    names = {"moved", "renamed", "kept"}
    assert {"erased"} == {one["state"] for one in configured.collector.forget(fresh)["destinations"]}
    told = {one["name"]: one["state"] for one in configured.collector.forget(passed)["destinations"]}
    assert {"called": "erased", **dict.fromkeys(names, "not provable")} == told


_RESTORED = """
import os, pathlib, sys
from innerloop_collector.config.loading import load
from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.paths import prepare
opened = Collector(prepare(pathlib.Path(sys.argv[1])), load(None, os.environ))
opened.open()
opened.exporters.restored()
opened.close()
"""


@pytest.mark.slow
def test_in_a_store_that_was_restored_nothing_can_be_proven_of_destinations(configured: Configured, receiver: Receiver) -> None:
    """What they got after the backup was made is in no row and no count of it."""
    configured.destination("nr", "newrelic", receiver).start(project(("Metrics Ltd", PSEUDONYM)))
    owner = Owner()
    configured.collector.send(run_event(owner.id), plan=_UNKNOWN, owners=[owner])
    configured.collector.stop()
    command = [sys.executable, "-c", _RESTORED, str(configured.collector.data)]
    done = subprocess.run(command, env=configured.collector.environment, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stderr
    configured.start(project(("Metrics Ltd", PSEUDONYM)))

    assert [{"name": "nr", "state": "not provable"}] == configured.collector.forget(owner)["destinations"]
