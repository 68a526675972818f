"""The page of alerts says what the terminal says: each with its interval, its beginning and what became of it, and how many false ones are expected."""

import re
from datetime import date
from html import unescape

import pytest

from innerloop_collector.dashboard.alert_page import alerts, standing
from innerloop_collector.query import Alert, People, ProjectAlerts, Rate
from innerloop_collector.query.alerts.shown_alerts import Appeared
from innerloop_collector.query.published import seal
from innerloop_collector.reports.alert_report import AlertReport
from tests.collector.asking import asked
from tests.dashboard.conftest import Site

DAY = date(2026, 11, 23)


def alert(fate: str, name: str = "build", measure: str = "duration", *, explained_by: tuple[str, ...] = ()) -> Alert:
    decided = date(2026, 12, 10) if fate in ("confirmed", "gone") else None
    size, low, high = (seal(Rate, one) for one in (0.2, 0.1, 0.35))
    new = (Appeared("version", "2.4.0", date(2026, 11, 23)),)
    return Alert(
        "acme",
        "command",
        name,
        measure,
        fate,
        DAY,
        date(2026, 11, 30),
        date(2026, 12, 2),
        decided,
        size,
        low,
        high,
        seal(People, (35, 39)),
        new,
        explained_by,
    )


def report(*found: Alert, looked_at: date | None = date(2026, 12, 8)) -> AlertReport:
    return AlertReport((ProjectAlerts("acme", 3.0, 0.45, looked_at, found),), (), ("each day is looked at once",))


def test_a_row_says_what_since_when_by_how_much_and_what_became_of_it() -> None:
    figure = alerts(report(alert("confirmed", explained_by=("cache",))), "Acme").figures["alerts"]
    shown = [" ".join(filter(None, (cell.text, cell.detail))) for cell in figure.rows[0].cells]
    (row,) = figure.json()["rows"]

    assert ["build command", "slower", "20\u202f% (10 to 35\u202f%)", "23 Nov 2026", "confirmed told on 2 Dec 2026", "cache"] == shown[:6]
    assert ["version 2.4.0 (week of 23 Nov 2026)", "35 to 39"] == shown[6:]
    assert (0.2, 0.1, 0.35, "2026-11-23", "confirmed", "cache") == tuple(
        row[key] for key in ("size", "at_least", "at_most", "since", "fate", "explained_by")
    )
    assert ["/p/acme/commands/build", "/p/acme/changes#change-acme-cache"] == [figure.rows[0].cells[place].link for place in (0, 5)]


def test_what_stands_comes_first_and_what_crept_up_is_apart() -> None:
    page = alerts(report(alert("gone", "a"), alert("open", "b"), alert("creep", "c"), alert("confirmed", "d")), "Acme")

    assert ["d", "b", "a"] == [row["name"] for row in page.figures["alerts"].json()["rows"]]
    assert ["c"] == [row["name"] for row in page.figures["creep"].json()["rows"]]
    assert [("d", True), ("b", False)] == [(one.name, one.confirmed) for one in page.about["cards"]]
    assert "fate" not in page.figures["creep"].json()["rows"][0]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "Nothing stands out."),
        (["gone", "creep"], "Nothing stands out."),
        (["open"], "1 command or target may have become worse."),
        (["open", "open"], "2 commands and targets may have become worse."),
        (["confirmed", "gone"], "1 command or target became worse."),
        (["confirmed", "confirmed", "open"], "2 commands and targets became worse; 1 more may have."),
    ],
)
def test_the_title_claims_only_what_was_confirmed(found: list[str], said: str) -> None:
    several = [alert(fate, f"target {place}") for place, fate in enumerate(found)]

    assert said == alerts(report(*several), "Acme").about["headline"]


def test_what_became_slower_and_fails_more_is_counted_once() -> None:
    both = report(alert("confirmed"), alert("open", measure="failures"))

    assert "1 command or target became worse." == alerts(both, "Acme").about["headline"]


def test_before_the_first_look_the_page_says_so_and_claims_nothing() -> None:
    page = alerts(report(looked_at=None), "Acme")

    assert ("No day was looked at yet.", "No day was looked at yet.") == (page.about["headline"], page.about["looked_at"])
    assert "About 3 false alarms a month are accepted here, of which 0.45 are confirmed all the same." == page.about["false"]


def test_failures_are_told_in_runs_of_a_hundred() -> None:
    (one,) = standing(report(alert("open", measure="failures")).projects[0])

    assert "about 20 more of 100 runs fail (10 to 35) since about 23 Nov 2026: not confirmed yet" == one.said


def test_changes_that_may_explain_it_are_named_but_those_of_other_projects() -> None:
    several = (("cache",), ("cache", "guide"), ("cache", "a change of other projects"))
    told = [standing(report(alert("open", explained_by=one)).projects[0])[0].explained for one in several]

    assert ["the change cache", "the changes cache and guide", "the change cache and a change of other projects"] == told


def test_a_change_of_other_projects_has_no_name_and_no_way_to_it() -> None:
    cell = alerts(report(alert("open", explained_by=("a change of other projects",))), "Acme").figures["alerts"].rows[0].cells[5]

    assert ("a change of other projects", "/p/acme/changes") == (cell.text, cell.link)


def test_the_page_has_what_the_terminal_has_and_each_way_to_it_is_there(site: Site) -> None:
    told = asked(site.collector, "alerts", project="acme").json()["projects"][0]
    rows = site.get("/p/acme/alerts.json?figure=alerts").json()["rows"]
    page = unescape(site.get("/p/acme/alerts").text)

    def key(one: dict[str, str]) -> tuple[str, ...]:
        return tuple(str(one[name]) for name in ("name", "measure", "fate", "size", "at_least", "at_most", "since", "told"))

    assert sorted(map(key, rows)) == sorted(key(one) for one in told["alerts"] if one["fate"] != "creep")
    assert {"docs"} == {row["name"] for row in site.get("/p/acme/alerts.json?figure=creep").json()["rows"]}
    assert f"{told['expected']:g} false alarms a month" in page
    assert "version 2.4.0 (week of 7 Apr 2031)" in page
    overview, cell = site.get("/p/acme").text, site.get("/p/acme/targets/unit").text
    assert re.search(r'href="/p/acme/alerts">Alerts</a></li>\s*<li>', overview), "in the navigation"
    assert "not confirmed yet" in overview
    assert "About 20\u202f% slower (10 to 35\u202f%) since about 7 Apr 2031: confirmed" in cell
    assert "not confirmed yet" in site.get("/p/acme/commands/build").text
    assert 403 == site.get("/p/acme/alerts", token=site.stranger).status_code
    assert "No day was looked at yet." in site.get("/p/other/alerts").text or "Nothing stands out." in site.get("/p/other/alerts").text
