"""What stands out beside a change, as text: the sentence first, then everything that was tested."""

from typing import Any

from rich.text import Text

from innerloop_collector.query.received import received
from innerloop_collector.reports import impact_table
from innerloop_collector.reports.scan import ScanReport
from innerloop_collector.terminal.drawing import draw, table

_HEAD = ("", "change", "interval", "verdict")
_CHANCE = "Of what stands out at most a tenth is expected to be chance; look at it again in the weeks to come. Each interval is as if nothing else had been tested."


def render_scan(answer: dict[str, Any]) -> str:
    """The newest scan of a change."""
    report = received(answer, ScanReport)
    found = report.found
    parts = [Text(f"{found.title}, {found.day}", style="bold"), Text(f"\n{report.sentence[:1].upper()}{report.sentence[1:]}.")]
    newest = found.scans[0] if found.scans else None
    if newest is not None and newest.names:
        rows = [
            (one.name, *(show(one.finding) for show in (impact_table.value, impact_table.interval, impact_table.verdict)))
            for one in newest.names
        ]
        parts += [
            Text(table(_HEAD, rows, "")),
            Text(f"- Look {newest.look} of {newest.looks}, on {newest.made}: {newest.weeks} weeks after."),
            Text(f"- {_CHANCE}"),
        ]
    if newest is not None and newest.left_out:
        parts.append(Text(f"- Left out, because verdicts or other scans tell of it, or are to: {', '.join(newest.left_out)}."))
    if report.next:
        parts.append(Text(f"\n{report.next[:1].upper()}{report.next[1:]}."))
    return draw(*parts)
