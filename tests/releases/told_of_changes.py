"""What is published of a simulated team besides figures: verdicts on registered changes and alerts, by the collector's own publishers, from its rows in memory."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from innerloop_collector.analysis.alerts.daily import Daily, Measure
from innerloop_collector.analysis.impact.collapse import Outcome, collapse
from innerloop_collector.analysis.impact.panel import Exposed, Panel
from innerloop_collector.query.alerts.alert_archive import AlertArchive
from innerloop_collector.query.alerts.alert_documents import Appeared, Day, Subject
from innerloop_collector.query.alerts.daily_looks import DailyLooks
from innerloop_collector.query.alerts.daily_rows import Span as Days
from innerloop_collector.query.alerts.known_projects import Expected, KnownProjects
from innerloop_collector.query.population import Population, Settings
from innerloop_collector.query.releases.document import Release
from innerloop_collector.query.verdicts.looks import Change, Name, looks_at
from innerloop_collector.query.verdicts.power import Power
from innerloop_collector.query.verdicts.scan_publisher import ScanPublisher
from innerloop_collector.query.verdicts.statistics import Exposure, Span, Sums, week_number
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_publisher import Known, VerdictPublisher
from innerloop_collector.query.verdicts.verdict_views import Detectable, Verdict
from tests.evidence.test_alert_looks import Shelf
from tests.releases.simulated_team import COMMANDS, PROJECT, WEEK, Delivery, Runs, Team

EXPECTED = Expected(3.0, 0.45)  # false alarms of a project in a month: what is configured where nobody says otherwise
_NEW, _DAY = timedelta(weeks=4), timedelta(days=1)


@dataclass
class Checkouts:
    """From which Monday on whose checkout holds the change; and who has which new version from which Monday on."""

    holds: Mapping[int, date] = field(default_factory=dict)
    versions: Mapping[int, date] = field(default_factory=dict)


class TeamRows:
    """Reads a simulated team as the collector reads its store."""

    def __init__(self, team: Team, checkouts: Checkouts) -> None:
        self._team = team
        self._checkouts = checkouts

    def of(
        self,
        populations: Sequence[Population],
        names: Mapping[str, Collection[str]],
        span: Span,
        exposure: Exposure,
        *,
        targets: bool = False,
    ) -> Sums:
        """What its people add to some names, or to all."""
        (people,) = populations
        wanted = sorted(set(names[PROJECT] or COMMANDS) & set(COMMANDS))  # nobody runs anything else
        rows = list(self._rows(people, span.first, span.end, span.upto))
        if not rows:
            return Sums(_panel([], Checkouts(), told=False), {}, {PROJECT: 0})
        panel = _panel(rows, self._checkouts, told=bool(exposure.change and exposure.telling))
        panel = panel.where(np.isin(panel.target, [COMMANDS.index(one) for one in wanted]))
        seen = set(panel.target.tolist())
        return Sums(panel, {Name(PROJECT, one): COMMANDS.index(one) for one in wanted if COMMANDS.index(one) in seen}, {PROJECT: 0})

    def daily(self, of: Population, span: Days) -> dict[Subject, Daily]:
        """Each command's days."""
        rows = list(self._rows(of, span.first - WEEK, span.last + _DAY, span.upto))
        if not rows:
            return {}
        number = {one: place for place, one in enumerate(dict.fromkeys(row.person for row, _ in rows))}
        person = np.concatenate([np.full(len(runs.command), number[row.person]) for row, runs in rows])
        day = np.concatenate([runs.day + span.place(row.week) for row, runs in rows])
        command, duration, failed, unfinished, asleep = (
            np.concatenate([getattr(runs, name) for _, runs in rows]) for name in ("command", "duration", "failed", "unfinished", "asleep")
        )
        inside, out = (day >= 0) & (day < span.days), {}
        timed = (~failed & ~unfinished & ~asleep).astype(float)
        for code in np.unique(command[inside]):
            mine = inside & (command == code)
            for measure, runs, value in (
                (Measure.DURATION, timed, timed * np.log(np.maximum(duration, 1))),
                (Measure.FAILURES, (~unfinished).astype(float), failed.astype(float)),
            ):
                found = Daily.of((len(number), span.days), person[mine], day[mine], runs[mine], value[mine])
                out[Subject("command", COMMANDS[code], measure.word)] = found
        return out

    def appeared(self, of: Population, span: Days, since: date, k: int) -> Iterator[Appeared]:
        """The new version, once k people had it within a week of a day, and nobody long before."""
        newest = since - WEEK - timedelta(days=since.weekday())
        counted = self._team.counted(of)
        had = sorted(day for one, day in self._checkouts.versions.items() if one in counted and day <= span.last)
        if len(had) >= k and newest <= had[k - 1] <= since + WEEK and had[0] >= newest - _NEW:
            yield Appeared("version", "new", had[k - 1])

    def _rows(self, of: Population, first: date, end: date, upto: int) -> Iterator[tuple[Delivery, Runs]]:
        counted = self._team.counted(of)
        for position, one in enumerate(self._team.rows, 1):
            there = one.received <= self._team.now and not self._team.erased(one.person)
            if position <= upto and there and first <= one.week < end and one.person in counted and one.runs is not None:
                yield one, one.runs


