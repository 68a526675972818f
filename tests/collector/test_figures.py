"""One door to figures: what reports and pages get was let pass by the rules, and nothing else can be made, shown or asked."""

import ast
import copy
import dataclasses
import pickle
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from innerloop_collector import query
from innerloop_collector.query import Count, FigureRow, Milliseconds, Minutes, People, Published, Rate, Time, View, document, text
from innerloop_collector.query.published import seal
from innerloop_collector.query.received import received
from innerloop_collector.reports import views
from innerloop_collector.reports.views import Command, Whole
from tests.conftest import ROOT

SOURCE = ROOT / "packages/collector/src/innerloop_collector"
KINDS = [Count, Milliseconds, Minutes, Rate]
TIME = Time(seal(Milliseconds, 1500), seal(Milliseconds, 1000), None)
ROW = FigureRow("test", seal(Count, 10), seal(People, (5, 9)), TIME, None, seal(Rate, 0.25), seal(Minutes, 1.5))


# nobody makes a value but the rules


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "make",
    [
        lambda kind: kind(3),
        lambda kind: kind(),
        lambda kind: kind(value=3),
        lambda kind: copy.copy(seal(kind, 10)),
        lambda kind: copy.deepcopy(seal(kind, 10)),
        lambda kind: pickle.loads(pickle.dumps(seal(kind, 10))),
        lambda kind: dataclasses.replace(seal(kind, 10), value=3),
        lambda kind: msgspec.structs.replace(seal(kind, 10), value=3),
        lambda kind: msgspec.convert(3, kind),
        lambda kind: type("Mine", (kind,), {"value": 3}),
        lambda kind: types.new_class("Mine", (kind,)),
        lambda kind: type("Mine", (Published,), {"value": 3}),
    ],
    ids=["call", "bare", "keyword", "copy", "deepcopy", "pickle", "replace", "structs.replace", "convert", "subclass", "new_class", "sibling"],
)  # fmt: skip
def test_a_value_is_made_in_no_other_way(kind: type[Published[Any]], make: Callable[[type[Published[Any]]], Any]) -> None:
    with pytest.raises((TypeError, msgspec.ValidationError)):
        make(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_was_allocated_shows_nothing_and_none_is_changed(kind: type[Published[Any]]) -> None:
    husk, real = object.__new__(kind), seal(kind, 10)

    for show in (text, str, lambda one: one.value, lambda one: document(Whole(one, seal(Minutes, 1), None, None))):
        with pytest.raises(TypeError):
            show(husk)
    for name in ("value", "_value", "shown"):
        with pytest.raises(AttributeError):
            object.__setattr__(real, name, 3)
    assert 10 == real.value


def test_a_value_holds_the_number_that_is_shown_and_no_other() -> None:
    for kind in KINDS:
        attributes = [name for one in kind.__mro__ for name in getattr(one, "__slots__", ())]
        assert (["__weakref__"], False) == (attributes, hasattr(seal(kind, 10), "__dict__"))


# a page shows no raw number


class Pretender:
    """What says that it is a count."""

    __class__ = Count  # type: ignore[assignment]
    value = 3


@pytest.mark.parametrize("raw", [3, 3.5, True, "3", [3], object(), Pretender()])
def test_a_raw_number_is_not_written_on_a_page(raw: Any) -> None:
    with pytest.raises(TypeError, match="not published"):
        text(raw)


@pytest.mark.parametrize("name", ["runs", "developers", "failure_rate", "waited"])
def test_a_view_takes_no_raw_number(name: str) -> None:
    with pytest.raises(TypeError, match="takes what is published, not int"):
        msgspec.structs.replace(ROW, **{name: 3})
    with pytest.raises(TypeError):
        FigureRow(**{**{one: getattr(ROW, one) for one in FigureRow.__struct_fields__}, name: 3})
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document(ROW), FigureRow)


def test_a_view_takes_no_number_of_another_kind() -> None:
    for other in (seal(Minutes, 1), Pretender()):
        with pytest.raises(TypeError):
            Whole(other, seal(Minutes, 1), None, None)  # type: ignore[arg-type]


def _numbers(view: type[View]) -> Iterator[str]:
    for name, hint in get_type_hints(view).items():
        if {int, float} & {hint, *get_args(hint)}:
            yield f"{view.__name__}.{name}"


def test_the_plain_numbers_of_views_are_settings_and_no_figures() -> None:
    found = {one for module in (query, views) for one in vars(module).values() if isinstance(one, type) and issubclass(one, View)}
    numbers = {name for view in found for name in _numbers(view)}

    of_alerts = ["ProjectAlerts.expected", "ProjectAlerts.expected_pages"]
    of_verdicts = ["Finding.confidence", "Impact.expected", "Programme.told", "Verdict.expected"]
    of_looks = [f"{view}.{name}" for view in ("Scan", "Verdict") for name in ("k", "look", "looks", "version", "weeks")]
    assert {"Report.min_active_weeks", "Report.k", "Report.headcount", *of_alerts, *of_verdicts, *of_looks} == numbers


PAGE = """
from innerloop_collector.query import Count, Published, text
from innerloop_collector.reports.views import Command, Whole

def page(one: Command, raw: int) -> str:
    return {expression}
"""


