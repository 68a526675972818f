"""Who is asked, when, how often, and what counts as a yes (C9 to C13)."""

import os
import re
import signal
import time
from collections.abc import Callable

import pytest

from tests.client.people import ANSWER_PROMPT, Developer, eventually
from tests.client.recorder import Recorder

INVITED = "Look and decide: innerloop opt-in"
QUESTION = "May Example Org measure"


def days_pass(developer: Developer, days: int) -> None:
    """As if the days on which somebody was asked were longer ago; the launcher's cache of them too."""
    asked = developer.state / "asked"

    def older(found: "re.Match[str]") -> str:
        return f"{found[1]} {int(found[2]) - days}"

    asked.write_text(re.sub(r"(?m)^(\S+) (\d+)$", older, asked.read_text()))
    developer.hot_file.unlink(missing_ok=True)


def test_c09_before_a_yes_there_is_no_id_and_nothing_to_send(developer: Developer, server: Recorder) -> None:
    """Ten commands, the invitation among them, and the question looked at but not answered."""
    for _ in range(5):
        developer.run("make", "test")
        developer.run_at_terminal("make", "test")
    developer.opt_in("?", "")
    kept = developer.files()

    assert {"asked", "hot"} == {name.split("/")[3] for name in kept}
    assert not [name for name, data in kept.items() if re.search(rb"[0-9a-f]{8}-[0-9a-f]{4}-|anonymous_user_id|innerloop-run", data)]
    assert 0 == server.connections


def test_c09_nothing_from_before_a_yes_is_ever_sent(developer: Developer, server: Recorder) -> None:
    for _ in range(3):
        developer.run_at_terminal("make", "build")
    assert developer.opt_in("yes").status == 0
    developer.run("make", "test")
    assert 0 == developer.flush().status

    assert ["test"] == [event["properties"]["command"] for event in server.events]


NOWHERE: dict[str, dict[str, str | None]] = {
    "no terminal": {}, "CI": {"CI": "true"}, "GitHub": {"GITHUB_ACTIONS": "true"}, "Jenkins": {"JENKINS_URL": "http://ci.example"},
    "no terminal and no home": {"HOME": "/nonexistent"},
}  # fmt: skip


@pytest.mark.parametrize("place", NOWHERE)
def test_c10_without_a_person_nobody_is_asked_and_nothing_is_kept(developer: Developer, server: Recorder, place: str) -> None:
    env = NOWHERE[place]
    for command in (["make", "test"], ["make", "-s", "fail"]):
        expected = developer.execute(*command, env=env)
        assert expected == developer.run(*command, env=env)
    if "CI" in env:
        assert "" == developer.run_at_terminal("true", env=env).text

    assert {} == developer.files()
    assert 0 == server.connections


def test_c10_ci_records_nothing_of_somebody_who_agreed(agreed: Developer, server: Recorder) -> None:
    for env in NOWHERE.values():
        if env:
            agreed.run("make", "test", env=env)
    assert 0 == agreed.recorded()
    agreed.run("make", "test")
    assert 1 == agreed.recorded(), "without a terminal, but with an answer"


@pytest.fixture
def questioned(developer: Developer) -> Developer:
    """Somebody in a project that asks the question itself after the first success."""
    return developer.edit(project={"ask": "question"})


@pytest.mark.parametrize("answer", ["^C", "^D", "", "yes", "no"])
def test_c11_no_answer_changes_an_exit_status(questioned: Developer, answer: str) -> None:
    said = questioned.run_at_terminal("sh", "-c", "echo built; exit 0", types=[(ANSWER_PROMPT, answer)])

    assert (0, True) == (said.status, QUESTION in said.text)


@pytest.mark.parametrize("redirected", ["</dev/null", ">out", "2>out", "| cat", "<&-"])
def test_c11_a_script_is_not_held_up(questioned: Developer, redirected: str) -> None:
    """One of the three standard streams is no terminal: nobody is asked, and nothing waits."""
    said = questioned.at_terminal("sh", "-c", f"innerloop run -- true {redirected}; echo status $?")

    assert "status 0\n" == said.text
    assert {} == questioned.files()


