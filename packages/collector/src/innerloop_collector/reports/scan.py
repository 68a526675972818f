"""What stands out among everything that a change is not registered to affect: a sentence, then what was published."""

from datetime import date

from innerloop_collector.query import Evidence, Scan, Scans, View
from innerloop_collector.reports.impact import judged_of
from innerloop_collector.reports.verdicts import sentence


class ScanReport(View, frozen=True):
    """What scans found beside a change. `impact --scan --json` is exactly this."""

    sentence: str
    next: str
    found: Scans


def scan_of(evidence: Evidence, project: str, change: str, visible: frozenset[str] | None = None) -> ScanReport:
    """Report on the scans of a change, to somebody who may see some projects (None: all)."""
    found = evidence.scans(project, change, visible)
    newest = found.scans[0] if found.scans else None
    said = f"{change}: nothing was scanned yet" if newest is None else _said(newest)
    return ScanReport(said, _day(found.due), found)


def _said(scan: Scan) -> str:
    if scan.refused:
        return f"{scan.change}: {scan.refused}"
    tested = sum(one.finding.percent is not None for one in scan.names)
    out = [sentence(one.name, judged_of(one.finding, None)) for one in scan.names if one.stands_out]
    among = f"of {tested} other commands and targets"
    return f"{among} {len(out)} {'stands' if len(out) == 1 else 'stand'} out: {'; '.join(out)}" if out else f"{among} none stands out"


def _day(due: date | None) -> str:
    return f"next scan: {due:%A} {due.day} {due:%B %Y}" if due else ""
