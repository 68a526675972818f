"""All projects at one moment: their applied versions, the plans that events may name, and their write keys.

Each applied version of a project file stays: events name the digest of the version that their developer agreed to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from innerloop.core.plan.agreement import agreement, digest, stages
from innerloop.core.plan.check import Names
from innerloop.core.plan.project import CHECK, SESSION, Marks, Project
from innerloop.core.shared.names import OTHER
from innerloop_collector.errors import UsageError

LEAST_K = 5  # a project can only ask for more


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


def _document(project: Project) -> dict[str, Any]:
    """What the collector keeps of a project file besides its agreement."""
    listed, marks = project.names, project.marks
    names: dict[str, Any] = {"allow": list(listed.allow), "stems": list(listed.stems), "separator": listed.separator}
    more = {
        "cohorts": listed.cohorts,
        "groups": listed.groups,
        "sessions": marks.sessions,
        "checks": marks.checks,
        "changes": listed.changes,
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


def assembled(versions: list[Version], keys: list[WriteKey]) -> Catalogue:
    """The catalogue of all versions, the oldest of each project first, and all keys."""
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
