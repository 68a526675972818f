"""Releases as documents in the store, and back."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from innerloop_collector.errors import StoreError
from innerloop_collector.query.releases.document import Release, decode, encode


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

    def units(self, project: str) -> frozenset[str]:
        """The units of a project that were published."""
        return self._documents.units(project)

    def add(self, release: Release) -> None:
        """Publish, for good. Raises StoreError for what was published already."""
        self._documents.add(release.project, release.unit, encode(release).decode())

    def read(self, project: str, units: Iterable[str]) -> dict[str, Release]:
        """Those of some units that are there, by unit. Raises StoreError for what no version up to this one published."""
        try:
            return {one.unit: decode(one.document) for one in self._documents.read(project, units)}
        except msgspec.MsgspecError as error:
            raise StoreError(f"a release of {project} cannot be read: {error}") from error


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
