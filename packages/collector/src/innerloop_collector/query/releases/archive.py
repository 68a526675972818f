"""Releases as documents in the store, and back."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from innerloop_collector.errors import StoreError, Unreadable
from innerloop_collector.query.releases.document import Release, decode, encode
from innerloop_collector.store.recently_used import RecentlyUsed

_KEPT_CHARACTERS = 12_000_000  # of the documents that are kept decoded, which take some five times that


class Document(Protocol):
    """A release as it is stored."""

    @property
    def unit(self) -> str:
        """Of what it is."""

    @property
    def document(self) -> str:
        """It as JSON."""


class Documents(Protocol):
    """Where documents are kept for good."""

    def units(self, project: str) -> frozenset[str]:
        """The units of a project's figures that were published."""

    def add(self, project: str, unit: str, document: str) -> None:
        """Publish, for good."""

    def read(self, project: str, units: Iterable[str]) -> Sequence[Document]:
        """Those of some units that are there, in no order."""


class Archive:
    """What was published."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._decoded: RecentlyUsed[str, Release] = RecentlyUsed(_KEPT_CHARACTERS)  # by the document: what it says cannot change

    def units(self, project: str) -> frozenset[str]:
        """The units of a project that were published."""
        return self._documents.units(project)

    def add(self, release: Release) -> None:
        """Publish, for good. Raises StoreError for what was published already."""
        self._documents.add(release.project, release.unit, encode(release).decode())

    def read(self, project: str, units: Iterable[str]) -> dict[str, Release]:
        """Those of some units that are there, by unit. Raises StoreError for what no version up to this one published."""
        return {one.unit: self._release(project, one) for one in self._documents.read(project, units)}

    def position(self, project: str, unit: str) -> int:
        """How far a release read. A version that does not know the rest of it can tell. Raises StoreError where it does not say, or is not there."""
        for one in self._documents.read(project, [unit]):
            try:
                return msgspec.json.decode(one.document, type=_Read).position
            except msgspec.MsgspecError as error:
                raise _unreadable(project, unit, error) from error
        raise StoreError(f"{unit} of {project} is in no store; restore a backup that has it")

    def _release(self, project: str, of: Document) -> Release:
        found = self._decoded.get(of.document)
        if found is None:
            try:
                found = decode(of.document)
            except msgspec.MsgspecError as error:
                raise _unreadable(project, of.unit, error) from error
            self._decoded.keep(of.document, found, len(of.document))
        return found


class _Read(msgspec.Struct):
    position: int


def _unreadable(project: str, unit: str, error: msgspec.MsgspecError) -> Unreadable:
    return Unreadable(
        f"{unit} of {project} is no release that this version reads ({error}); use the version that published it or a later one, "
        "or put the store and releases.log back from a backup"
    )


class _Named(msgspec.Struct):
    project: str
    unit: str


def project_and_unit(document: str) -> tuple[str, str]:
    """Of what a document of any kind is a release. Raises ValueError for what is none."""
    try:
        named = msgspec.json.decode(document, type=_Named)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    return named.project, named.unit
