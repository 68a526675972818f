"""A copy of a journal that is no file of its own keeps nothing from starting, and a journal is not read to be added to."""

import os
from datetime import date
from pathlib import Path

from innerloop_collector.lifecycle import erasure_journal
from innerloop_collector.lifecycle.erasure_journal import Journal
from innerloop_collector.query import project_and_unit
from innerloop_collector.store.release_journal import ReleaseJournal
from innerloop_collector.store.tombstones import Tombstone
from tests.collector.support import Collector
from tests.collector.test_release_journal import release

DAY = date(2026, 12, 2)
GONE = Tombstone("acme", 7, finished=False)


def odd(tmp_path: Path) -> list[Path]:
    """Copies that would hang whoever opens them, or lead elsewhere."""
    fifo, link, elsewhere = tmp_path / "fifo.log", tmp_path / "link.log", tmp_path / "elsewhere"
    for path in (fifo, tmp_path / "fifo.log.releases"):
        os.mkfifo(path)
    elsewhere.write_bytes(b"")
    for path in (link, tmp_path / "link.log.releases"):
        path.symlink_to(elsewhere)
    return [fifo, link]


def test_the_journal_of_erasures_goes_on_without_a_copy_that_is_a_fifo_or_a_link(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "erasures.log", odd(tmp_path))
    journal.add([GONE], DAY)

    assert [GONE] == journal.read()
    assert b"" == (tmp_path / "elsewhere").read_bytes()


def test_the_journal_of_releases_goes_on_without_a_copy_that_is_a_fifo_or_a_link(tmp_path: Path) -> None:
    journal = ReleaseJournal(tmp_path / "releases.log", odd(tmp_path), project_and_unit)
    journal.add([release("2026-W48")])
    journal.complete([release("2026-W49")])

    assert ["2026-W48", "2026-W49"] == [one.unit for one in journal.read().values()]
    assert b"" == (tmp_path / "elsewhere").read_bytes()


def test_a_release_is_added_without_a_look_at_those_before(tmp_path: Path) -> None:
    """The file has a hole of more bytes than this machine has memory."""
    path = tmp_path / "releases.log"
    with path.open("wb") as file:
        file.seek(1 << 42)
        file.write(b"the last line that is whole\nand one that a kill cut o")
    ReleaseJournal(path, [], project_and_unit).add([release("2026-W48")])

    with path.open("rb") as file:
        file.seek((1 << 42) - 1)
        whole, added, end = file.read().split(b"\n")
    assert (b"\0the last line that is whole", b"") == (whole, end)
    assert release("2026-W48").document.encode() == added.partition(b" ")[2]


def test_a_last_line_that_is_longer_than_a_block_is_found_and_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "releases.log"
    journal = ReleaseJournal(path, [], project_and_unit)
    journal.add([release("2026-W48")])
    path.write_bytes(path.read_bytes() + b"x" * 200_000)
    journal.add([release("2026-W49")])

    assert ["2026-W48", "2026-W49"] == [one.unit for one in journal.read().values()]


def test_a_line_of_the_journal_of_erasures_that_was_cut_off_stays_apart_from_the_next(tmp_path: Path) -> None:
    path = tmp_path / "erasures.log"
    path.write_bytes(b"2026-12-01 acme 00")
    erasure_journal.append(path, [GONE], DAY)

    assert [GONE] == erasure_journal.read(path)


def test_a_collector_starts_with_a_copy_that_is_a_fifo_and_its_check_says_so(idle: Collector) -> None:
    fifo = idle.directory / "erasures.log"
    for path in (fifo, fifo.with_name("erasures.log.releases")):
        os.mkfifo(path)
    idle.environment["INNERLOOP_COLLECTOR_BACKUP_JOURNALS"] = str(fifo)
    idle.start_with()

    (said,) = (one["text"] for one in idle.check()["findings"] if one["about"] == "erasures")
    assert f"the copy {fifo} of the erasure journal cannot be read and written (it is no file)" in said
