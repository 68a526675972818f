"""Operations on projects. May import: core, access, the client's project file, the store's registry, retention."""

from typing import Annotated

import msgspec

from innerloop.plan.project import Project, ProjectError, read
from innerloop.toml import TomlError, loads
from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.config.reading import MOST_BYTES
from innerloop_collector.errors import UsageError
from innerloop_collector.lifecycle.quarantine_release import release_fitting
from innerloop_collector.store.projects import Version

_LONGEST = 300  # characters of what is wrong: it may quote the file
ActiveWeeks = Annotated[int, msgspec.Meta(ge=1, le=52)]


class Projects(Area):
    """The projects whose events are accepted."""

    @operation("projects.apply", Role.ADMIN)
    def apply(self, toml: str, source: str, min_active_weeks: ActiveWeeks | None = None, with_key: bool = False) -> Answer:
        """Register a project file, and give the events that waited for it another chance."""
        project = _project(toml, source)
        registry = self.core.registry
        version, changed = registry.apply(project, min_active_weeks)
        bring_key = with_key and project.key_is_ours and not project.lacks_key
        if bring_key and not registry.knows(project.write_key):
            registry.create_key(project.id, project.write_key)
        released, waiting = release_fitting(self.core, project.id)
        return {
            **_version(version),
            "changed": changed,
            "released": released,
            "still_quarantined": waiting,
            "write_key_known": registry.project_of(project.write_key) == project.id,
            "unknown_keys": list(project.unknown),
        }

    @operation("projects.list", Role.VIEWER)
    def list(self, visible: frozenset[str] | None = None) -> Answer:
        """Every project with its applied versions."""
        versions = self.core.registry.catalogue.versions
        seen = [all_of for name, all_of in versions.items() if visible is None or name in visible]
        return {"projects": [{**_version(all_of[-1]), "versions": [_version(one) for one in all_of]} for all_of in seen]}


def _project(text: str, source: str) -> Project:
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
        why = str(error)
        raise UsageError(f"{source} cannot be applied: {why if len(why) <= _LONGEST else why[:_LONGEST] + '...'}") from error


def _version(version: Version) -> Answer:
    return {
        "project": version.project,
        "name": version.document["name"],
        "version": version.number,
        "digest": version.digest,
        "min_active_weeks": version.min_active_weeks,
        "retention_days": version.document["retention_days"],
        "applied": version.applied.isoformat(),
    }
