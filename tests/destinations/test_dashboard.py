"""The shipped dashboard and queries ask for nothing that is not sent, and have the form that New Relic imports."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from innerloop.core.plan.tracking import PLAN
from innerloop_collector.exporters.newrelic import TYPES, event
from innerloop_collector.exporters.record import Record
from tests.conftest import ROOT

PLACE = ROOT / "examples" / "new-relic"
DASHBOARD: dict[str, Any] = json.loads((PLACE / "dashboard.json").read_text())
WIDGETS = [widget for page in DASHBOARD["pages"] for widget in page["widgets"]]
QUERIES = [query["query"] for widget in WIDGETS for query in widget["rawConfiguration"].get("nrqlQueries", ())]
LANGUAGE = {
    "select",
    "from",
    "where",
    "and",
    "or",
    "facet",
    "timeseries",
    "since",
    "ago",
    "compare",
    "with",
    "limit",
    "as",
    "count",
    "sum",
    "percentile",
    "percentage",
    "latest",
    "week",
    "weeks",
    "day",
    "days",
}
CHARTS = {"viz.line", "viz.area", "viz.bar", "viz.billboard", "viz.pie", "viz.table", "viz.markdown"}
OF_NEW_RELIC = {"NrIntegrationError": {"newRelicFeature", "message"}}


def sent(kind: str) -> set[str]:
    """Every attribute that an event of a kind can have, as the exporter itself makes it of all fields that there are."""
    examples = {name: PLAN.fields[name].example for name in PLAN.events[kind].properties}
    fields = {name: ",".join(one) if isinstance(one, list) else one for name, one in examples.items()}  # as destinations get them
    now = datetime.now(UTC)
    record = Record(1, datetime.now(UTC).date(), "shop", kind, "shop.run", now, fields, {}, "message", "nobody", "person", 1, 2, 0)
    return set(event(record, now))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_only_what_is_sent(query: str) -> None:
    (table,) = re.findall(r"\bFROM (\w+)", query)
    kinds = {name: kind for kind, name in TYPES.items()}
    known = OF_NEW_RELIC[table] if table in OF_NEW_RELIC else sent(kinds[table])
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"'[^']*'", "", query))) - {table}
    attributes = {word for word in words if word.lower() not in LANGUAGE}

    assert attributes, "a query about nothing"
    assert attributes <= known


def test_values_that_queries_compare_with_are_those_of_the_plan() -> None:
    compared = {
        (name, value) for query in QUERIES for name, value in re.findall(r"(\w+) = '([^']*)'", query) if "NrIntegration" not in query
    }

    assert {name for name, _ in compared} == {"is_test", "actor", "critical", "attempt"}
    for name, value in compared:
        assert value in (PLAN.fields[name].values or ("true", "false", "no")), name


def test_the_dashboard_has_the_form_that_is_imported() -> None:
    assert {"name", "description", "permissions", "pages", "variables"} == set(DASHBOARD)
    for widget in WIDGETS:
        assert widget["visualization"]["id"] in CHARTS
        settings = widget["rawConfiguration"]
        assert ("text" in settings) == (widget["visualization"]["id"] == "viz.markdown")
        assert all(query["accountIds"] == [0] for query in settings.get("nrqlQueries", ())), "nobody's account"


def test_no_widget_lies_on_another_or_outside_the_twelve_columns() -> None:
    for page in DASHBOARD["pages"]:
        taken: set[tuple[int, int]] = set()
        for widget in page["widgets"]:
            place = widget["layout"]
            cells = {
                (row, column)
                for row in range(place["row"], place["row"] + place["height"])
                for column in range(place["column"], place["column"] + place["width"])
            }
            assert not cells & taken, widget["title"]
            assert all(1 <= column <= 12 for _, column in cells)
            taken |= cells


def test_the_queries_to_paste_are_those_of_the_dashboard() -> None:
    lines = (PLACE / "queries.nrql").read_text().splitlines()

    assert QUERIES == [line for line in lines if line and not line.startswith("--")]


RESERVED = {"accountid", "appid", "entity.guid", "entity.name", "entity.type", "log", "hostname", "plugin.type", "fb.input"}
WORDS = {
    "ago",
    "and",
    "as",
    "auto",
    "begin",
    "begintime",
    "compare",
    "day",
    "days",
    "end",
    "endtime",
    "explain",
    "facet",
    "from",
    "hour",
    "hours",
    "in",
    "is",
    "like",
    "limit",
    "minute",
    "minutes",
    "month",
    "months",
    "not",
    "null",
    "offset",
    "or",
    "raw",
    "second",
    "seconds",
    "select",
    "since",
    "timeseries",
    "until",
    "week",
    "weeks",
    "where",
    "with",
}


@pytest.mark.parametrize("kind", TYPES)
def test_no_attribute_has_a_name_that_new_relic_keeps_for_itself(kind: str) -> None:
    names = sent(kind)

    assert names.isdisjoint(RESERVED | WORDS)
    assert all(re.fullmatch(r"[A-Za-z]\w{0,254}", name) for name in names), "no query needs quotes for it"
    assert {"eventType", "timestamp"} <= names
    assert len(names) < 254
    assert re.fullmatch(r"[A-Za-z0-9_:]+", TYPES[kind])
