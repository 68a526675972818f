"""The changes that were registered. Once somebody has looked at what one did, it stays what it was: another hypothesis is another record."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import Denied, UsageError, WrongField
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


@dataclass(frozen=True, slots=True)
class Registrant:
    """What somebody who registers changes may do and be told."""

    visible: frozenset[str] | None = None  # the projects that they may see; None: all
    replaces: bool = True  # may correct a record that is looked at
    reads: bool = True  # may be told what became of a record


_ANYBODY = Registrant()


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

    def find(self, project: str, name: str, visible: frozenset[str] | None = None) -> Registered:
        """One change. Raises UsageError, and Denied for who may not see its project, whether or not it is there, or another that it names."""
        found = self._known.get((project, name))
        if visible is not None and (project not in visible or (found and not found.change.seen_by(visible))):
            raise Denied("you may not see this project. Ask whoever runs the collector")
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

    def register(self, change: Change, by: Registrant = _ANYBODY, after: int | None = None) -> tuple[Registered, bool]:
        """Register a change, or what its record says now. Also says whether anything is new. Raises UsageError.

        `after`: the version of the record that this is to take the place of, as `would` told it. None: whichever there is.
        """
        with self._guard:
            made, new = self._judged(change, by, after)
            if new:
                self._put(made)
            return made, new

    def would(self, change: Change, by: Registrant = _ANYBODY, after: int | None = None) -> tuple[Registered, bool]:
        """What registering a change would come to. Nothing is registered. Raises UsageError."""
        with self._guard:
            return self._judged(change, by, after)

    def _judged(self, change: Change, by: Registrant, after: int | None) -> tuple[Registered, bool]:
        before = self._known.get((change.project, change.name))
        if before is not None and before.change == change:
            return before, False
        if before is not None:
            _refuse_another(before, by)
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
        version = before.version if before else 0
        if after not in (None, version):
            raise WrongField("name", f"{change.name} was registered or corrected by somebody else meanwhile; look at it again")
        return Registered(change, self._today(), version=version + 1), True

    def withdraw(self, project: str, name: str, visible: frozenset[str] | None = None) -> Registered:
        """Take a change back before anybody looked at what it did. Raises UsageError, and Denied as `find` does."""
        with self._guard:
            found = self.find(project, name, visible)
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


def _refuse_another(before: Registered, by: Registrant) -> None:
    """Raise UsageError where somebody may not replace a record, without a word of what it says or what became of it."""
    ended = before.looked or before.withdrawn
    told = not by.reads and (ended or not (by.replaces or before.change.is_annotation))
    if told or not before.change.seen_by(by.visible):
        raise WrongField(
            "name", f"{before.change.name} is registered and says something else; register what is different under another name"
        )
