"""Verdicts as documents in the store, and back. What is read was published; nothing is computed again."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from innerloop_collector.errors import Unreadable
from innerloop_collector.query.published import View, document
from innerloop_collector.query.received import received
from innerloop_collector.query.releases.archive import Document
from innerloop_collector.query.verdicts.scan_views import SCAN, Scan
from innerloop_collector.query.verdicts.verdict_views import DETECTABLE, KIND, Detectable, Verdict

V = TypeVar("V", bound=View)


class Documents(Protocol):
    """Where documents are kept for good."""

    def units(self, project: str, kind: str) -> frozenset[str]:
        """The units of a project that were published, of one kind."""

    def add(self, project: str, unit: str, document: str) -> None:
        """Publish, for good."""

    def read(self, project: str, units: Iterable[str]) -> Sequence[Document]:
        """Those of some units that are there, in no order."""


class Verdicts:
    """What was published of changes."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, one: Verdict | Detectable | Scan) -> None:
        """Publish, for good. Raises StoreError for what was published already."""
        self._documents.add(one.project, one.unit, msgspec.json.encode(document(one)).decode())

    def of_project(self, project: str) -> tuple[Verdict, ...]:
        """Every verdict of a project's changes, in the order in which they were made."""
        found = self._read(project, self._documents.units(project, KIND), Verdict)
        return tuple(sorted(found, key=lambda one: (one.made, one.unit)))

    def looks(self, project: str, change: str) -> frozenset[int]:
        """Which looks at a change were published."""
        return self._numbers(project, change, KIND)

    def of(self, project: str, change: str) -> tuple[Verdict, ...]:
        """Every verdict of a change, in order."""
        units = [f"{KIND}/{change}/{number}" for number in self.looks(project, change)]
        return tuple(sorted(self._read(project, units, Verdict), key=lambda one: one.look))

    def scanned(self, project: str, change: str) -> frozenset[int]:
        """Which looks at a change have a scan."""
        return self._numbers(project, change, SCAN)

    def scans(self, project: str, change: str) -> tuple[Scan, ...]:
        """Every scan of a change, in order."""
        units = [f"{SCAN}/{change}/{number}" for number in self.scanned(project, change)]
        return tuple(sorted(self._read(project, units, Scan), key=lambda one: one.look))

    def telling(self, project: str) -> list[Verdict | Scan]:
        """Every verdict and scan of a project's changes that gave a number: from them later ones keep away."""
        told: list[Verdict | Scan] = [*self.of_project(project), *self._read(project, self._documents.units(project, SCAN), Scan)]
        return [one for one in told if one.has_numbers]

    def detectable(self, project: str, question: str) -> tuple[Detectable, ...]:
        """What was said that could be seen, of a question that has a name, in the order of blocks."""
        units = sorted(unit for unit in self._documents.units(project, DETECTABLE) if unit.endswith(f"/{question}"))
        return tuple(sorted(self._read(project, units, Detectable), key=lambda one: one.unit))

    def asked(self, project: str, block: str) -> int:
        """Of how many questions it was said in a block what could be seen."""
        return sum(unit.startswith(f"{DETECTABLE}/{block}/") for unit in self._documents.units(project, DETECTABLE))

    def _numbers(self, project: str, change: str, kind: str) -> frozenset[int]:
        units = (unit.rpartition("/") for unit in self._documents.units(project, kind))
        return frozenset(int(number) for of, _, number in units if of == f"{kind}/{change}")

    def _read(self, project: str, units: Iterable[str], kind: type[V]) -> list[V]:
        wanted = list(units)
        if not wanted:
            return []
        try:
            return [received(_object(one.document), kind) for one in self._documents.read(project, wanted)]
        except msgspec.MsgspecError as error:
            raise Unreadable(f"a verdict of {project} cannot be read: {error}") from error


def _object(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])
