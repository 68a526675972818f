"""What is tried of verdicts over a real store. Each function makes a store in a directory, and returns what is looked at."""

import os
import signal
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from innerloop.core.plan.names_table import STARTUP_MS
from innerloop_collector.analysis.impact.panel import Exposed
from innerloop_collector.query.alerts.daily_rows import DailyRows
from innerloop_collector.query.alerts.daily_rows import Span as Days
from innerloop_collector.query.population import Population, Settings, none
from innerloop_collector.query.published import document
from innerloop_collector.query.releases.archive import Archive
from innerloop_collector.query.verdicts.looks import Name
from innerloop_collector.query.verdicts.statistics import Exposure, Span, Sums
from innerloop_collector.query.verdicts.verdict_publisher import sums_of
from innerloop_collector.reports.impact import impact_of, programme_of
from innerloop_collector.reports.scan import scan_of
from innerloop_collector.store.release_journal import Released, ReleaseJournal
from tests.evidence.judged_store import DAY, FIRST, WEEK, Store, Team, change

END = DAY + 12 * WEEK
_UNASKED = Exposure()
_AT_ONCE = f"""SELECT countIf(exit_status = 1 AND duration_ms <= {STARTUP_MS}) FROM events WHERE project = 'acme' AND command = 'lint'
    AND toDate(corrected_time) BETWEEN {{first:Date}} AND {{last:Date}}"""


def everything(directory: Path) -> dict[str, Any]:
    """Several projects in one store, each with what is tried of it."""
    store = Store(directory)
    others = {"ci": {"actor": "ci"}, "agent": {"actor": "agent"}, "test": {"is_test": "yes"}, "gone": {"keep_until": FIRST}}
    store.fill(
        Team(project="acme"),
        Team(project="small", size=7, weeks=19),
        Team(project="late", lags=True, size=30, weeks=17),
        *(
            Team(project="acme", size=3, weeks=15, seed=index, shift=100 * index, columns=columns)
            for index, columns in enumerate(others.values(), 2)
        ),
        Team(project="acme", size=12, columns={"suspended": True}),
    )
    store.changes = [
        change(),
        change("same-week", day=DAY + WEEK, looks=(4,)),
        change("few", "small"),
        change("cache", "late", in_checkout=True, looks=(6,)),
    ]
    out: dict[str, Any] = {"due": store.publisher.due(DAY + 4 * WEEK + timedelta(days=1))}
    asked = change("asked")
    out["told"] = [document(store.power.detectable(asked, DAY + timedelta(days=days))) for days in (2, 5)]
    store.power.detectable(store.changes[0], DAY)
    store.today = DAY
    out["waiting"] = document(impact_of(store.evidence(), "acme", "cache"))
    out["units"] = store.publish(END)
    out["after"] = document(store.power.detectable(asked, DAY + 6 * WEEK))
    out["reports"] = {f"{one.project} {one.name}": document(impact_of(store.evidence(), one.project, one.name)) for one in store.changes}
    out["programme"] = document(programme_of(store.evidence(), "acme"))
    out["again"] = store.publisher.publish(store.today)
    out["closed"] = sorted(set(store.closed))
    out["journal"] = store.journal.read_text()
    for one in store.changes:
        out[f"{one.project} {one.name}"] = [document(found) for found in store.verdicts.of(one.project, one.name)]
    out["ids"] = [str(row[0]) for row in store.engine.query("SELECT DISTINCT toString(installation) FROM events")]
    out["sums"] = _numbers(_sums(store, "acme"))
    out["firsts"] = _firsts(_sums(store, "late", Exposure("cache", ("held",))))
    store.close()
    return out


def alone(directory: Path) -> dict[str, Any]:
    """The same team with nobody and nothing else in the store; then somebody is erased between two looks, and another change is asked about."""
    store = Store(directory).fill(Team(project="acme"))
    out: dict[str, Any] = {"sums": _numbers(_sums(store, "acme"))}
    store.changes = [change()]
    store.publish(DAY + 5 * WEEK)
    before = [document(one) for one in store.verdicts.of_project("acme")]
    store.erase("acme", 0)
    store.changes += [change("attack", looks=(5,)), change("other-control", looks=(5,), controls=(Name("acme", "test"),))]
    store.publish(END)
    found = [document(one) for one in store.verdicts.of_project("acme")]
    store.close()
    return {**out, "before": before, "found": found}


class Deadly(ReleaseJournal):
    """A journal during whose writing the process is killed: before it, or right after."""

    after = False

    def add(self, releases: Sequence[Released]) -> None:
        """Write, or not, and be killed."""
        if self.after:
            super().add(releases)
        os.kill(os.getpid(), signal.SIGKILL)


class Upgrading(Team):
    """A team of whom one a week takes a new version."""

    def rows(self) -> Iterable[dict[str, Any]]:
        """Every run, with the version that its developer had."""
        place: dict[int, int] = {}
        for row in super().rows():
            week = 8 + place.setdefault(row["installation"], len(place))
            yield {**row, "client": "0.2" if row["start"].date() >= FIRST + week * WEEK else "0.1"}


