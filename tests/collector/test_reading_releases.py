"""What was published is read from the store once, kept in bounds, and always says what the journal says."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import StoreError
from innerloop_collector.query import Archive, Figures, Publisher, Settings
from innerloop_collector.query.releases.archive import project_and_unit
from innerloop_collector.query.releases.document import Atom, Release, encode
from innerloop_collector.store.recently_used import RecentlyUsed
from innerloop_collector.store.release_journal import Released, ReleaseJournal
from innerloop_collector.store.releases import Releases
from tests.dashboard.test_kept_reports import Projects
from tests.releases.simulated_team import Team

TODAY = date(2026, 12, 2)


def release(unit: str, *, project: str = "acme", runs: int = 100, position: int = 7) -> Release:
    atoms = (Atom("", "", runs), Atom("command", "build", runs), Atom("target", "lib", 5))
    return Release(1, project, unit, TODAY, position, 5, 3, atoms, people={"": {"": 5}})


class Table:
    """The table of releases, in memory, and how often it was asked."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], str] = {}
        self.asked = 0

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[str, str, str]]:
        assert "FROM releases FINAL" in sql
        self.asked += 1
        wanted = parameters or {"project": "acme", "units": [unit for _, unit in self.rows]}
        return [(*key, text) for key, text in self.rows.items() if key[0] == wanted["project"] and key[1] in wanted["units"]]

    def insert(self, table: str, _: object, rows: Iterable[Released]) -> None:
        assert table == "releases"
        self.rows |= {(one.project, one.unit): one.document for one in rows}


def store_of(table: Table, tmp_path: Path) -> Releases:
    made = Releases(cast(Engine, table), ReleaseJournal(tmp_path / "releases.log", [], project_and_unit))
    made.load()
    return made


def test_what_was_published_is_asked_of_the_store_once(tmp_path: Path) -> None:
    table = Table()
    store = store_of(table, tmp_path)
    archive = Archive(store)
    for unit in ("2026-W48", "2026-W49"):
        archive.add(release(unit))
    asked = table.asked
    first, again = archive.read("acme", ["2026-W48"]), archive.read("acme", iter(["2026-W48", "2026-W49", "2026-W48", "2027-W01"]))

    assert ({"2026-W48": release("2026-W48")}, {"2026-W48", "2026-W49"}) == (first, set(again))
    assert first["2026-W48"] is again["2026-W48"], "and is decoded once"
    assert 2 == table.asked - asked, "of what was never published nothing is asked"
    assert archive.read("acme", again) == again
    assert 2 == table.asked - asked
    assert {} == archive.read("other", again)


def test_a_store_that_is_loaded_again_says_what_its_journal_says(tmp_path: Path) -> None:
    table = Table()
    store = store_of(table, tmp_path)
    archive = Archive(store)
    archive.add(release("2026-W48"))
    assert 100 == archive.read("acme", ["2026-W48"])["2026-W48"].atoms[0].runs
    other, late = release("2026-W48", runs=90), release("2026-W49")
    (tmp_path / "releases.log").unlink()
    store_of(Table(), tmp_path).add("acme", "2026-W48", encode(other).decode())
    table.rows["acme", "2026-W49"] = encode(late).decode()
    store.load()

    assert {"2026-W48": other, "2026-W49": late} == archive.read("acme", archive.units("acme"))
    assert table.rows["acme", "2026-W48"] == encode(other).decode()
    assert encode(late).decode() in (tmp_path / "releases.log").read_text()


def test_no_more_is_kept_than_may_be_and_what_was_not_used_for_longest_goes_first() -> None:
    kept: RecentlyUsed[str, int] = RecentlyUsed(10)
    for place, name in enumerate("abc"):
        kept.keep(name, place, 3)
    kept.get("a")
    kept.keep("d", 3, 4)
    assert [0, None, 2, 3] == [kept.get(name) for name in "abcd"]
    kept.keep("d", 4, 7)
    assert [None, 4] == [kept.get(name) for name in "ad"]
    kept.keep("e", 5, 11)
    assert [None, 4] == [kept.get(name) for name in "ed"]
    kept.clear()
    kept.keep("f", 6, 10)
    assert [None, 6] == [kept.get(name) for name in "df"]


def test_many_threads_read_and_publish_what_is_there(tmp_path: Path) -> None:
    store = store_of(Table(), tmp_path)
    archive = Archive(store)
    archive._decoded = RecentlyUsed(500)  # of which two fit: most are decoded again and again
    units = [f"2026-W{number:02d}" for number in range(1, 41)]
    wrong: list[object] = []

    def read() -> None:
        for _ in range(20):
            there = archive.units("acme")
            found = archive.read("acme", there)
            wrong.extend(one for one in there if found.get(one) != release(one))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for unit in units:
        archive.add(release(unit))
    for thread in threads:
        thread.join()

    assert [] == wrong
    assert set(units) == archive.units("acme") == set(archive.read("acme", units))
    with pytest.raises(StoreError, match="is published already"):
        archive.add(release(units[0]))


def test_the_list_of_releases_names_what_each_says_something_of(tmp_path: Path) -> None:
    archive = Archive(store_of(Table(), tmp_path))
    for unit in ("2026-B12", "2026-W49", "2026-W48"):
        archive.add(release(unit))
    now = datetime(2026, 12, 3, tzinfo=UTC)
    figures = Figures(cast(Any, None), cast(Any, Projects()), archive, lambda: now, immediate=False)
    found = figures.releases("acme")

    assert ["2026-W48", "2026-W49", "2026-B12"] == [one.unit for one in found]
    assert {(("build",), ("lib",))} == {(one.commands, one.targets) for one in found}
    assert [100, 100, 100] == [one.whole.runs.value for one in found if one.whole]


class Documents:
    """Documents of two projects."""

    def __init__(self, **documents: str) -> None:
        self.documents = documents

    def units(self, project: str) -> frozenset[str]:
        return frozenset({"2026-W48"} if project in self.documents else ())

    def add(self, project: str, unit: str, document: str) -> None:
        raise AssertionError("nothing is due that could be published")

    def read(self, project: str, units: Iterable[str]) -> Sequence[Released]:
        return [Released(project, unit, self.documents[project]) for unit in units]


def publisher_of(**documents: str) -> tuple[Publisher, Archive]:
    archive = Archive(Documents(**documents))
    settings = dict.fromkeys(documents, Settings(3, 5, None, 365))
    return Publisher(Team(1, 8, 1), archive, lambda: settings, lambda: 9), archive


@pytest.mark.parametrize("damaged", ["", '{"unit":"2026-W48"}', '{"position":"a"}'])
def test_a_last_release_that_cannot_be_read_holds_up_its_own_project_only_and_says_so(damaged: str) -> None:
    publisher, _ = publisher_of(acme=damaged, other=encode(release("2026-W48", project="other", position=41)).decode())
    assert 41 == publisher.read_up_to()
    assert [] == publisher.publish(date(2026, 12, 3))

    (why,) = publisher.failed.values()
    assert ["acme"] == list(publisher.failed)
    assert "2026-W48 of acme is no release that this version reads" in why
    assert 1 == len(why.splitlines())


def test_how_far_a_release_of_a_later_version_read_is_known_and_its_figures_are_not() -> None:
    later = encode(release("2026-W48", position=43)).decode().replace('"atoms":[', '"atoms":["new",')
    publisher, archive = publisher_of(acme=later)

    assert 43 == publisher.read_up_to()
    with pytest.raises(StoreError, match=r"2026-W48 of acme is no release that this version reads .*; use the version that published it"):
        archive.read("acme", ["2026-W48"])
