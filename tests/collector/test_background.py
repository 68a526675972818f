"""One loop for all background workers: what it promises about waking, failing and ending."""

import re
import threading
import time
from collections.abc import Callable

from innerloop_collector.background import BackgroundWorker, describe
from innerloop_collector.errors import StoreError
from tests.conftest import ROOT

_PATIENCE = 20.0


class Turns:
    """Turns that are counted, and can be waited for."""

    def __init__(self, answer: Callable[[int], float | None]) -> None:
        self._answer = answer
        self._changed = threading.Condition()
        self.count = 0

    def __call__(self) -> float | None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        return self._answer(self.count)

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, _PATIENCE)


def test_a_turn_says_when_the_next_one_comes() -> None:
    turns = Turns(lambda _: 0.01)
    worker = BackgroundWorker("test", turns)
    worker.start()
    assert turns.wait_for(3)
    assert worker.stop(_PATIENCE)


def test_a_worker_that_waits_to_be_woken_takes_no_turn_before() -> None:
    turns = Turns(lambda _: None)
    worker = BackgroundWorker("test", turns, first_pause=None)
    worker.start()
    time.sleep(0.05)
    assert 0 == turns.count
    worker.wake()
    assert turns.wait_for(1)
    assert worker.stop(_PATIENCE)
    assert 1 == turns.count


def test_a_wake_during_a_turn_is_not_lost() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait_in_the_first(count: int) -> None:
        if count == 1:
            begun.set()
            go_on.wait(_PATIENCE)

    turns = Turns(wait_in_the_first)
    worker = BackgroundWorker("test", turns)
    worker.start()
    assert begun.wait(_PATIENCE)
    worker.wake()
    go_on.set()
    assert turns.wait_for(2)
    assert worker.stop(_PATIENCE)


def test_a_turn_that_raises_is_counted_and_the_thread_lives_on() -> None:
    def fail_twice(count: int) -> None:
        if count <= 2:
            raise StoreError("the disk is full")

    turns = Turns(fail_twice)
    worker = BackgroundWorker("test", turns, pause_after_failure=3600)
    worker.start()
    assert turns.wait_for(1)
    worker.wake()
    assert turns.wait_for(2)
    _until(lambda: worker.failures == 2)
    worker.wake()
    assert turns.wait_for(3)
    _until(lambda: worker.failures == 0)
    assert worker.stop(_PATIENCE)


def test_stop_cuts_every_pause_short_and_waits_for_the_turn_under_way() -> None:
    ended = []

    def rest(_: int) -> float:
        worker.rest(3600)
        ended.append(threading.current_thread().name)
        return 3600.0

    turns = Turns(rest)
    worker = BackgroundWorker("the name", turns, at_end=lambda: ended.append("at end"))
    worker.start()
    assert turns.wait_for(1)
    assert worker.alive
    assert worker.stop(_PATIENCE)
    assert (["the name", "at end"], False, 1) == (ended, worker.alive, turns.count)


def test_a_wake_does_not_cut_a_rest_short() -> None:
    turns = Turns(lambda _: worker.rest(0.2))
    worker = BackgroundWorker("test", turns, first_pause=None)
    worker.start()
    worker.wake()
    assert turns.wait_for(1)
    began = time.monotonic()
    worker.wake()
    assert turns.wait_for(2)
    assert time.monotonic() - began >= 0.1
    assert worker.stop(_PATIENCE)


def test_a_turn_that_hangs_is_left_alone_at_the_deadline() -> None:
    go_on = threading.Event()
    turns = Turns(lambda _: float(not go_on.wait(_PATIENCE)))
    worker = BackgroundWorker("test", turns)
    worker.start()
    assert turns.wait_for(1)
    assert not worker.stop(0.05)
    go_on.set()
    assert worker.join(_PATIENCE)


def test_one_that_never_started_has_ended() -> None:
    assert BackgroundWorker("test", lambda: None).stop()


def test_the_log_names_an_error_of_ours_by_its_message_and_others_by_their_type() -> None:
    assert ("the disk is full", "ValueError") == (describe(StoreError("the disk is full")), describe(ValueError("somebody's id")))


def test_no_other_loop_of_a_thread_is_written() -> None:
    """The demo is a program of its own: it has a thread that draws. A look-up of a name has a thread that nobody waits for and that does no second thing."""
    source = ROOT / "packages" / "collector" / "src" / "innerloop_collector"
    threads = {str(path.relative_to(source)) for path in source.rglob("*.py") if re.search(r"\bThread\(", path.read_text())}
    assert {"background.py", "demo/progress.py", "demo/team/send.py", "http/name_lookups.py"} == threads


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
