"""What a loss of power, or an error in the last step of a commit, may leave behind. No power is cut: files are damaged, and calls made to fail."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.collector.support import Collector, Event, run_event
from tests.torture.sabotage import Saboteur


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _zeroes(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _gone(file: Path) -> None:
    file.unlink()


@pytest.mark.slow
def test_an_index_of_message_ids_that_is_damaged_in_any_way_is_rebuilt_before_anything_is_stored_again(collector: Collector) -> None:
    ways = [*itertools.product(["*", "data.bin"], [_empty, _half, _zeroes, _gone]), ("primary.cidx", _zeroes)]
    today = datetime.now(UTC)
    middle = [today - timedelta(days=today.day - 1 + 30.437 * number - 14) for number in range(1, len(ways) + 1)]
    events = [run_event(ago=today - moment) for moment in middle]  # each is a part of its own, in its own month
    collector.send(*events)
    collector.kill()
    indexes = sorted(collector.data.rglob("ids.proj"))
    for index, (name, damage) in zip(indexes, ways, strict=True):
        for file in index.glob(name):
            damage(file)

    collector.start()
    collector.send(*events)

    assert len(events) == collector.stored
    assert f'"months": {len(events)}, "event": "index of message ids rebuilt' in collector.log


def test_an_index_that_is_well_is_left_alone(collector: Collector) -> None:
    collector.send(run_event())
    collector.kill()
    collector.start()

    assert "rebuilt" not in collector.log


@pytest.fixture
def sabotage(collector: Collector) -> Iterator[Callable[[str], Saboteur]]:
    made: list[Saboteur] = []
    while not (collector.data / "looked-at.json").exists():  # what a new service writes by itself, and renames
        time.sleep(0.05)

    def begin(how: str) -> Saboteur:
        made.append(Saboteur(collector, f"rename:{how}:when=1"))  # the last step of an insert
        return made[-1]

    yield begin
    for saboteur in made:
        saboteur.leave()


def _batch() -> list[Event]:
    return [run_event() for _ in range(5)]


def test_a_commit_whose_last_step_fails_is_not_taken_for_done_when_it_comes_again(
    collector: Collector, sabotage: Callable[[str], Saboteur]
) -> None:
    batch = _batch()
    collector.send(run_event())
    saboteur = sabotage("error=EIO")
    assert 503 == collector.post("/v1/batch", {"batch": batch}).status_code
    assert "INJECTED" in saboteur.leave()

    collector.send(*batch)

    assert 6 == collector.stored


def test_a_kill_in_the_last_step_of_a_commit_does_not_make_its_repetition_a_lie(
    collector: Collector, sabotage: Callable[[str], Saboteur]
) -> None:
    batch = _batch()
    collector.send(run_event())
    sabotage("error=EIO:signal=KILL")
    with pytest.raises(Exception, match="disconnected"):
        collector.post("/v1/batch", {"batch": batch})
    collector.kill()
    collector.start()

    collector.send(*batch)

    assert 6 == collector.stored
