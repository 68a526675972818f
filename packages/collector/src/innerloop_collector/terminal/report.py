"""The team's report and releases as text."""

from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from innerloop_collector.query import Spread, Time, text
from innerloop_collector.query.received import received
from innerloop_collector.reports.views import Command, Hidden, Part, Releases, Report, Target
from innerloop_collector.terminal.all_runs import sentences
from innerloop_collector.terminal.drawing import draw, table, width
from innerloop_collector.terminal.tries import sentences as tries

_OPTIONAL = ("p90/p50", "agents", "CI", "p90", "first day", "before", "developers", "failed")  # the first to go where there is no room
_NARROW = 3  # a part of the durations whose end is at most so many times its beginning is told as one number
_SLOWEST, _MOST_FAILING, _COSTLIEST = 10, 5, 5  # targets that are shown; --json has all


def render(answer: dict[str, Any]) -> str:
    """Draw a report."""
    report = received(answer, Report)
    parts: list[Any] = [_heading(report)]
    if report.commands:
        parts.append(table_of_text([_row(one) for one in report.commands], width()))
    if report.whole:
        parts += map(Text, sentences(report, report.whole))
    else:
        parts.append(Text(f"\nNo figures: {report.explanation}."))
    parts += _hidden("commands", report.hidden_commands)
    if report.targets:
        parts += _targets(report)
    if found := list(tries(report)):
        parts += [Text("\nHow commands succeed", style="bold"), *map(Text, found)]
    if report.parts:
        parts += [
            Text("\nBy system, architecture, version and cohort", style="bold"),
            table_of_text([_part_row(one) for one in report.parts], width()),
        ]
    if report.next_figures:
        parts.append(Text(f"\nNext figures: {_weekday(report.next_figures)}{report.next_figures}."))
    parts += [Text(f"\nNote: {note}.") for note in report.notes]
    parts.append(Text("\nRules", style="bold"))
    parts.extend(Text(f"- {rule}", style="dim") for rule in report.rules)
    return draw(*parts)


def _heading(report: Report) -> Text:
    span = report.period
    text = Text(report.name, style="bold")
    if span.first_day:
        so_far = "" if span.complete or not span.period else ", as far as it is published"
        text.append(f": {span.period or 'now'}", style="not bold")
        text.append(f" ({span.first_day} to {span.last_day}, UTC{so_far})", style="dim not bold")
    return text


def _weekday(day: str) -> str:
    """The weekday, where what another collector said is a day."""
    try:
        return f"{date.fromisoformat(day):%A} "
    except ValueError:
        return ""


def _hidden(what: str, hidden: tuple[Hidden, ...]) -> list[Any]:
    """What is not shown, by the rule."""
    by_rule: dict[str, list[str]] = {}
    for one in hidden:
        by_rule.setdefault(one.why, []).append(one.name)
    return [Text(f"Hidden {what}: {', '.join(names)} ({why})") for why, names in by_rule.items()]


def _targets(report: Report) -> list[Any]:
    """The slowest targets and those that fail most, each once."""
    failing = sorted((one for one in report.targets if _failed(one)), key=lambda one: -_failed(one))[:_MOST_FAILING]
    shown = [one for place, one in enumerate(report.targets) if place < _SLOWEST or one in failing]
    rest = len(report.targets) - len(shown)
    parts = [Text("\nTargets: the slowest, and what fails most", style="bold"), table_of_text([_target_row(one) for one in shown], width())]
    parts += [Text(f"{rest} more: --json")] if rest else []
    costly = sorted((one for one in report.targets if one.critical_minutes), key=_critical, reverse=True)[:_COSTLIEST]
    if costly:
        parts.append(Text(f"Most of the critical path by itself: {', '.join(f'{one.target} {one.critical_minutes}' for one in costly)}."))
    return [*parts, *_hidden("targets", report.hidden_targets)]


def _critical(one: Target) -> float:
    return one.critical_minutes.value if one.critical_minutes else 0.0


def _failed(one: Target) -> float:
    return one.failure_rate.value if one.failure_rate else 0.0


def table_of_text(rows: list[dict[str, str]], columns: int) -> Table:
    """The figures, without the columns that say nothing and those for which there is no room. The first column is the names."""
    first = next(iter(rows[0]))
    wanted = [title for title in rows[0] if title not in _OPTIONAL or any(row[title] not in ("-", "0") for row in rows)]
    for title in _OPTIONAL:
        if title in wanted and _needed(rows, wanted) > columns:
            wanted.remove(title)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for title in wanted:
        table.add_column(
            title, justify="left" if title == first else "right", no_wrap=title != first, overflow="fold" if title == first else "ellipsis"
        )
    for row in rows:
        table.add_row(*(row[title] for title in wanted))
    return table


def _needed(rows: list[dict[str, str]], titles: list[str]) -> int:
    """How wide a table would be: each column with a space at both sides, and a space between two."""
    return sum(max(len(title), *(len(row[title]) for row in rows)) + 3 for title in titles) - 1


def _row(one: Command) -> dict[str, str]:
    return {
        "command": f"{one.command} ({one.kind})" if one.kind else one.command,
        "runs": text(one.runs),
        "developers": text(one.developers),
        "p50 wait": time(one.p50),
        "before": text(one.p50_before),
        "p90": time(one.p90),
        "p90/p50": spread(one.spread),
        "failed": text(one.failure_rate),
        "waited": text(one.waited_minutes),
    }


def _target_row(one: Target) -> dict[str, str]:
    return {
        "target": one.target,
        "times": text(one.times),
        "developers": text(one.developers),
        "p50": time(one.p50),
        "p90": time(one.p90),
        "failed": text(one.failure_rate),
    }


def _part_row(one: Part) -> dict[str, str]:
    return {
        "by": one.by,
        "name": one.name,
        "runs": text(one.runs),
        "developers": text(one.developers),
        "p50 wait": time(one.p50),
        "failed": text(one.failure_rate),
    }


def time(of: Time | None) -> str:
    """A quantile: a number where its part of the durations is narrow, else the part."""
    if of is None:
        return "-"
    if of.about is None or of.at_most is None:
        return f"over {of.at_least}"
    narrow = of.at_most.value <= _NARROW * max(of.at_least.value, 1)
    return text(of.about) if narrow else f"{of.at_least}..{of.at_most}"


def spread(of: Spread | None) -> str:
    """How many times the median the 90th percentile is: a number where its bounds are near, else these."""
    if of is None:
        return "-"
    if of.about is None or of.at_most is None:
        return f"over {of.at_least}"
    narrow = of.at_most.value <= _NARROW * of.at_least.value
    return text(of.about) if narrow else f"{of.at_least}..{of.at_most}"


def releases(answer: dict[str, Any]) -> str:
    """Everything that was published."""
    rows = [
        (
            one.unit,
            one.made.isoformat(),
            text(one.whole.runs) if one.whole else "-",
            text(one.whole.developers) if one.whole else "-",
            text(one.whole.waited) if one.whole else "-",
            str(len(one.commands)),
            str(len(one.targets)),
        )
        for one in received(answer, Releases).releases
    ]
    head = ("week or block", "published", "runs", "developers", "waited", "commands", "targets")
    return table(head, rows, "nothing is published yet: a week is, two days after its end")
