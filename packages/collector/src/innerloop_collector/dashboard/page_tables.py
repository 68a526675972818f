"""Figures of one period: what people run and wait for, make's targets, and systems."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import quote

from innerloop_collector.dashboard import figure, words
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Row
from innerloop_collector.query import Band, Time, Tries
from innerloop_collector.reports.views import Actor, Command, Hidden, Part, Report

KINDS = {"commands": "command", "targets": "target", "os": "os", "arch": "arch", "version": "version", "cohort": "cohort"}
SPLITS = {"os": "System", "arch": "Architecture", "version": "Version of innerloop", "cohort": "Cohort"}
_P50, _P90 = figure.quantile_fields("p50"), figure.quantile_fields("p90")
_PEOPLE = ("developers_at_least", "developers_at_most")
_ACTORS = {"agent": "Coding agents", "ci": "CI jobs"}
_FAILED = figure.share_fields("failed")
_FEW = "A dash: may not be told. What fewer than {k} developers ran is not named."
COMMANDS = (
    Column("Command", ("command",), numeric=False, mono=True),
    Column("Waited", ("waited_minutes",), bars=True),
    Column("Typical (p50)", _P50),
    Column("Before", ("p50_before_ms",)),
    Column("Slow (p90)", _P90),
    Column("Failed", ("failed",)),
    Column("Runs", ("runs",)),
    Column("Developers", _PEOPLE),
)
TARGETS = (
    Column("Target", ("target",), numeric=False, mono=True),
    Column("Typical (p50)", _P50, bars=True),
    Column("Slow (p90)", _P90),
    Column("Failed", ("failed",)),
    Column("Times", ("times",)),
    Column("Developers", _PEOPLE),
)


def home(project: str) -> str:
    """Where the pages of a project begin."""
    return f"/p/{quote(project, safe='')}"


def address(project: str, kind: str, name: str) -> str:
    """Where the page of a cell is."""
    return f"{home(project)}/{kind}/{quote(name, safe='')}"


def commands(report: Report, *, sort: str = "waited_minutes", query: str = "") -> Figure:
    """What people type and wait for. Sessions are another figure: nobody waits for them."""
    told = [one for one in report.commands if one.kind != "session"]
    bars = figure.with_bars([figure.waited(one.waited_minutes) for one in told])
    rows = [_command(report.project, one, bar) for one, bar in zip(told, bars, strict=True)]
    made = Figure(
        "commands",
        "What people run and wait for",
        "Time waited by all developers together, with how long a run takes. Before: p50 of the period before",
        COMMANDS,
        tuple(_found([*rows, *hidden_rows(report.project, "commands", report.hidden_commands)], query)),
        note=f"Checks are commands whose failure is information. {_FEW.format(k=report.k)}",
        empty="No command of this name is published." if query else "No command is published of this period.",
    )
    return made.sorted_by(sort)


def _command(project: str, one: Command, bar: Cell) -> Row:
    return Row(
        (
            figure.name(one.command, address(project, "commands", one.command), one.kind),
            bar,
            figure.quantile(one.p50),
            figure.time(one.p50_before),
            figure.quantile(one.p90),
            figure.share(one.failure_rate),
            figure.count(one.runs),
            figure.people(one.developers),
        )
    )


def sessions(report: Report) -> Figure:
    """What people keep open: servers, shells, watchers."""
    rows = [
        Row(
            (
                figure.name(one.command, address(report.project, "commands", one.command)),
                figure.count(one.runs),
                figure.people(one.developers),
                figure.share(one.failure_rate),
            )
        )
        for one in report.commands
        if one.kind == "session"
    ]
    columns = (
        Column("Session", ("command",), numeric=False, mono=True),
        Column("Runs", ("runs",)),
        Column("Developers", _PEOPLE),
        Column("Failed to start", ("failed",)),
    )
    return Figure("sessions", "What people keep open", "Servers, shells and watchers: use, and no waiting", columns, tuple(rows))


def targets(report: Report, *, sort: str = _P50[0], query: str = "") -> Figure:
    """The targets that make made inside of what people ran."""
    bars = figure.with_bars([figure.quantile(one.p50) for one in report.targets])
    rows = [
        Row(
            (
                figure.name(one.target, address(report.project, "targets", one.target)),
                bar,
                figure.quantile(one.p90),
                figure.share(one.failure_rate),
                figure.count(one.times),
                figure.people(one.developers),
            )
        )
        for one, bar in zip(report.targets, bars, strict=True)
    ]
    made = Figure(
        "targets",
        "Targets inside of them",
        "Time of one make target, with what its recipe ran in other makes",
        TARGETS,
        tuple(_found([*rows, *hidden_rows(report.project, "targets", report.hidden_targets)], query)),
        note=f"Each run sends its failed and its slowest targets, 50 at most: a quick one is counted less often than it ran. {_FEW.format(k=report.k)}",
        empty="No target of this name is published." if query else "No target is published of this period.",
    )
    return made.sorted_by(sort)


def systems(report: Report) -> Figure:
    """The same work on each operating system, architecture, version and in each cohort."""
    axis = _Axis([one.p50 for one in report.parts])
    return Figure(
        "systems",
        "Systems, versions and cohorts",
        "Typical duration (p50) of all runs, between the published durations in which it lies",
        (
            Column("By", ("by",), numeric=False),
            Column("Name", ("name",), numeric=False),
            Column("Typical (p50)", _P50, bars=True),
            Column("Failed", _FAILED),
            Column("Runs", ("runs",)),
            Column("Developers", _PEOPLE),
        ),
        tuple(_part(report.project, one, axis) for one in report.parts),
        note="A difference between systems is no effect of the system: other people, other work, other machines.",
        empty="Of no system, version or cohort is anything published for itself.",
    )


def _part(project: str, one: Part, axis: "_Axis") -> Row:
    return Row(
        (
            Cell(SPLITS[one.by], (one.by,)),
            figure.name(one.name, address(project, one.by, one.name)),
            replace(figure.quantile(one.p50), interval=axis.place(one.p50)),
            figure.share_in(one.failure_rate, one.failure_range),
            figure.count(one.runs),
            figure.people(one.developers),
        )
    )


class _Axis:
    """A logarithmic axis that all rows of a table share."""

    def __init__(self, times: Iterable[Time | None]) -> None:
        told = [one for one in times if one]
        ends = [one.at_most.value for one in told if one.at_most]
        starts = [one.at_least.value for one in told if one.at_least.value]
        self._low = math.log(min(starts, default=1_000) / 2)
        self._high = math.log(max([*ends, *starts], default=60_000) * 1.5)

    def place(self, of: Time | None) -> tuple[float, float | None, float] | None:
        """Where a quantile lies on it, in percent."""
        if of is None:
            return None
        about = self._percent(of.about.value) if of.about else None
        return self._percent(of.at_least.value), about, self._percent(of.at_most.value) if of.at_most else 100.0

    def _percent(self, milliseconds: float) -> float:
        share = (math.log(max(milliseconds, 1)) - self._low) / (self._high - self._low)
        return round(100 * min(max(share, 0), 1), 1)


def bands(told: tuple[Band, ...]) -> Figure:
    """How much of the waiting is short and how much is long."""
    told = told if any(one.runs for one in told) else ()
    bars = figure.with_bars([figure.share(one.share) for one in told])
    rows = [
        Row((figure.name(one.name), bar, figure.count(one.runs), figure.waiting(one.waited))) for one, bar in zip(told, bars, strict=True)
    ]
    columns = (
        Column("Took", ("took",), numeric=False),
        Column("Part of the runs", ("share",), bars=True),
        Column("Runs", ("runs",)),
        Column("Waited in them", ("waited_minutes", "waited_at_least_minutes", "waited_at_most_minutes")),
    )
    return Figure(
        "bands",
        "Short waits and long ones",
        "Runs by how long they took, and what was waited in all of them",
        columns,
        tuple(rows),
        note="A dash: no published part of the durations begins and ends there.",
        empty="How long runs took may not be told.",
    )


def tries(of: Tries | None) -> Figure:
    """How successes come about, and when people give up."""
    kinds = (("Green at try", of.solved), ("Green after", of.green), ("Stopped after", of.stopped)) if of else ()
    rows = [
        Row((Cell(kind, (kind,)), figure.name(one.name), bar))
        for kind, classes in kinds
        for one, bar in zip(classes, figure.with_bars([figure.share(one.share) for one in classes]), strict=True)
    ]
    said = []
    if of and of.first_time:
        between = words.share_range(of.first_time_range)
        said.append(f"{words.share(of.first_time)} worked at the first try{f' ({between})' if between else ''}.")
    if of and of.given_up:
        said.append(f"{words.count(of.given_up)} failures were followed by no success within a day.")
    columns = (Column("What", ("what",), numeric=False), Column("When", ("name",), numeric=False), Column("Part", ("share",), bars=True))
    return Figure(
        "tries",
        "Attempts to green, and giving up",
        "Successes by the try that brought them, and by the time since the first failure; what was stopped, by how long it had run",
        columns,
        tuple(rows),
        note=" ".join((*said, "In whole blocks.")),
        empty="This is told in whole blocks, where the project asks for it and enough developers are behind each part. Of this period it is not.",
    )


def actors(told: tuple[Actor, ...]) -> Figure:
    """What coding agents and CI ran: nobody waited for it."""
    rows = [
        Row(
            (
                Cell(_ACTORS.get(one.actor, one.actor), (one.actor,)),
                figure.count(one.runs),
                figure.quantile(one.p50),
                figure.share(one.failure_rate),
                figure.people(one.people),
            )
        )
        for one in told
    ]
    columns = (
        Column("Run by", ("actor",), numeric=False),
        Column("Runs", ("runs",)),
        Column("Typical (p50)", _P50),
        Column("Failed", ("failed",)),
        Column("Of developers", _PEOPLE),
    )
    return Figure("actors", "Coding agents and CI", "Runs that no person waited for; they are in no other figure", columns, tuple(rows))


def hidden_rows(project: str, kind: str, hidden: Sequence[Hidden]) -> list[Row]:
    """What enough people ran and may not be shown all the same: its name, and the rule."""
    return [Row((figure.name(one.name, address(project, kind, one.name)),), hidden=one.why) for one in hidden]


def _found(rows: list[Row], query: str) -> list[Row]:
    """The rows whose name holds what is looked for."""
    return [row for row in rows if query.casefold() in row.cells[0].text.casefold()]
