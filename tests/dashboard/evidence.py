"""Verdicts and alerts as they are published, for pages that show them: written down before a collector starts, as a backup that was put back has them."""

from datetime import date, timedelta
from pathlib import Path

import msgspec

from innerloop_collector.query import Finding, People, Percent, Saved, Verdict, document
from innerloop_collector.query.alerts.alert_documents import Appeared, Day, Fate, Size, Subject, Told, unit_of
from innerloop_collector.query.published import Minutes, seal
from innerloop_collector.query.releases.archive import project_and_unit
from innerloop_collector.query.verdicts.verdict_views import Placebos
from innerloop_collector.store.release_journal import Released, ReleaseJournal

MADE = date(2031, 4, 16)
PROJECT = "other"
FASTER, SLOWER, UNSURE, REFUSED = "image-cache", "strict-lint", "parallel-tests", "snapshot"
PLANNED = "guide"  # of which there is no verdict
DAYS = {FASTER: date(2031, 3, 3), SLOWER: date(2031, 3, 4), UNSURE: date(2031, 3, 5), REFUSED: date(2031, 3, 6), PLANNED: date(2031, 4, 14)}
TITLES = {
    FASTER: "Image cache on the build hosts",
    SLOWER: "Stricter lint rules",
    UNSURE: "Parallel tests by default",
    REFUSED: "Snapshots",
    PLANNED: "A new guide <i>",
}


def percent(number: float | None) -> Percent | None:
    return None if number is None else seal(Percent, number)


def finding(
    verdict: str, *numbers: float | None, metric: str = "duration", by: str = "by date", work: str = "as felt", reason: str = ""
) -> Finding:
    value, low, high, detectable = (percent(one) for one in (*numbers, *[None] * (4 - len(numbers))))
    return Finding(metric, by, work, "effect", verdict, value, low, high, 0.95 if value else None, detectable, reason=reason)


def verdict(change: str, *findings: Finding, **more: object) -> Verdict:
    """The one look at a change."""
    day = DAYS[change]
    return Verdict(
        1, PROJECT, f"verdict/{change}/1", change, TITLES[change], day, findings[0].metric if findings else "duration", 1, 1, 4, day, day + timedelta(weeks=12), MADE, 5,
        ((PROJECT, "build"),), ((PROJECT, "docs"),), findings=findings, **more,  # type: ignore[arg-type]
    )  # fmt: skip


VERDICTS = (
    verdict(
        FASTER,
        finding("faster", -18.0, -26.0, -9.0, 12.0),
        finding("faster", -15.0, -24.0, -5.0, 12.0, work="same work"),
        finding("cannot tell", -9.0, -22.0, 6.0, 20.0, by="by exposure"),
        finding("cannot tell", -1.0, -4.0, 2.0, 4.0, metric="failures"),
        developers=seal(People, (35, 39)), expected=-15.0, placebos=Placebos(8, 1, seal(Percent, 6.0)), saved=seal(Saved, 41.0), saved_low=seal(Saved, 20.0),
        saved_high=seal(Saved, 60.0), waited=seal(Minutes, 190.0), minutes_of=seal(People, (35, 39)),
    ),
    verdict(SLOWER, finding("slower", 14.0, 6.0, 23.0, 11.0), finding("fails more", 3.0, 1.0, 5.0, 4.0, metric="failures"), developers=seal(People, (30, 34))),
    verdict(UNSURE, finding("cannot tell", -11.0, -31.0, 14.0, 35.0), developers=seal(People, (25, 29)), expected=-30.0),
    verdict(REFUSED, refused="another look at the same command lies in the same block"),
)  # fmt: skip
_SINCE = date(2031, 4, 7)
ALERTS = (
    Told(
        Subject("target", "unit", "duration"), date(2031, 4, 16), _SINCE, Fate.CONFIRMED, Size(20, 10, 35), 35,
        (Appeared("version", "2.4.0", date(2031, 4, 7)),),
    ),
    Told(Subject("command", "build", "failures"), date(2031, 4, 22), date(2031, 4, 10), Fate.OPEN, Size(8, 2, 14), 20),
    Told(Subject("command", "test", "duration"), date(2031, 4, 2), date(2031, 3, 24), Fate.GONE, Size(25, 10, 45), 20),
    Told(Subject("command", "docs", "duration"), date(2031, 4, 20), date(2030, 10, 20), Fate.CREEP, Size(15, 5, 25), 20),
)  # fmt: skip


def alert_day(day: date, *told: Told, project: str = "acme") -> Day:
    """What the looks of a day found."""
    return Day(1, project, unit_of(day), day, day + timedelta(days=2), 7, 5, 20, told)


def write_down(data: Path) -> None:
    """Put all of it into the journal of a collector that was never started."""
    data.mkdir(mode=0o700)
    days = [alert_day(date(2031, 4, 22), *ALERTS[:2]), alert_day(date(2031, 4, 20), ALERTS[3]), alert_day(date(2031, 4, 10), ALERTS[2])]
    found = [Released(one.project, one.unit, msgspec.json.encode(one).decode()) for one in days]
    found += [Released(one.project, one.unit, msgspec.json.encode(document(one)).decode()) for one in VERDICTS]
    ReleaseJournal(data / "releases.log", [], project_and_unit).add(found)
