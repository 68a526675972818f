"""Figures: rows become what people add, that passes the rules and is published, and what was published becomes values. Reports and pages get figures here only.

Whoever is above this package imports from it what stands below, and none of its modules. No row and no raw number comes out.
"""

from innerloop_collector.query.alerts.alert_archive import AlertArchive
from innerloop_collector.query.alerts.alert_publisher import AlertPublisher, looking
from innerloop_collector.query.alerts.known_projects import Expected, KnownProjects
from innerloop_collector.query.alerts.shown_alerts import Alert, Alerts, ProjectAlerts
from innerloop_collector.query.figure_tables import Band, Bin, Class, FigureRow, FigureTable, RateRange, Spread, Time, Tries, Unit, Waited
from innerloop_collector.query.figures import AllFigures, Figures, InPeriod, Point, TeamFigures, settings_of
from innerloop_collector.query.open_data import OpenData
from innerloop_collector.query.periods import Period, is_period
from innerloop_collector.query.population import Settings
from innerloop_collector.query.published import (
    Count,
    Milliseconds,
    Minutes,
    People,
    Percent,
    Published,
    Rate,
    Ratio,
    Saved,
    View,
    document,
    text,
)
from innerloop_collector.query.releases.archive import Archive, project_and_unit
from innerloop_collector.query.releases.disclosure import STEP, K
from innerloop_collector.query.releases.publisher import Publisher
from innerloop_collector.query.releases.rows import Rows
from innerloop_collector.query.verdicts.looks import Change, Clash, Name, clashes, weeks_apart
from innerloop_collector.query.verdicts.power import AskedEnoughError, Power
from innerloop_collector.query.verdicts.registered import ELSEWHERE, RegisteredChanges
from innerloop_collector.query.verdicts.scan_publisher import ScanPublisher
from innerloop_collector.query.verdicts.scan_views import Scan, Scans
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_publisher import Known, VerdictPublisher, rows_of
from innerloop_collector.query.verdicts.verdict_reader import Evidence
from innerloop_collector.query.verdicts.verdict_views import Detectable, Finding, Impact, Programme, Verdict

__all__ = [
    "ELSEWHERE", "STEP", "Alert", "AlertArchive", "AlertPublisher", "Alerts", "AllFigures", "Archive", "AskedEnoughError", "Band", "Bin", "Change", "Clash", "Class", "Count", "Detectable",
    "Evidence", "Expected", "FigureRow", "FigureTable", "Figures", "Finding", "Impact", "InPeriod", "K", "Known", "KnownProjects", "Milliseconds", "Minutes",
    "Name", "OpenData", "People", "Percent", "Period", "Point", "Power", "Programme", "ProjectAlerts", "Published", "Publisher", "Rate", "RateRange",
    "Ratio", "RegisteredChanges", "Rows", "Saved", "Scan", "ScanPublisher", "Scans", "Settings", "Spread", "TeamFigures", "Time", "Tries", "Unit", "Verdict", "VerdictPublisher",
    "Verdicts", "View", "Waited", "clashes", "document", "is_period", "looking", "project_and_unit", "rows_of", "settings_of", "text", "weeks_apart",
]  # fmt: skip
