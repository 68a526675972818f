"""What was published of closed days, as documents in the store, and back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

import msgspec

from innerloop_collector.errors import Unreadable
from innerloop_collector.query.alerts.alert_documents import KIND, Day, Told, day_of
from innerloop_collector.query.releases.archive import Document


class Documents(Protocol):
    """Where documents are kept for good."""

    def units(self, project: str, kind: str) -> frozenset[str]:
        """The units of a project that were published, of one kind."""

    def add(self, project: str, unit: str, document: str) -> None:
        """Publish, for good."""

    def read(self, project: str, units: Iterable[str]) -> Sequence[Document]:
        """Those of some units that are there, in no order."""


class LookedAt(Protocol):
    """Knows the last day of each project that was looked at."""

    def last(self, project: str) -> date | None:
        """The last day of a project. None: none is known."""

    def note(self, days: Mapping[str, date]) -> None:
        """Up to which day projects were looked at now."""


class AlertArchive:
    """What was published of alerts."""

    def __init__(self, documents: Documents, looked_at: LookedAt) -> None:
        self._documents = documents
        self._looked_at = looked_at

    def last(self, project: str) -> date | None:
        """The last day that was looked at. What was told of a day was looked at, whatever else is lost."""
        noted = self._looked_at.last(project)
        return max([*map(day_of, self._documents.units(project, KIND)), *([noted] if noted else [])], default=None)

    def note(self, days: Mapping[str, date]) -> None:
        """Up to which day projects were looked at now."""
        self._looked_at.note(days)

    def add(self, day: Day) -> None:
        """Publish, for good. Raises StoreError for what was published already."""
        self._documents.add(day.project, day.unit, msgspec.json.encode(day).decode())

    def days(self, project: str, first: date = date.min) -> list[Day]:
        """All that was published of days from a first one on, in order. Raises StoreError for what no version up to this one published."""
        units = [one for one in self._documents.units(project, KIND) if day_of(one) >= first]
        if not units:
            return []
        try:
            found = [msgspec.json.decode(one.document, type=Day) for one in self._documents.read(project, units)]
        except msgspec.MsgspecError as error:
            raise Unreadable(f"alerts of {project} cannot be read: {error}") from error
        return sorted(found, key=lambda one: one.day)

    def told(self, project: str, first: date = date.min) -> list[list[tuple[Day, Told]]]:
        """Each alert that was told of from a day on: all that was said of it, in order."""
        found: dict[tuple[object, date, bool], list[tuple[Day, Told]]] = {}
        for day in self.days(project, first):
            for one in day.told:
                found.setdefault((one.subject, one.seen, one.fate == "creep"), []).append((day, one))
        return list(found.values())
