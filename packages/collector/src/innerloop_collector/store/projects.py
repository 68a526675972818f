"""Reads and changes projects, their applied versions and their write keys.

Everything is in the store, and in memory as one immutable catalogue that ingest reads without locking.
"""

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import date, timedelta
from typing import Any

from innerloop.core.plan.project import Project
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import UsageError
from innerloop_collector.store.catalogue import LEAST_K, Catalogue, Version, WriteKey, assembled
from innerloop_collector.store.keyed_hash import Hasher

FIRST_MIN_ACTIVE_WEEKS = 3
_WEAK = 22  # characters: fewer of base64 are fewer than 128 bits


class Registry:
    """Reads and changes the catalogue."""

    def __init__(self, engine: Engine, hasher: Hasher, today: Callable[[], date]) -> None:
        self._engine = engine
        self._hasher = hasher
        self._today = today
        self._guard = threading.Lock()
        self.catalogue = Catalogue()

    def load(self) -> None:
        """Read everything from the store."""
        versions = [_version(row) for row in self._read("projects", schema.PROJECTS, "project, version")]
        keys = [WriteKey(*row) for row in self._read("write_keys", schema.KEYS, "created_day, key_hash")]
        self.catalogue = assembled(versions, keys)

    def _read(self, table: str, columns: dict[str, str], order: str) -> list[Any]:
        return self._engine.query(f"SELECT {', '.join(columns)} FROM {table} FINAL ORDER BY {order}")

    def today(self) -> date:
        """The day (UTC)."""
        return self._today()

    def newest(self, project: str) -> Version:
        """The version applied last. Raises UsageError for an unknown project."""
        return self.catalogue.newest(project)

    def retention_days(self, project: str) -> int:
        """How long a project keeps what it has, by its newest version."""
        return int(self.catalogue.newest(project).document["retention_days"])

    def longest_promise(self, project: str) -> int:
        """The most days for which any version of a project keeps what it has."""
        return max(int(version.document["retention_days"]) for version in self.catalogue.versions[project])

    def promised(self) -> dict[str, int]:
        """How many days each project keeps what it has, by its newest version."""
        return {project: self.retention_days(project) for project in self.catalogue.versions}

    def key(self, text: str) -> WriteKey | None:
        """The write key that a text is. None: unknown, revoked or ended."""
        found = self.ever(text)
        return found if found and found.accepted(self._today()) else None

    def ever(self, text: str) -> WriteKey | None:
        """The write key that a text is or was. None: unknown."""
        return self.catalogue.keys.get(self._hasher.write_key(text))

    def project_of(self, key: str) -> str | None:
        """Which project does a write key belong to? None: unknown, revoked or ended."""
        found = self.key(key)
        return found.project if found else None

    def knows(self, key: str) -> bool:
        """Tell whether a write key was ever made, even if it is revoked by now."""
        return self.ever(key) is not None

    def apply(
        self, project: Project, min_active_weeks: int | None = None, k: int | None = None, headcount: int | None = None
    ) -> tuple[Version, bool]:
        """Register a version of a project file. Also says whether it differs from the one before."""
        with self._guard:
            before = self.catalogue.versions.get(project.id, ())
            weeks = min_active_weeks or (before[-1].min_active_weeks if before else FIRST_MIN_ACTIVE_WEEKS)
            version = replace(
                Version.of(project, before[-1].number + 1 if before else 1, weeks, self._today()),
                k=k or (before[-1].k if before else LEAST_K),
                headcount=headcount or (before[-1].headcount if before else None),
            )
            if before and _same(before[-1], version):
                return before[-1], False
            terms, document = json.dumps(version.agreement), json.dumps(version.document)
            row = (project.id, version.number, version.digest, terms, document, weeks, version.applied, version.k, version.headcount or 0)
            self._engine.insert("projects", schema.PROJECTS, [row])
            self.load()
            return version, True

    def create_key(self, project: str, secret: str | None = None) -> tuple[str, WriteKey]:
        """Make a write key, or take over one that exists. The key itself is returned and not kept."""
        with self._guard:
            self.catalogue.newest(project)
            key = _whole_key(project, secret or secrets.token_urlsafe(24))
            key_hash = self._hasher.write_key(key)
            old = self.catalogue.keys.get(key_hash)
            if old is not None and old.project != project:
                raise UsageError(f"this write key belongs to the project {old.project!r} already; choose another secret")
            made = WriteKey(project, key_hash, self._today(), revoked=False, version=old.version + 1 if old else 1)
            self._put_keys([made])
            return key, made

    def rotate_key(self, project: str, overlap: int) -> tuple[str, WriteKey, list[WriteKey]]:
        """Make a write key, and let the project's others end after `overlap` days. Those that end sooner already still do."""
        with self._guard:
            self.catalogue.newest(project)
            today = self._today()
            key = _whole_key(project, secrets.token_urlsafe(24))
            made = WriteKey(project, self._hasher.write_key(key), today, revoked=False, version=1)
            last = today + timedelta(days=overlap)
            old = [one for one in self.catalogue.keys.values() if one.project == project and one.accepted(today)]
            ending = [replace(one, ends=min(one.ends or last, last), version=one.version + 1) for one in old]
            self._put_keys([made, *ending])
            return key, made, ending

    def revoke_key(self, key_id: str) -> WriteKey:
        """Make a write key useless at once."""
        with self._guard:
            found = [key for key in self.catalogue.keys.values() if key_id and key.key_hash.startswith(key_id.lower())]
            if len(found) != 1:
                what = "no write key has" if not found else "several write keys have"
                raise UsageError(f"{what} that id (an id is not the key itself); see them with: innerloop-collector keys list")
            gone = replace(found[0], revoked=True, version=found[0].version + 1)
            self._put_keys([gone])
            return gone

    def _put_keys(self, keys: list[WriteKey]) -> None:
        """Store keys, all of them or none."""
        self._engine.insert("write_keys", schema.KEYS, [astuple(key) for key in keys])
        self.load()


def weak(key: str) -> bool:
    """Tell whether a chosen write key is short enough to be guessed."""
    return len(key.rpartition(".")[2]) < _WEAK


def _whole_key(project: str, secret: str) -> str:
    key = secret if secret.startswith(project + ".") else f"{project}.{secret}"
    if not key.isascii() or not key.isprintable() or " " in key or ":" in key or len(key) > 120 or key == project + ".":
        raise UsageError("a secret must be 1 to 80 printable ASCII characters without space and colon")
    return key


def _same(one: Version, other: Version) -> bool:
    return _said(one) == _said(other)


def _said(of: Version) -> tuple[Any, ...]:
    return of.digest, of.document, of.min_active_weeks, of.k, of.headcount


def _version(row: Any) -> Version:
    project, number, fingerprint, terms, document, weeks, applied, k, headcount = row
    return Version(project, number, fingerprint, json.loads(terms), json.loads(document), weeks, applied, k or LEAST_K, headcount or None)
