"""Releases in the store: published once, never changed, read by project and unit.

What a release is made of and what it says is not this module's: it keeps documents of several kinds (figures, verdicts), each once. The journal outside
the store is written first and wins.
"""

import threading
from collections.abc import Iterable

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import StoreError
from innerloop_collector.store.release_journal import FIGURES, Released, ReleaseJournal, kind_of


class Releases:
    """Keeps what was published."""

    def __init__(self, engine: Engine, journal: ReleaseJournal) -> None:
        self._engine = engine
        self._journal = journal
        self._guard = threading.Lock()
        self._there: dict[str, set[str]] = {}  # project -> units
        self._unstored: list[Released] = []  # in the journal, and not in the store yet
        self.trouble: StoreError | None = None  # why nothing is published until somebody has mended it

    def load(self) -> None:
        """Let store and journal have each other's: either may be older. To be called before anything is published.

        Where the journal is damaged, what the store has is read, and nothing is published.
        """
        noted: dict[tuple[str, str], Released] = {}
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
        for project, unit in (*rows, *noted):
            self._there.setdefault(project, set()).add(unit)

    def units(self, project: str, kind: str = FIGURES) -> frozenset[str]:
        """The units of a project that were published, of one kind."""
        return frozenset(unit for unit in self._there.get(project, ()) if kind_of(unit) == kind)

    def add(self, project: str, unit: str, document: str) -> None:
        """Publish, for good. Raises StoreError for what was published already, and while the journal is damaged."""
        if self.trouble is not None:
            raise self.trouble
        release = Released(project, unit, document)
        with self._guard:
            if release.unit in self._there.get(release.project, ()):
                raise StoreError(f"{release.unit} of {release.project} is published already, and is never published again")
            self._journal.add([release])
            self._there.setdefault(release.project, set()).add(release.unit)
            self._unstored.append(release)
        self._store()

    def read(self, project: str, units: Iterable[str]) -> list[Released]:
        """Those of some units that are there, in no order."""
        self._store()
        rows = self._engine.query(
            "SELECT project, unit, document FROM releases FINAL WHERE project = {project:String} AND unit IN {units:Array(String)}",
            {"project": project, "units": list(units)},
        )
        return [Released(*row) for row in rows]

    def _store(self) -> None:
        """Put into the store what is in the journal already. Of two rows of a unit the later one is read."""
        with self._guard:
            if self._unstored:
                self._engine.insert("releases", schema.RELEASES, self._unstored)
                self._unstored = []
