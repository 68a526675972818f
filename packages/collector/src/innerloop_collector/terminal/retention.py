"""What went, and what stays. May import: terminal's canvas."""

from typing import Any

from innerloop_collector.terminal.canvas import table


def swept(answer: dict[str, Any]) -> str:
    """What a sweep took away."""
    rows = [(one["project"], one["what"], one["day"], one["kept_until"], f"{one['rows']:,}") for one in answer["gone"]]
    head = ("project", "what", "day", "kept until", "rows that would go" if answer["dry_run"] else "rows gone")
    text = table(head, rows, f"nothing is past its time on {answer['today']}")
    if answer.get("doubt") and answer["dry_run"]:
        text += f"\nlook twice: {answer['doubt']}; `retain` would take all of this away for good"
    weeks = [f"{one['project']} {one['week']}" for one in answer["totals_made"]]
    return text + (f"\nweekly totals made: {', '.join(weeks)}" if weeks and not answer["dry_run"] else "")


def weekly(answer: dict[str, Any]) -> str:
    """Weekly totals."""
    rows = [
        (
            one["week"],
            one["actor"],
            "(folded)" if one["folded"] else one["name"],
            _count(one["runs"]),
            _count(one["failures"]),
            "" if one["developers"] is None else str(one["developers"]),
            "" if one["waited_ms"] is None else f"{one['waited_ms'] / 60_000:,.1f}",
        )
        for one in answer["totals"]
    ]
    head = ("week", "actor", "command or target", "runs", "failed", "developers", "minutes")
    return table(head, rows, "no weekly totals yet: they are made when the first rows of a week go")


def _count(about: int | None) -> str:
    return "<5" if about is None else f"{about:,}"


def violations(answer: dict[str, Any]) -> str:
    """What ever came into quarantine."""
    rows = [(one["project"], one["reason"], one["field"] or "(all)", one["day"], str(one["events"])) for one in answer["violations"]]
    return table(("project", "reason", "field", "day", "events"), rows, "nothing ever came into quarantine")
