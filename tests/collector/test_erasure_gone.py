"""What was erased is gone from the files when the erasure is answered, and an erasure survives whatever happens to it."""

import contextlib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from innerloop_collector.db.schema import HOLDS_INSTALLATIONS
from innerloop_collector.store.keyed_hash import Hasher
from tests.collector.support import KEY, PROJECT, Collector, Event, Owner, fill, project, run_event
from tests.conftest import ROOT
from tests.needs import need
from tests.pairs import some

RARE = "rarely-run-marker"
WAITING = "waiting-marker"
TRACES = {"name", "value", "hash", "message"}
LISTED = project(names={"allow": [*PROJECT["names"]["allow"], RARE]})


@pytest.fixture
def rare(idle: Collector) -> Collector:
    """A running collector whose project lists a name that one installation alone runs."""
    return idle.start_with(LISTED)


def _found(collector: Collector, owner: Owner, events: Sequence[Event] = ()) -> set[str]:
    """Which traces of the owner are in any file of the data directory.

    Traces are what only the owner's rows hold: a value outside the plan, the keyed hashes of the id and of the events' ids, as number
    and as text, and the name. The name is in the project file too, so it is looked for in the parts of `events` only, which the
    engine names by month.
    """
    hasher = Hasher((collector.data / "secret").read_bytes())
    traces = {
        "value": [WAITING.encode()],
        "hash": _forms(hasher.installation("acme", owner.id)),
        "message": [form for event in events for form in _forms(hasher.message("acme", event["messageId"]))],
    }
    found: set[str] = set()
    for directory, _, names in os.walk(collector.data):
        for name in names:
            with contextlib.suppress(OSError):  # the engine may remove files meanwhile
                content = Path(directory, name).read_bytes()
                found |= {what for what, forms in traces.items() if any(form in content for form in forms)}
                if re.search(r"\d{6}_\d+_\d+_\d+", directory) and RARE.encode() in content:
                    found.add("name")
    return found


def _forms(number: int) -> list[bytes]:
    return [number.to_bytes(16, "little"), number.to_bytes(16, "big"), str(number).encode(), f"{number:x}".encode()]


def _events(owner: Owner, each: int = 5, waiting: str = WAITING) -> list[Event]:
    """Events of an owner in three months, listed ones and such that wait."""
    listed = [run_event(owner.id, command=RARE, ago=timedelta(days=days)) for days in (0, 35, 70) for _ in range(each)]
    return [*listed, *(run_event(owner.id, command=waiting) for _ in range(each))]


def _with_tests(collector: Collector) -> dict[str, str]:
    """An environment in which a script can import the tests' support."""
    return {**collector.environment, "PYTHONPATH": os.pathsep.join(filter(None, (collector.environment["PYTHONPATH"], str(ROOT))))}


def _definition(collector: Collector) -> str:
    """How the engine has `events` on its disk."""
    return next(text for file in collector.data.rglob("events.sql") if "message_key" in (text := file.read_text()))


def _states(answer: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(one["state"], one["events"]) for one in answer["ids"]]


def test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered(rare: Collector) -> None:
    """C49."""
    owner = Owner()
    events = _events(owner) + _events(owner)
    rare.send(*events[:20], *(run_event() for _ in range(50)), owners=[owner])
    rare.send(*events[20:], owners=[owner])
    assert TRACES == _found(rare, owner, events), "a trace was never there, so that its absence would say nothing"

    answer = rare.forget(owner)

    assert set() == _found(rare, owner, events)
    assert [("erased", 40)] == _states(answer)
    assert 50 == rare.stored
    rare.stop()
    assert set() == _found(rare, owner, events)
    parts = f"system.parts WHERE table IN {HOLDS_INSTALLATIONS}"
    assert [[0, 0]] == rare.rows(f"SELECT countIf(has_lightweight_delete), countIf(NOT active) FROM {parts}")


