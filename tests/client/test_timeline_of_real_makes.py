"""Real makes, seen by the real probe: what `innerloop timeline` says of them."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.client.people import Developer, eventually

# Recipes that must run side by side wait for each other, so that nothing here depends on how fast the machine is.
TOP = """\
all: prep libs last
libs: one two
prep:
\t@true
\t-@false
\t@true
one two: prep
\t@$(MAKE) -C sub $@
last: one two
\t@sh -c 'cd sub && make quick'
broken: ; @$(MAKE) -C sub deep
careless: ; -@$(MAKE) -C sub fails
\t@true
after: careless ; @exit 4
norule: prep missing
keep: fails fine
fails: ; @exit 3
fine: ; @true
pair: left right
left: ; @echo > left; until test -e right; do sleep 0.01; done; sleep 0.2
right: ; @echo > right; until test -e left; do sleep 0.01; done; exit 5
killed: ; @kill -9 $$$$
long: ; @echo > started; sleep 30
idle:
shot: ; @kill -9 $$PPID
outlived: ; @sed -n 's/^PPid:[^0-9]*//p' /proc/$$PPID/status > make; echo > started; until test -e go; do sleep 0.01; done; echo > gone
"""
SUB = """\
one: a b ; @true
two: c ; @true
a: ; @echo > a.there; until test -e c.there; do sleep 0.01; done
b c: ; @echo > $@.there
quick deep/x: ; @true
fails: ; @exit 7
deep: ; @$(MAKE) -f Makefile fails
"""


@pytest.fixture
def builder(agreed: Developer) -> Developer:
    """Somebody whose Makefile calls make again."""
    del agreed.env["INNERLOOP_PROBE"]
    (agreed.directory / "Makefile").write_text(TOP)
    (agreed.directory / "sub").mkdir()
    (agreed.directory / "sub" / "Makefile").write_text(SUB)
    return agreed


def seen(developer: Developer, *words: str, **options: Any) -> dict[str, Any]:
    """Run make and return what is known of it."""
    developer.run("make", *words, **options)
    document: dict[str, Any] = developer.innerloop("timeline", "--json").json
    assert document["unreadable_records"] == 0
    assert document["problem"] == ""
    return document


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in document["targets"]}


def first(document: dict[str, Any]) -> str:
    place = document["first_failure"]
    return "" if place is None else str(document["targets"][place]["name"])


def above(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Every target with its directory and the one above it."""
    targets = document["targets"]
    return {(one["name"], Path(one["directory"]).name, "" if one["parent"] is None else targets[one["parent"]]["name"]) for one in targets}


def test_a_recursive_parallel_build_is_one_tree(builder: Developer) -> None:
    document = seen(builder, "-j3", "all")
    targets = {(one["name"], one["parent"] is None): one for one in document["targets"]}

    assert above(document) == {
        ("prep", "shop", ""), ("one", "shop", ""), ("two", "shop", ""), ("last", "shop", ""),
        ("a", "sub", "one"), ("b", "sub", "one"), ("one", "sub", "one"), ("c", "sub", "two"), ("two", "sub", "two"), ("quick", "sub", "last"),
    }  # fmt: skip
    assert set(outcomes(document).values()) == {"done"}, "the error in the middle of `prep` was ignored"
    assert targets["prep", True]["lines"] == 3
    assert targets["one", False]["prerequisites"] == ["a", "b"]
    assert targets["last", True]["prerequisites"] == ["one", "two"], "a recursive make without a shell's help, and one out of a script"
    assert (len(document["makes"]), document["exit_status"]) == (4, 0)
    assert document["lanes"] >= 2, "`a` waited for `c`"
    for one in document["targets"]:
        if one["parent"] is not None:
            parent = document["targets"][one["parent"]]
            assert parent["offset_ms"] <= one["offset_ms"]
            assert one["offset_ms"] + one["total_ms"] <= parent["offset_ms"] + parent["total_ms"] + 0.01
    path = [document["targets"][place]["name"] for place in document["critical_path"]["targets"]]
    assert (path[0], path[-2:]) == ("prep", ["last", "quick"])
    assert 0 < document["critical_path"]["duration_ms"] <= document["duration_ms"]


def test_the_innermost_failure_is_the_first(builder: Developer) -> None:
    document = seen(builder, "broken")

    assert (first(document), outcomes(document)) == ("fails", {"broken": "failed", "deep": "failed", "fails": "failed"})
    shown = builder.innerloop("timeline").out
    assert "First failure: fails in sub, exit status 7, " in shown
    assert shown.startswith("make broken: failed with exit status 2 after ")


def test_what_a_dash_in_front_of_a_sub_make_ignores_is_no_failure(builder: Developer) -> None:
    document = seen(builder, "after")

    assert (first(document), outcomes(document)) == ("after", {"careless": "done", "fails": "ignored", "after": "failed"})


@pytest.mark.parametrize(
    ("words", "failure", "status"),
    [
        pytest.param(("norule",), "", 2, id="a missing rule"),
        pytest.param(("keep",), "fails", 2, id="a failure"),
        pytest.param(("-k", "keep"), "fails", 2, id="a failure under -k"),
        pytest.param(("-i", "keep"), "", 0, id="a failure under -i"),
        pytest.param(("-j2", "pair"), "right", 2, id="a failure beside a target that goes on"),
        pytest.param(("killed",), "killed", 2, id="a line that was killed"),
    ],
)
def test_make_and_the_timeline_agree_on_what_failed(builder: Developer, words: tuple[str, ...], failure: str, status: int) -> None:
    document = seen(builder, *words)

    assert (document["exit_status"], first(document)) == (status, failure)
    assert document["targets"], "the probe was there"


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ("nosuch", "No recipe ran: make failed before the first one, as it does with a missing rule."),
        ("idle", "No recipe ran: there was nothing to do."),
        ("shot", "1 target never ended: it was killed."),
    ],
)
def test_a_run_without_a_failed_target_is_told_as_what_it_was(builder: Developer, goal: str, says: str) -> None:
    builder.run("make", goal)

    assert builder.innerloop("timeline").out.splitlines()[1].endswith(says) or says in builder.innerloop("timeline").out.splitlines()


def test_a_make_that_was_killed_took_as_long_as_it_lived_and_what_outlives_it_adds_nothing(builder: Developer) -> None:
    process = builder.start(builder.command, "run", "--", "make", "outlived")
    assert eventually((builder.directory / "started").exists)
    os.kill(int((builder.directory / "make").read_text()), signal.SIGKILL)
    process.wait()
    early = [builder.innerloop("timeline", *words).json for words in (("--json",), ("--list", "--json"))]
    time.sleep(0.5)
    (builder.directory / "go").touch()
    assert eventually((builder.directory / "gone").exists)
    time.sleep(0.5)  # what would be written of its end is written right after it
    late = [builder.innerloop("timeline", *words).json for words in (("--json",), ("--list", "--json"))]

    assert early == late
    assert len({one["duration_ms"] for one in (early[0], *early[1])}) == 1
    assert early[0]["exit_status"] == -9


def test_a_target_that_runs_is_seen_while_it_runs(builder: Developer) -> None:
    process = builder.start(builder.command, "run", "--", "make", "long")
    assert eventually((builder.directory / "started").exists)
    shown = builder.innerloop("timeline").out
    process.terminate()
    process.wait()
    stopped = builder.innerloop("timeline").out

    assert shown.startswith("make long: still running, so far ")
    assert " > long " in shown
    assert stopped.startswith("make long: stopped by SIGTERM after ")
    assert " x long " in stopped
