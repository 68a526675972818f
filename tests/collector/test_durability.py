"""Acknowledged means durable: full disks and shutdowns lose nothing that was acknowledged. Kills are in tests/torture."""

import contextlib
import threading
import time
from pathlib import Path

from tests.collector.support import Collector, Load, fill, run_event


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


def test_a_log_that_cannot_be_written_stops_nothing(idle: Collector) -> None:
    (idle.directory / "log").symlink_to("/dev/full")
    idle.start_with()
    idle.send(run_event(), run_event())

    assert 0 == idle.stop()
    assert [[2]] == idle.rows("SELECT count() FROM events")
