"""A verdict is published once per registered look, says nothing of one person, and nothing that is lost or asked again makes another one."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.query.verdicts import looks
from innerloop_collector.query.verdicts.looks import Change, Name
from innerloop_collector.reports.planned_looks import refused_looks
from innerloop_collector.terminal.impact import render, render_all
from tests.conftest import ROOT

DAY = date(2030, 3, 18)
Answer = dict[str, Any]


def run(scenario: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.evidence.judged_store", scenario, str(directory)],
        check=False,
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=300,
    )


def answer(scenario: str, directory: Path) -> Answer:
    done = run(scenario, directory)
    assert 0 == done.returncode, done.stderr
    found: Answer = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """Several projects, until three months after their changes."""
    return answer("everything", tmp_path_factory.mktemp("store"))


def finding(verdict: Mapping[str, Any], metric: str = "duration", by: str = "by date", work: str = "as felt") -> Mapping[str, Any]:
    (found,) = (one for one in verdict["findings"] if (one["metric"], one["by"], one["work"]) == (metric, by, work))
    return dict(found)


def test_each_look_is_published_when_it_is_due_and_never_again(store: Answer) -> None:
    assert [] == store["due"], "the last week is closed two days after its end"
    assert [(1, "2030-04-17"), (2, "2030-05-15")] == [(one["look"], one["made"]) for one in store["acme cache"]]
    assert ["verdict/cache/1", "verdict/few/1", "verdict/same-week/1", "verdict/cache/1", "verdict/cache/2", "verdict/few/2"] == store[
        "units"
    ]
    assert [] == store["again"]
    assert ["acme", "cache"] in store["closed"], "a record is closed once somebody looked"


def test_a_verdict_has_the_truth_within_its_interval_as_felt_and_for_the_same_work(store: Answer) -> None:
    for one in store["acme cache"]:
        for work in ("as felt", "same work"):
            found = finding(one, work=work)
            assert ("faster", "effect", 0.975) == (found["verdict"], found["label"], found["confidence"])
            assert found["low"] < -30 < found["high"] < 0
        assert (0.0 < one["saved_low"] < one["saved"] < one["saved_high"], one["developers"]) == (True, [20, 24])
        assert 1 == one["placebos"]["rank"]


def test_where_checkouts_got_it_one_after_the_other_both_are_told_each_with_its_label(store: Answer) -> None:
    (one,) = store["late cache"]
    diluted, exposed = finding(one), finding(one, by="by exposure")
    assert exposed["low"] < -30 < exposed["high"] < 0
    assert diluted["percent"] > exposed["percent"]
    assert 0.5 < one["exposed"] < 0.9
    assert one["where_exposed"]["low"] < -30 < one["where_exposed"]["high"]


def test_of_each_developer_and_command_the_first_run_with_the_change_is_known(store: Answer) -> None:
    firsts = store["firsts"]
    assert firsts["runs"] == firsts["pairs"] > 1.5 * firsts["developers"]


def test_no_week_is_told_of_twice(store: Answer) -> None:
    weeks = [gap["week"] for one in store["acme cache"] for gap in one["gaps"]]
    assert (16, 16) == (len(weeks), len(set(weeks)))


def test_a_look_too_near_another_one_at_the_same_command_is_refused_with_which_and_when(store: Answer) -> None:
    (one,) = store["acme same-week"]
    assert ([], [], None, ["cache"]) == (one["findings"], one["gaps"], one["developers"], one["at_once"])
    said = "look 1 at cache told of the same command or control on 2030-04-17, and two looks lie in different blocks and four weeks apart"
    assert one["refused"] == f"{said}; a new record can be looked at from 2030-05-15 on"


def test_of_fewer_than_eight_developers_nothing_is_told_but_that(store: Answer) -> None:
    for one in store["small few"]:
        assert {"too few developers"} == {found["verdict"] for found in one["findings"]}
        assert {None} == {found[name] for found in one["findings"] for name in ("percent", "low", "high", "detectable", "bound")}
        assert (None, None, None, []) == (one["developers"], one["saved"], one["placebos"], one["gaps"])


def test_no_id_and_no_number_of_one_developer_is_in_what_is_published(store: Answer) -> None:
    text = store["journal"]
    assert not any(one in text or f"{int(one):x}" in text for one in store["ids"])
    told = {name for line in text.splitlines() for name in _names(json.loads(line.partition(" ")[2]))}
    allowed = (
        "version project unit change title day metric look looks weeks first end made k affected controls refused at_once expected developers findings exposed "
        "completed where_exposed saved saved_low saved_high waited minutes_of placebos control_split drifting gaps by work label verdict percent low high confidence detectable bound reason "
        "warnings week gap dates rank largest"
    )
    assert set() == told - set(allowed.split())


def test_what_could_be_seen_is_told_once_in_a_block_and_coarsely(store: Answer) -> None:
    first, second = store["told"]
    assert first == second, "also after a few days: nobody sees who came in between"
    assert first["percent"] in (5, 6, 8, 10, 12, 16, 20, 24, 32, 40)
    assert store["after"]["unit"] != first["unit"]


def test_only_people_count_and_what_they_waited_for(store: Answer, tmp_path: Path) -> None:
    """CI, agents, tests, runs that are past their time and suspended ones make no difference. Nor does an erasure, to what was published."""
    lonely = answer("alone", tmp_path)
    assert lonely["sums"] == store["sums"]
    assert lonely["before"] == lonely["found"][:1]
    theirs = {one["change"]: one for one in lonely["found"][1:] if one["change"] != "cache"}
    assert {"attack", "other-control"} == theirs.keys()
    for one in theirs.values():  # the same team, with and without somebody: nothing to subtract
        assert ([], "told of the same command or control" in one["refused"]) == (one["findings"], True)
    second = next(one for one in lonely["found"] if one["change"] == "cache" and one["look"] == 2)
    told = {gap["week"] for gap in lonely["before"][0]["gaps"]}
    assert told.isdisjoint(gap["week"] for gap in second["gaps"])


@pytest.mark.parametrize("step", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_killed_while_it_publishes_a_look_is_there_once_and_a_store_without_rows_has_the_same_numbers(tmp_path: Path, step: str) -> None:
    directory = tmp_path / step
    assert -signal.SIGKILL == run("killed", directory).returncode
    found = answer("opened_again", directory)

    assert ([] if step == "after" else [["acme", "verdict/cache/1"]]) == found["published"]
    assert (1, [], [["acme", "cache"]]) == (found["lines"], found["again"], found["closed"])
    (one,) = found["found"]
    assert "faster" == finding(one)["verdict"]
    assert found["restored"] == found["found"]


def test_before_the_first_look_it_says_when_it_is_and_what_could_be_seen(store: Answer) -> None:
    waiting = store["waiting"]
    assert "cache: no verdict yet" == waiting["sentence"]
    assert "first verdict: Wednesday 17 April 2030; so far only changes above 20 % could be seen" == waiting["next"]
    assert "First verdict: Wednesday 17 April 2030; so far only changes above 20 % could be seen." in " ".join(render(waiting).split())


def test_the_verdict_comes_first_and_is_a_sentence(store: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    shown = render(store["reports"]["acme cache"])
    title, empty, sentence, *rest = shown.splitlines()
    assert ("Cache, 2030-03-18", "") == (title, empty)
    assert re.match(r"Build became \d+ % faster \(97\.5 % interval \d+ to \d+ %\), about", sentence)
    assert {"duration, as felt", "duration, same work", "failures", "use", "developers"} <= {
        line.partition("  ")[0].strip() for line in rest
    }
    assert "Look 2 of 2, on 2030-05-15: 8 weeks after, 20 to 24 developers." in shown
    assert "duration, exposed" in render(store["reports"]["late cache"])
    assert "Same-week: look 1 at cache told of the same command or control" in " ".join(render(store["reports"]["acme same-week"]).split())


def test_a_small_team_is_told_that_it_is_too_small(store: Answer) -> None:
    assert "Build: too few developers: too few developers were seen before and after;" in render(store["reports"]["small few"])


def test_the_programme_names_every_change_also_what_nothing_can_be_told_of(store: Answer) -> None:
    shown = " ".join(render_all(store["programme"]).split())
    assert "2 changes, of 1 there is an effect on durations, however unsure; there are too few to say what they come to together." in shown
    assert "cache" in shown
    assert "same-week" in shown


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_nothing_is_wider_than_the_terminal(store: Answer, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    for text in (render(store["reports"]["late cache"]), render_all(store["programme"])):
        assert max(map(len, text.splitlines())) <= columns
        assert "\x1b" not in text


def _names(of: Any) -> set[str]:
    """Every member's name, however deep."""
    if isinstance(of, dict):
        return set(of) | {name for value in of.values() for name in _names(value)}
    return {name for one in of for name in _names(one)} if isinstance(of, list) else set()


