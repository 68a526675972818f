"""The team's report and the weekly totals as text."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from innerloop_collector.query import text
from innerloop_collector.query.received import received
from innerloop_collector.reports.views import Command, Report, Target, Totals
from innerloop_collector.terminal.drawing import draw, table, width

_OPTIONAL = ("p90", "unknown", "interrupted", "developers")  # the first to go where there is no room
_SLOWEST, _MOST_FAILING = 10, 5  # targets that are shown; --json has all


def render(answer: dict[str, Any]) -> str:
    """Draw a report."""
    report = received(answer, Report)
    parts: list[Any] = [_heading(report)]
    if report.commands:
        parts.append(_table([_row(one) for one in report.commands], width()))
        parts.append(
            f"Shown: {report.total.runs} runs, {report.total.waited_minutes} waited, by about {report.developers.about} developers."
        )
    else:
        parts.append(Text(f"\nNo figures: {report.explanation}."))
    if report.needs_more_developers:
        parts.append(Text(f"Needs more developers (<{report.k}, or hidden to protect those): {', '.join(report.needs_more_developers)}"))
    if report.targets:
        parts += _targets(report)
    if report.next_figures:
        parts.append(Text(f"\nNext figures: {report.next_figures}, when the running week is over."))
    if report.waiting:
        parts.append(_waiting(report))
    parts.append(Text("\nRules", style="bold"))
    parts.extend(Text(f"- {rule}", style="dim") for rule in report.rules)
    return draw(*parts)


def _heading(report: Report) -> Text:
    window = report.window
    text = Text(report.name, style="bold")
    text.append(f": {window.first_week} to {window.last_week}", style="not bold")
    weeks = f"{window.whole_weeks} whole week{'' if window.whole_weeks == 1 else 's'}"
    running = " and the running one" if window.running_week else ""
    text.append(f" ({weeks}{running}, {window.first_day} to {window.last_day}, UTC)", style="dim not bold")
    return text


def _waiting(report: Report) -> Text:
    held = ", ".join(f"{one.reason} (removed from the week of {one.removed_from} on)" for one in report.waiting)
    return Text(f"\nEvents wait at the collector and are in no figure: {held}. Its operator can see what to do: innerloop-collector check")


def _targets(report: Report) -> list[Any]:
    """The slowest targets and those that fail most, each once."""
    failing = sorted((one for one in report.targets if _failed(one)), key=lambda one: -_failed(one))[:_MOST_FAILING]
    shown = [one for place, one in enumerate(report.targets) if place < _SLOWEST or one in failing]
    rest, hidden = len(report.targets) - len(shown), report.targets_need_more_developers
    said = [f"{rest} more: --json"] if rest else []
    said += [f"{hidden} need{'s' if hidden == 1 else ''} more developers"] if hidden else []
    parts = [Text("\nTargets: the slowest, and what fails most", style="bold"), _table([_target_row(one) for one in shown], width())]
    return [*parts, Text("; ".join(said))] if said else parts


def _failed(one: Target) -> float:
    return one.failure_rate.value if one.failure_rate else 0.0


def _table(rows: list[dict[str, str]], columns: int) -> Table:
    """The figures, without the columns that say nothing and those for which there is no room. The first column is the names."""
    first = next(iter(rows[0]))
    wanted = [title for title in rows[0] if title not in _OPTIONAL or any(row[title] not in ("-", "0") for row in rows)]
    for title in _OPTIONAL:
        if title in wanted and _needed(rows, wanted) > columns:
            wanted.remove(title)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for title in wanted:
        table.add_column(title, justify="left" if title == first else "right", no_wrap=title != first, overflow="fold")
    for row in rows:
        table.add_row(*(row[title] for title in wanted))
    return table


def _needed(rows: list[dict[str, str]], titles: list[str]) -> int:
    """How wide a table would be."""
    return sum(max(len(title), *(len(row[title]) for row in rows)) + 2 for title in titles)


def _row(one: Command) -> dict[str, str]:
    return {
        "command": one.command,
        "runs": text(one.runs),
        "developers": text(one.developers, "all"),
        "p50 wait": text(one.p50_ms),
        "p90": text(one.p90_ms),
        "failed": text(one.failure_rate),
        "interrupted": text(one.interrupted.about),
        "unknown": text(one.unknown.about),
        "waited": text(one.waited_minutes),
    }


def _target_row(one: Target) -> dict[str, str]:
    return {
        "target": one.target,
        "times": text(one.times),
        "developers": text(one.developers, "all"),
        "p50": text(one.p50_ms),
        "p90": text(one.p90_ms),
        "failed": text(one.failure_rate),
    }


def weekly(answer: dict[str, Any]) -> str:
    """Weekly totals."""
    rows = [
        (
            one.week.isoformat(),
            one.actor,
            "(folded)" if one.folded else one.name,
            f"{one.runs:,}",
            f"{one.failures:,}",
            text(one.developers, ""),
            "" if one.waited_ms is None else f"{one.waited_ms.value / 60_000:,.1f}",
        )
        for one in received(answer, Totals).totals
    ]
    head = ("week", "actor", "command or target", "runs", "failed", "developers", "minutes")
    return table(head, rows, "no weekly totals yet: they are made when the first rows of a week go")