def test_bytes_that_a_merge_or_a_release_from_quarantine_left_behind_go_as_well(rare: Collector) -> None:
    owner = Owner()
    events = [event for _ in range(8) for event in _events(owner, 2, "released-later")]
    for first in range(0, 64, 8):
        rare.send(*events[first : first + 8], run_event(), owners=[owner])
    rare.apply(project(names={"allow": [*LISTED["names"]["allow"], "released-later"]}))
    assert (72, 0) == (rare.stored, rare.waiting)
    rare.stop()
    rare.rows("OPTIMIZE TABLE events FINAL")
    rare.start()

    assert [("erased", 64)] == _states(rare.forget(owner))
    assert set() == _found(rare, owner, events)
    assert (8, 0) == (rare.stored, rare.waiting)


def test_an_event_that_races_with_its_erasure_does_not_survive_it(collector: Collector) -> None:
    owner = Owner()
    collector.send(run_event(owner.id), owners=[owner])
    others: list[Event] = []
    stop = threading.Event()
    guard = threading.Lock()

    def work() -> None:
        with httpx2.Client(trust_env=False, timeout=30, auth=(KEY, "")) as client:
            while not stop.is_set():
                other = run_event()
                theirs = [run_event(owner.id), run_event(owner.id, command="not listed"), run_event(owner.id, ago=timedelta(days=40))]
                assert 200 == client.post(collector.url + "/v1/batch", json={"batch": [other, *theirs]}).status_code
                with guard:
                    others.append(other)

    with ThreadPoolExecutor(4) as threads:
        working = [threads.submit(work) for _ in range(4)]
        try:
            time.sleep(0.5)
            state, events = _states(collector.forget(owner))[0]
            time.sleep(0.5)
        finally:
            stop.set()

    assert [None] * 4 == [one.result() for one in working]
    assert "erased" == state
    assert isinstance(events, int)
    assert events > 0
    assert (len(others), 0) == (collector.stored, collector.waiting)
    collector.kill()
    collector.start()
    assert (len(others), 0) == (collector.stored, collector.waiting)


@pytest.mark.slow
def test_releasing_from_quarantine_and_erasing_at_the_same_time_do_not_disturb_each_other(rare: Collector) -> None:
    owners = [Owner() for _ in range(8)]
    events = [_events(owner, 2, f"later-{number}") for number, owner in enumerate(owners)]
    for owner, theirs in zip(owners, events, strict=True):
        rare.send(*theirs, *(run_event(command=event["properties"]["command"]) for event in theirs[-2:]), owners=[owner])
    allowed = [*LISTED["names"]["allow"], WAITING]

    def apply(number: int) -> int:
        file = rare.write(project(names={"allow": [*allowed, f"later-{number}"]}), f"{number}.toml")
        return rare.cli("projects", "apply", str(file)).returncode

    with ThreadPoolExecutor(4) as threads:
        applied = threads.map(apply, range(8))
        answers = list(threads.map(rare.forget, owners))

    assert [0] * 8 == list(applied)
    assert {"erased"} == {answer["ids"][0]["state"] for answer in answers}
    for owner, theirs in zip(owners, events, strict=True):
        assert set() == _found(rare, owner, theirs)
    assert 16 == rare.stored + rare.waiting


def test_many_who_erase_at_once_are_all_answered_rightly(collector: Collector) -> None:
    owners = [Owner() for _ in range(24)]
    for number, owner in enumerate(owners, 1):
        collector.send(*(run_event(owner.id) for _ in range(number)), run_event(), owners=[owner])
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(collector.forget, owners))

    assert [[("erased", number)] for number in range(1, 25)] == [_states(answer) for answer in answers]
    assert 24 == collector.stored


def _kill_while_erasing(collector: Collector, owner: Owner, after: float) -> None:
    """Ask for an erasure and kill the service, whether it has answered or not."""

    def ask() -> None:
        with contextlib.suppress(httpx2.HTTPError), httpx2.Client(trust_env=False, timeout=30, auth=(KEY, "")) as client:
            client.post(collector.url + "/v1/forget", json={"ids": [owner.claim]})

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(after)
    collector.kill()
    asking.join()


