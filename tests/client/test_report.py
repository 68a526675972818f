"""The developer's own week: exact, complete, compared with the week before, and for nobody else."""

import json
import re
import time
import uuid

import pytest

from tests.client.people import DAY, Developer
from tests.client.recorder import Recorder
from tests.client.target_logs import HandMade


def remember(developer: Developer, name: str, days_ago: float, waited: float, status: int | None = 0, actor: str = "human") -> None:
    """As if a run had been recorded a while ago (`waited` in s)."""
    entry = [str(uuid.uuid4()), name, "make", time.time() - days_ago * DAY, int(waited * 1000), status, actor, "1", False, "no"]
    with (developer.spool / "history").open("a") as file:
        file.write("\n" + json.dumps(entry) + "\n")


def two_weeks(developer: Developer) -> None:
    for day in range(3):
        remember(developer, "test", day + 0.5, 20, status=1 if day == 0 else 0)
    remember(developer, "build", 1.5, 90)
    remember(developer, "build", 2.5, 30, status=-2)
    remember(developer, "test", 8, 10)
    remember(developer, "test", 9, 20, status=2)
    remember(developer, "gone", 10, 500)
    remember(developer, "test", 15, 1000)


def test_the_week_is_compared_with_the_week_before(agreed: Developer) -> None:
    two_weeks(agreed)
    report = agreed.innerloop("report", "--json").json
    rows = {line.pop("name"): line for line in report["commands"]}

    assert list(rows) == ["build", "test"], "the most waited for comes first"
    assert rows["test"] == {
        "runs": 3, "failed": 1, "interrupted": 0, "waited_ms": 60_000, "median_ms": 20_000,
        "runs_before": 2, "failed_before": 1, "waited_before_ms": 30_000,
    }  # fmt: skip
    assert rows["build"] == {
        "runs": 2, "failed": 0, "interrupted": 1, "waited_ms": 120_000, "median_ms": 60_000,
        "runs_before": 0, "failed_before": 0, "waited_before_ms": 0,
    }  # fmt: skip


def test_the_report_says_it_in_a_sentence_and_fits_80_columns(agreed: Developer) -> None:
    two_weeks(agreed)
    remember(agreed, "a-very-long-target-name-that-nobody-should-have-chosen", 1, 36_000)
    said = agreed.innerloop("report").out

    assert "You waited 10.1 h, 10.0 h more than in the 7 days before; 1 of 6 runs failed (before: 1 of 2)." in " ".join(said.split())
    assert max(len(line) for line in said.splitlines()) <= 80
    assert said.splitlines()[-1].split() == ["total", "6", "1", "1", "10.1", "h", "2", "1", "30.0", "s"]


def test_a_command_and_a_goal_of_one_name_are_two_rows(agreed: Developer) -> None:
    for words in (["make", "test"], ["make", "test"], ["test", "x"], ["make", "build"]):
        agreed.run(*words)
    report = agreed.innerloop("report", "--json").json

    assert {line["name"]: line["runs"] for line in report["commands"]} == {"make test": 2, "test": 1, "build": 1}


def test_a_make_that_only_says_what_it_would_do_is_no_run(agreed: Developer) -> None:
    agreed.run("make", "test")
    for words in (["make", "-n", "test"], ["make", "--question", "test"], ["make", "-t", "test"], ["make", "--version"]):
        agreed.run(*words)
    agreed.run("make", "test", env={"MAKEFLAGS": "n"})
    report = agreed.innerloop("report", "--json").json

    assert {line["name"]: line["runs"] for line in report["commands"]} == {"test": 1}


def test_a_first_week_claims_no_comparison(agreed: Developer) -> None:
    agreed.run("make", "test")

    assert "Nothing is known about the 7 days before." in " ".join(agreed.innerloop("report").out.split())


def test_runs_of_agents_and_ci_are_counted_apart(agreed: Developer) -> None:
    agreed.run("make", "test")
    agreed.run("make", "test", env={"AI_AGENT": "1"})
    agreed.run("make", "build", env={"AI_AGENT": "1"})
    report = agreed.innerloop("report", "--json").json

    assert ([(line["name"], line["runs"]) for line in report["commands"]], report["runs_of_others"]) == ([("test", 1)], 2)
    assert "Not in these figures: 2 runs of coding agents or CI jobs" in agreed.innerloop("report").out


def test_what_was_typed_is_in_the_report_and_only_there(agreed: Developer, server: Recorder) -> None:
    agreed.run("true", name="my own name")
    agreed.flush()

    assert "my own name" in agreed.innerloop("report").out
    assert b"my own name" not in server.bytes


def test_a_run_that_ended_unknown_is_neither_a_failure_nor_a_wait(agreed: Developer) -> None:
    remember(agreed, "test", 1, 0, status=None)
    (line,) = agreed.innerloop("report", "--json").json["commands"]

    assert (line["runs"], line["failed"], line["waited_ms"]) == (1, 0, 0)


