"""Inviting to the question, once and once more, or asking it where the project prefers that: after a success, and at a terminal."""

import os
import subprocess
import time

import pexpect
import pytest

from tests.client.people import ANSWER_PROMPT, DAY, Developer, nothing_is_kept_about
from tests.client.recorder import Recorder


def test_a_yes_after_a_command_that_cannot_be_kept_says_why(developer: Developer) -> None:
    developer.edit(project={"ask": "question"})
    spool = developer.state / "spool"
    spool.mkdir(parents=True, mode=0o500)
    if os.geteuid() == 0:  # who is above modes meets a file system that takes nothing
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(spool)], check=True)
    try:
        said = developer.run_at_terminal("true", types=[(ANSWER_PROMPT, "yes")])
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "--lazy", str(spool)], check=True)
    assert said.status == 0
    assert "nothing was agreed to" in " ".join(said.text.split())


def test_of_many_commands_that_end_at_once_one_invites(developer: Developer) -> None:
    said = developer.at_terminal("sh", "-c", "for i in $(seq 16); do innerloop run -- sleep 0.3 </dev/tty & done; wait")
    assert said.text.count("Look and decide") == 1


INVITED = "Look and decide: innerloop opt-in"


# the invitation


def test_the_invitation_comes_once_after_a_success(developer: Developer) -> None:
    assert INVITED not in developer.run_at_terminal("make", "fail").text
    nothing_is_kept_about(developer)
    first = developer.run_at_terminal("make", "test")
    assert (first.status, first.text.count(INVITED)) == (0, 1)
    nothing_is_kept_about(developer)
    for _ in range(5):
        assert developer.run_at_terminal("make", "test").text == ""


def test_the_invitation_comes_once_more_after_30_days_and_then_never(developer: Developer) -> None:
    developer.run_at_terminal("make", "test")
    asked = developer.state / "asked"
    key, today = asked.read_text().split()
    for days, invited in ((29, 0), (30, 1)):
        asked.write_text(f"{key} {int(today) - days}\n")
        developer.hot_file.unlink()
        assert developer.run_at_terminal("make", "test").text.count(INVITED) == invited
    _first, _second = asked.read_text().splitlines()
    asked.write_text(f"{key} {int(today) - 800}\n{key} {int(today) - 400}\n")
    for _ in range(3):
        developer.hot_file.unlink(missing_ok=True)
        assert developer.run_at_terminal("make", "test").text == ""


def test_the_second_invitation_needs_no_change_of_a_file(developer: Developer) -> None:
    """The days pass by themselves: the launcher's cache must not keep a developer from the second invitation, nor repeat it."""
    developer.run_at_terminal("make", "test")
    today = int(time.time()) // DAY
    for path, day in ((developer.state / "asked", today), (developer.hot_file, today + 30)):
        assert str(day).encode() in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(str(day).encode(), str(day - 31).encode()))
    assert developer.run_at_terminal("make", "test").text.count(INVITED) == 1
    assert developer.run_at_terminal("make", "test").text == ""


@pytest.mark.slow
def test_500_runs_are_invited_once_and_a_month_later_once_more(developer: Developer) -> None:
    """The statuses are the commands' own, whatever is printed after them."""
    script = "i=0; while [ $i -lt 250 ]; do innerloop run -- true || exit 9; innerloop run -- sh -c 'exit 3'; [ $? = 3 ] || exit 9; i=$((i+1)); done"
    asked = developer.state / "asked"
    for invited in (1, 1, 0):
        child = developer.spawn("sh", "-c", script)
        child.expect(pexpect.EOF, timeout=110)
        child.close()
        assert child.exitstatus == 0
        assert child.before.count(INVITED) == invited
        assert len(child.before.splitlines()) == 2 * invited
        lines = [line.split() for line in asked.read_text().splitlines()]
        asked.write_text("".join(f"{key} {int(day) - 30}\n" for key, day in lines))
        developer.hot_file.unlink()


def test_nobody_is_invited_without_a_terminal(developer: Developer) -> None:
    for command in ("innerloop run -- make test </dev/null", "innerloop run -- make test | cat", "innerloop run -- make test 2>/dev/null"):
        assert INVITED not in developer.at_terminal("sh", "-c", command).text
    assert developer.run("make", "test").err == ""
    assert developer.files() == {}


def test_after_a_no_nobody_is_invited_again(developer: Developer) -> None:
    developer.opt_in("no")
    script = "for i in $(seq 50); do innerloop run -- true; innerloop run -- make test; done"
    assert developer.at_terminal("sh", "-c", script).text == ""
    developer.edit(fields={"jobs": True}, project={"retention_days": 3000})
    assert developer.run_at_terminal("make", "test").text == ""


def test_opt_out_before_any_question_is_a_no_for_good(developer: Developer) -> None:
    assert developer.opt_out().status == 0
    assert developer.run_at_terminal("make", "test").text == ""
    assert developer.status()["mode"] == "no"


def test_an_invitation_changes_no_exit_status(developer: Developer) -> None:
    said = developer.run_at_terminal("sh", "-c", "echo done; exit 0")
    assert said.status == 0
    assert said.text.startswith("done\n")
    assert INVITED in said.text
    assert developer.run_at_terminal("sh", "-c", "exit 7") == (7, "")


# where the project prefers the question itself


@pytest.fixture
def questioned(developer: Developer) -> Developer:
    """Somebody in a project that asks the question after the first success."""
    return developer.edit(project={"ask": "question"})


def test_the_question_itself_follows_the_first_success_where_the_project_prefers_that(questioned: Developer, server: Recorder) -> None:
    assert "May Example Org" not in questioned.run_at_terminal("make", "fail").text
    said = questioned.run_at_terminal("make", "test", types=[(ANSWER_PROMPT, "yes")])
    assert said.status == 0
    assert questioned.status()["mode"] == "on"
    assert questioned.recorded() == 0
    questioned.run("make", "test")
    assert questioned.recorded() == 1
    assert server.connections == 0


def test_a_no_to_that_question_ends_the_matter(questioned: Developer, server: Recorder) -> None:
    said = questioned.run_at_terminal("make", "test", types=[(ANSWER_PROMPT, "n")])
    assert said.status == 0
    assert questioned.consent["decision"] is False
    for _ in range(5):
        assert questioned.run_at_terminal("make", "test").text == ""
    nothing_is_kept_about(questioned, ".config/innerloop/")
    assert server.connections == 0


@pytest.mark.parametrize("answer", ["", "^D", "^C", "what"])
def test_no_answer_to_that_question_asks_no_second_time_that_month(questioned: Developer, answer: str) -> None:
    said = questioned.run_at_terminal("make", "test", types=[(ANSWER_PROMPT, answer)])
    assert said.status == 0
    nothing_is_kept_about(questioned)
    assert questioned.run_at_terminal("make", "test").text == ""
