"""The team's report as text. May import: terminal's canvas, rich, reports' views."""

from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from innerloop_collector.reports.views import Command, Report, Target
from innerloop_collector.terminal.drawing import draw, width

_OPTIONAL = ("p90", "unknown", "interrupted", "developers")  # the first to go where there is no room
_SLOWEST, _MOST_FAILING = 10, 5  # targets that are shown; --json has all
_UNITS = ((3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def render(answer: dict[str, Any]) -> str:
    """Draw a report."""
    report = msgspec.convert(answer, Report)
    parts: list[Any] = [_heading(report)]
    if report.commands:
        parts.append(_table([_row(one) for one in report.commands], width()))
        parts.append(
            f"Shown: {report.total.runs} runs, {humane(report.total.waited_minutes * 60_000)} waited, by about {report.developers.text} developers."
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
    return Text(f"\nEvents wait at the collector and are in no figure: {held}. Whoever runs it sees what to do: innerloop-collector check")


def _targets(report: Report) -> list[Any]:
    """The slowest targets and those that fail most, each once."""
    failing = sorted((one for one in report.targets if one.failure_rate), key=lambda one: -(one.failure_rate or 0))[:_MOST_FAILING]
    shown = [one for place, one in enumerate(report.targets) if place < _SLOWEST or one in failing]
    rest, hidden = len(report.targets) - len(shown), report.targets_need_more_developers
    said = [f"{rest} more: --json"] if rest else []
    said += [f"{hidden} need{'s' if hidden == 1 else ''} more developers"] if hidden else []
    parts = [Text("\nTargets: the slowest, and what fails most", style="bold"), _table([_target_row(one) for one in shown], width())]
    return [*parts, Text("; ".join(said))] if said else parts


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
        "runs": str(one.runs),
        "developers": "all" if one.developers is None else str(one.developers),
        "p50 wait": humane(one.p50_ms),
        "p90": humane(one.p90_ms),
        "failed": "-" if one.failure_rate is None else f"{one.failure_rate:.0%}",
        "interrupted": one.interrupted.text,
        "unknown": one.unknown.text,
        "waited": "-" if one.waited_minutes is None else humane(one.waited_minutes * 60_000),
    }


def _target_row(one: Target) -> dict[str, str]:
    return {
        "target": one.target,
        "times": str(one.times),
        "developers": "all" if one.developers is None else str(one.developers),
        "p50": humane(one.p50_ms),
        "p90": humane(one.p90_ms),
        "failed": "-" if one.failure_rate is None else f"{one.failure_rate:.0%}",
    }


def humane(milliseconds: float | None) -> str:
    """Write a time as a person says it: `340 ms`, `12.3 s`, `4.5 min`, `2.0 h`. Three digits at most."""
    if milliseconds is None:
        return "-"
    for size, unit in _UNITS:
        if milliseconds >= size:
            value = milliseconds / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{milliseconds:.0f} ms"
