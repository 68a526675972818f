"""The table of trends fits a terminal of 80 columns, and its CSV has a value for each heading."""

import csv
from datetime import date, timedelta
from typing import Any

import pytest

from innerloop_collector.query import document, values
from innerloop_collector.query.releases.document import VERSION, Atom, Durations, Outcomes, Release
from innerloop_collector.terminal import trends

ATOM = Atom(
    "",
    "",
    1_234_565,
    outcomes=(Outcomes(("succeeded",), 1_000_000), Outcomes(("failed",), 234_565)),
    durations=(Durations(tuple(range(7)), 600_000), Durations(tuple(range(7, 10)), 400_000), Durations(tuple(range(10, 18)), 234_565)),
    waited_ms=123_456_000_000,
)


def answer(blocks: int) -> dict[str, Any]:
    one = Release(VERSION, "acme", "2026-B01", date(2026, 3, 1), 1, 5, 1, (ATOM,), people={"": {"": 120}}, jobs=54_320, agents=ATOM)
    point = {
        "first": "2026-01-05", "last": "2026-02-01", "complete": True, "figures": document(values.whole([one])),  # type: ignore[arg-type]
        "agents": document(values.agents([one])), "jobs": 54_320,  # type: ignore[arg-type]
    }  # fmt: skip
    points = [
        {**point, "period": f"2026-B{number:02d}", "first": str(date(2026, 1, 5) + timedelta(28 * number))}
        for number in range(1, blocks + 1)
    ]
    return {
        "project": "acme",
        "by": "",
        "name": "",
        "points": [*points, {**point, "period": "2026-B13", "complete": False, "figures": None}],
    }


def test_no_heading_and_no_number_is_wrapped_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = trends.render(answer(12)).splitlines()
    assert max(map(len, lines)) <= 80
    table = lines[1 : lines.index("", 3)]
    assert len([line for line in table if line.strip("─ ")]) == 1 + 13, "a line for the headings and one for each block"
    assert "p50 wait" in table[0] or "p50 wait" in table[1]
    assert sum("1,234,565" in line for line in table) == 12


def test_each_measure_has_a_line_of_bars_as_wide_as_there_are_blocks_and_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    few, many = (trends.render(answer(blocks)).splitlines()[-4:] for blocks in (12, 60))

    assert ["p50 wait", "failed", "waited", "runs"] == [line[:10].strip() for line in few]
    assert {"█" * 12 + "."} == {line[10:] for line in few}, "the last block is not published"
    assert {"█" * 29 + "."} == {line[10:] for line in many}, "the newest"


def test_csv_has_a_value_for_each_heading() -> None:
    rows = list(csv.reader(trends.as_csv(answer(2)).splitlines()))
    assert {len(row) for row in rows} == {len(rows[0])}
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["runs"], first["runs_of_agents"], first["runs_in_ci"]) == ("1234565", "1234565", "54320")
    assert float(first["failure_rate_at_least"]) < float(first["failure_rate"]) < float(first["failure_rate_at_most"])
    assert (float(first["p90_to_p50_at_least"]), first["p90_to_p50_at_most"]) == (1.0, ""), "the last part of the durations has no end"
