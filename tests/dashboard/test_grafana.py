"""The dashboard for Grafana asks for what the collector answers: each query of the file against a running one. No Grafana is part of this."""

import json
import re
from datetime import date
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.dashboard.conftest import Site

BOARD: dict[str, Any] = json.loads((ROOT / "examples" / "grafana" / "dashboard.json").read_text())
PANELS: dict[str, dict[str, Any]] = {one["title"]: one for one in BOARD["panels"]}
VARIABLES: dict[str, dict[str, Any]] = {one["name"]: one for one in BOARD["templating"]["list"]}
SOURCE = {"type": "yesoreyeram-infinity-datasource", "uid": "${datasource}"}
UNITS = {"_ms": "ms", "_minutes": "m", "_minutes_per_week": "m", "failed": "percentunit"}


def answered(site: Site, query: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a query finds, asked for with the viewer's token."""
    path = query["url"].replace("${project:percentencode}", "acme")
    assert "$" not in path
    answer = site.collector.http.get(site.url + path, headers={"Authorization": f"Bearer {site.viewer}"})
    assert 200 == answer.status_code, answer.text
    rows = answer.json()[query["root_selector"]]
    assert isinstance(rows, list)
    return rows


def value(row: Any, selector: str) -> Any:
    """What a column selects."""
    for name in selector.split("."):
        row = row[name]
    return row


def fits(found: Any, kind: str) -> bool:
    """Whether a value is of a column's type, or not told."""
    if found is None:
        return True
    if kind == "timestamp":
        return bool(date.fromisoformat(found))
    return isinstance(found, str) if kind == "string" else isinstance(found, int | float)


@pytest.mark.parametrize("title", PANELS)
def test_every_query_finds_rows_with_the_columns_and_types_that_it_names(site: Site, title: str) -> None:
    (query,) = PANELS[title]["targets"]
    rows = answered(site, query)

    assert rows
    for column in query["columns"]:
        assert all(fits(value(row, column["selector"]), column["type"]) for row in rows), column
    told = [value(row, column["selector"]) for row in rows for column in query["columns"][1:]]
    assert any(one is not None for one in told)


@pytest.mark.parametrize("title", PANELS)
def test_units_are_those_of_the_names(title: str) -> None:
    panel = PANELS[title]
    by_name = {one["matcher"]["options"]: one["properties"][0]["value"] for one in panel["fieldConfig"]["overrides"]}
    for column in panel["targets"][0]["columns"]:
        unit = next((unit for end, unit in UNITS.items() if column["selector"].endswith(end)), None)
        if unit and column["type"] == "number":
            assert unit == by_name.get(column["text"], panel["fieldConfig"]["defaults"].get("unit")), column


def test_the_project_is_chosen_of_those_that_the_token_sees(site: Site) -> None:
    query = VARIABLES["project"]["query"]["infinityQuery"]

    assert {"acme", "other"} == {value(row, column["selector"]) for row in answered(site, query) for column in query["columns"]}


def test_all_of_it_asks_the_one_data_source_and_no_panel_covers_another() -> None:
    assert (
        [SOURCE] * len(PANELS)
        == [one["datasource"] for one in PANELS.values()]
        == [one["targets"][0]["datasource"] for one in PANELS.values()]
    )
    assert "yesoreyeram-infinity-datasource" == VARIABLES["datasource"]["query"]
    cells = [
        (x, y)
        for one in PANELS.values()
        for x in range(one["gridPos"]["x"], one["gridPos"]["x"] + one["gridPos"]["w"])
        for y in range(one["gridPos"]["y"], one["gridPos"]["y"] + one["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)
    assert {"datasource", "project"} == set(re.findall(r"\$\{(\w+)", json.dumps(BOARD)))