def _wait_until_finished(collector: Collector) -> None:
    token = (collector.data / "admin-token").read_text().strip()
    deadline = time.monotonic() + 60
    unfinished = 1
    while unfinished:
        assert time.monotonic() < deadline, collector.log[-2000:]
        answer = collector.http.post(
            collector.url + "/admin/v1/call", json={"operation": "check"}, headers={"Authorization": f"Bearer {token}"}
        )
        unfinished = answer.json()["unfinished_erasures"]


STEPS = (
    "rows", "begin", "deleting", "forget_mutations", "load_replaced_parts", "replaced_parts", "keep_replaced_parts", "remove_replaced_parts", "add_tombstones",
)  # fmt: skip


@pytest.mark.parametrize("step", some(STEPS, "rows", "replaced_parts", "add_tombstones"))
def test_killed_after_any_of_its_steps_an_erasure_is_finished_by_the_next_start(rare: Collector, step: str) -> None:
    """Without anybody asking again; and when it is called finished, the bytes are gone."""
    owner = Owner()
    events = _events(owner)
    rare.send(*events, *(run_event() for _ in range(5)), owners=[owner])
    rare.stop()
    assert TRACES == _found(rare, owner, events)
    script = Path(__file__).with_name("die_while_erasing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(rare.data), owner.id, step],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=_with_tests(rare),
    )
    assert -9 == done.returncode, done.stderr
    rare.start()
    _wait_until_finished(rare)

    assert set() == _found(rare, owner, events)
    assert (5, 0, 1) == (rare.stored, rare.waiting, rare.check()["tombstones"])
    assert "old_parts_lifetime = 60" in _definition(rare)
    state, events_told = _states(rare.forget(owner))[0]
    assert "erased" == state
    assert events_told in range(21), "what the engine had deleted before the restart is not counted again"


def _survives_kills_while_erasing(collector: Collector, kills: int) -> None:
    """After each kill either nothing of the erasure happened, or it is finished without anybody asking again."""
    chance = random.Random(11)
    neighbours = in_the_middle = 0
    for number in range(kills):
        owner = Owner()
        events = _events(owner, 10)
        collector.send(*events, *(run_event() for _ in range(5)), owners=[owner])
        neighbours += 5
        _kill_while_erasing(collector, owner, chance.uniform(0.0, 0.5))
        in_the_middle += collector.rows("SELECT count() FROM tombstones FINAL WHERE NOT finished")[0][0]
        collector.start()
        _wait_until_finished(collector)
        # asked now: a server outlives the kill, and what it was told last. What waits in quarantine makes `check` complain.
        begun = json.loads(collector.cli("check", "--json").stdout)["tombstones"] == number + 1
        assert (neighbours, 0) == (collector.stored - (0 if begun else 30), collector.waiting - (0 if begun else 10))
        assert (TRACES, set())[begun] == _found(collector, owner, events)

        state, told = _states(collector.forget(owner))[0]
        assert "erased" == state
        assert told in (range(41) if begun else (40,)), "what the engine had deleted before the kill is not counted again"
        assert set() == _found(collector, owner, events)
    assert in_the_middle, "no kill hit an erasure that was under way, so nothing was tested"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_six_kills_while_erasing_leave_no_erasure_half_done(rare: Collector) -> None:
    _survives_kills_while_erasing(rare, 6)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_kills_while_erasing_leave_no_erasure_half_done(rare: Collector) -> None:
    _survives_kills_while_erasing(rare, 100)


def test_after_a_kill_the_same_request_again_completes_the_erasure(rare: Collector) -> None:
    owner = Owner()
    rare.send(*_events(owner), run_event(), owners=[owner])
    _kill_while_erasing(rare, owner, 0.15)
    rare.start()
    answer = rare.forget(owner)

    assert "erased" == answer["ids"][0]["state"]
    assert set() == _found(rare, owner)
    assert (1, 0) == (rare.stored, rare.waiting)


