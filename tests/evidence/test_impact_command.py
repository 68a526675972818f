"""`innerloop-collector impact --from FILE`: the command's own process, with files as somebody makes them."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from innerloop_collector.analysis.impact.durations import duration
from innerloop_collector.analysis.impact.estimates import Estimate
from innerloop_collector.cli.evidence_commands import impact
from innerloop_collector.cli.run_file import read_runs
from innerloop_collector.errors import UsageError
from tests.evidence.simulator import World, panel, question, runs

_TARGETS = np.array(["build", "provision", "deploy", "lint", "docs", "format"])
_OUTCOMES = np.array(["succeeded", "failed", "interrupted"])
_SIDES = [
    "--treated",
    "build",
    "--treated",
    "provision",
    "--treated",
    "deploy",
    "--control",
    "lint",
    "--control",
    "docs",
    "--control",
    "format",
]
_WORLD = World(users=40, effect=-0.4, failure=0.1, delay=2.0)
_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def _columns(one: World = _WORLD, seed: int = 1) -> dict[str, Any]:
    made = runs(one, seed)
    day = made["start"].astype(int)
    minute = ((made["start"] % 1) * 480).astype(int)
    return {
        "user": [f"person-{user}" for user in made["user"]], "target": _TARGETS[made["target"]], "week": made["week"], "duration_ms": made["ms"],
        "outcome": _OUTCOMES[made["outcome"]], "work": made["work"], "exposed": made["exposed"].astype(bool),
        "time": [_START + timedelta(days=int(7 * (one // 5) + one % 5), minutes=int(extra)) for one, extra in zip(day, minute, strict=True)],
    }  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "runs.parquet"
    pq.write_table(pa.table(_columns()), path)
    return path


def _asked(*words: str) -> tuple[int, str]:
    """The command in this process: its exit status and what it printed, or what a person would be told."""
    done = CliRunner().invoke(impact, list(words))
    if isinstance(done.exception, UsageError):
        return 1, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_the_command_says_what_the_estimators_say(file: Path, tmp_path: Path) -> None:
    """In a process of its own, with nothing set up: no store is needed, and none is made."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = [Path(sys.executable).parent / "innerloop-collector", "impact", "--from", file, "--date", "2026-03-02", *_SIDES, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    expected = duration(panel(_WORLD, 1), question(_WORLD))

    assert (0, "") == (done.returncode, done.stderr)
    answer = json.loads(done.stdout)
    assert isinstance(expected, Estimate)
    headline = answer["headline"]
    assert (headline["kind"], headline["label"], headline["exposure"]) == ("estimate", "effect", "by date")
    assert [headline[name] for name in ("value", "low", "high", "p")] == pytest.approx(
        [expected.value, expected.low, expected.high, expected.p], rel=1e-6
    )
    assert answer["verdict"].startswith("build, provision, deploy became ")
    assert not list(tmp_path.iterdir())


def test_weeks_by_number_and_by_date_are_the_same_weeks(file: Path) -> None:
    by_date, by_week = (
        json.loads(_asked("--from", str(file), *when, *_SIDES, "--json")[1]) for when in (["--date", "2026-03-02"], ["--week", "8"])
    )

    assert by_date["duration"]["value"] == pytest.approx(by_week["duration"]["value"])
    assert [gap["week"] for gap in by_date["duration"]["gaps"]] == list(range(-8, 4))


def test_no_answer_names_a_developer_or_holds_anything_of_one(file: Path) -> None:
    code, text = _asked("--from", str(file), "--week", "8", *_SIDES, "--json")

    assert code == 0
    assert "person-" not in text
    document = json.loads(text)
    assert len(text) < 40_000
    assert {
        "headline",
        "duration",
        "same_work",
        "by_exposure",
        "per_exposed",
        "failures",
        "usage",
        "adoption",
        "saved",
        "robustness",
    } < set(document)


def test_text_says_the_verdict_first_and_what_it_rests_on(file: Path) -> None:
    code, text = _asked("--from", str(file), "--week", "8", *_SIDES)

    assert code == 0
    assert "faster" in text.splitlines()[0]
    assert "controls against controls" in text
    assert "has not reached every checkout" in text