# looks, without a store


def change(*, day: date = DAY, weeks: tuple[int, ...] = (4, 8), name: str = "cache", affected: str = "build") -> Change:
    return Change("acme", name, name, day, (Name("acme", affected),), (Name("acme", "lint"),), weeks)


def test_a_look_is_at_whole_weeks_and_due_when_the_last_is_closed() -> None:
    monday, thursday = change(), change(day=DAY + timedelta(days=3))
    assert [date(2030, 4, 17), date(2030, 5, 15)] == [one.due for one in looks.looks_at(monday)]
    assert [date(2030, 4, 24), date(2030, 5, 22)] == [one.due for one in looks.looks_at(thursday)], (
        "the week in which it came counts for nothing"
    )
    assert monday.first == thursday.first == DAY - timedelta(weeks=8)


def test_of_looks_that_were_missed_the_last_one_is_made() -> None:
    assert looks.due(change(), set(), date(2030, 4, 16)) is None
    assert looks.due(change(), set(), date(2030, 4, 17)) == looks.looks_at(change())[0]
    assert looks.due(change(), set(), date(2030, 9, 1)) == looks.looks_at(change())[1]
    assert looks.due(change(), {2}, date(2030, 9, 1)) is None


class Told:
    """A verdict of `build` of a day."""

    def __init__(self, made: date, controls: tuple[tuple[str, str], ...] = ()) -> None:
        self.made = made
        self.affected = (("acme", "build"),)
        self.controls = controls


