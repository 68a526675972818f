# ruff: noqa: PLC0415 - who reads what was published need not wait for numpy and scipy to be imported
"""Publishes a scan beside each verdict of a change that asks for one, once. What was published is read, never computed again.

A scan tells of everything in a project that no verdict or scan told of in the same weeks, or is to tell of, and keeps later ones away from it as they do.
"""

from collections.abc import Callable
from dataclasses import replace as replaced
from datetime import date

import structlog
from msgspec.structs import replace

from innerloop_collector.errors import CollectorError
from innerloop_collector.query.verdicts import looks
from innerloop_collector.query.verdicts.looks import Change, Look, Name
from innerloop_collector.query.verdicts.scan_views import EVERYTHING, SCAN, SCAN_VERSION, Scan
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_publisher import Figures, Known, Source, checks_of, sums_of

_log = structlog.get_logger()


class ScanPublisher:
    """Makes scans."""

    def __init__(self, source: Callable[[], Source], verdicts: Verdicts, figures: Figures, known: Known) -> None:
        self._source = source
        self._verdicts = verdicts
        self._figures = figures
        self._known = known

    def due(self, today: date) -> list[tuple[str, str]]:
        """What is to be published: projects and units. A scan is due once the verdict of its look is there."""
        return [(change.project, unit_of(change, look)) for change, look in self._due(today)]

    def publish(self, today: date) -> list[tuple[str, str]]:
        """Publish what is due. Returns which units of which projects. What fails is tried again by the next call."""
        done = []
        for change, look in self._due(today):
            try:
                self._verdicts.add(self._make(change, look, today))
                done.append((change.project, unit_of(change, look)))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this change's
                known = isinstance(error, CollectorError)
                _log.error(
                    "scan not published", project=change.project, change=change.name, error=str(error) if known else "", exc_info=not known
                )
        return done

    def _due(self, today: date) -> list[tuple[Change, Look]]:
        found = []
        for change in self._known.changes():
            told = self._verdicts.looks(change.project, change.name) if change.scan else ()
            newest = next((one for one in reversed(looks.looks_at(change)) if one.number in told and one.due <= today), None)
            if newest is not None and newest.number not in self._verdicts.scanned(change.project, change.name):
                found.append((change, newest))
        return sorted(found, key=lambda one: (one[1].due, one[0].project, one[0].name))

    def _make(self, change: Change, look: Look, today: date) -> Scan:
        from innerloop_collector.query.verdicts.scanning import scanned

        settings = self._known.settings()
        blank = Scan(
            version=SCAN_VERSION, project=change.project, unit=unit_of(change, look), change=change.name, title=change.title, day=change.day,
            metric=change.metric, look=look.number, looks=len(change.looks), weeks=look.weeks, first=change.first, end=look.end, made=today,
            k=settings[change.project].k if change.project in settings else 0,
        )  # fmt: skip
        if change.project not in settings:
            return replace(blank, refused=f"no project {change.project!r} here")
        names = self._told(change, today)
        blank = replace(blank, left_out=(EVERYTHING,) if "" in names else tuple(sorted(names)))
        if "" in names:
            return replace(blank, refused=f"verdicts or other scans tell of everything in {change.project} in these weeks")
        everything = replaced(change, affected=(Name(change.project, ""),), controls=())
        span = (change.first, look.end, self._known.committed())
        held = sums_of(self._source(), self._figures, self._known, everything, span, today) if change.in_checkout else None
        everything = replaced(everything, in_checkout=False)  # targets do not tell what their checkout holds
        sums = sums_of(self._source(), self._figures, self._known, everything, span, today, targets=True)
        return scanned(blank, sums, change, look, checks_of(self._known, everything, sums), held)

    def _told(self, change: Change, today: date) -> frozenset[str]:
        """The names in a change's project that are its own, or that another verdict or scan tells of too near, or that a verdict is to tell of.

        A verdict that failed is tried again: a scan that told of its names before it would have it refused.
        """
        told = [one for project in self._known.settings() for one in self._verdicts.telling(project)]
        late = [one for one in self._known.changes() if looks.due(one, self._verdicts.looks(one.project, one.name), today)]
        own = (name for one in (change, *late) for name in (*one.affected, *one.controls))
        return looks.names_told(change.project, today, told) | {name for project, name in own if project == change.project}


def unit_of(change: Change, look: Look) -> str:
    """The name under which a scan is published."""
    return f"{SCAN}/{change.name}/{look.number}"
