"""The journal of releases has copies, outlives a kill, and takes over what versions before releases kept."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from innerloop_collector.errors import StoreError
from innerloop_collector.query.releases.archive import project_and_unit
from innerloop_collector.query.releases.document import Release, decode, encode
from innerloop_collector.query.releases.older import from_weekly_totals
from innerloop_collector.query.releases.sums import summed
from innerloop_collector.store.release_journal import Released, ReleaseJournal

ROW: dict[str, Any] = {
    "project": "acme", "week": date(2025, 9, 8), "kind": "run", "name": "test", "folded": 0, "actor": "human", "runs": 43, "failures": 12,
    "interrupted": 1, "unknown": 0, "developers": 8, "timed": 42, "waited_ms": 123_456, "histogram": [20, 22, *[0] * 15],
    "min_active_weeks": 3, "made_day": date(2026, 9, 9),
}  # fmt: skip


def release(unit: str) -> Released:
    return Released("acme", unit, encode(Release(1, "acme", unit, date(2026, 12, 2), 7, 5, 3, ())).decode())


def journal(tmp_path: Path) -> ReleaseJournal:
    (tmp_path / "disk").mkdir(exist_ok=True)
    return ReleaseJournal(tmp_path / "releases.log", [tmp_path / "disk" / "erasures.log"], project_and_unit)


def test_a_copy_lies_beside_that_of_the_erasure_journal_and_gives_back_what_is_lost(tmp_path: Path) -> None:
    journal(tmp_path).add([release("2026-W48")])
    copy = tmp_path / "disk" / "erasures.log.releases"
    assert copy.read_bytes() == (tmp_path / "releases.log").read_bytes()
    (tmp_path / "releases.log").unlink()

    assert {("acme", "2026-W48"): release("2026-W48")} == journal(tmp_path).read()


def test_a_line_that_a_kill_cut_off_is_none_and_the_next_one_is_whole(tmp_path: Path) -> None:
    first, second = release("2026-W48"), release("2026-W49")
    journal(tmp_path).add([first])
    for path in (tmp_path / "releases.log", tmp_path / "disk" / "erasures.log.releases"):
        path.write_bytes(path.read_bytes() * 2)
        path.write_bytes(path.read_bytes()[:-30])
    assert [first] == list(journal(tmp_path).read().values())
    journal(tmp_path).add([second])
    assert [first, second] == list(journal(tmp_path).read().values())


def test_releases_of_every_kind_lie_in_one_journal_each_under_its_project_and_unit(tmp_path: Path) -> None:
    verdict = Released("acme", "verdict/cache/1", '{"project":"acme","unit":"verdict/cache/1"}')
    journal(tmp_path).add([release("2026-W48"), verdict])
    found = journal(tmp_path).read()
    assert ["figures", "verdict"] == [one.kind for one in found.values()]
    assert verdict == found["acme", "verdict/cache/1"]


def test_a_damaged_copy_is_passed_over_and_a_damaged_journal_is_not(tmp_path: Path) -> None:
    journal(tmp_path).add([release("2026-W48")])
    (tmp_path / "disk" / "erasures.log.releases").write_bytes(b"nonsense\n")
    assert 1 == len(journal(tmp_path).read())
    (tmp_path / "releases.log").write_bytes(b"nonsense\n")
    with pytest.raises(StoreError, match=r"line 1 of .* is damaged"):
        journal(tmp_path).read()


def test_weekly_totals_become_releases_that_say_what_they_showed_of_people(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "name": "few", "developers": 4}, {**ROW, "name": "", "actor": "ci", "developers": None, "runs": 12}]
    (made,) = from_weekly_totals("acme", rows)
    found = summed([one for one in made.atoms if one.name == "test"])

    assert made == decode(encode(made))
    assert ("2025-W37", "weekly totals", 10) == (made.unit, made.origin, made.jobs)
    assert [("", ""), ("command", "test")] == [(one.breakdown, one.name) for one in made.atoms]
    assert found.failures
    assert (45, 123_000, pytest.approx(10 / 40)) == (found.runs, found.waited_ms, found.failures.value)
