"""Figures: rows become what people add, that passes the rules and is published, and what was published becomes values. Reports and pages get figures here only.

Whoever is above this package imports from it what stands below, and none of its modules. No row and no raw number comes out.
"""

from innerloop_collector.query.figures import AllFigures, Figures, Point, TeamFigures, settings_of
from innerloop_collector.query.open_data import OpenData
from innerloop_collector.query.periods import Period
from innerloop_collector.query.population import Settings
from innerloop_collector.query.published import Count, Milliseconds, Minutes, People, Published, Rate, Ratio, View, document, text
from innerloop_collector.query.releases.archive import Archive, project_and_unit
from innerloop_collector.query.releases.disclosure import STEP, K
from innerloop_collector.query.releases.publisher import Publisher
from innerloop_collector.query.releases.rows import Rows
from innerloop_collector.query.tables import Band, Class, FigureRow, FigureTable, RateRange, Spread, Time, Tries, Unit, Waited

__all__ = [
    "STEP", "AllFigures", "Archive", "Band", "Class", "Count", "FigureRow", "FigureTable", "Figures", "K", "Milliseconds", "Minutes", "OpenData",
    "People", "Period", "Point", "Published", "Publisher", "Rate", "RateRange", "Ratio", "Rows", "Settings", "Spread", "TeamFigures", "Time",
    "Tries", "Unit", "View", "Waited", "document", "project_and_unit", "settings_of", "text",
]  # fmt: skip
