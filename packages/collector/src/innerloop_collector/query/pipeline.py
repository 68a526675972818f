"""Contributions pass the rules, or are hidden or folded: one way for the team's report and for the weekly totals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from innerloop_collector.query import rules
from innerloop_collector.query.contributions import Breakdown, Contributions, Rows, Span, Times


@dataclass(frozen=True, slots=True)
class Passed:
    """What the rules let pass of a breakdown, exactly, and the names of the rest. It stays inside this package."""

    contributions: tuple[Contributions, ...]
    hidden: frozenset[str]


def passed(rows: Rows, of: Breakdown, span: Span, times: Times, others: Sequence[Span] = ()) -> Passed:
    """Apply the rules to a breakdown. `others` are the spans by which this one differs from those that are shown as well."""
    found = rows.contributions(of, span, times)
    differences = _differences(rows, of, others) if found else {}
    cells = [replace(one, differences=differences.get(one.name, ())) for one in found]
    hidden = rules.hidden(cells, lambda names: rows.developers(of, span, names))
    return Passed(tuple(one for one in cells if one.name not in hidden), hidden)


def passed_or_folded(rows: Rows, of: Breakdown, span: Span, times: Times) -> Passed:
    """Apply the rules; what is hidden is folded into one, which is left out where it does not pass for itself."""
    found = passed(rows, of, span, times)
    if not found.hidden:
        return found
    again = rows.contributions(of, span, times, folded=found.hidden)
    return Passed(tuple(one for one in again if rules.may_show(one)), found.hidden)


def _differences(rows: Rows, of: Breakdown, others: Sequence[Span]) -> dict[str, tuple[int, ...]]:
    """How many developers each command or target has within each of some spans."""
    counted = [rows.developers_by_name(of, span) for span in others]
    names = {name for one in counted for name in one}
    return {name: tuple(one.get(name, 0) for one in counted) for name in names}