def test_beforehand_it_says_what_would_show(file: Path) -> None:
    assert "would show in 80 of 100 such teams" in _asked("--from", str(file), "--week", "8", *_SIDES, "--beforehand")[1]
    assert "cannot tell beforehand" in _asked("--from", str(file), "--week", "1", *_SIDES, "--beforehand")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--date", "2027-03-01", *_SIDES], "too early"),
        (["--date", "1500-01-01", *_SIDES], "too few weeks before"),
        (["--week", "8", "--treated", "build"], "not known to be an effect"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(file: Path, words: list[str], said: str) -> None:
    code, text = _asked("--from", str(file), *words)

    assert code == 0
    assert said in text.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--week", "8", "--treated", "compile"], 1, "the file holds no target 'compile'"),
        (["--week", "8", "--treated", "build", "--control", "build"], 1, "treated and a control at once"),
        (["--week", "8", "--treated", "build", "--by-project"], 1, "projects are named"),
        (["--week", "8"], 2, "say what the change affects"),
        (["--week", "8", "--treated", "build", "--metric", "failed_checks"], 2, "say which targets are checks"),
        (["--treated", "build"], 2, "either --date YYYY-MM-DD or --week N"),
        (["--date", "soon", "--treated", "build"], 2, "is no day"),
        (["--week", "8", "--treated", "build", "--looks", "0"], 2, "0 is not in the range"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_in_one_line(file: Path, words: list[str], code: int, said: str) -> None:
    status, text = _asked("--from", str(file), *words)

    assert status == code
    assert said in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"user": None}, "has no column user"),
        ({"week": None}, "has no column week"),
        ({"duration_ms": ["fast"] * 3}, "the column duration_ms holds string, and numbers are needed"),
        ({"week": [1.5] * 3}, "the column week holds double, and whole numbers are needed"),
        ({"exposed": ["yes"] * 3}, "the column exposed holds string, and true or false"),
        ({"exposed": [1, 0, 2]}, "the column exposed holds a number that is neither 0 nor 1"),
        ({"work": [1.5, 1.0, 2.0]}, "the column work holds a number that is not whole"),
        ({"user": pa.nulls(3)}, "the column user holds null"),
        ({"week": [202551, 202552, 202601]}, "holds 202551 to 202601, which look like years and weeks"),
        ({"user": ["a", None, "b"]}, "runs.parquet: the column user holds 1 missing values"),
        ({"duration_ms": [1.0, float("nan"), 2.0]}, "runs.parquet: the column duration_ms holds a number that is missing"),
        ({"duration_ms": [1.0, -1.0, 2.0]}, "ms holds a number that is missing, infinite or negative"),
        ({"outcome": ["succeeded", "broke", "failed"]}, "runs.parquet: the column outcome holds 'broke'"),
        ({"week": [0, 1, 10_000]}, "weeks apart"),
        ({"work": [-5, 1, 1]}, "work holds a number below -1"),
        ({name: [] for name in ("user", "target", "week", "duration_ms", "outcome")}, "holds no run"),
    ],
)
def test_a_file_that_is_not_as_documented_is_refused_in_one_line(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    good = {
        "user": ["a", "b", "c"],
        "target": ["x", "x", "y"],
        "week": [0, 1, 2],
        "duration_ms": [1.0, 2.0, 3.0],
        "outcome": ["succeeded"] * 3,
    }
    columns = {name: column for name, column in {**good, **changed}.items() if column is not None}
    pq.write_table(pa.table(columns), tmp_path / "runs.parquet")
    if said == "holds no run":
        empty = pa.table(good).slice(0, 0)
        pq.write_table(empty, tmp_path / "runs.parquet")

    with pytest.raises(UsageError, match=said) as told:
        read_runs(tmp_path / "runs.parquet", 1)
    assert "\n" not in str(told.value)


def test_a_file_as_other_tools_write_it_says_the_same(tmp_path: Path) -> None:
    """Whole numbers among which some are missing as floats, 1 and 0 for true and false, decimals, views of text, columns of nothing, and times as text."""
    plain = {
        "user": ["a", "b", "c"], "target": ["x", "x", "y"], "week": [0, 1, 2], "duration_ms": [1.5, 2.0, 3.0], "outcome": ["succeeded"] * 3,
        "work": [1, None, 2], "exposed": [True, False, None], "waiting": [True, True, False],
    }  # fmt: skip
    other = {
        **plain, "target": pa.array(plain["target"], pa.string_view()), "duration_ms": pa.array([Decimal("1.5"), Decimal(2), Decimal(3)], pa.decimal128(9, 3)),
        "work": [1.0, float("nan"), 2.0], "exposed": [1, 0, None], "waiting": [1, 1, 0], "time": ["monday"] * 3,
    }  # fmt: skip
    for name, columns in (("plain", plain), ("other", other), ("nothing", {**plain, "work": pa.nulls(3), "exposed": pa.nulls(3)})):
        pq.write_table(pa.table(columns), tmp_path / name)

    one, two, none = (read_runs(tmp_path / name, 1).panel for name in ("plain", "other", "nothing"))

    for column in fields(one):
        assert getattr(one, column.name).tolist() == getattr(two, column.name).tolist()
    assert (set(none.work.tolist()), set(none.exposed.tolist())) == ({-1}, {-1})
    with pytest.raises(UsageError, match="the column time holds string"):
        read_runs(tmp_path / "other", 1, by_exposure=True)


def test_what_is_no_parquet_file_is_refused_in_one_line(tmp_path: Path, file: Path) -> None:
    (tmp_path / "text").write_text("user,target\n")
    (tmp_path / "cut").write_bytes(file.read_bytes()[:-20])
    torn = bytearray(file.read_bytes())
    torn[200:2000] = bytes(1800)
    (tmp_path / "torn").write_bytes(torn)

    for name in ("text", "cut", "torn"):
        with pytest.raises(UsageError, match=r"cannot be read as Parquet|missing values|holds") as told:
            read_runs(tmp_path / name, 1)
        assert "\n" not in str(told.value)
    with pytest.raises(UsageError, match="is no file"):
        read_runs(tmp_path, 1)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Twenty-one million runs in a few kilobytes: all of them alike."""
    pq.write_table(pa.table({"user": np.zeros(21_000_000, dtype=np.int8)}), tmp_path / "runs.parquet")

    with pytest.raises(UsageError, match="21000000 runs, and 20000000 are the most"):
        read_runs(tmp_path / "runs.parquet", 1)


def test_names_and_numbers_serve_alike(tmp_path: Path) -> None:
    """Numbers as names of developers and targets, dates without a time, and a zone that is not UTC."""
    columns = _columns()
    numbered = {**columns, "user": [int(name.split("-")[1]) for name in columns["user"]], "time": [one.date() for one in columns["time"]]}
    pq.write_table(pa.table(columns).drop_columns(["work"]), tmp_path / "named.parquet")
    pq.write_table(pa.table(numbered).drop_columns(["work"]), tmp_path / "numbered.parquet")
    since = datetime(2026, 3, 2, tzinfo=UTC).date()

    named, other = (read_runs(tmp_path / name, since) for name in ("named.parquet", "numbered.parquet"))

    assert named.targets == other.targets
    assert named.panel.runs.sum() == other.panel.runs.sum()
    assert sorted(set(named.panel.week.tolist())) == list(range(-8, 4))
