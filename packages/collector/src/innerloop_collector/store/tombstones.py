"""What erasure reads and writes: registrations, tombstones, receipts, and the rows that must go.

An installation is known here by its *mark*, a hash of the hash that events carry: it tells whether an event belongs to an erased
installation, and nothing that is left in the store leads from it to a row.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.mutations import RowsToDelete, forget_mutations
from innerloop_collector.store.keyed_hash import Hasher

_AT_ONCE = 1_000  # marks in one statement


NOT_EMPTY = date(1970, 1, 1)


class Registration(NamedTuple):
    """Who may erase an installation, in the order of schema.REGISTRATIONS."""

    project: str
    mark: int
    proof: int
    empty_since: date = NOT_EMPTY  # the day on which a sweep found no row of the installation


class Tombstone(NamedTuple):
    """An installation whose events are not kept, in the order of schema.TOMBSTONES."""

    project: str
    mark: int
    finished: bool  # its rows and their bytes are gone


class ReceiptRow(NamedTuple):
    """An answered erasure, in the order of schema.RECEIPTS."""

    receipt: str
    project: str
    day: date
    ids: int
    events: int
    destinations: dict[str, str]  # and backups: name -> erased, requested, not provable


class Proofs(NamedTuple):
    """What some marks are known by."""

    registered: dict[int, int]
    waiting: dict[int, set[int]]  # of marks without a registration: what came with events that are not let in yet

    def of(self, mark: int) -> set[int]:
        """The proofs each of which says that an installation is the asker's. None: it is unknown."""
        return {self.registered[mark]} if mark in self.registered else self.waiting.get(mark, set())


