"""What an operator can ask for, the same through the service and on the store itself. May import: core, pipeline, store, reports.

Every operation takes and returns what JSON can say, so that the command line can call it here or over HTTP.
"""

import shutil
import tomllib
from collections.abc import Callable
from typing import Any

from innerloop.plan.project import ProjectError, read
from innerloop_collector.core import Core
from innerloop_collector.errors import UsageError
from innerloop_collector.pipeline import rows
from innerloop_collector.pipeline.event import Event
from innerloop_collector.pipeline.steps import run
from innerloop_collector.reports.team import TeamReports
from innerloop_collector.store.registry import Version, WriteKey, weak
from innerloop_collector.store.tables import QuarantineRow

Answer = dict[str, Any]
_PAGE = 1_000


class Operations:
    """The operator's side of an open collector."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._reports = TeamReports(core.engine, core.registry, core.now)
        self._known: dict[str, Callable[..., Answer]] = {
            "projects.apply": self.apply_project,
            "projects.list": self.list_projects,
            "keys.create": self.create_key,
            "keys.list": self.list_keys,
            "keys.revoke": self.revoke_key,
            "quarantine.list": self.list_quarantine,
            "report": self.report,
            "check": self.check,
        }

    def call(self, name: str, arguments: dict[str, Any]) -> Answer:
        """Run an operation by name."""
        operation = self._known.get(name)
        if operation is None:
            raise UsageError(f"this collector does not know the operation {name!r}; use the same version at both ends")
        return operation(**arguments)

    def apply_project(self, toml: str, source: str, min_active_weeks: int | None = None, with_key: bool = False) -> Answer:
        """Register a project file, and give the events that waited for it another chance."""
        try:
            project = read(tomllib.loads(toml), key_needed=False)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{source} is not valid TOML: {error}; correct it and apply it again") from error
        except ProjectError as error:
            raise UsageError(f"{source} cannot be applied: {error}") from error
        version, changed = self._core.registry.apply(project, min_active_weeks)
        bring_key = with_key and project.key_is_ours and not project.lacks_key
        if bring_key and not self._core.registry.knows(project.write_key):
            self._core.registry.create_key(project.id, project.write_key)
        released, waiting = self._release(project.id)
        return {
            **_version(version),
            "changed": changed,
            "released": released,
            "still_quarantined": waiting,
            "write_key_known": self._core.registry.project_of(project.write_key) == project.id,
            "unknown_keys": list(project.unknown),
        }

    def _release(self, project: str) -> tuple[int, int]:
        """Run what waits through the pipeline again. Returns how many events left and how many still wait."""
        released = waiting = 0
        after = 0
        while page := self._core.tables.quarantined(project, after, _PAGE):
            after = page[-1].message_key
            free = self._passing(page)
            if free:
                self._core.writer.submit([row for _, row in free], []).result()
                self._core.tables.leave_quarantine(project, [row.message_key for row, _ in free])
            released += len(free)
            waiting += len(page) - len(free)
        return released, waiting

    def _passing(self, page: list[QuarantineRow]) -> list[tuple[QuarantineRow, tuple[Any, ...]]]:
        now = self._core.now()
        found = []
        for waiter in page:
            event = run(rows.from_quarantine(waiter, now), self._core.registry.catalogue)
            if isinstance(event, Event):
                found.append((waiter, rows.event_row(event)))
        return found

    def list_projects(self) -> Answer:
        """Every project with its applied versions."""
        versions = self._core.registry.catalogue.versions
        return {"projects": [{**_version(all_of[-1]), "versions": [_version(one) for one in all_of]} for all_of in versions.values()]}

    def create_key(self, project: str, secret: str | None = None) -> Answer:
        """Make a write key. It is in the answer, and nowhere else."""
        key, made = self._core.registry.create_key(project, secret)
        return {"key": key, "weak": weak(key), **_key(made)}

    def list_keys(self) -> Answer:
        """Every write key, by the beginning of its hash."""
        return {"keys": [_key(key) for key in self._core.registry.catalogue.keys.values()]}

    def revoke_key(self, key: str) -> Answer:
        """Make a write key useless at once."""
        return _key(self._core.registry.revoke_key(key))

    def list_quarantine(self) -> Answer:
        """What waits, counted by project, reason and fields. Never a value."""
        names = ("project", "reason", "fields", "events", "first_day", "last_day")
        counts = [dict(zip(names, row, strict=True)) for row in self._core.tables.quarantine_counts()]
        return {"quarantine": [{**row, "first_day": str(row["first_day"]), "last_day": str(row["last_day"])} for row in counts]}

    def report(self, project: str, weeks: int | None = None) -> Answer:
        """The team's report of a project."""
        return self._reports.report(project, weeks)

    def check(self) -> Answer:
        """Say whether the collector is well."""
        events, waiting = self._core.tables.counts()
        tombstones, unfinished, receipts = self._core.erasures.counts()
        disk = shutil.disk_usage(self._core.paths.data)
        failure = self._core.writer.last_failure
        return {
            "ok": failure is None,
            "engine": str(self._core.engine.query("SELECT version()")[0][0]),
            "data": str(self._core.paths.data),
            "events": events,
            "quarantined": waiting,
            "tombstones": tombstones,
            "unfinished_erasures": unfinished,
            "receipts": receipts,
            "disk_free_bytes": disk.free,
            "last_write_failure": failure,
        }


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


def _key(key: WriteKey) -> Answer:
    return {"id": key.id, "project": key.project, "created": key.created.isoformat(), "revoked": key.revoked}