def opened(directory: Path) -> dict[str, Any]:
    """How many people verdicts and alerts count while figures are closed, and open to everybody under one of two plans; and what is said to have appeared."""
    store = Store(directory).fill(
        Team(size=12, weeks=15), Team(size=9, weeks=15, shift=100, columns={"plan": "narrow"}), Upgrading(project="late", weeks=18)
    )
    out: dict[str, Any] = {}
    closed, today = store.settings["acme"], DAY + 5 * WEEK
    for name, plans in (("closed", None), ("open", ("held",))):
        store.settings["acme"] = closed._replace(public=plans)
        sums = sums_of(store.statistics, Archive(store.releases), store.known, change(), (DAY - 8 * WEEK, DAY + 4 * WEEK, 2**62), today)
        people = Population.in_block("acme", store.settings["acme"], DAY, None, today)
        daily = DailyRows(store.engine).daily(people, Days(DAY - 4 * WEEK, DAY + 2 * WEEK, 2**62))
        out[name] = [len(set(sums.panel.user.tolist())), *{one.runs.shape[0] for one in daily.values()}]
    used = closed._replace(sessions=lambda names: {"lint"} & set(names))
    daily = DailyRows(store.engine).daily(Population.in_block("acme", used, DAY, None, today), Days(DAY - 4 * WEEK, DAY + 2 * WEEK, 2**62))
    out["of a session"] = {one.measure: int(found.total.sum()) for one, found in daily.items() if one.name == "lint"}
    out["failed at once"] = store.engine.query(_AT_ONCE, {"first": DAY - 4 * WEEK, "last": DAY + 2 * WEEK})[0][0]
    late = Population.in_block("late", store.settings["late"], FIRST + 17 * WEEK, None, today)
    year = Days(FIRST, FIRST + 17 * WEEK, 2**62)
    out["appeared"] = [
        [(one.name, one.day) for one in DailyRows(store.engine).appeared(late, year, FIRST + week * WEEK + timedelta(days=3), 5)]
        for week in (8, 12, 15)
    ]
    store.settings["acme"] = closed
    wide = (Name("acme", "lint"), Name("late", "test"))
    store.changes = [change("a-wide", looks=(4,), controls=wide), change("narrow", looks=(4,), controls=(Name("acme", "test"),))]
    store.publish(today)
    out["refused"] = [one.refused for one in store.verdicts.of("acme", "narrow")]
    store.close()
    return out


def scanned(directory: Path) -> dict[str, Any]:
    """A change without controls, beside which everything else is asked about: two commands, and a target that became slower as well."""
    store = Store(directory).fill(
        Team(size=16, weeks=15), Team(size=16, weeks=15, seed=2, effect=0.0, columns={"kind": "target", "target": "link"})
    )
    store.changes = [
        change(looks=(4,), controls=(), in_checkout=True, scan=True),
        change("later", looks=(5,), affected=(Name("acme", "lint"),), controls=()),
    ]
    out: dict[str, Any] = {"units": store.publish(DAY + 6 * WEEK), "again": store.scans.publish(store.today)}
    out["report"] = document(scan_of(store.evidence(), "acme", "cache"))
    out["refused"] = [one.refused for one in store.verdicts.of("acme", "later")]
    out["ids"] = [str(row[0]) for row in store.engine.query("SELECT DISTINCT toString(installation) FROM events")]
    out["journal"] = store.journal.read_text()
    store.close()
    return out


def killed(directory: Path) -> dict[str, Any]:
    """Publish, and be killed before or after the journal has it, as the directory's name says."""
    Deadly.after = directory.name == "after"
    store = Store(directory, Deadly).fill(Team(project="acme", size=12, weeks=16))
    store.changes = [change(looks=(4,))]
    store.publish(DAY + 5 * WEEK)
    return {}


def opened_again(directory: Path) -> dict[str, Any]:
    """Open what a kill left, and publish what is due. Then what another directory's store says that has the journal, and no row."""
    store = Store(directory)
    store.settings["acme"] = Settings(3, 5, None, 400)
    store.changes = [change(looks=(4,))]
    store.today = DAY + 6 * WEEK
    published = store.publisher.publish(store.today)
    out = {
        "published": published,
        "closed": sorted(set(store.closed)),
        "found": [document(one) for one in store.verdicts.of("acme", "cache")],
    }
    again = store.publisher.publish(store.today)
    store.engine.command("TRUNCATE TABLE releases")
    store.engine.command("TRUNCATE TABLE events")
    store.releases.load()
    out["restored"] = [document(one) for one in store.verdicts.of("acme", "cache")]
    store.close()
    return {**out, "again": again, "lines": len(store.journal.read_text().splitlines())}


def _sums(store: Store, project: str, exposure: Exposure = _UNASKED) -> Sums:
    today = DAY + 5 * WEEK
    people = Population(project, DAY, 3, 2**31, today, 400, none)
    return store.statistics.of([people], {project: ["build", "test"]}, Span(DAY - 8 * WEEK, today, 2**62), exposure)


def _numbers(sums: Sums) -> list[float]:
    """What is summed of times, and of how many people."""
    panel = sums.panel
    return [
        float(np.round(one, 4))
        for one in (panel.timed.sum(), panel.stopped.sum(), panel.sum_log.sum(), panel.waited_ms.sum(), len(set(panel.user.tolist())))
    ]


def _firsts(sums: Sums) -> dict[str, float]:
    """How many developers, how many of each with a command, and how many runs are first ones of a checkout that holds the change."""
    first = sums.panel.where(sums.panel.exposed == Exposed.FIRST)
    pairs = set(zip(first.user.tolist(), first.target.tolist(), strict=True))
    return {"developers": len(set(first.user.tolist())), "pairs": len(pairs), "runs": float(first.runs.sum())}
