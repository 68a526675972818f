"""Disks that fail, fill or dawdle, an engine that refuses and more load than can be carried.

Clients are told when to come back, the service recovers by itself, and nothing is lost or doubled.
"""

import contextlib
import re
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.collector.support import Collector, fill
from tests.torture.sabotage import Saboteur
from tests.torture.senders import Senders
from tests.torture.verdict import assert_all_is_there_once

Fault = Callable[[Collector], AbstractContextManager[object]]
_PATIENCE = 90


def _until(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def _refused(senders: Senders) -> int:
    return senders.told.statuses.get(503, 0)


def _survives(collector: Collector, fault: Fault, *, refuses: bool = True) -> Senders:
    """Send before, during and after a fault, and look at everything afterwards."""
    with Senders(_port(collector)) as senders:
        assert _until(lambda: senders.told.acknowledged > 5)
        with fault(collector):
            before = _refused(senders) if refuses else senders.told.acknowledged
            assert _until(lambda: (_refused(senders) if refuses else senders.told.acknowledged) > before + 5), senders.told.statuses
        before = senders.told.acknowledged
        assert _until(lambda: senders.told.acknowledged > before + 5), f"no recovery: {senders.told.statuses}"
    assert 0 == senders.told.unasked, "answers without Retry-After"
    assert 0 == collector.stop()
    assert_all_is_there_once(collector, senders.told)
    return senders


def _port(collector: Collector) -> int:
    return int(collector.url.rpartition(":")[2])


@pytest.mark.slow
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(["fdatasync:error=EIO"], id="no_sync_succeeds"),
        pytest.param(["fdatasync:error=EIO:when=3+7"], id="some_syncs_fail"),
        pytest.param(["rename:error=EIO:when=1+3"], id="every_third_commit_fails_in_its_last_step"),
        pytest.param(["mkdir:error=EROFS", "rename:error=EROFS", "unlink:error=EROFS"], id="read-only"),
        pytest.param(["mkdir:error=EIO:when=2+3", "write:error=EIO:when=5+40"], id="writes_fail_here_and_there"),
    ],
)
@pytest.mark.timeout(600)
def test_a_failing_disk(collector: Collector, faults: list[str]) -> None:
    _survives(collector, lambda broken: Saboteur(broken, *faults))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_slow_disk_makes_answers_slow_and_nothing_else(collector: Collector) -> None:
    senders = _survives(collector, lambda slow: Saboteur(slow, "fdatasync:delay_enter=30000"), refuses=False)

    assert {200} == senders.told.statuses.keys()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_full_disk_under_load(small_disk: Path) -> None:
    @contextlib.contextmanager
    def full(_: Collector) -> Iterator[None]:
        fill(small_disk / "ballast")
        yield
        (small_disk / "ballast").unlink()

    with contextlib.closing(Collector(small_disk)) as collector:
        _survives(collector.start_with(), full)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_more_open_files(collector: Collector) -> None:
    @contextlib.contextmanager
    def few(collector: Collector) -> Iterator[None]:
        assert collector.process is not None
        pid = collector.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        highest = max(int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir())
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 8, usual[1]))
        yield
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)

    _survives(collector, few)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_engine_that_refuses_since_it_has_too_many_parts(collector: Collector) -> None:
    """Its own limit, made so small that merging does not help, and then as large as usual again."""
    collector.stop()
    collector.rows("ALTER TABLE events MODIFY SETTING parts_to_throw_insert = 3")
    collector.start()
    with Senders(_port(collector)) as senders:
        assert _until(lambda: _refused(senders) > 5), senders.told.statuses
        assert 0 == collector.stop()
        collector.rows("ALTER TABLE events MODIFY SETTING parts_to_throw_insert = 3000")
        collector.start("--port", str(_port(collector)))
    assert 0 == senders.told.unasked, "answers without Retry-After"
    assert 0 == collector.stop()
    assert_all_is_there_once(collector, senders.told)


@pytest.fixture
def own_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with a journal, in a file."""
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(300_000_000)
    words = (["mkfs.ext4", "-q", str(image)], ["mount", "-o", "loop", str(image), str(place)])
    for step in words:
        made = subprocess.run(step, capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"NOT TESTED: no file system of its own can be made here ({made.stderr.decode().strip()})")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_file_system_that_gave_up_and_is_read_only_from_now_on(own_disk: Path, tmp_path: Path) -> None:
    """As after an error of the disk: the journal is aborted. What was acknowledged is there when it is mounted again."""
    with contextlib.closing(Collector(own_disk)) as collector:
        collector.start_with()
        senders = Senders(_port(collector))
        with senders:
            assert _until(lambda: senders.told.acknowledged > 5)
            subprocess.run(["mount", "-o", "remount,abort", str(own_disk)], check=False, capture_output=True)
            assert _until(lambda: _refused(senders) > 5), senders.told.statuses
            collector.kill()
            subprocess.run(["umount", str(own_disk)], check=True)
            subprocess.run(["fsck.ext4", "-p", str(tmp_path / "image")], check=False, capture_output=True)
            subprocess.run(["mount", "-o", "loop", str(tmp_path / "image"), str(own_disk)], check=True)
            collector.start("--port", str(_port(collector)))
        assert 0 == collector.stop()
        assert_all_is_there_once(collector, senders.told)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_times_more_than_can_be_carried_is_refused_and_costs_bounded_memory(collector: Collector) -> None:
    collector.stop()
    collector.environment["INNERLOOP_COLLECTOR_STORE_WAITING_ROWS"] = "2000"
    collector.start()
    assert collector.process is not None
    before = _peak_megabytes(collector.process.pid)
    with Senders(_port(collector), threads=48, events=300) as senders:
        assert _until(lambda: senders.told.statuses.get(429, 0) > 50 and senders.told.acknowledged > 50), senders.told.statuses
    growth = _peak_megabytes(collector.process.pid) - before

    assert growth < 600, f"{growth} MB"
    assert 0 == senders.told.unasked, "answers without Retry-After"
    assert {200, 429} == senders.told.statuses.keys()
    assert 0 == collector.stop()
    assert_all_is_there_once(collector, senders.told)


def _peak_megabytes(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) // 1024
