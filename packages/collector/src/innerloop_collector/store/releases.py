"""Releases in the store: published once, never changed, read by project and unit.

What a release is made of and what it says is not this module's: it keeps documents of several kinds (figures, verdicts), each once. The journal outside
the store is written first and wins.
"""

import threading
from collections.abc import Iterable

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import StoreError
from innerloop_collector.store.recently_used import RecentlyUsed
from innerloop_collector.store.release_journal import FIGURES, Released, ReleaseJournal, kind_of

_KEPT_BYTES = 32_000_000  # of documents in memory: some 2,000, which are four years of eight projects


class Releases:
    """Keeps what was published."""

    def __init__(self, engine: Engine, journal: ReleaseJournal) -> None:
        self._engine = engine
        self._journal = journal
        self._guard = threading.Lock()
        self._units: dict[tuple[str, str], frozenset[str]] = {}  # by project and kind; replaced, since others look while one is added
        self._unstored: list[Released] = []  # in the journal, and not in the store yet
        self._kept: RecentlyUsed[tuple[str, str], Released] = RecentlyUsed(_KEPT_BYTES)  # by project and unit
        self.trouble: StoreError | None = None  # why nothing is published until somebody has mended it

    def load(self) -> None:
        """Let store and journal have each other's: either may be older. To be called before anything is published.

        Where the journal is damaged, what the store has is read, and nothing is published.
        """
        noted: dict[tuple[str, str], Released] = {}
        self._kept.clear()  # the only moment in which the journal's takes the place of another
        try:
            noted = self._journal.read()
        except StoreError as error:
            self.trouble = error
        rows = {
            (project, unit): Released(project, unit, document)
            for project, unit, document in self._engine.query("SELECT project, unit, document FROM releases FINAL")
        }
        self._unstored = [one for key, one in noted.items() if key not in rows or rows[key].document != one.document]
        self._store()
        if self.trouble is None:
            self._journal.complete([one for key, one in rows.items() if key not in noted])
        there: dict[tuple[str, str], set[str]] = {}
        for project, unit in (*rows, *noted):
            there.setdefault((project, kind_of(unit)), set()).add(unit)
        self._units = {key: frozenset(units) for key, units in there.items()}
        for one in (rows | noted).values():  # in the journal's order the newest come last, and so stay
            self._kept.keep((one.project, one.unit), one, len(one.document))

    def units(self, project: str, kind: str = FIGURES) -> frozenset[str]:
        """The units of a project that were published, of one kind."""
        return self._units.get((project, kind), frozenset())

    def add(self, project: str, unit: str, document: str) -> None:
        """Publish, for good. Raises StoreError for what was published already, and while the journal is damaged."""
        if self.trouble is not None:
            raise self.trouble
        release = Released(project, unit, document)
        with self._guard:
            there = self.units(project, release.kind)
            if unit in there:
                raise StoreError(f"{release.unit} of {release.project} is published already, and is never published again")
            self._journal.add([release])
            self._units[project, release.kind] = there | {unit}
            self._unstored.append(release)
        self._store()

    def read(self, project: str, units: Iterable[str]) -> list[Released]:
        """Those of some units that are there, in no order. The store is asked for those that were not read lately."""
        self._store()
        found: list[Released] = []
        missed: list[str] = []
        for unit in dict.fromkeys(units):
            kept = self._kept.get((project, unit))
            if kept is not None:
                found.append(kept)
            elif unit in self.units(project, kind_of(unit)):
                missed.append(unit)
        for row in self._rows(project, missed) if missed else ():
            self._kept.keep((project, row.unit), row, len(row.document))
            found.append(row)
        return found

    def _rows(self, project: str, units: list[str]) -> list[Released]:
        sql = "SELECT project, unit, document FROM releases FINAL WHERE project = {project:String} AND unit IN {units:Array(String)}"
        return [Released(*row) for row in self._engine.query(sql, {"project": project, "units": units})]

    def _store(self) -> None:
        """Put into the store what is in the journal already. Of two rows of a unit the later one is read."""
        with self._guard:
            if self._unstored:
                self._engine.insert("releases", schema.RELEASES, self._unstored)
                self._unstored = []