@pytest.fixture(scope="module")
def refused_by_mypy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, str]], set[str]]:
    """Which of some expressions of a page mypy refuses, by their names."""

    def check(expressions: dict[str, str]) -> set[str]:
        directory = tmp_path_factory.mktemp("pages")
        for name, expression in expressions.items():
            (directory / f"{name}.py").write_text(PAGE.format(expression=expression))
        words = ["--strict", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(directory / "cache"), "--no-error-summary"]
        files = [str(directory / f"{name}.py") for name in expressions]
        done = subprocess.run([sys.executable, "-m", "mypy", *words, *files], capture_output=True, text=True, cwd=ROOT, check=False)
        assert not done.stderr, done.stderr
        return {Path(line.partition(":")[0]).stem for line in done.stdout.splitlines() if ": error:" in line}

    return check


@pytest.mark.timeout(180)
def test_mypy_refuses_a_page_that_shows_or_makes_a_raw_number(refused_by_mypy: Callable[[dict[str, str]], set[str]]) -> None:
    good = {"a_figure": "text(one.runs)", "an_absent_one": 'text(one.p50_before, "none")'}
    bad = {
        "a_number": "text(raw)",
        "a_text": 'text("3")',
        "made": "text(Count(raw))",
        "made_of_nothing": "text(Count())",
        "a_view": "text(Whole(raw, one.waited_minutes, None, None).runs)",
        "counted": "text(one.runs + raw)",
        "a_number_that_was_read": "text(one.runs.value)",
    }

    assert set(bad) == refused_by_mypy({**good, **bad})


# what a terminal reads back


def test_what_was_published_is_read_back_as_it_was() -> None:
    assert document(ROW) == document(received(document(ROW), FigureRow))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("runs", -5),
        ("runs", 2.5),
        ("runs", True),
        ("developers", [5]),
        ("developers", 5),
        ("p50", "1"),
        ("failure_rate", [1]),
        ("waited", -1),
    ],
)
def test_what_no_collector_publishes_is_not_read_back(name: str, number: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        received({**document(ROW), name: number}, FigureRow)


# who asks rows

ASKS_EVENTS = re.compile(r"\b(FROM|JOIN|INTO|TABLE|UPDATE)\s+(events|quarantine|weekly_totals)\b")
ASKS = re.compile(r"\bSELECT\b|\bINSERT INTO\b|\bALTER TABLE\b")
ROWS_BY_CONTRACT = {"db", "store", "exporters", "lifecycle"}
NO_FIGURES = {"access", "monitoring"}  # tokens; whether the engine answers; the engine's own tables


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE), ast.parse(path.read_text())


def _texts(module: ast.Module) -> str:
    return "\n".join(node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_no_module_above_query_has_sql_and_in_query_few_read_events() -> None:
    asking = {path for path, module in _modules() if ASKS.search(_texts(module))}
    events = {path for path, module in _modules() if ASKS_EVENTS.search(_texts(module))}

    assert {"query"} == {path.parts[0] for path in asking} - ROWS_BY_CONTRACT - NO_FIGURES
    assert {"query"} == {path.parts[0] for path in events} - ROWS_BY_CONTRACT
    assert {"query/alerts/daily_rows.py", "query/population.py", "query/releases/rows.py", "query/verdicts/statistics.py"} == {
        str(path) for path in asking if path.parts[0] == "query"
    }


def test_one_room_knows_the_driver_of_the_engine() -> None:
    knowing = {
        path.parts[0]
        for path, module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom | ast.Import)
        if any("clickhouse_connect" in name for name in (getattr(node, "module", None) or "", *(one.name for one in node.names)))
    }

    assert {"db"} == knowing


def test_no_module_above_query_hands_sql_to_the_engine() -> None:
    found = {
        f"{path}:{node.lineno}"
        for path, module in _modules()
        if path.parts[0] not in ROWS_BY_CONTRACT | NO_FIGURES | {"query"}
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and node.attr in ("query", "command", "insert", "export", "load", "delete")
        and isinstance(node.value, ast.Attribute | ast.Name)
        and (node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id).lstrip("_") == "engine"
    }

    assert set() == found


def _calling(function: str) -> set[str]:
    """The modules that call a function."""
    return {
        str(path)
        for path, module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
        if function == (node.func.id if isinstance(node.func, ast.Name) else node.func.attr)
    }


def test_values_are_sealed_where_the_rules_were_applied_and_where_a_terminal_reads_them_back() -> None:
    applied = {"query/alerts/shown_alerts.py", "query/values.py", "query/verdicts/rounding.py"}
    assert {"query/received.py", *applied} == _calling("seal")
    assert "seal" not in query.__all__


def test_what_is_published_for_good_and_what_is_shown_at_once_pass_the_same_rules() -> None:
    assert {"query/releases/immediate.py", "query/releases/publisher.py"} == _calling("publish_week")
    parts = {f"query/releases/{name}.py" for name in ("critical", "disclosure", "shown")}
    assert {"query/verdicts/presence.py", *parts} == _calling("broken_rule")


def test_a_report_is_made_of_published_numbers() -> None:
    shown = Command("test", "", seal(Count, 10), seal(People, (5, 9)), TIME, None, None, None, None, None, None)

    assert ((5, 9), {"about": 1500, "at_least": 1000, "at_most": None}) == (document(shown)["developers"], document(shown)["p50"])
    assert ("10", "5 to 9", "-") == (text(shown.runs), text(shown.developers), text(shown.waited_minutes))