class Tombstones:
    """Every tombstone, in memory. The writer adds to it, everybody may ask."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._marks: set[int] = set()

    def __contains__(self, mark: int) -> bool:
        return mark in self._marks

    def add(self, marks: Iterable[int]) -> None:
        """Take in tombstones that are on the disk."""
        self._marks.update(marks)

    def erased(self, installations: Collection[int]) -> set[int]:
        """Tell which of the installations were erased."""
        if not self._marks:
            return set()
        return {one for one in installations if one and self._hasher.mark(one) in self._marks}


class Erasures:
    """The tables of erasure. Every method runs in the calling thread."""

    def __init__(self, engine: Engine, hasher: Hasher) -> None:
        self._engine = engine
        self._hasher = hasher

    @property
    def terms(self) -> dict[str, str]:
        """What an answer says besides: of a server's files only the server knows."""
        return {"files": "server"} if self._engine.layout.remote else {}

    def tombstones(self) -> list[Tombstone]:
        """Every tombstone."""
        rows = self._engine.query("SELECT project, mark, finished FROM tombstones FINAL")
        return [Tombstone(project, mark, bool(finished)) for project, mark, finished in rows]

    def proofs(self, marks: Collection[int]) -> dict[int, int]:
        """The registered proof of each mark that has one."""
        if not marks:
            return {}
        rows = self._engine.query("SELECT mark, proof FROM registrations WHERE mark IN {marks:Array(UInt128)}", {"marks": list(marks)})
        return {row[0]: row[1] for row in rows}

    def known_by(self, installations: Mapping[int, int]) -> Proofs:
        """The proofs of some marks, each given with its installation. Only where none is registered is quarantine looked through.

        What waits may be let in between the two questions, and then it is registered before it leaves. So the first is asked again.
        """
        registered = self.proofs(installations)
        if missing := {mark: one for mark, one in installations.items() if mark not in registered}:
            waiting = self._waiting_proofs(missing.values())
            registered |= self.proofs(missing)
            return Proofs(registered, waiting)
        return Proofs(registered, {})

    def _waiting_proofs(self, installations: Collection[int]) -> dict[int, set[int]]:
        """The proofs that wait with events of some installations, by mark: those of the first day on which any came."""
        rows = self._engine.query(
            """SELECT DISTINCT installation, received_day, JSONExtractString(body, 'proof') AS proof FROM quarantine
            WHERE installation IN {these:Array(UInt128)} AND proof != '' ORDER BY received_day""",
            {"these": list(installations)},
        )
        first: dict[int, date] = {}
        found: dict[int, set[int]] = {}
        for installation, day, proof in rows:
            if first.setdefault(installation, day) == day:
                found.setdefault(self._hasher.mark(installation), set()).add(int(proof, 16))
        return found

    def register(self, registrations: Collection[Registration]) -> None:
        """Make registrations durable."""
        if registrations:
            self._engine.insert("registrations", schema.REGISTRATIONS, list(registrations))

    def registrations(self) -> list[Registration]:
        """Every registration."""
        rows = self._engine.query(f"SELECT {', '.join(schema.REGISTRATIONS)} FROM registrations FINAL")
        return [Registration(*row) for row in rows]

    def unregister(self, marks: Sequence[int]) -> None:
        """Remove registrations."""
        for first in range(0, len(marks), _AT_ONCE):
            with self._engine.mutating:
                self._engine.command(
                    f"""ALTER TABLE {self._engine.layout.altered("registrations")} DELETE
                    WHERE mark IN {{marks:Array(UInt128)}} SETTINGS mutations_sync = 2""",
                    {"marks": list(marks[first : first + _AT_ONCE])},
                )
        if marks:
            forget_mutations(self._engine, ["registrations"])

    def add_tombstones(self, tombstones: Collection[Tombstone]) -> None:
        """Make tombstones durable, or say that they are finished."""
        if tombstones:
            self._engine.insert("tombstones", schema.TOMBSTONES, list(tombstones))

    def add_receipts(self, receipts: Collection[ReceiptRow]) -> None:
        """Make receipts durable."""
        if receipts:
            self._engine.insert("receipts", schema.RECEIPTS, list(receipts))

    def receipt(self, receipt: str, project: str | None = None) -> ReceiptRow | None:
        """Find a receipt, of one project or of any."""
        which = " AND project = {project:String}" if project is not None else ""
        sql = f"SELECT {', '.join(schema.RECEIPTS)} FROM receipts WHERE receipt = {{receipt:String}}{which}"
        rows = self._engine.query(sql, {"receipt": receipt, "project": project or ""})
        return ReceiptRow(*rows[0]) if rows else None

    def counts(self) -> tuple[int, int, int]:
        """How many tombstones there are, how many of them are not finished, and how many receipts."""
        tombstones, unfinished = self._engine.query("SELECT count(), countIf(NOT finished) FROM tombstones FINAL")[0]
        return tombstones, unfinished, self._engine.query("SELECT count() FROM receipts")[0][0]

    def installations(self, marks: Collection[int]) -> set[int]:
        """The installations with some marks that still have rows, looked for among all that have."""
        return {one for one in self._installations() if self._hasher.mark(one) in marks}

    def marks_with_rows(self) -> set[int]:
        """The marks of all installations that have rows."""
        return {self._hasher.mark(one) for one in self._installations()}

    def _installations(self) -> set[int]:
        return {row[0] for table in schema.HOLDS_INSTALLATIONS for row in self._engine.query(f"SELECT DISTINCT installation FROM {table}")}

    def rows(self, installations: Collection[int]) -> dict[int, int]:
        """How many rows there are of the installations that have any: mark -> rows."""
        found: dict[int, int] = {}
        for table in schema.HOLDS_INSTALLATIONS:
            for installation, count in self._rows_in(table, installations):
                mark = self._hasher.mark(installation)
                found[mark] = found.get(mark, 0) + count
        return found

    def _rows_in(self, table: str, installations: Collection[int]) -> list[Any]:
        sql = f"SELECT installation, count() FROM {table} WHERE installation IN {{these:Array(UInt128)}} GROUP BY installation"
        return self._engine.query(sql, {"these": list(installations)}) if installations else []

    def mark(self, installation: int) -> int:
        """What stands for an installation once it is erased."""
        return self._hasher.mark(installation)

    def rows_to_delete(self, installations: Collection[int]) -> list[RowsToDelete]:
        """What a purge takes away of some installations."""
        where = "installation IN {these:Array(UInt128)}"
        return [RowsToDelete(table, where, {"these": list(installations)}) for table in schema.HOLDS_INSTALLATIONS] if installations else []