@pytest.mark.parametrize("days", range(0, 120, 7))
def test_two_looks_at_one_command_lie_in_different_blocks_and_four_weeks_apart(days: int) -> None:
    told, later = Told(date(2030, 4, 17)), date(2030, 4, 17) + timedelta(days=days)
    near = looks.too_near(change(), later, [told]) is not None
    assert near == (days < 28 or block_of(told.made) == block_of(later))
    assert looks.too_near(change(affected="lint"), later, [told]) is None
    assert (looks.too_near(change(affected=""), later, [told]) is not None) == near, "everything that is run holds that command"
    assert near == (later < looks.free_from(told.made))


@pytest.mark.parametrize("begins", range(52))
def test_registering_says_which_looks_will_be_refused_and_when_instead(begins: int) -> None:
    """Whatever it says is what publishing does."""
    asked = change(day=date(2030, 1, 7) + timedelta(weeks=begins))
    first, second = looks.looks_at(asked)
    said = refused_looks(asked, [])
    refused = looks.too_near(asked, second.due, [Told(first.due)]) is not None
    assert refused == (len(said) == 1)
    if refused:
        (weeks,) = map(int, re.findall(r"; (\d+) weeks after it would be told$", said[0]))
        later = change(day=asked.day, weeks=(4, weeks))
        assert ([], True) == (refused_looks(later, []), said[0].startswith(f"the look 8 weeks after it, on {second.due}, will be refused"))


def test_registering_says_whose_look_comes_first() -> None:
    """Of two on one day the name decides, as it does when they are published. Of a change that names other projects the name is not told."""
    mine, later = change(weeks=(4,)), change(name="later", day=DAY + timedelta(weeks=1), weeks=(4,), affected="lint")
    (said,) = refused_looks(mine, [later])
    assert said.startswith("the look at later on 2030-04-24 will be refused if the one at it on 2030-04-17 gives a number")
    (said,) = refused_looks(later, [mine])
    assert said.startswith("the look at it on 2030-04-24 will be refused if the one at cache on 2030-04-17 gives a number")
    assert [] == refused_looks(mine, [change(name="apart", day=DAY + timedelta(weeks=9), weeks=(4,))])
    wide = Change("acme", "wide", "wide", DAY, (Name("acme", "build"), Name("other", "build")), (), (4,))
    assert "a change of other projects" in refused_looks(mine, [wide])[0]


@pytest.mark.parametrize(
    ("affected", "controls", "near"),
    [
        ("test", ("build", "rare"), True),  # their roles are swapped, and one name was added
        ("build", ("docs",), True),
        ("docs", ("test",), True),  # one control serves both
        ("docs", ("rare",), False),
        ("docs", ("",), True),
    ],
)
def test_in_one_block_a_name_is_in_one_comparison_only_on_whichever_side(affected: str, controls: tuple[str, ...], near: bool) -> None:
    told = Told(date(2030, 4, 17), (("acme", "test"),))
    asked = Change("acme", "x", "x", DAY, (Name("acme", affected),), tuple(Name("acme", one) for one in controls), (4,))
    assert near == (looks.too_near(asked, date(2030, 4, 24), [told]) is not None)
    assert near == looks.meet(told, asked) == looks.meet(asked, told)


def test_where_figures_are_open_only_who_agreed_to_that_counts_in_verdicts_and_alerts(tmp_path: Path) -> None:
    found = answer("opened", tmp_path)
    assert found["failed at once"], "some runs of the session must fail as it starts"
    assert {"failures": found["failed at once"]} == found["of a session"], "it fails as it starts or not at all"
    assert ([21, 21], [12, 12]) == (found["closed"], found["open"])
    assert [[], [["0.2", "2030-04-01"]], []] == found["appeared"], "of what appeared the week is told in which k had it, and nobody's day"
    assert "look 1 at a change of other projects told of the same command or control" in found["refused"][0], "its name may tell of them"
