"""Acknowledged means durable: kills, full disks and shutdowns lose nothing that was acknowledged."""

import contextlib
import random
import threading
import time
from pathlib import Path

import pytest

from tests.collector.support import Collector, Event, Load, fill, run_event


def _survives_kills(collector: Collector, kills: int) -> None:
    chance = random.Random(7)
    sent: list[Event] = []
    acknowledged: list[Event] = []
    for number in range(kills):
        with Load(collector) as load:
            deadline = time.monotonic() + 20
            while number % 2 and not load.acknowledged and time.monotonic() < deadline:
                time.sleep(0.01)  # on a busy machine the first answer may take longer than any of the times below
            time.sleep(chance.uniform(0.05, 0.8))
            collector.kill()
        sent += load.sent
        acknowledged += load.acknowledged
        collector.start()
        assert len(acknowledged) <= collector.stored <= len(sent)
    assert acknowledged, "the load never got an answer, so nothing was tested"
    before = collector.stored
    _repeat(collector, acknowledged)
    assert before == collector.stored, "an acknowledged event was lost: repeating it stored it"
    _repeat(collector, sent)
    assert len(sent) == collector.stored


def _repeat(collector: Collector, events: list[Event]) -> None:
    for first in range(0, len(events), 400):
        collector.send(*events[first : first + 400])


@pytest.mark.timeout(300)
def test_ten_kills_under_load_lose_and_double_nothing(collector: Collector) -> None:
    _survives_kills(collector, 10)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_kills_under_load_lose_and_double_nothing(collector: Collector) -> None:
    _survives_kills(collector, 200)


def test_sigterm_lets_what_was_begun_be_answered_and_ends_well(collector: Collector) -> None:
    with Load(collector, threads=4) as load:
        time.sleep(0.7)
        code = collector.stop()
    assert 0 == code
    collector.start()

    assert load.acknowledged
    assert len(load.acknowledged) == collector.stored


def test_sigint_ends_as_well_as_sigterm(collector: Collector) -> None:
    assert collector.process is not None
    collector.send(run_event())
    collector.process.send_signal(2)

    assert 0 == collector.process.wait(30)
    assert "Traceback" not in collector.log


def test_a_full_disk_is_answered_503_and_costs_nothing_acknowledged(small_disk: Path) -> None:
    collector = Collector(small_disk)
    with contextlib.closing(collector):
        collector.start_with()
        collector.send(run_event())
        fill(small_disk / "ballast")

        refused = [collector.post("/v1/batch", {"batch": [run_event() for _ in range(50)]}) for _ in range(5)]

        assert {503} == {answer.status_code for answer in refused}
        assert {True} == {answer.headers["retry-after"].isdigit() for answer in refused}
        assert 503 == collector.http.get(collector.url + "/readyz").status_code
        assert 200 == collector.http.get(collector.url + "/livez").status_code
        (small_disk / "ballast").unlink()
        assert 200 == collector.http.get(collector.url + "/readyz").status_code
        collector.send(run_event())
        collector.kill()
        collector.start()
        assert 2 == collector.stored


def test_many_senders_at_once_are_all_answered_and_all_stored(collector: Collector) -> None:
    batches = [[run_event() for _ in range(30)] for _ in range(24)]
    threads = [threading.Thread(target=collector.send, args=batch) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 24 * 30 == collector.stored