def test_the_targets_that_took_longest_are_named_with_their_directories(agreed: Developer) -> None:
    del agreed.env["INNERLOOP_PROBE"]
    (agreed.directory / "sub").mkdir()
    (agreed.directory / "Makefile").write_text("test: quick\n\t@$(MAKE) -C sub slow\nquick:\n\t@true\n")
    (agreed.directory / "sub" / "Makefile").write_text("slow:\n\t@sleep 0.5\n")
    for env in ({}, {}, {"AI_AGENT": "1"}):
        agreed.run("make", "test", env=env)
    first, *others = agreed.innerloop("report", "--json").json["slowest_targets"]

    assert (first["name"], first["runs"]) == ("sub:slow", 2), "an agent's run is not mine"
    assert first["own_ms"] >= 1000
    assert all(one["own_ms"] < first["own_ms"] / 2 for one in others), "what `test` waited for its sub-make is not counted again"
    assert re.search(r"Slowest targets: sub:slow (?:\d\.\d\d s|\d+ ms) own in 2 runs, ", agreed.innerloop("report").out)


def test_a_week_without_target_logs_names_no_targets(agreed: Developer) -> None:
    two_weeks(agreed)

    assert "Slowest targets" not in agreed.innerloop("report").out


def test_report_and_timeline_tell_the_same_times_by_the_same_words(agreed: Developer) -> None:
    """One word each, in text and in JSON: own, and total where that is another."""
    book = HandMade()
    outer = book.line("deps", 0, 600, 2)
    book.line("inner", 100, 300, 1, under=outer, make=20)
    remember(agreed, "all", 0.01, 0.6, status=2)
    run = json.loads((agreed.spool / "history").read_text().splitlines()[-1])[0]
    (agreed.spool / "targets" / run).write_bytes(book.data)
    (agreed.spool / "targets" / run).chmod(0o600)
    shown = {one["name"]: one for one in agreed.innerloop("timeline", "--json").json["targets"]}
    told = {one["name"].rpartition(":")[2]: one for one in agreed.innerloop("report", "--json").json["slowest_targets"]}
    assert {"deps": (400, 600), "inner": (200, 200)} == {name: (one["own_ms"], one["total_ms"]) for name, one in told.items()}
    assert {"deps": (400, 600), "inner": (200, 200)} == {name: (one["own_ms"], one["total_ms"]) for name, one in shown.items()}
    lines = [line.split() for line in agreed.innerloop("timeline").out.splitlines()]
    said = " ".join(agreed.innerloop("report").out.split())

    assert ["target", "total", "own", "exit"] in [line[:4] for line in lines]
    assert ["deps", "600", "ms", "400", "ms", "2"] in [line[1:7] for line in lines]
    assert ["inner", "200", "ms", "200", "ms", "1"] in [line[1:7] for line in lines]
    assert "deps 400 ms own, 600 ms total in 1 run" in said
    assert "inner 200 ms own in 1 run" in said


def test_weeks_stand_one_below_the_other_by_the_calendar_the_running_one_last(agreed: Developer) -> None:
    for days_ago, waited, status in ((0, 10, 0), (7, 20, 1), (7, 40, -2), (21, 5, 0)):
        remember(agreed, "test", days_ago, waited, status)
    weeks = agreed.innerloop("report", "--weeks", "53", "--json").json["weeks"]
    shown = agreed.innerloop("report", "--weeks", "2").out.splitlines()

    assert [1, 0, 2, 1] == [one["others"] for one in weeks], "from the first one on in which anything ran"
    assert [5_000, 0, 60_000, 10_000] == [one["waited_ms"] for one in weeks]
    assert (1, 1, 30_000) == tuple(weeks[2][key] for key in ("others_failed", "interrupted", "median_ms"))
    assert ["week", "of", "runs", "failed", "stopped", "median", "waited"] == shown[2].split()
    assert shown[-2].split()[3:] == ["2", "1", "1", "30.0", "s", "1.0", "min"]
    assert "(now)" in shown[-1]
    assert len(shown) == 5


def test_since_a_day_is_compared_with_as_long_a_time_before(agreed: Developer) -> None:
    two_weeks(agreed)
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() - 5 * DAY))
    said = agreed.innerloop("report", "--since", day)
    document = agreed.innerloop("report", "--since", day, "--json").json

    assert "in the days before; 1 of 5 runs failed" in " ".join(said.out.split())
    assert "your days since " in said.out
    assert (day, 5) == (document["since"], sum(one["runs"] for one in document["commands"]))


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--since", "2001-01-01"], 1), (["--since", "9999-01-01"], 1), (["--since", "1.1.2026"], 2), (["--since", "2026-13-01"], 2),
        (["--weeks", "0"], 2), (["--weeks", "54"], 2), (["--weeks", "2", "--days", "3"], 2),
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_refused_in_a_sentence(agreed: Developer, words: list[str], status: int) -> None:
    assert (status, "") == agreed.innerloop("report", *words)[:2]


def test_weeks_of_an_empty_history_are_one_sentence(agreed: Developer) -> None:
    said = agreed.innerloop("report", "--weeks", "4")

    assert (0, "", 1) == (said.status, said.out, said.err.count("\n"))
