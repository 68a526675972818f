"""A figure is its table: page, CSV and JSON say the same, text is escaped, and what is hidden is in none of them."""

import csv
import io
import re
from datetime import date
from html import unescape

import jinja2
import pytest
from msgspec.structs import replace

from innerloop_collector.dashboard import figure, page_tables, series, words
from innerloop_collector.dashboard.changes import Dated, marked
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Row
from innerloop_collector.dashboard.filters import Filters
from innerloop_collector.query import Class, Count, FigureRow, Milliseconds, Minutes, People, Point, Rate, Time, Tries
from innerloop_collector.query.published import seal
from innerloop_collector.reports.views import Command, Hidden, Report, Span, Trend

HOSTILE = '<script>alert("1")</script>'
P50 = Time(seal(Milliseconds, 45_000), seal(Milliseconds, 30_000), seal(Milliseconds, 60_000))
RULE = "one developer has more than half of it"


def command(name: str, waited: float | None, *, kind: str = "", runs: int = 100) -> Command:
    minutes = None if waited is None else seal(Minutes, waited)
    return Command(name, kind, seal(Count, runs), seal(People, (5, 9)), P50, None, seal(Rate, 0.1), minutes, None, None, None)


REPORT = Report(
    "acme", "Acme", Span("2026-B11", "2026-10-26", "2026-11-22", complete=True), 3, 5, "figures", "", "2026-12-02", seal(People, (5, 9)), None, None,
    (command("build", 10.0), command("test", 90.0, kind="check"), command(HOSTILE, None), command("serve", None, kind="session")),
    (Hidden("docs", RULE),), (), (), (), (), (),
)  # fmt: skip


