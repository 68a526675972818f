"""Open data: only what was published, of projects that open it, by people who agreed to that; whole files that say what is in them."""

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from innerloop_collector.errors import UsageError
from innerloop_collector.open_data.data_package import package
from innerloop_collector.open_data.data_tables import read, tables
from innerloop_collector.open_data.directory import write
from innerloop_collector.query import document
from innerloop_collector.query.open_data import opened
from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.query.releases.disclosure import Rule
from innerloop_collector.query.releases.document import Atom, Classes, Durations, Hidden, Outcomes, Release, Splits
from tests.collector.asking import asked
from tests.collector.support import Collector, digest_of, project, run_event

FIRST = block_of(date(2031, 3, 3))
SECOND = block_of(FIRST.end)
PUBLIC = project(public={"figures": True})
Rows = list[dict[str, str]]


def rows(directory: Path, table: str) -> Rows:
    return list(csv.DictReader(io.StringIO((directory / f"{table}.csv").read_text(), newline="")))


def release(unit: str = "2026-B11", **more: Any) -> Release:
    build = Atom(
        "command",
        "build",
        120,
        (Outcomes(("succeeded", "unfinished"), 100), Outcomes(("failed",), 20)),
        (Durations((0, 1, 17), 120),),
        61_000,
    )
    hidden = more.pop("hidden", (Hidden("command", "docs", Rule.ONE),))
    return Release(
        1, "acme", unit, date(2026, 12, 2), 7, 5, 3, (Atom("", "", 200), build), hidden,
        {"": {"": 5}, "command": {"build": 5}}, jobs=10, agents=Atom("actor", "agent", 30), **more,
    )  # fmt: skip


def files(*releases: Release, label: str = "") -> dict[str, bytes]:
    data = opened([("acme", "Acme")], lambda _: releases, date(2026, 12, 9), label)
    return package(tables(read(json.loads(json.dumps(document(data))))), label)


def test_only_releases_that_are_public_are_open(tmp_path: Path) -> None:
    write(tmp_path / "open", files(release("2026-B10"), release(public=True, weeks=("2026-W45",))))

    assert [("2026-B11", "2026-W45", "10")] == [
        (one["release"], one["weeks"], one["ci_runs"]) for one in rows(tmp_path / "open", "releases")
    ]
    assert {"2026-B11"} == {
        one["release"] for table in ("cells", "outcomes", "durations", "hidden") for one in rows(tmp_path / "open", table)
    }
    with pytest.raises(
        UsageError, match="nothing of acme was published since its figures are open to everybody; the next figures come on 2026-12-09"
    ):
        files(release())


def test_nothing_is_in_a_cell_but_what_was_published_of_it(tmp_path: Path) -> None:
    write(tmp_path / "open", files(release(public=True)))
    cells, durations = rows(tmp_path / "open", "cells"), rows(tmp_path / "open", "durations")

    assert [
        ("all", "all", "200", "5", "9", ""), ("command", "build", "120", "5", "9", "1.0167"), ("actor", "agent", "30", "", "", ""),
    ] == [tuple(one[key] for key in ("breakdown", "name", "runs", "developers_at_least", "developers_at_most", "waited_minutes")) for one in cells]  # fmt: skip
    assert [("succeeded+unfinished", "100"), ("failed", "20")] == [
        (one["outcomes"], one["runs"]) for one in rows(tmp_path / "open", "outcomes")
    ]
    assert [("0", "200", "true", "120")] == [(one["from_ms"], one["to_ms"], one["untimed"], one["runs"]) for one in durations]
    assert [("docs", "one developer has over half of it")] == [(one["name"], one["rule"]) for one in rows(tmp_path / "open", "hidden")]
    assert b"position" not in b"".join(files(release(public=True)).values())


def test_how_runs_are_split_and_what_is_on_the_critical_path_is_open_as_it_was_published(tmp_path: Path) -> None:
    solved = (Classes(("0",), 60), Classes(("1", "2", "3+", ""), 20), Classes(("unfinished",), 20))
    splits = (Splits("", "", stopped=(Classes(("<1min",), 0), Classes(("",), 15))), Splits("command", "build", solved=solved))
    write(tmp_path / "open", files(release(public=True, splits=splits, critical={"link": 120_000, "compile": 61_000})))
    names = ("breakdown", "name", "split", "classes", "runs")

    assert [
        ("all", "all", "stopped", "<1min", ""), ("all", "all", "stopped", "not said", "15"), ("command", "build", "solved", "0", "60"),
        ("command", "build", "solved", "1 or 2 or 3+ or not said", "20"), ("command", "build", "solved", "unfinished", "20"),
    ] == [tuple(one[name] for name in names) for one in rows(tmp_path / "open", "splits")]  # fmt: skip
    assert [("compile", "1.0167"), ("link", "2.0")] == [
        (one["target"], one["critical_minutes"]) for one in rows(tmp_path / "open", "critical")
    ]


