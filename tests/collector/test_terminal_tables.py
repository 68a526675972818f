"""Tables on a terminal: numbers and intervals stand below each other, and on a narrow one the columns that say least go first."""

from typing import Any

import pytest

from innerloop_collector.terminal import alert_table
from innerloop_collector.terminal.drawing import aligned, table


def alert(name: str, size: float, low: float, high: float) -> dict[str, Any]:
    one = {
        "project": "devstack", "by": "command", "name": name, "measure": "duration", "fate": "confirmed", "since": "2026-11-23", "seen": "2026-11-27",
        "told": "2026-11-30", "decided": "2026-12-07", "size": size, "at_least": low, "at_most": high, "developers": [35, 39], "appeared": [], "explained_by": [],
    }  # fmt: skip
    return {"sentence": f"{name} became slower", "alert": one}


ANSWER = {
    "projects": [{"project": "devstack", "expected": 1.0, "expected_pages": 0.2, "looked_at": "2026-12-07", "alerts": []}],
    "sentences": [alert("build", 0.2, 0.05, 1.1), alert("integration-tests", 1.5, 0.95, 2.0)],
    "rules": [],
}


def test_ends_of_intervals_stand_below_each_other() -> None:
    assert [" +9 to  +26", "-12 to +104", "-"] == aligned(["+9 to +26", "-12 to +104", "-"])
    assert ["-", ""] == aligned(["-", ""])
    assert [] == aligned([])


def test_numbers_of_a_column_end_at_the_same_place() -> None:
    lines = table(("name", "runs"), [("a", "5"), ("b", "1,000")], "", right=("runs",)).splitlines()

    assert 1 == len({len(line) for line in lines[2:]})


@pytest.mark.parametrize(
    ("columns", "titles"),
    [
        (100, ["about since", "project", "what", "rise", "95 %", "developers", "state"]),
        (80, ["about since", "what", "rise", "95 %", "state"]),
        (60, ["about since", "what", "rise", "state"]),
        (48, ["what", "rise", "state"]),
    ],
)
def test_alerts_fit_their_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, titles: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = alert_table.render(ANSWER).splitlines()
    shown = lines[1 : lines.index("", 1)]

    assert max(map(len, shown)) <= columns
    head = next(line for line in shown if "what" in line)
    assert titles == [one for one in ("about since", "project", "what", "rise", "95 %", "developers", "state") if one in head]
    assert any("integration-tests slower" in line for line in shown), "in one piece"
