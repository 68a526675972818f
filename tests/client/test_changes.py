"""Which open changes a checkout has: it leaves only after a yes to it, by listed names alone, and costs few system calls after the spawn."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from innerloop.core.plan.agreement import agreement, digest
from innerloop.core.plan.check import Names, conforms
from innerloop.core.plan.project import ProjectError
from innerloop.core.plan.project_file import load
from innerloop.core.plan.project_reader import read
from innerloop.core.plan.tracking import PLAN
from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.client.test_plan import devstack, project
from tests.needs import need

ON = {"changes": True}
OPEN = ["shared-cache", "new-guide"]
FOLDER = "innerloop-changes"


@pytest.fixture
def following(developer: Developer) -> Developer:
    """Somebody who said yes in a project that follows two changes, of which the checkout has one."""
    (developer.directory / FOLDER).mkdir()
    add(developer, "shared-cache")
    developer.edit(fields=ON, names={"changes": OPEN}).opt_in("yes")
    return developer


def add(developer: Developer, *names: str) -> None:
    """Have the checkout hold changes."""
    for name in names:
        (developer.directory / FOLDER / f"{name}.toml").write_text('title = "secret of the company"\n')


def told(developer: Developer) -> list[Any]:
    """Run something once more, and tell what the runs that wait say: a list each, None where they say nothing."""
    developer.run("make", "test")
    return [one["properties"].get("changes") for one in developer.pending()]


# what leaves


def test_it_is_off_unless_a_project_turns_it_on_and_turning_it_on_asks() -> None:
    field = PLAN.fields["changes"]
    assert (field.default, field.in_seed_mode) == ("off", False)
    assert "changes" not in {**agreement(project())["fields"], **agreement(devstack())["fields"]}
    assert digest(agreement(project(fields=ON))) != digest(agreement(project()))


def test_another_open_change_asks_nobody_again() -> None:
    """As with names: each is listed one by one and reviewed."""
    assert digest(agreement(project(fields=ON, names={"changes": OPEN}))) == digest(agreement(project(fields=ON)))


def test_a_run_says_which_open_changes_its_checkout_has_and_nothing_else_of_the_folder(following: Developer, server: Recorder) -> None:
    add(following, "not-open", "shared-cache-2")
    (following.directory / FOLDER / "secret.txt").write_text("x")
    assert told(following) == [["shared-cache"]]
    add(following, "new-guide")
    assert sorted(told(following)) == [["shared-cache"], ["shared-cache", "new-guide"]]
    assert following.flush().status == 0
    wire = b"".join(str(one).encode() for one in server.events)
    assert b"new-guide" in wire
    for secret in (b"not-open", b"shared-cache-2", b"secret", b"toml", b"innerloop-changes"):
        assert secret not in wire


def test_a_checkout_without_any_says_so_and_a_project_without_any_says_nothing(developer: Developer) -> None:
    developer.edit(fields=ON, names={"changes": OPEN}).opt_in("yes")
    assert told(developer) == [[]], "no folder: this checkout has none of them"
    developer.edit(names={"changes": []})
    assert sorted(told(developer), key=str) == [None, []]


def test_a_project_that_did_not_turn_it_on_is_not_looked_into(developer: Developer) -> None:
    developer.edit(names={"changes": OPEN}).opt_in("yes")
    (developer.directory / FOLDER).mkdir()
    add(developer, "shared-cache")
    assert told(developer) == [None]
    assert b"shared-cache" not in b"".join(path.read_bytes() for path in developer.home.rglob("*") if path.is_file())


def test_who_agreed_before_it_was_on_says_nothing_of_it_until_they_were_asked(agreed: Developer) -> None:
    (agreed.directory / FOLDER).mkdir()
    add(agreed, "shared-cache")
    agreed.edit(fields=ON, names={"changes": OPEN})
    assert agreed.status()["mode"] == "paused"
    agreed.opt_in("keep")
    assert told(agreed) == [None]


def test_a_change_that_was_closed_meanwhile_is_not_told(following: Developer) -> None:
    following.run("make", "test")
    following.edit(names={"changes": ["new-guide"]})
    assert [one["properties"]["changes"] for one in following.pending()] == [[]]


def test_the_question_its_details_and_describe_say_what_is_looked_for(developer: Developer) -> None:
    developer.edit(fields=ON, names={"changes": OPEN})
    described = developer.innerloop("describe")
    assert "Open   changes that the project follows: shared-cache, new-guide." in described.out
    assert "No other name is looked for" in " ".join(described.out.split())
    assert re.search(r"^changes +listed +shared-cache$", described.out, re.MULTILINE)
    assert developer.innerloop("describe", "--json").json["changes"] == OPEN
    assert "Open   changes that the project follows: shared-cache, new-guide." in developer.opt_in("?", "yes").text
    developer.edit(fields={"cores": True}).edit(fields={"changes": False}).opt_in("yes")
    developer.edit(fields=ON)
    assert "added    which of the project's open changes your checkout has" in developer.opt_in("no").text


# a repository that means harm


def test_a_folder_that_leads_elsewhere_is_not_looked_into(following: Developer) -> None:
    """Else a cloned repository could ask which files somebody has."""
    elsewhere = following.home / "private"
    (following.directory / FOLDER).rename(elsewhere)
    (following.directory / FOLDER).symlink_to(elsewhere)
    assert told(following) == [None]


def test_only_a_file_counts(following: Developer) -> None:
    folder = following.directory / FOLDER
    (folder / "shared-cache.toml").rename(following.home / "elsewhere.toml")
    (folder / "shared-cache.toml").symlink_to(following.home / "elsewhere.toml")
    (folder / "new-guide.toml").mkdir()
    assert told(following) == [[]]


@pytest.mark.parametrize("kind", ["file", "pipe", "locked"])
def test_what_is_no_folder_costs_the_run_nothing_but_this(following: Developer, kind: str) -> None:
    folder = following.directory / FOLDER
    folder.rename(following.directory / "away")
    if kind == "file":
        folder.write_text("x")
    elif kind == "pipe":
        os.mkfifo(folder)
    else:
        folder.mkdir(mode=0)
    (only,) = told(following)
    assert only is None or (kind == "locked" and only == []), "root may look into any folder"


def recorded(developer: Developer) -> bytes:
    """What the launcher wrote down of one more run."""
    developer.run("make", "test")
    return b"".join(path.read_bytes() for path in developer.home.rglob("new/*"))


def test_only_names_that_are_listed_as_open_are_looked_up(following: Developer) -> None:
    add(following, "not-open")
    assert b"\nchanges shared-cache\n" in recorded(following)


def test_names_that_lead_out_of_the_folder_are_not_looked_up(following: Developer) -> None:
    """The launcher's cache chooses no path, whoever wrote it."""
    (following.directory / "private.toml").touch()
    following.run("make", "test")
    hot = following.hot_file.read_bytes()
    following.hot_file.write_bytes(hot.replace(b"c new-guide\n", b"c ../private\n"))
    assert b"private" not in recorded(following)
    assert b"c ../private\n" in following.hot_file.read_bytes(), "it was believed"