def test_the_dictionary_names_every_column_of_both_forms_and_the_same_figures_make_the_same_bytes() -> None:
    made = files(release(public=True))
    described = json.loads(made["datapackage.json"])
    assert made == files(release(public=True))
    assert set(made) == {"README.md", "datapackage.json", *(one["path"] for one in described["resources"])}

    for one in described["resources"]:
        names = [field["name"] for field in one["schema"]["fields"]]
        content = made[one["path"]]
        table = parquet.read_table(io.BytesIO(content)) if one["format"] == "parquet" else None
        there = table.column_names if table is not None else next(csv.reader(io.StringIO(content.decode(), newline="")))
        assert names == there
        assert one.get("bytes", len(content)) == len(content)
        assert all(field["description"] and f"| `{field['name']}` |" in made["README.md"].decode() for field in one["schema"]["fields"])
        if table is not None:
            text = made[one["path"].replace(".parquet", ".csv")].decode()
            plain = [[_as_text(value) for value in row.values()] for row in table.to_pylist()]
            assert plain == list(csv.reader(io.StringIO(text, newline="")))[1:]


def _as_text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_a_directory_is_replaced_as_a_whole_and_only_where_it_is_empty_or_ours(tmp_path: Path) -> None:
    place = tmp_path / "open"
    place.mkdir()
    write(place, files(release(public=True)))
    write(place, files(release("2026-B12", public=True)))
    assert ["2026-B12"] == [one["release"] for one in rows(place, "releases")]
    assert [place] == list(tmp_path.iterdir())

    (place / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds what is not a package of figures"):
        write(place, files(release(public=True)))
    (tmp_path / "link").symlink_to(tmp_path)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "datapackage.json").write_text("{}")
    for other in (tmp_path / "link", foreign):
        with pytest.raises(UsageError, match=r"choose"):
            write(other, files(release(public=True)))
    assert "mine" == (place / "notes.txt").read_text()


def test_a_write_that_was_cut_off_between_its_steps_is_mended_by_the_next(tmp_path: Path) -> None:
    place = tmp_path / "open"
    write(place, files(release(public=True)))
    place.rename(tmp_path / ".open.old")
    write(place, files(release("2026-B12", public=True)))

    assert ["2026-B12"] == [one["release"] for one in rows(place, "releases")]
    assert [place] == list(tmp_path.iterdir())


def test_what_a_kill_left_beside_goes_with_the_next_write_and_what_another_fills_or_somebody_else_has_does_not(tmp_path: Path) -> None:
    made = files(release(public=True))
    for name in (".open.new-left", ".open.new-empty", ".open.new-mine", ".open.new-filled", ".other.new-left"):
        (tmp_path / name).mkdir()
    (tmp_path / ".open.new-left" / "cells.csv").write_bytes(made["cells.csv"][:9])
    (tmp_path / ".open.new-mine" / "notes.txt").write_text("mine")
    (tmp_path / ".open.new-link").symlink_to(tmp_path / ".other.new-left")
    filled = os.open(tmp_path / ".open.new-filled", os.O_RDONLY)
    fcntl.flock(filled, fcntl.LOCK_EX)
    write(tmp_path / "open", made)

    others = {"open", ".open.new-mine", ".open.new-filled", ".open.new-link", ".other.new-left"}
    assert others == {one.name for one in tmp_path.iterdir()}
    os.close(filled)
    write(tmp_path / "open", made)
    assert others - {".open.new-filled"} == {one.name for one in tmp_path.iterdir()}


def test_what_lies_beside_and_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    place = tmp_path / "open"
    write(place, files(release(public=True)))
    for name in (".open.old", ".open.new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"\.open\.old is in the way, and is no earlier package of figures"):
        write(place, files(release("2026-B12", public=True)))
    assert ["2026-B11"] == [one["release"] for one in rows(place, "releases")]
    (tmp_path / ".open.old").rename(tmp_path / "elsewhere")
    write(place, files(release("2026-B12", public=True)))

    assert ["2026-B12"] == [one["release"] for one in rows(place, "releases")]
    assert {place, tmp_path / "elsewhere", tmp_path / ".open.new"} == set(tmp_path.iterdir())
    assert ["mine", "mine"] == [(tmp_path / name / "notes.txt").read_text() for name in (".open.new", "elsewhere")]


@pytest.mark.parametrize("name", ["/", "..", "figures/.."])
def test_a_directory_without_a_name_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="give it a name of its own"):
        write(Path(name), {})