def test_ending_the_service_in_an_erasure_is_quick_and_the_next_start_finishes_it(rare: Collector) -> None:
    owner = Owner()
    rare.send(*_events(owner), run_event(), owners=[owner])
    asking = threading.Thread(target=lambda: rare.post("/v1/forget", {"ids": [owner.claim]}))
    asking.start()
    time.sleep(0.05)
    code = rare.stop()
    asking.join()
    rare.start()
    rare.forget(owner)

    assert 0 == code
    assert "Traceback" not in rare.log
    assert set() == _found(rare, owner)


def test_a_full_disk_is_answered_503_and_the_erasure_is_complete_once_there_is_room(small_disk: Path) -> None:
    collector, owner = Collector(small_disk), Owner()
    with contextlib.closing(collector):
        collector.start_with(LISTED)
        collector.send(*_events(owner), run_event(), owners=[owner])
        fill(small_disk / "ballast")

        refused = collector.post("/v1/forget", {"ids": [owner.claim]})

        assert (503, "application/problem+json") == (refused.status_code, refused.headers["content-type"])
        assert refused.headers["retry-after"].isdigit()
        (small_disk / "ballast").unlink()
        assert [("erased", 20)] == _states(collector.forget(owner))
        assert set() == _found(collector, owner)
        assert 1 == collector.stored


def test_the_disk_has_the_new_parts_before_the_old_ones_go_and_their_end_before_the_answer(rare: Collector) -> None:
    """Seen from the system calls: the engine itself does not sync every file of a part."""
    need("strace")
    owner = Owner()
    rare.send(*_events(owner), run_event(), owners=[owner])
    rare.stop()
    log = rare.directory / "calls"
    words = ["strace", "-f", "-e", "trace=syncfs,rename,unlink,rmdir,unlinkat", "-e", "signal=none", "-o", str(log)]
    script = Path(__file__).with_name("die_while_erasing.py")
    subprocess.run(
        [*words, sys.executable, str(script), str(rare.data), owner.id, "add_tombstones"], env=_with_tests(rare), timeout=100, check=False
    )
    steps = re.findall(r"(syncfs)\(|rename\(.*?(/tmp_mut_)|rename\(.*?(/delete_tmp_)", log.read_text())
    order = [word for word, _ in itertools.groupby("".join(step) for step in steps)]

    assert ["/tmp_mut_", "syncfs", "/delete_tmp_", "syncfs"] == order[-4:]


def test_an_erasure_waits_for_a_query_that_still_reads_the_old_rows(idle: Collector) -> None:
    """The engine keeps replaced parts for as long as somebody reads them; the answer must not come before they are gone."""
    idle.apply(PROJECT)
    script = Path(__file__).with_name("erase_while_reading.py")
    done = subprocess.run(
        [sys.executable, str(script), str(idle.data)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=_with_tests(idle),
    )
    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)

    assert ["query ended", "erased"] == told["order"]
    assert 200 == told["rows the query saw"]
    assert [] == told["old parts"]


@pytest.mark.slow
def test_rows_that_the_engine_set_aside_keep_an_erasure_from_being_called_done(rare: Collector) -> None:
    owner = Owner()
    rare.send(*_events(owner), owners=[owner])
    rare.stop()
    rare.rows("SELECT 1")
    month = rare.rows("SELECT DISTINCT partition_id FROM system.parts WHERE table = 'events' AND active ORDER BY 1")[0][0]
    rare.rows(f"ALTER TABLE events DETACH PARTITION ID '{month}'")
    rare.start()

    assert 503 == rare.post("/v1/forget", {"ids": [owner.claim]}).status_code
    assert 1 == json.loads(rare.cli("check", "--json").stdout)["unfinished_erasures"]
    assert "detached" in rare.log
    rare.stop()
    rare.rows(f"ALTER TABLE events DROP DETACHED PARTITION ID '{month}' SETTINGS allow_drop_detached = 1")
    rare.start()
    assert "erased" == rare.forget(owner)["ids"][0]["state"]
    assert set() == _found(rare, owner)