TOO_MANY = ", ".join(f'"c-{number}"' for number in range(9))
WRONG: dict[str, str] = {
    'changes = ["Shared"]': "line 8: names.changes: Shared is no name of a change: 1 to 40 characters of a-z 0-9 -",
    'changes = ["a",\n "../a"]': "line 9: names.changes: ../a is no name of a change",
    'changes = ["a_b"]': "line 8: names.changes: a_b is no name",
    'changes = [""]': "line 8: names.changes:  is no name",
    'changes = ["a*"]': "line 8: names.changes: a* is no name",
    f'changes = ["{"x" * 41}"]': f"line 8: names.changes: {'x' * 41} is no name",
    'changes = ["a", "a"]': "line 8: names.changes: a stands there twice",
    f"changes = [{TOO_MANY}]": "line 8: names.changes: c-8 is one too many: there may be 8",
    "changes = [1]": "names.changes must be a list of strings",
}
HEAD = '[project]\nid = "shop"\norganisation = "E"\nendpoint = "https://c.example"\nwrite_key = "shop.x"\n[names]\nallow = ["test"]\n'


@pytest.mark.parametrize("text", WRONG)
def test_a_bad_list_is_one_error_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "innerloop.toml"
    file.write_text(HEAD + text + "\n")
    with pytest.raises(ProjectError) as refused:
        load(str(file))
    assert WRONG[text] in str(refused.value)


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ([], True), (["shared-cache"], True), (["new-guide", "shared-cache"], True), (["shared-cache", "shared-cache"], False), (["other"], False),
        (["shared"], False), ("shared-cache", False), ([1], False), ([["shared-cache"]], False), ({}, False), (None, False), (True, False),
    ],
)  # fmt: skip
def test_the_law_of_both_ends_takes_open_changes_by_their_whole_names_each_once(value: Any, good: bool) -> None:
    assert conforms(value, PLAN.fields["changes"], "listed", Names(changes=tuple(OPEN))) is good


def test_seed_mode_never_has_it() -> None:
    file = {
        "project": {"id": "devstack", "organisation": "E", "endpoint": "https://c.example", "write_key": "x"},
        "seed": {"system": "devstack"},
        "fields": ON,
        "names": {"changes": OPEN},
    }
    assert "changes" not in read(file).fields


# what it costs


def test_it_takes_a_few_system_calls_after_the_spawn_and_none_where_it_is_off(following: Developer, tmp_path: Path) -> None:
    strace = need("/usr/bin/strace")
    following.run("true")

    def looks() -> list[str]:
        trace = tmp_path / "trace"
        words = [strace, "-f", "-s", "300", "-o", trace, following.command, "run", "--", "true"]
        subprocess.run(words, cwd=following.directory, env=following.env, check=True, stdin=subprocess.DEVNULL)
        calls = trace.read_text().splitlines()
        spawned = next(at for at, call in enumerate(calls) if re.search(r"clone|vfork", call))
        assert not [call for call in calls[:spawned] if FOLDER in call], "the command waits for none of it"
        own = calls[spawned].split()[0]
        found = [call for call in calls[spawned:] if call.startswith(own)]
        begin = next((at for at, call in enumerate(found) if FOLDER in call), None)
        return [] if begin is None else [call for call in found[begin : begin + 5] if re.search(FOLDER + r"|\.toml|close", call)]

    assert len(looks()) == 4, "open, two names, close"
    following.edit(names={"changes": []}).run("true")
    assert looks() == []