def test_a_name_is_no_formula_in_a_spreadsheet_and_itself_in_parquet() -> None:
    made = files(release(public=True, hidden=(Hidden("command", "=1+1", Rule.ONE),)))
    (row,) = csv.DictReader(io.StringIO(made["hidden.csv"].decode(), newline=""))

    assert "'=1+1" == row["name"]
    assert ["=1+1"] == parquet.read_table(io.BytesIO(made["hidden.parquet"]))["name"].to_pylist()
    assert "has an apostrophe before it" in made["README.md"].decode()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A team of which six agreed that figures are open, and six did not answer yet: they send under the file of before."""
    made = Collector(tmp_path_factory.mktemp("open"))
    try:
        yield published(made, {"build": PUBLIC, "lint": project()}, people=6)
    finally:
        made.close()


def published(made: Collector, plans: dict[str, dict[str, Any]], people: int) -> Collector:
    """Have figures of a block published of people who ran a command each, under the file that they know."""
    made.for_trying().environment["INNERLOOP_COLLECTOR_STORE_SIMULATED_CLOCK"] = _at(FIRST.first)
    made.start_with()
    made.apply(PUBLIC, "--min-active-weeks", "1")
    for monday in (FIRST.first, *SECOND.weeks):
        friday = _at(monday + timedelta(days=4))
        assert 200 == asked(made, "simulation.move", to=friday).status_code
        for command, plan in plans.items():
            made.send(*_week(command, monday, people), plan=digest_of(plan), sent_at=friday)
    assert 200 == asked(made, "simulation.move", to=_at(SECOND.due)).status_code
    return made


def _at(day: date) -> str:
    return datetime(day.year, day.month, day.day, 1, tzinfo=UTC).isoformat()


def _week(command: str, monday: date, people: int) -> list[dict[str, Any]]:
    start = _at(monday + timedelta(days=1))
    times = ((f"{command} {number}", 2_000 * 2 ** (number % 3)) for number in range(people) for _ in range(5))
    return [{**run_event(one, command=command, start_time=start, duration_ms=time), "timestamp": start} for one, time in times]


@pytest.mark.slow
def test_who_did_not_agree_that_figures_are_open_is_in_none(simulated: Collector) -> None:
    place = simulated.directory / "open"
    said = simulated.cli("export", str(place), "--public", "--throw-away")
    assert 0 == said.returncode, said.stderr
    cells = rows(place, "cells")

    assert len(SECOND.weeks) <= len({one["release"] for one in cells})
    assert {"build"} == {one["name"] for one in cells if one["breakdown"] == "command"}
    assert {"30"} == {one["runs"] for one in cells if one["breakdown"] == "all"}


@pytest.mark.slow
def test_a_badge_tells_everybody_only_what_is_open(idle: Collector) -> None:
    simulated = published(idle, {"build": PUBLIC}, people=20)

    def badge(path: str) -> str:
        answer = simulated.http.get(f"{simulated.url}/badge/{path}.svg")
        assert (200, "image/svg+xml", "cross-origin") == (
            answer.status_code, answer.headers["content-type"], answer.headers["cross-origin-resource-policy"],
        )  # fmt: skip
        return answer.text

    report = asked(simulated, "report", project="acme", period=SECOND.name).json()
    assert ["build"] == [one["command"] for one in report["commands"] if one["p50"]]
    assert "(simulated)" in badge("acme/commands/build")
    for path in ("acme/commands/lint", "acme/targets/build", "acme/nothing/build", "none/commands/build"):
        assert ">not published</text>" in badge(path)
    simulated.apply(project())
    assert ">not published</text>" in badge("acme/commands/build"), "its figures are open no more"


@pytest.mark.slow
def test_a_throw_away_store_is_exported_only_where_that_is_said_and_then_every_file_says_it(simulated: Collector) -> None:
    place = simulated.directory / "labelled"
    refused = simulated.cli("export", str(place), "--public")
    assert (1, 1, True) == (refused.returncode, len(refused.stderr.splitlines()), "--throw-away" in refused.stderr)
    assert not place.exists()
    answer = simulated.ask("export", str(place), "--public", "--throw-away", "--project", "acme")

    assert answer["rows"]["releases"]
    assert answer["label"].startswith("THROW-AWAY STORE")
    for path in place.iterdir():
        if path.suffix == ".parquet":
            assert {answer["label"]} == {*parquet.read_table(path)["label"].to_pylist()} or not answer["rows"][path.stem]
        else:
            assert answer["label"] in path.read_text() or not answer["rows"][path.stem], path


def test_where_nothing_is_open_one_line_says_how_it_would_be(shared: Collector) -> None:
    done, unsaid = shared.cli("export", "figures", "--public"), shared.cli("export", "figures")

    assert (1, 1, True) == (done.returncode, len(done.stderr.splitlines()), "`figures = true` in [public]" in done.stderr)
    assert (2, True) == (unsaid.returncode, "say --public" in unsaid.stderr)
