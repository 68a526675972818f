"""The changes that were registered. Once somebody has looked at what one did, it stays what it was: another hypothesis is another record."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import UsageError, WrongField
from innerloop_collector.store.change_record import Change
from innerloop_collector.store.comparable_changes import ComparableChanges

MOST = 500  # changes of a project that are looked at
MOST_VERSIONS = 20  # of a record: each is another question of what could be seen, and is answered
MOST_ANNOTATIONS = 20_000  # of a project: a dozen deployments a day for four years
_ALL = "SELECT document, registered_day, withdrawn_day, looked_day, version FROM changes FINAL ORDER BY project, name"


@dataclass(frozen=True, slots=True)
class Registered:
    """A change, and what became of its record."""

    change: Change
    registered: date  # as it is now
    withdrawn: date | None = None
    looked: date | None = None  # when what it did was told first
    version: int = 1

    @property
    def key(self) -> tuple[str, str]:
        """Whose record it is, and its name."""
        return self.change.project, self.change.name


class Changes:
    """Keeps changes: all of them in the store, and in memory."""

    def __init__(self, engine: Engine, today: Callable[[], date]) -> None:
        self._engine = engine
        self._today = today
        self._guard = threading.Lock()
        self._known: dict[tuple[str, str], Registered] = {}
        self._comparable = (self._known, ComparableChanges(()))  # those of so many that stand and are no annotations

    def load(self) -> None:
        """Read all of them from the store."""
        found = (Registered(msgspec.json.decode(document, type=Change), *rest) for document, *rest in self._engine.query(_ALL))
        self._known = {one.key: one for one in found}

    def all(self) -> Iterable[Registered]:
        """Every change, also those that were withdrawn, by project and name."""
        return list(self._known.values())

    def standing(self) -> list[Change]:
        """Every change that was not withdrawn."""
        return [one.change for one in self._known.values() if one.withdrawn is None]

    def find(self, project: str, name: str) -> Registered:
        """One change. Raises UsageError."""
        found = self._known.get((project, name))
        if found is None:
            raise UsageError(f"no change {name!r} of {project!r} is registered; see them with: innerloop-collector changes list")
        return found

    def beside(self, change: Change) -> Iterator[Change]:
        """Those that came at the same time to the same commands or targets, controls included: what one did cannot be told from what another did."""
        known, found = self._comparable
        if known is not self._known:
            known = self._known
            found = ComparableChanges([one.change for one in known.values() if one.withdrawn is None and not one.change.is_annotation])
            self._comparable = (known, found)
        return found.meeting(change)

    def register(self, change: Change, *, replace: bool = True, tell: bool = True) -> tuple[Registered, bool]:
        """Register a change, or what its record says now. Also says whether anything is new. Raises UsageError.

        `replace`: another record of that name that is looked at may be corrected. `tell`: what became of it may be said.
        """
        with self._guard:
            made, new = self._judged(change, replace=replace, tell=tell)
            if new:
                self._put(made)
            return made, new

    def would(self, change: Change, *, replace: bool = True, tell: bool = True) -> tuple[Registered, bool]:
        """What registering a change would come to. Nothing is registered. Raises UsageError."""
        with self._guard:
            return self._judged(change, replace=replace, tell=tell)

    def _judged(self, change: Change, *, replace: bool, tell: bool) -> tuple[Registered, bool]:
        before = self._known.get((change.project, change.name))
        if before is not None and before.change == change:
            return before, False
        if before is not None and not tell:
            self._refuse_another(before, replace=replace)
        if before is not None and (before.looked or before.withdrawn):
            what = f"was looked at on {before.looked}" if before.looked else f"was withdrawn on {before.withdrawn}"
            raise WrongField(
                "name", f"{change.name} {what} and stays what it was; register what is different as a new record, under another name"
            )
        if before is not None and before.version >= MOST_VERSIONS:
            raise WrongField(
                "name", f"{change.name} was corrected {MOST_VERSIONS - 1} times; register what it has become under another name"
            )
        if before is None:
            self._refuse_more(change)
        return Registered(change, self._today(), version=before.version + 1 if before else 1), True

    def withdraw(self, project: str, name: str) -> Registered:
        """Take a change back before anybody looked at what it did. Raises UsageError."""
        with self._guard:
            found = self.find(project, name)
            if found.looked:
                raise UsageError(f"{name} was looked at on {found.looked}; what was told of it stays, and so does the record")
            if found.withdrawn is None:
                found = replace(found, withdrawn=self._today(), version=found.version + 1)
                self._put(found)
            return found

    def mark_looked(self, project: str, name: str) -> None:
        """Remember that what a change did was told: from now on its record stays what it is. The first time counts."""
        with self._guard:
            found = self.find(project, name)
            if found.looked is None:
                self._put(replace(found, looked=self._today(), version=found.version + 1))

    def _refuse_another(self, before: Registered, *, replace: bool) -> None:
        """Raise UsageError where a record is not replaced, without a word of what became of it."""
        if before.looked or before.withdrawn or not (replace or before.change.is_annotation):
            raise WrongField(
                "name", f"{before.change.name} is registered and says something else; register what is different under another name"
            )

    def _refuse_more(self, change: Change) -> None:
        most = MOST_ANNOTATIONS if change.is_annotation else MOST
        of_kind = [
            one
            for one in self._known.values()
            if one.withdrawn is None and one.change.project == change.project and one.change.is_annotation == change.is_annotation
        ]
        if len(of_kind) >= most:
            raise UsageError(f"{change.project} has {most} {'annotations' if change.is_annotation else 'changes'}, and more are not kept")

    def _put(self, one: Registered) -> None:
        document = msgspec.json.encode(one.change).decode()
        row = (*one.key, document, one.registered, one.withdrawn, one.looked, one.version)
        self._engine.insert("changes", schema.CHANGES, [row])
        self._known = {**self._known, one.key: one}
