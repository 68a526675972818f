"""Figures: rows become contributions, contributions pass the rules, and what passed is published. Reports and pages get figures here only.

Whoever is above this package imports from it what stands below, and none of its modules. No row and no raw number comes out.
"""

from innerloop_collector.query.figures import Figures, TeamFigures
from innerloop_collector.query.published import Count, Milliseconds, Minutes, Published, Rate, View, document, text, total
from innerloop_collector.query.rules import P90_DEVELOPERS, STEP, K
from innerloop_collector.query.values import FigureRow, FigureTable, WeeklyTotal
from innerloop_collector.query.windows import Window, monday_of

__all__ = [
    "P90_DEVELOPERS", "STEP", "Count", "FigureRow", "FigureTable", "Figures", "K", "Milliseconds", "Minutes", "Published", "Rate",
    "TeamFigures", "View", "WeeklyTotal", "Window", "document", "monday_of", "text", "total",
]  # fmt: skip
