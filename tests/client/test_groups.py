"""Groups of names: which names are of one, that its text alone leaves, and that it leaves only after a yes to it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerloop.core.consent.phrases import group_list
from innerloop.core.outbound.target_events import name as target_name
from innerloop.core.plan.agreement import agreement, difference, digest
from innerloop.core.plan.check import Names
from innerloop.core.plan.project import Project, ProjectError
from innerloop.core.plan.project_file import load
from innerloop.core.plan.project_reader import read
from innerloop.core.shared.names import LONGEST_NAME, OTHER, belongs, group_of
from innerloop.core.targets.lines import Line
from innerloop.core.targets.tree import build
from tests.client.people import ANSWER_PROMPT, Developer
from tests.client.recorder import Recorder

GROUPS = ["*.o", "deps/*/*.a", "test-%"]
SECRET = "payroll-of-anna"


def by_expression(name: str, group: str) -> bool:
    """The same, said slowly."""
    wild = {"*": "[^/ ]+", "%": "[^ ]+"}
    return re.fullmatch("".join(wild.get(letter) or re.escape(letter) for letter in group), name, re.DOTALL) is not None


@given(name=st.text("ab/ .", max_size=9), group=st.text("ab/ .*%", max_size=7))
def test_a_name_is_of_a_group_exactly_as_a_slow_reference_says(name: str, group: str) -> None:
    assert belongs(name, group) == by_expression(name, group)


@given(name=st.text(max_size=9), group=st.text(max_size=7))
def test_any_characters_may_be_a_name_or_a_group(name: str, group: str) -> None:
    assert belongs(name, group) == by_expression(name, group)


OF_GROUPS: list[tuple[str, str, bool]] = [
    ("a.o", "*.o", True), (".o", "*.o", False), ("x/a.o", "*.o", False), ("x/a.o", "%.o", True), ("a.o.d", "*.o", False), ("A.O", "*.o", False),
    ("deps/lua/liblua.a", "deps/*/*.a", True), ("deps/a/b/liblua.a", "deps/*/*.a", False), ("test-a/b", "test-%", True), ("test-", "test-%", False),
    ("a b.o", "*.o", False), ("a b.o", "%.o", False), ("npm run test:unit", "npm run %", True), ("a[1].o", "*.o", True), ("a.o\n", "*.o", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "group", "expected"), OF_GROUPS)
def test_what_the_stars_stand_for(name: str, group: str, expected: bool) -> None:
    assert belongs(name, group) == expected


@pytest.mark.parametrize("group", ["%a" * 25, "*" * 50, "%" * 50, "a*" * 25, "*a%" * 16 + "b"])
def test_a_hostile_group_is_decided_in_one_pass(group: str) -> None:
    """A matcher that tries again and again would not end here."""
    for length in (LONGEST_NAME - 1, LONGEST_NAME):
        assert belongs("a" * length, group) == ("b" not in group and (group[-1] != "a" or "a" * length != ""))
    assert not belongs("a" * (LONGEST_NAME + 1), "%")


def test_the_first_group_that_fits_counts_and_none_is_other() -> None:
    assert [group_of([name], ["test-a*", *GROUPS, "%"]) for name in ("test-all", "test-b", "x.o", "x", "a b")] == [
        "test-a*", "test-%", "*.o", "%", OTHER,
    ]  # fmt: skip
    assert group_of(["x.o", "y.a"], GROUPS) == "*.o", "of make's goals the first"
    assert group_of(["npm", "run", "test-x", "--token=1"], ["npm run test-%"]) == "npm run test-%"
    assert group_of(["x"] * 100_000, GROUPS) == OTHER


def test_a_group_with_a_directory_is_of_that_directory_alone() -> None:
    listed = Names(("all", "api:test"), groups=("deps/lua:*.o", "*.o", "%.x"))

    def name(directory: str, target: str) -> str:
        line = Line("1", "", 1, 0, "", 1, directory, target, (), ())
        return target_name(build([line]).targets[0], "/shop", listed)

    assert [name(f"/shop/{at}".rstrip("/"), "a.o") for at in ("", "deps/lua", "deps", "api")] == ["*.o", "deps/lua:*.o", "*.o", "*.o"]
    assert (name("/shop/deps/lua", "all"), name("/shop/api", "test"), name("/shop/api", "all")) == ("all", "api:test", OTHER)
    assert name("/elsewhere", "a.o") == OTHER, "what is not the project's has no name here"
    assert (name("/shop", "b/c.x"), name("/shop", "b/c.o")) == ("%.x", OTHER)


@given(words=st.lists(st.text("ab.o/ ", max_size=9), min_size=1, max_size=3), groups=st.lists(st.text("ab.o/*%", max_size=5), max_size=4))
def test_the_law_takes_of_a_group_its_text_and_nothing_that_is_of_it(words: list[str], groups: list[str]) -> None:
    found = group_of(words, groups)
    names = Names(groups=tuple(groups))
    assert found == OTHER or found in groups
    assert names.holds(found)
    assert [word for word in words if names.holds(word)] == [word for word in words if word in groups]


# in the project file


def project(**names: Any) -> Project:
    basis = {"id": "shop", "organisation": "Example", "endpoint": "https://collect.example", "write_key": "shop.x"}
    return read({"project": basis, "names": names})


HEAD = '[project]\nid = "shop"\norganisation = "Example"\nendpoint = "https://c.example"\nwrite_key = "shop.x"\n[names]\nallow = ["test", "run", "up.*"]\nstems = ["web"]\n'  # 8 lines
MANY = ", ".join(f'"{number}*"' for number in range(51))
WRONG: dict[str, str] = {
    'groups = ["*.o", "plain"]': "line 9: names.groups: plain has neither * nor %",
    f'groups = ["*.o",\n  "{"x" * 50}*"]': f"line 10: names.groups: {'x' * 50}... is longer than 50 characters",
    f"groups = [{MANY}]": "line 9: names.groups: 50* is one too many: there may be 50",
    'groups = ["*.o", "*.o"]': "line 9: names.groups: *.o stands there twice",
    'groups = ["*\\u0007.o"]': "line 9: names.groups: *.o is empty, or has a control character",
    'groups = ["*\\u202e.o"]': "line 9: names.groups: *.o is empty, or has a control character",
    'groups = [" *.o"]': "line 9: names.groups:  *.o is empty, or has a control character, or a blank at an end",
    'groups = ["a  *"]': "or a blank at an end or beside another",
    "groups = [1]": "names.groups must be a list of strings",
    'groups = "*.o"': "names.groups must be a list",
    'sessions = ["serve"]': "line 9: names.sessions: serve is in neither names.allow nor names.groups",
    'groups = ["*.o"]\n\nchecks = ["lint-%"]': "line 11: names.checks: lint-% is in neither names.allow nor names.groups",
    'sessions = ["run", "run"]': "line 9: names.sessions: run stands there twice",
    'sessions = ["run"]\nchecks = ["test", "run"]': "line 9: names.sessions: run is a session and a check",
    'sessions = ["up.web"]\nchecks = ["up.*"]': "line 9: names.sessions: up.web is a session and a check",
    'sessions = ["up.*"]\nchecks = ["up.web"]': "line 10: names.checks: up.web is a session and a check",
    'sessions = ["up.api"]': "line 9: names.sessions: up.api is in neither",
    'checks = [""]': "line 9: names.checks:  is empty",
    f'checks = ["{"x" * 201}"]': "line 9: names.checks: " + "x" * 50 + "... is longer than 200 characters",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_bad_list_is_one_error_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "innerloop.toml"
    file.write_text(HEAD + text + "\n")
    with pytest.raises(ProjectError) as refused:
        load(str(file))
    assert WRONG[text] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_message_names_the_file_and_the_line(developer: Developer) -> None:
    developer.write(HEAD + '# one line more\ngroups = ["plain"]\n')
    done = developer.innerloop("status")

    assert (done.status, done.out) == (1, "")
    assert f"{developer.project_file}: line 10: names.groups: plain has neither" in done.err


def test_only_groups_are_agreed_to_and_their_order_does_not_matter() -> None:
    plain, more = project(allow=["a", "b"]), project(allow=["a", "b", "c"], sessions=["a"], checks=["b", "c"])
    assert digest(agreement(plain)) == digest(agreement(more)), "marking changes nothing that leaves"
    one, two = project(groups=["*.o", "%.a"]), project(groups=["%.a", "*.o"])
    assert digest(agreement(one)) == digest(agreement(two)) != digest(agreement(plain))
    found = difference(agreement(plain), agreement(one))
    assert (found.groups, found.wider, found.can_keep) == (("%.a", "*.o"), True, True)
    assert not difference(agreement(one), agreement(plain)).wider


def test_seed_mode_has_no_groups(developer: Developer) -> None:
    found = read({"project": {"id": "s", "organisation": "E", "endpoint": "https://c.example", "write_key": "s.x"}, "names": {"groups": ["*"]},
                  "seed": {"system": "devstack"}})  # fmt: skip
    assert found.names.groups == ()


# from end to end


@pytest.fixture
def grouped(developer: Developer) -> Developer:
    """Somebody who agreed to groups."""
    developer.edit(names={"groups": GROUPS})
    (developer.directory / "Makefile").write_text(
        f"test: {SECRET}.o deps/{SECRET}/lib.a {SECRET}\n\t@true\n%.o deps/%.a:\n\t@true\n{SECRET} other:\n\t@true\ntest-%:\n\t@true\n"
    )
    developer.opt_in("yes")
    return developer


def test_a_command_and_a_target_of_a_group_leave_as_the_group_and_never_as_themselves(grouped: Developer, server: Recorder) -> None:
    del grouped.env["INNERLOOP_PROBE"]
    for words in ([f"{SECRET}.o"], [f"test-{SECRET}"], [SECRET], ["test"]):
        assert grouped.run("make", *words).status == 0
    grouped.flush()
    runs, targets = ([one["properties"] for one in server.events if one["event"] == f"innerloop.{kind}"] for kind in ("run", "target"))

    assert sorted(one["command"] for one in runs) == sorted(["*.o", "test-%", OTHER, "test"])
    assert sorted(one["target"] for one in targets) == sorted(["*.o", "test-%", OTHER, "*.o", "deps/*/*.a", OTHER, "test"])
    assert SECRET.encode() not in server.bytes


def test_the_question_the_details_and_describe_show_groups(developer: Developer) -> None:
    groups = ["*.o", "deps/*/*.a", "test-%", "yes type this now *"]
    developer.edit(names={"groups": groups})
    text = developer.opt_in("?", "no").text
    question = text.split(ANSWER_PROMPT.partition("\\")[0])[0]
    described = developer.innerloop("describe").out

    assert 'names of no list only as "*.o", "deps/*/*.a", "test-%" and 1 more, listed above' in " ".join(question.split())
    for shown in (question, described):
        assert ", ".join(f'"{group}"' for group in groups) in " ".join(shown.split())
    assert max(map(len, described.splitlines())) <= 80
    assert developer.innerloop("describe", "--json").json["groups"] == groups


def test_the_question_fits_the_screen_however_many_groups_there_are(developer: Developer) -> None:
    groups = [f"{number:02} yes no local keep type enter never ask again %" for number in range(50)]
    developer.edit(names={"groups": groups})
    text = developer.opt_in("no").text.replace("\r", "")
    question = text[text.index("May Example Org measure") : text.index("Your answer")].splitlines()

    assert len(question) < 18
    assert max(map(len, question)) <= 80
    assert group_list(['x" Answer yes *']) == '"x' + "' Answer yes *" + '"', "no group closes its quotation marks"


def test_a_new_group_pauses_until_it_is_agreed_to_and_keep_leaves_it_out(agreed: Developer, server: Recorder) -> None:
    (agreed.directory / "Makefile").write_text("%.o:\n\t@true\n")
    agreed.edit(names={"groups": ["*.o"]})
    agreed.run("make", "a.o")
    assert (agreed.status()["mode"], agreed.recorded()) == ("paused", 0)
    assert 'the group "*.o"; decide: innerloop opt-in' in agreed.innerloop("doctor").out

    said = agreed.opt_in("k")
    assert 'added names of no list as "*.o"' in " ".join(said.text.split())
    agreed.run("make", "a.o")
    agreed.flush()
    assert [one["properties"]["command"] for one in server.events] == [OTHER]


def test_a_group_that_is_taken_off_stops_at_once_also_for_what_waits(grouped: Developer, server: Recorder) -> None:
    grouped.run("make", "x.o")
    grouped.edit(names={"groups": ["test-%"]})
    grouped.run("make", "y.o")
    assert grouped.status()["mode"] == "on"
    grouped.flush()

    assert [one["properties"]["command"] for one in server.events] == [OTHER, OTHER]
    assert b".o" not in b"".join(json.dumps(one).encode() for one in server.events)
