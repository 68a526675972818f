"""Projects, their applied versions and their write keys.

Everything is in the store, and in memory as one immutable catalogue that ingest reads without locking. Each applied
version of a project file stays: events name the digest of the version that their developer agreed to.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Self

from innerloop.core.plan.agreement import agreement, digest, stages
from innerloop.core.plan.check import Names
from innerloop.core.plan.names_table import CHECK, SESSION, Marks
from innerloop.core.plan.project import Project
from innerloop.core.shared.names import OTHER
from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import UsageError
from innerloop_collector.store.keyed_hash import Hasher

FIRST_MIN_ACTIVE_WEEKS = 3
LEAST_K = 5  # a project can only ask for more
_WEAK = 22  # characters: fewer of base64 are fewer than 128 bits


@dataclass(frozen=True, slots=True)
class Version:
    """One applied version of a project file."""

    project: str
    number: int
    digest: str
    agreement: dict[str, Any]
    document: dict[str, Any]
    min_active_weeks: int
    applied: date
    k: int = LEAST_K  # contributors that a published number needs
    headcount: int | None = None  # developers there are, where somebody said so

    @classmethod
    def of(cls, project: Project, number: int, min_active_weeks: int, applied: date) -> Self:
        """What a project file says, as a version."""
        terms = agreement(project)
        return cls(project.id, number, digest(terms), terms, _document(project), min_active_weeks, applied)

    @property
    def names(self) -> Names:
        """The names, the groups, the cohorts and the open changes that this version lets leave."""
        names = self.document["names"]
        cohorts, groups, changes = (tuple(names.get(key, ())) for key in ("cohorts", "groups", "changes"))
        return Names(tuple(names["allow"]), tuple(names["stems"]), names["separator"], cohorts, groups, changes)

    @property
    def renamed_from(self) -> dict[str, tuple[str, ...]]:
        """What names were called before."""
        return {name: tuple(old) for name, old in self.document["names"].get("renamed_from", {}).items()}

    @property
    def marks(self) -> Marks:
        """Which names this version calls sessions, and which checks."""
        names = self.document["names"]
        sessions, checks = (tuple(names.get(key, ())) for key in ("sessions", "checks"))
        return Marks(sessions, checks, tuple(names["stems"]), names["separator"])


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class AgreedPlan:
    """What events of one digest may hold. One is itself only."""

    digest: str
    agreement: dict[str, Any]
    names: tuple[Names, ...]  # of every applied version with this digest, newest first


@dataclass(frozen=True, slots=True)
class Marked:
    """Which of some names are sessions, whose hours are use, and which are checks, whose failures are information. None is both."""

    sessions: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WriteKey:
    """A write key, of which only the hash is known. The fields are those of the table."""

    project: str
    key_hash: str
    created: date
    revoked: bool
    version: int
    ends: date | None = None  # the last day on which it is accepted, once another has taken its place

    @property
    def id(self) -> str:
        """How a person names the key."""
        return self.key_hash[:12]

    def accepted(self, today: date) -> bool:
        """Tell whether the key may be used on a day."""
        return not self.revoked and (self.ends is None or today <= self.ends)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All projects and keys at one moment."""

    versions: dict[str, tuple[Version, ...]] = field(default_factory=dict)  # oldest first
    keys: dict[str, WriteKey] = field(default_factory=dict)
    plans: dict[tuple[str, str], AgreedPlan] = field(default_factory=dict)

    def newest(self, project: str) -> Version:
        """The version applied last. Raises UsageError for an unknown project."""
        if project not in self.versions:
            raise UsageError(f"no project {project!r} here; apply its file first: innerloop-collector projects apply innerloop.toml")
        return self.versions[project][-1]

    def marked(self, project: str, names: Iterable[str]) -> Marked:
        """Tell what a project calls sessions and checks, of the names that its events have (commands, targets and groups).

        The newest version that lists a name says what it is: marking one speaks of what was always so, and a name that is
        listed no more stays what it was. Nothing of it depends on the version that an event names. Raises UsageError for an unknown project.
        """
        self.newest(project)
        found: dict[str, set[str]] = {SESSION: set(), CHECK: set()}
        open_names = set(names) - {OTHER}
        for version in reversed(self.versions[project]):
            listed, marks = version.names, version.marks
            known = {name for name in open_names if listed.holds(name)}
            for name in known:
                found.get(marks.of(name), set()).add(name)
            open_names -= known
        return Marked(frozenset(found[SESSION]), frozenset(found[CHECK]))

    def public_plans(self, project: str) -> tuple[str, ...] | None:
        """The plans whose developers agreed that figures are open to everybody. None: the newest version does not open them."""
        if not self.newest(project).agreement.get("public"):
            return None
        return tuple(sorted(plan.digest for (name, _), plan in self.plans.items() if name == project and plan.agreement.get("public")))

    def plan(self, project: str, wanted: str | None) -> AgreedPlan | None:
        """The plan with a digest, or the newest one where none is named. None: not known (yet)."""
        if wanted is None:
            wanted = self.versions[project][-1].digest
        return self.plans.get((project, wanted))


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
        self.catalogue = _catalogue(versions, keys)

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


def _document(project: Project) -> dict[str, Any]:
    """What the collector keeps of a project file besides its agreement."""
    names: dict[str, Any] = {"allow": list(project.names), "stems": list(project.stems), "separator": project.separator}
    marks = project.marks
    more = {
        "cohorts": project.cohorts,
        "groups": project.groups,
        "sessions": marks.sessions,
        "checks": marks.checks,
        "changes": project.changes,
    }
    names.update((key, list(words)) for key, words in more.items() if words)  # documents of before there were any stay the same
    if project.renamed_from:
        names["renamed_from"] = {name: list(old) for name, old in project.renamed_from.items()}
    return {
        "name": project.name,
        "organisation": project.organisation,
        "retention_days": project.retention_days,
        "names": names,
        "wording": dict(project.wording),
        "recipients": [list(recipient) for recipient in project.recipients],
        "seed": project.seed is not None,
    }


def _same(one: Version, other: Version) -> bool:
    return _said(one) == _said(other)


def _said(of: Version) -> tuple[Any, ...]:
    return of.digest, of.document, of.min_active_weeks, of.k, of.headcount


def _version(row: Any) -> Version:
    project, number, fingerprint, terms, document, weeks, applied, k, headcount = row
    return Version(project, number, fingerprint, json.loads(terms), json.loads(document), weeks, applied, k or LEAST_K, headcount or None)


def _catalogue(versions: list[Version], keys: list[WriteKey]) -> Catalogue:
    grouped: dict[str, tuple[Version, ...]] = {}
    plans: dict[tuple[str, str], AgreedPlan] = {}
    for version in versions:
        grouped[version.project] = (*grouped.get(version.project, ()), version)
        for terms in stages(version.agreement):
            fingerprint = digest(terms)
            older = plans.get((version.project, fingerprint))
            names = (version.names, *(older.names if older else ()))
            plans[version.project, fingerprint] = AgreedPlan(fingerprint, terms, names)
    return Catalogue(grouped, {key.key_hash: key for key in keys}, plans)