def rendered(one: Figure) -> str:
    """A figure as a page has it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("innerloop_collector.dashboard"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    text = '{% from "macros.html" import figure %}{{ figure(one, filters, "twelve", "sort") }}'
    return environment.from_string(text).render(one=one, filters=Filters("/p/acme", {}, {"sort": None}))


def attributes(html: str, one: Figure) -> list[dict[str, str]]:
    """The values of each row, as a chart reads them."""
    names = [field.replace("_", "-") for field in one.fields]
    body = html[html.index("<tbody") :]
    found = []
    for row in body.split('<tr role="row">')[1:]:
        found.append({name.replace("-", "_"): unescape(value) for name in names for value in re.findall(f' data-{name}="([^"]*)"', row)})
    return found


def test_page_csv_and_json_hold_the_same_rows() -> None:
    made = page_tables.commands(REPORT)
    of_csv = list(csv.DictReader(io.StringIO(made.csv())))
    of_json = made.json()["rows"]
    of_page = attributes(rendered(made), made)

    assert 4 == len(of_csv) == len(of_json) == len(of_page)
    for one, other, third in zip(of_csv, of_json, of_page, strict=True):
        told = {name: str(value) for name, value in other.items() if value is not None and name != "hidden"}
        assert told == {name: value for name, value in one.items() if value and name != "hidden"} == third


def test_what_is_hidden_is_named_with_its_rule_and_has_no_number_anywhere() -> None:
    made = page_tables.commands(REPORT)
    row = next(one for one in made.json()["rows"] if one["command"] == "docs")
    page = rendered(made)
    shown = page[page.index(">docs<") : page.index("</tr>", page.index(">docs<"))]

    assert {"docs", RULE} == {value for value in row.values() if value is not None}
    assert f"docs,{','.join([''] * (len(made.fields) - 1))},{RULE}" in made.csv()
    assert not re.search(r"\d", re.sub(r'colspan="\d+"', "", shown))
    assert f"hidden: {RULE}" in shown


def test_names_are_text_on_the_page_and_no_formula_in_a_spreadsheet() -> None:
    page = rendered(page_tables.commands(REPORT))
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    for name in ("=1+1", "+x", "-x", "@x", "\tx"):
        one = Figure("f", "t", "s", (Column("Name", ("name",)),), (Row((figure.name(name),)),))
        assert f"'{name}" in one.csv()
        assert name == one.json()["rows"][0]["name"]


def test_a_table_is_put_in_order_by_any_column_and_what_is_not_told_comes_last() -> None:
    made = page_tables.commands(REPORT)

    assert ["test", "build", HOSTILE, "docs"] == [row.cells[0].text for row in made.rows]
    assert [HOSTILE, "build", "test", "docs"] == [row.cells[0].text for row in made.sorted_by("command").rows]


def test_sessions_are_use_and_no_waiting() -> None:
    assert "serve" not in {row.cells[0].text for row in page_tables.commands(REPORT).rows}
    assert ["serve"] == [row.cells[0].text for row in page_tables.sessions(REPORT).rows]


def test_how_successes_come_about_is_a_table_with_a_sentence() -> None:
    solved = (Class("1", seal(Count, 80), seal(Rate, 0.8)), Class("2 or more", seal(Count, 20), seal(Rate, 0.2)))
    made = page_tables.tries(Tries(seal(Rate, 0.7), None, solved, seal(Count, 5), (), ()))

    assert [("Green at try", "1", 0.8), ("Green at try", "2 or more", 0.2)] == [tuple(row.values()) for row in made.json()["rows"]]
    assert [100.0, 25.0] == [row.cells[2].bar for row in made.rows]
    assert "70\N{NARROW NO-BREAK SPACE}% worked at the first try." in made.note
    assert () == page_tables.tries(None).rows


def test_a_change_is_marked_where_it_lies_in_a_series_and_touches_it() -> None:
    series_of = series.waiting(TREND, weekly=False)
    known = [
        Dated("early", "Early", date(2026, 1, 1), ()),
        Dated("all", "All", date(2026, 2, 9), ()),
        Dated("one", "One", date(2026, 3, 9), ("build",)),
    ]

    assert ["change-acme-all", "change-acme-one"] == [one.link.partition("#")[2] for one in marked(series_of, known, "acme").marks]
    assert ["change-acme-all"] == [one.link.partition("#")[2] for one in marked(series_of, known, "acme", "test").marks]
    assert "marks" not in series_of.csv()
    assert 'data-day="2026-03-09"' in rendered(marked(series_of, known, "acme"))


def test_a_series_of_a_renamed_command_says_that_it_is_one_of_two_names() -> None:
    made = series.failures(replace(TREND, renamed_from=("compile", "make")), weekly=False)

    assert made.note.endswith("What was published as compile and make, its names before, is added up in it.")
    assert "added up" not in series.failures(TREND, weekly=False).note


def test_the_example_of_people_is_a_number_that_enough_are_behind() -> None:
    assert ["5 to 9", "10 to 14", "20 to 24"] == [words.fives(number) for number in (8, 11, 23)]


def test_what_is_looked_for_is_part_of_a_name() -> None:
    assert ["build"] == [row.cells[0].text for row in page_tables.commands(REPORT, query="UIL").rows]


def point(block: int, waited: float | None, *, told: bool = True) -> Point:
    minutes = None if waited is None else seal(Minutes, waited)
    row = FigureRow("", seal(Count, 10), None, P50, None, None, minutes) if told else None
    return Point(f"2026-B{block:02d}", date(2026, block, 1), date(2026, block, 28), True, row)


TREND = Trend("acme", "", "", (point(1, None, told=False), point(2, 400.0), point(3, None, told=False), point(4, 800.0)))


def test_a_period_that_may_not_be_told_is_a_gap_and_no_zero() -> None:
    made = series.waiting(TREND, weekly=False)

    assert ["2026-B04", "2026-B03", "2026-B02"] == [row.cells[0].values[0] for row in made.rows], (
        "the newest first, from the first that is told on"
    )
    assert [200.0, None, 100.0] == [row.cells[1].values[0] for row in made.rows], "by the week: blocks are not equally long"
    assert "not told" == made.rows[1].cells[1].text


def test_a_chart_is_explained_in_a_sentence_of_its_own_table() -> None:
    sentence = series.in_short(series.waiting(TREND, weekly=False)).explained

    assert "3\N{NARROW NO-BREAK SPACE}h 20\N{NARROW NO-BREAK SPACE}min, 1 Apr to 28 Apr 2026" in sentence
    assert "1\N{NARROW NO-BREAK SPACE}h 40\N{NARROW NO-BREAK SPACE}min, 1 Feb to 28 Feb 2026" in sentence


def test_a_line_is_broken_where_nothing_is_told() -> None:
    points = (point(1, 1.0), point(2, 2.0), point(3, None, told=False), point(4, 3.0), point(5, 1.0))

    first, second = series.sparkline(points, lambda one: one.waited.value if one.waited else None)
    assert ([0.0, 25.0], [75.0, 100.0]) == ([x for x, _ in first], [x for x, _ in second])


def test_the_longest_bar_is_the_largest_value_and_none_is_drawn_of_what_is_not_told() -> None:
    cells = [Cell("a", (10.0,)), Cell("b", (40.0,)), Cell("c", (None,))]

    assert [25.0, 100.0, None] == [one.bar for one in figure.with_bars(cells)]


@pytest.mark.parametrize("missing", ["title", "rows"])
def test_a_template_that_names_what_there_is_not_fails(missing: str) -> None:
    made = page_tables.commands(REPORT)
    without = {
        name: getattr(made, name)
        for name in ("id", "title", "subtitle", "columns", "rows", "note", "chart", "empty", "sort", "explained")
        if name != missing
    }
    with pytest.raises(jinja2.UndefinedError):
        rendered(without)  # type: ignore[arg-type]