def test_c11_commands_that_only_look_ask_nothing(questioned: Developer) -> None:
    for words in (["status"], ["describe"], ["doctor"], ["report"], ["show", "next"], ["--help"], ["opt-out", "--all"]):
        said = questioned.at_terminal(questioned.command, *words)
        assert (0, False, False) == (said.status, QUESTION in said.text, INVITED in said.text), words


def invitations(developer: Developer, runs: int) -> int:
    """Run successful commands at one terminal; how many invitations appeared."""
    return developer.at_terminal("sh", "-c", f"for i in $(seq {runs}); do innerloop run -- true; done").text.count(INVITED)


@pytest.mark.parametrize(
    "runs", [30, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(300)])], ids=lambda runs: f"{runs} runs"
)
def test_c12_somebody_who_does_not_answer_is_invited_twice_in_all(developer: Developer, runs: int) -> None:
    assert 1 == invitations(developer, runs)
    days_pass(developer, 29)
    assert 0 == invitations(developer, 3)
    days_pass(developer, 1)
    assert 1 == invitations(developer, 3)
    days_pass(developer, 3000)
    assert 0 == invitations(developer, 3)


def test_c12_later_is_remembered(developer: Developer) -> None:
    """Somebody who looked at the question and did not answer was asked that day."""
    developer.opt_in("")
    assert 0 == invitations(developer, 5)
    days_pass(developer, 30)
    assert 1 == invitations(developer, 2)


@pytest.mark.parametrize("answer", ["no", "n", "local"])
def test_c12_somebody_who_answered_is_never_invited(developer: Developer, answer: str) -> None:
    developer.opt_in(answer)
    for days in (0, 31, 400):
        if days and (developer.state / "asked").exists():
            days_pass(developer, days)
        assert 0 == invitations(developer, 2)


DECISIONS = {
    "y": "on", "yes": "on", "YES": "on", "l": "local", "local": "local", "n": "no", "no": "no", "No": "no",
    "": "off", "^D": "off", "^C": "off", "ye": "off", "yess": "off", "y e s": "off", "yes!": "off", "nope": "off", "not": "off", "nay": "off",
    "1": "off", "true": "off", "on": "off", "ok": "off", "ja": "off", "k": "off", "keep": "off", "\x1b[A": "off", "y\x00": "off",
}  # fmt: skip


@pytest.mark.parametrize("answer", DECISIONS, ids=ascii)
def test_c13_only_a_typed_yes_is_a_yes(developer: Developer, answer: str) -> None:
    developer.opt_in(answer)

    assert DECISIONS[answer] == developer.status()["mode"]
    if DECISIONS[answer] == "off":
        assert not developer.config.exists()


def test_c13_a_terminal_that_closes_is_no_answer(questioned: Developer) -> None:
    for words in (["opt-in"], ["run", "--", "true"]):
        child = questioned.spawn(questioned.command, *words)
        child.expect(ANSWER_PROMPT)
        child.close(force=False)
        assert eventually(lambda: not child.isalive(), 10)  # noqa: B023 (called at once)
        assert "off" == questioned.status()["mode"]


def test_c13_nobody_answers_by_waiting(developer: Developer) -> None:
    """There is no time after which a question counts as answered."""
    child = developer.spawn(developer.command, "opt-in")
    child.expect(ANSWER_PROMPT)
    time.sleep(3)
    assert child.isalive()
    assert not developer.config.exists()
    os.kill(child.pid, signal.SIGKILL)
    child.expect(r"$")
    assert eventually(lambda: not child.isalive(), 10)
    assert "off" == developer.status()["mode"]


def test_c13_nobody_answers_for_somebody_else(hire: Callable[..., Developer]) -> None:
    """A second person at the same machine is asked for themselves."""
    first, second = (hire(name).project() for name in ("first", "second"))
    first.opt_in("no")

    assert ("no", "off") == (first.status()["mode"], second.status()["mode"])
    assert INVITED in second.run_at_terminal("true").text
