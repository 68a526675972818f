# ruff: noqa: PLC0415 - who reads what was published need not wait for numpy and scipy to be imported
"""How it stands with changes: what was published of them, what comes, and all of them together. No row is read here."""

from collections.abc import Callable, Sequence
from datetime import datetime

from innerloop_collector.errors import UsageError
from innerloop_collector.query.verdicts import looks
from innerloop_collector.query.verdicts.looks import Change
from innerloop_collector.query.verdicts.power import Power
from innerloop_collector.query.verdicts.scan_views import Scans
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_views import Coming, Impact, Programme


class Evidence:
    """What can be asked of changes."""

    def __init__(self, verdicts: Verdicts, power: Power, changes: Callable[[], Sequence[Change]], now: Callable[[], datetime]) -> None:
        self._verdicts = verdicts
        self._power = power
        self._changes = changes
        self._now = now

    def of(self, project: str, name: str, visible: frozenset[str] | None = None) -> Impact:
        """How it stands with a change, for somebody who may see some projects (None: all). Raises UsageError for one that is not registered, or not to be seen."""
        for change in self._changes():
            if (change.project, change.name) == (project, name) and _may_see(visible, change):
                return self._impact(change)
        raise UsageError(
            f"no change {name!r} of {project!r} is registered to be looked at; see them with: innerloop-collector changes list {project}"
        )

    def scans(self, project: str, name: str, visible: frozenset[str] | None = None) -> Scans:
        """What scans found beside a change, for somebody who may see some projects (None: all). Raises UsageError as `of` does, and where none is asked for."""
        for change in self._changes():
            if (change.project, change.name) == (project, name) and _may_see(visible, change) and change.scan:
                found = self._verdicts.scans(project, name)[::-1]
                coming = looks.coming(change, {one.look for one in found}, self._now().date())
                return Scans(project, name, change.title, change.day, found, coming.due if coming else None)
        raise UsageError(f"no scan is asked for by a change {name!r} of {project!r}; a record that is not looked at yet may: scan = true")

    def programme(self, project: str, visible: frozenset[str] | None = None) -> Programme:
        """Every change of a project that is looked at, the newest first, and what they come to. Without those about projects that somebody may not see."""
        from innerloop_collector.analysis.impact.programme import programme
        from innerloop_collector.query.verdicts import rounding
        from innerloop_collector.query.verdicts.pooling import tried

        changes = sorted(
            (one for one in self._changes() if one.project == project and one.looks and _may_see(visible, one)),
            key=lambda one: (one.day, one.name),
            reverse=True,
        )
        impacts = tuple(map(self._impact, changes))
        found = programme([tried(next((one for one in impact.verdicts if one.findings), None)) for impact in impacts])
        minutes = found.minutes
        total = (None, None, None) if minutes is None else tuple(map(rounding.minutes, (minutes.value, minutes.low, minutes.high)))
        return Programme(project, impacts, found.added, rounding.span(found.mean), *total)

    def _impact(self, change: Change) -> Impact:
        verdicts = self._verdicts.of(change.project, change.name)[::-1]
        next_look = looks.coming(change, {one.look for one in verdicts}, self._now().date())
        coming = Coming(next_look.number, len(change.looks), next_look.due) if next_look else None
        detectable = None if verdicts or not change.looks else self._power.told(change)
        return Impact(change.project, change.name, change.title, change.day, change.expected, change.affected, verdicts, coming, detectable)


def _may_see(visible: frozenset[str] | None, change: Change) -> bool:
    """A verdict speaks of all projects that it compares."""
    return visible is None or visible.issuperset(change.projects)
