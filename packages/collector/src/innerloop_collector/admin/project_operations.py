"""Operations on projects."""

from datetime import timedelta
from typing import Annotated

import msgspec

from innerloop.core.plan.project import Project, ProjectError
from innerloop.core.plan.project_reader import read
from innerloop.core.plan.toml import TomlError, loads
from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.config.configuration import QUARANTINE_DAYS
from innerloop_collector.config.files import MOST_BYTES
from innerloop_collector.errors import UsageError
from innerloop_collector.lifecycle.quarantine_discard import QuarantineDiscard
from innerloop_collector.lifecycle.quarantine_release import QuarantineRelease
from innerloop_collector.monitoring.status import StatusReader
from innerloop_collector.pipeline.outcome import Reason
from innerloop_collector.query import Figures
from innerloop_collector.store.catalogue import LEAST_K, Version
from innerloop_collector.store.projects import Registry

_LONGEST = 300  # characters of what is wrong: it may quote the file
ActiveWeeks = Annotated[int, msgspec.Meta(ge=1, le=52)]
Contributors = Annotated[int, msgspec.Meta(ge=LEAST_K, le=1_000)]
Headcount = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]


class Projects(Area):
    """Manage the projects whose events are accepted."""

    def __init__(self, registry: Registry, release: QuarantineRelease, figures: Figures) -> None:
        self._registry = registry
        self._release = release
        self._figures = figures

    @operation("projects.apply", Role.ADMIN, changes=True)
    def apply(
        self,
        toml: str,
        source: str,
        min_active_weeks: ActiveWeeks | None = None,
        k: Contributors | None = None,
        headcount: Headcount | None = None,
        with_key: bool = False,
    ) -> Answer:
        """Register a project file, and give the events that waited for it another chance."""
        project = read_project(toml, source)
        registry = self._registry
        version, changed = registry.apply(project, min_active_weeks, k, headcount)
        bring_key = with_key and project.key_is_ours and not project.lacks_key
        if bring_key and not registry.knows(project.write_key):
            registry.create_key(project.id, project.write_key)
        released, waiting = self._release.fitting(project.id, new_ids=headcount is not None)
        return {
            **_version(version),
            "changed": changed,
            "released": released,
            "still_quarantined": waiting,
            "beyond_headcount": self._figures.beyond_headcount(project.id),
            "new_ids_per_day": self._release.most_new_ids(project.id),
            "write_key_known": registry.project_of(project.write_key) == project.id,
            "unknown_keys": list(project.unknown),
        }

    @operation("projects.list", Role.VIEWER)
    def list(self, visible: frozenset[str] | None = None) -> Answer:
        """Every project with its applied versions."""
        versions = self._registry.catalogue.versions
        seen = [all_of for name, all_of in versions.items() if visible is None or name in visible]
        return {"projects": [{**_version(all_of[-1]), "versions": [_version(one) for one in all_of]} for all_of in seen]}


def read_project(text: str, source: str) -> Project:
    """Read a project file as the client does: with its own reader, which takes time and memory in proportion to the file. Raises UsageError."""
    if len(text) > MOST_BYTES:
        raise UsageError(f"{source} cannot be applied: it is larger than {MOST_BYTES // 1024} KB")
    try:
        return read(loads(text), key_needed=False)
    except TomlError as error:
        raise UsageError(
            f"{source} is not valid TOML, or more of it than a project file may have: {error}; correct it and apply it again"
        ) from error
    except ProjectError as error:
        why = error.of(text)
        raise UsageError(f"{source} cannot be applied: {why if len(why) <= _LONGEST else why[:_LONGEST] + '...'}") from error


def _version(version: Version) -> Answer:
    return {
        "project": version.project,
        "name": version.document["name"],
        "version": version.number,
        "digest": version.digest,
        "min_active_weeks": version.min_active_weeks,
        "k": version.k,
        "headcount": version.headcount,
        "retention_days": version.document["retention_days"],
        "applied": version.applied.isoformat(),
    }


class Ids(Area):
    """New ids that wait for a person's word."""

    def __init__(self, registry: Registry, release: QuarantineRelease) -> None:
        self._registry = registry
        self._release = release

    @operation("ids.release", Role.ADMIN, changes=True)
    def release(self, project: str) -> Answer:
        """Let in the ids of a project that wait, and their events. Afterwards they are known."""
        self._registry.catalogue.newest(project)
        released, waiting = self._release.new_ids(project)
        return {"project": project, "released": released, "still_quarantined": waiting}


class Quarantine(Area):
    """Show, or take away, events that were set aside because they do not fit an applied plan."""

    def __init__(self, registry: Registry, status: StatusReader, discard: QuarantineDiscard) -> None:
        self._registry = registry
        self._status = status
        self._discard = discard

    @operation("quarantine.list", Role.ADMIN)
    def list(self, visible: frozenset[str] | None = None) -> Answer:
        """What waits, counted by project, reason and fields. Never a value."""
        names = ("project", "reason", "fields", "events", "first_day", "last_day")
        counts = [dict(zip(names, row, strict=True)) for row in self._status.quarantine()]
        return {
            "quarantine": [
                {
                    **row,
                    "first_day": str(row["first_day"]),
                    "last_day": str(row["last_day"]),
                    "removed_on": str(row["first_day"] + timedelta(days=QUARANTINE_DAYS)),
                }
                for row in counts
                if visible is None or row["project"] in visible
            ],
            "keep_days": QUARANTINE_DAYS,
        }

    @operation("quarantine.violations", Role.ADMIN)
    def violations(self, visible: frozenset[str] | None = None) -> Answer:
        """How many events ever came into quarantine, by project, reason, field and day. The counts stay when the events go."""
        names = ("project", "reason", "field", "day", "events")
        counts = [dict(zip(names, row, strict=True)) for row in self._status.violations()]
        return {"violations": [{**row, "day": str(row["day"])} for row in counts if visible is None or row["project"] in visible]}

    @operation("quarantine.discard", Role.ADMIN, changes=True)
    def discard(self, project: str, reason: str) -> Answer:
        """Remove what waits in a project for one reason, before its time. The counts of violations stay."""
        self._registry.catalogue.newest(project)
        if reason not in list(Reason):
            raise UsageError(f"nothing waits for {reason[:60]!r}; see the reasons with: innerloop-collector quarantine list")
        return {"project": project, "reason": reason, "discarded": self._discard.discard(project, reason)}
