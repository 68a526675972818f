"""A receipt of an erasure. May import: terminal's canvas."""

from typing import Any

from innerloop_collector.terminal.canvas import table


def receipt(answer: dict[str, Any]) -> str:
    """What was erased, and what became of it elsewhere."""
    rows = [("receipt", answer["receipt"]), ("project", answer["project"])]
    if "day" in answer:
        rows.append(("day", answer["day"]))
    rows += [("ids", str(answer["ids"])), ("events", f"{answer['events']:,}")]
    rows += [(name, state) for name, state in sorted(answer["destinations"].items())]
    return table(("", ""), rows, "")
