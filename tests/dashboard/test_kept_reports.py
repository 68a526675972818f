"""What pages keep of what they read: addresses that anybody can make up cost no reading, and push out nothing."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.errors import StoreError
from innerloop_collector.query import Archive, Figures
from innerloop_collector.query.releases.document import Atom, Durations, Outcomes, Release
from innerloop_collector.store.catalogue import Catalogue, Version
from innerloop_collector.store.release_journal import Released

if TYPE_CHECKING:
    from innerloop_collector.store.projects import Registry

NAMES = {"allow": ["compile"], "stems": [], "separator": "-", "renamed_from": {"compile": ["build"]}}
VERSION = Version("acme", 1, "", {}, {"name": "Acme", "names": NAMES}, 3, date(2026, 1, 5))


class Shelf:
    """Releases in memory, and how often they were listed and read."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.listed = self.reads = 0
        self.broken = False

    def units(self, project: str) -> frozenset[str]:
        assert "acme" == project
        self.listed += 1
        return frozenset(self.kept)

    def add(self, project: str, unit: str, document: str) -> None:
        assert "acme" == project
        self.kept[unit] = document

    def read(self, project: str, units: Iterable[str]) -> Sequence[Released]:
        self.reads += 1
        if self.broken:
            raise StoreError("it does not answer")
        return [Released(project, unit, self.kept[unit]) for unit in units]


class Projects:
    """One project, registered in memory."""

    def __init__(self, version: Version = VERSION) -> None:
        self.catalogue = Catalogue({"acme": (version,)})

    def retention_days(self, _: str) -> int:
        return 365


def figures_of(*units: str, version: Version = VERSION, public: bool = False, immediate: bool = False) -> tuple[Figures, Shelf]:
    shelf = Shelf()
    archive = Archive(shelf)
    build = Atom("command", "build", 100, (Outcomes(("succeeded",), 100),), (Durations((5,), 60), Durations((6,), 40)), 60_000)
    for unit in units:
        people = {"": {"": 5}, "command": {"build": 5}}
        archive.add(Release(1, "acme", unit, date(2026, 12, 2), 7, 5, 3, (Atom("", "", 100), build), people=people, public=public))
    now = datetime(2026, 12, 3, tzinfo=UTC)
    return Figures(cast(Any, None), cast("Registry", Projects(version)), archive, lambda: now, immediate=immediate), shelf


def reader_of(*units: str) -> tuple[Reader, Shelf]:
    figures, shelf = figures_of(*units)
    return Reader(figures, cast(Any, None), cast(Any, None), at_once=False), shelf


def test_names_and_periods_of_which_nothing_is_published_cost_one_reading_and_push_out_nothing() -> None:
    reader, shelf = reader_of("2026-B10", "2026-B11")
    assert any(one.figures for one in reader.trend("acme", "command", "build").points)
    assert reader.report("acme", "2026-B11").commands
    before = shelf.reads

    for number in range(600):
        assert () == reader.trend("acme", "command", f"made-up-{number}").points
        assert reader.report("acme", f"{2100 + number}-B01").period.first_day is None
    assert reader.trend("acme", "command", "build").points
    assert reader.report("acme", "2026-B11").commands

    assert before == shelf.reads


def test_a_command_is_found_by_the_name_that_it_has_now() -> None:
    reader, _ = reader_of("2026-B11")
    trend = reader.trend("acme", "command", "compile")

    assert ("build",) == trend.renamed_from
    assert any(one.figures for one in trend.points)
    assert () == reader.trend("acme", "target", "compile").points