def _panel(rows: Sequence[tuple[Delivery, Runs]], checkouts: Checkouts, *, told: bool) -> Panel:
    """The runs of some weeks. `told`: it is known which checkouts held the change."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("user", "target", "week", "ms", "outcome", "exposed", "start")}
    for row, runs in rows:
        number = len(runs.command)
        held = row.person in checkouts.holds and row.week >= checkouts.holds[row.person]
        state = Exposed.UNKNOWN if not told else Exposed.YES if held else Exposed.NO
        values = {
            "user": np.full(number, row.person), "target": runs.command, "week": np.full(number, week_number(row.week)),
            "ms": np.where(runs.asleep, 1, runs.duration), "outcome": np.where(runs.unfinished, Outcome.INTERRUPTED, np.where(runs.failed, Outcome.FAILED, Outcome.SUCCEEDED)),
            "exposed": np.full(number, int(state)), "start": np.arange(number) + 1e6 * week_number(row.week),
        }  # fmt: skip
        for name, value in values.items():
            columns[name].append(value[~runs.asleep])
    whole = {name: np.concatenate(found) if found else np.zeros(0, dtype=np.int64) for name, found in columns.items()}
    start = whole.pop("start")
    return collapse(**whole, **({"start": start} if told else {}))


class NoFigures:
    """Nobody looked at figures before: as many count as the headcount says."""

    def read(self, project: str, units: Iterable[str]) -> Mapping[str, Release]:
        """None of them."""
        return {}


def verdicts_of(team: Team, changes: Sequence[Change], checkouts: Checkouts, *, k: int, headcount: int | None) -> tuple[Verdict, ...]:
    """Every verdict."""
    return told_of(team, changes, checkouts, k=k, headcount=headcount).of_project(PROJECT)


def told_of(team: Team, changes: Sequence[Change], checkouts: Checkouts, *, k: int, headcount: int | None) -> Verdicts:
    """Verdicts and scans, made on the Wednesdays on which they are due."""
    verdicts = Verdicts(Shelf())
    known = known_of(team, changes, k, headcount)
    rows = TeamRows(team, checkouts)
    publishers = [one(lambda: rows, verdicts, NoFigures(), known) for one in (VerdictPublisher, ScanPublisher)]
    days = sorted({look.due for one in changes for look in looks_at(one)})
    for day in days:
        team.now = day
        for publisher in publishers:
            due = publisher.due(day)
            assert publisher.publish(day) == due, "what fails is no promise kept"
    return verdicts


def foreseen_of(team: Team, change: Change, days: Iterable[date], *, k: int, headcount: int | None) -> tuple[Detectable, ...]:
    """What could be seen of such a change, asked on some days."""
    rows = TeamRows(team, Checkouts())
    power = Power(lambda: rows, Verdicts(Shelf()), NoFigures(), known_of(team, [change], k, headcount))
    found = []
    for team.now in days:
        found.append(power.detectable(change, team.now))
    return tuple(found)


def known_of(team: Team, changes: Sequence[Change], k: int, headcount: int | None) -> Known:
    """What is known of the project, and of some changes."""
    settings = Settings(3, k, headcount, 400)
    return Known(
        settings=lambda: {PROJECT: settings}, changes=lambda: changes, checks=lambda _, names: (), telling=lambda _: ("told",),
        committed=team.committed, beside=lambda _: (), looked=lambda _, name: None,
    )  # fmt: skip


def alerts_of(team: Team, first: date, weeks: int, checkouts: Checkouts, *, k: int, headcount: int | None) -> tuple[Day, ...]:
    """What is told of some weeks from a Monday on: each of their days, looked at on the Wednesday after."""
    shelf = Shelf()
    archive = AlertArchive(shelf, shelf)
    settings = Settings(3, k, headcount, 400)
    known = KnownProjects(lambda: {PROJECT: settings}, lambda _, names: (), team.committed)
    looks = DailyLooks(TeamRows(team, checkouts), archive, NoFigures(), known, EXPECTED)
    for number in range(7 * weeks):
        day = first + number * _DAY
        team.now = day - timedelta(days=day.weekday()) + WEEK + 2 * _DAY
        found = looks.look(PROJECT, settings, day, team.now)
        if found.told:
            archive.add(found)
    return tuple(archive.days(PROJECT))
