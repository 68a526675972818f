"""Registered changes, as verdicts ask for them: with what their projects' plans say of checkouts, and what else came at once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from innerloop_collector.query.verdicts.looks import Change, Name

if TYPE_CHECKING:  # a terminal that reads what was published back needs no engine
    from innerloop_collector.store.change_record import Change as Record
    from innerloop_collector.store.change_records import Changes
    from innerloop_collector.store.projects import Registry

_FIELD, _CODE = "changes", "code"
ELSEWHERE = "a change of other projects"


@dataclass(frozen=True, slots=True)
class RegisteredChanges:
    """The changes that stand."""

    changes: "Changes"
    registry: "Registry"

    def all(self) -> list[Change]:
        """Every change that is looked at, and was not withdrawn."""
        return [
            self.of(one.change, looked=one.looked is not None) for one in self.changes.all() if one.withdrawn is None and one.change.looks
        ]

    def beside(self, change: Change) -> tuple[str, ...]:
        """What else came at once. What names other projects is not named."""
        record = self.changes.find(change.project, change.name).change
        others = self.changes.beside(record)
        return tuple(sorted({one.name if set(one.everywhere) <= set(change.projects) else ELSEWHERE for one in others}))

    def of(self, record: "Record", *, looked: bool = False) -> Change:
        """What a record asks."""
        return Change(
            project=record.project,
            name=record.name,
            title=record.title,
            day=record.day,
            affected=tuple(Name(*one) for one in record.affected),
            controls=tuple(Name(*one) for one in record.compared),
            looks=record.looks,
            metric=record.metric or "duration",
            expected=record.expected,
            in_checkout=record.kind == _CODE and any(self._listed(project, record.name) for project in record.projects),
            scan=record.scan,
            looked=looked,
        )

    def telling(self, project: str) -> tuple[str, ...]:
        """The digests of a project's plans under which events say which of the open changes a checkout holds."""
        plans = self.registry.catalogue.plans.items()
        return tuple(sorted(digest for (of, digest), plan in plans if of == project and _FIELD in plan.agreement["fields"]))

    def _listed(self, project: str, name: str) -> bool:
        return any(name in version.names.changes for version in self.registry.catalogue.versions.get(project, ()))
