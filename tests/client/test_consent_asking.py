"""Before a typed yes there is nothing: no id, no record, no connection, no git; and who may be asked, when and how often."""

import os
from collections.abc import Callable

import pytest

from tests.client.people import ANSWER_PROMPT, Developer, eventually, nothing_is_kept_about
from tests.client.recorder import Recorder

UUID_LENGTH = 36


FORBIDDING: list[dict[str, str | None]] = [
    {"DO_NOT_TRACK": "1"}, {"DO_NOT_TRACK": "yes"}, {"INNERLOOP_MODE": "off"}, {"INNERLOOP_MODE": "unheard-of"}, {"INNERLOOP_MODE": ""},
    {"SUDO_USER": "somebody"}, {"SUDO_UID": "1000"}, {"HOME": None}, {"HOME": "relative"},
]  # fmt: skip


NOT_A_PERSON: list[dict[str, str | None]] = [
    {"CI": "true"}, {"GITHUB_ACTIONS": "true"}, {"BUILDKITE": "true"}, {"CLAUDECODE": "1"}, {"AI_AGENT": "x"}, {"CURSOR_AGENT": "1"},
]  # fmt: skip


def shown(env: dict[str, str | None]) -> str:
    return " ".join(f"{key}={value}" for key, value in env.items())


@pytest.mark.parametrize("answer", ["", "^D", "^C", "yes please", "1", "keep", "YESS", "y\x01"])
def test_what_is_not_an_answer_is_not_a_yes(developer: Developer, server: Recorder, answer: str) -> None:
    said = developer.opt_in(answer)
    assert said.status == (130 if answer == "^C" else 0)
    assert developer.run("make", "test").status == 0
    nothing_is_kept_about(developer)
    assert developer.status()["mode"] == "off"
    assert server.connections == 0


@pytest.mark.parametrize("answer", ["n", "no", "NO"])
def test_a_no_is_kept_and_nothing_else(developer: Developer, server: Recorder, answer: str) -> None:
    said = developer.opt_in(answer)
    assert "Noted: no. Nothing is recorded and nobody was told. You will not be asked again." in said.text
    nothing_is_kept_about(developer, ".config/innerloop/")
    assert developer.consent["decision"] is False
    assert developer.run("make", "test").status == 0
    assert developer.recorded() == 0
    assert developer.status()["mode"] == "no"
    assert server.connections == 0


@pytest.mark.parametrize("answer", ["y", "yes", "YES", " yes "])
def test_a_yes_is_a_yes(developer: Developer, server: Recorder, answer: str) -> None:
    developer.run("make", "test")
    said = developer.opt_in(answer)
    assert "commands are measured from now on, none from before." in said.text
    assert developer.status()["mode"] == "on"
    assert developer.recorded() == 0
    developer.run("make", "build")
    assert [event["properties"]["command"] for event in developer.pending()] == ["build"]
    assert server.connections == 0


@pytest.mark.parametrize("answer", ["l", "local"])
def test_local_is_recorded_for_oneself_and_never_sent(developer: Developer, server: Recorder, answer: str) -> None:
    said = developer.opt_in(answer)
    assert "Nothing is sent." in said.text
    developer.run("make", "test")
    developer.make_delivery_due()
    developer.run("make", "test")
    report = developer.innerloop("report", "--json").json
    assert [(line["name"], line["runs"]) for line in report["commands"]] == [("test", 2)]
    assert developer.flush().status == 1
    assert developer.ledger()["local"] == 2
    assert "anonymous_user_id" not in developer.consent_file.read_text()
    assert server.connections == 0


def test_local_may_be_asked_for_by_itself(developer: Developer, server: Recorder) -> None:
    developer.opt_in("yes", local=True)
    assert developer.status()["mode"] == "local"
    developer.run("make", "test")
    assert developer.flush().status == 1
    assert developer.ledger()["local"] + developer.ledger()["queued"] == 1
    assert server.connections == 0


@pytest.mark.parametrize("answer", ["", "no", "y please", "^D"])
def test_local_needs_a_yes_too(developer: Developer, answer: str) -> None:
    developer.opt_in(answer, local=True)
    nothing_is_kept_about(developer)


def test_details_are_shown_and_the_question_is_asked_again(developer: Developer) -> None:
    said = developer.opt_in("?", "?", "no")
    assert said.text.count("May Example Org measure how shop commands run on this machine?") == 3
    assert " ".join(said.text.split()).count("complain to an authority") == 2
    assert developer.status()["mode"] == "no"


def test_an_answer_through_a_pipe_does_not_count(developer: Developer, server: Recorder) -> None:
    for command in ("yes | innerloop opt-in", "innerloop opt-in < answer", "innerloop opt-in | cat", "innerloop opt-in 2>/dev/null"):
        (developer.directory / "answer").write_text("yes\n")
        said = developer.at_terminal("sh", "-c", command)
        assert "May Example Org" not in said.text
    ended = developer.innerloop("opt-in", stdin="yes\n")
    assert ended.status == 1
    assert "only a person can agree: run this at a terminal" in ended.err
    nothing_is_kept_about(developer)
    assert server.connections == 0


@pytest.mark.parametrize("flag", ["--yes", "-y", "yes", "--mode=on"])
def test_there_is_no_flag_that_says_yes(developer: Developer, flag: str) -> None:
    assert developer.at_terminal(developer.command, "opt-in", flag).status == 2
    nothing_is_kept_about(developer)


@pytest.mark.parametrize("env", FORBIDDING + NOT_A_PERSON, ids=shown)
def test_where_nobody_may_be_asked_nobody_is_asked(developer: Developer, server: Recorder, env: dict[str, str | None]) -> None:
    said = developer.run_at_terminal("make", "touch-it", env=env)
    assert (said.status, said.text) == (0, "")
    refused = developer.at_terminal(developer.command, "opt-in", env=env)
    assert refused.status == 1
    assert len(refused.text.splitlines()) == 1
    assert (developer.directory / "touched").exists()
    assert developer.files() == {}
    assert server.connections == 0


@pytest.mark.parametrize("env", FORBIDDING, ids=shown)
def test_what_forbids_asking_also_stops_the_recording_of_somebody_who_agreed(agreed: Developer, env: dict[str, str | None]) -> None:
    for _ in range(2):
        assert agreed.run_at_terminal("make", "fail", env=env).status == 2
    assert agreed.recorded() == 0
    agreed.run("make", "test")
    assert agreed.recorded() == 1


def test_a_home_of_somebody_else_means_nothing_is_recorded_or_asked(root: None, agreed: Developer, server: Recorder) -> None:
    os.chown(agreed.home, 12345, 12345)
    before = agreed.files()
    assert agreed.run_at_terminal("make", "test").text == ""
    for words in (["opt-in"], ["opt-out"]):
        assert agreed.at_terminal(agreed.command, *words).status == 1
    assert agreed.files() == before
    assert server.connections == 0


def test_no_process_and_no_connection_is_made_for_somebody_who_did_not_agree(strace: str, developer: Developer, server: Recorder) -> None:
    developer.git("init", "-q")
    run = [developer.command, "run", "--", "true"]
    for answered in ("nothing", "not now", "no"):
        if answered == "not now":
            _, calls = developer.strace(developer.command, "opt-in", types=[(ANSWER_PROMPT, "")])
            assert "socket(" not in calls
        if answered == "no":
            _, calls = developer.strace(developer.command, "opt-in", types=[(ANSWER_PROMPT, "no")])
            assert "socket(" not in calls
        _, calls = developer.strace(*run)
        assert "socket(" not in calls
        started = [line.split('"')[1] for line in calls.splitlines() if "execve(" in line and line.rstrip().endswith("= 0")]
        assert not [path for path in started if "git" in path], (answered, started)
        # the launcher's script, the reader of the symlink, Python and the command itself
        assert len(started) <= 4, (answered, started)
    assert server.connections == 0


# What is no yes, each in its own way: what is typed at the question, in which environment, by which command, with which machine file.
NO_YES: dict[str, tuple[str | None, dict[str, str | None], str, str | None]] = {
    "no answer to the invitation": (None, {}, "exec innerloop run -- true", None),
    "Enter": ("", {}, "exec innerloop opt-in", None),
    "the end of input": ("^D", {}, "exec innerloop opt-in", None),
    "^C": ("^C", {}, "exec innerloop opt-in", None),
    "n": ("n", {}, "exec innerloop opt-in", None),
    "yes please": ("yes please", {}, "exec innerloop opt-in", None),
    "yes |": (None, {}, "yes | innerloop opt-in", None),
    "no terminal": (None, {}, "innerloop opt-in </dev/null >/dev/null 2>&1", None),
    "a CI job": (None, {"CI": "true"}, "exec innerloop opt-in", None),
    "a coding agent": (None, {"CLAUDECODE": "1"}, "exec innerloop opt-in", None),
    "DO_NOT_TRACK": (None, {"DO_NOT_TRACK": "1"}, "exec innerloop opt-in", None),
    "the machine-wide file": (None, {}, "exec innerloop opt-in", 'mode = "off"\n'),
}


@pytest.mark.parametrize("way", NO_YES)
def test_what_is_no_yes_makes_no_id_opens_no_socket_and_starts_no_git(
    strace: str, request: pytest.FixtureRequest, developer: Developer, server: Recorder, way: str
) -> None:
    typed, env, command, machine = NO_YES[way]
    words = request.getfixturevalue("machine_file")(machine) if machine is not None else []
    developer.git("init", "-q")
    developer.git("commit", "-q", "--allow-empty", "-m", "x")
    types = [] if typed is None else [(ANSWER_PROMPT, typed)]
    for argv, answers in ((["sh", "-c", command], types), ([developer.command, "run", "--", "make", "test"], [])):
        _, calls = developer.strace(*words, *argv, types=answers, env=env)
        assert "socket(" not in calls
        assert "git" not in [line.split('"')[1].rpartition("/")[2] for line in calls.splitlines() if "execve(" in line]
    nothing_is_kept_about(developer, *([".config/innerloop/"] if way == "n" else []))
    if env or machine is not None:
        assert developer.files() == {}
    assert server.connections == 0


@pytest.mark.parametrize("env", [{"CI": "1"}, {"CLAUDECODE": "1"}, {"DO_NOT_TRACK": "1"}, {"INNERLOOP_MODE": "off"}], ids=shown)
def test_where_nobody_may_be_asked_no_process_and_no_connection_is_made(
    strace: str, developer: Developer, env: dict[str, str | None]
) -> None:
    developer.git("init", "-q")
    for argv in (["run", "--", "true"], ["opt-in"]):
        _, calls = developer.strace(developer.command, *argv, env=env)
        assert "socket(" not in calls
        assert "git" not in [line.split('"')[1].rpartition("/")[2] for line in calls.splitlines() if "execve(" in line]
    assert developer.files() == {}


def test_opt_out_makes_no_connection_and_starts_no_process(strace: str, agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    for words in (["opt-out"], ["opt-out", "--all"]):
        ended, calls = agreed.strace(agreed.command, *words, terminal=False)
        assert ended.status == 0
        assert "socket(" not in calls
        assert "git" not in [line.split('"')[1].rpartition("/")[2] for line in calls.splitlines() if "execve(" in line]
    assert server.connections == 0


# after a yes


def test_runs_are_recorded_without_a_terminal_for_somebody_who_agreed(agreed: Developer) -> None:
    agreed.run("make", "test")
    agreed.at_terminal("sh", "-c", "innerloop run -- make build | cat")
    assert sorted(event["properties"]["command"] for event in agreed.pending()) == ["build", "test"]


@pytest.mark.parametrize("marker", ["CLAUDECODE", "AI_AGENT"])
def test_a_coding_agent_runs_under_the_persons_answer_and_is_marked(agreed: Developer, marker: str) -> None:
    agreed.run("make", "test", env={marker: "1"})
    agreed.run("make", "test")
    assert sorted(event["properties"]["actor"] for event in agreed.pending()) == ["agent", "human"]
    assert marker.lower() not in agreed.innerloop("show", "pending").out.lower()


def test_a_coding_agent_may_not_answer(agreed: Developer) -> None:
    before = agreed.files()
    for words in (["opt-in"], ["opt-in", "--local"], ["opt-out"], ["opt-out", "--all"]):
        said = agreed.at_terminal(agreed.command, *words, env={"CLAUDECODE": "1"})
        assert said.status == 1
        assert "agent" in said.text
    assert agreed.files() == before


def test_ci_records_nothing_of_somebody_who_agreed(agreed: Developer) -> None:
    agreed.run("make", "test", env={"CI": "true"})
    agreed.run("make", "test", env={"CI": "true", "INNERLOOP_CI": "1"})
    assert agreed.recorded() == 0


def test_ci_jobs_count_without_an_id_where_file_and_job_say_so(hire: Callable[..., Developer], server: Recorder) -> None:
    job = hire("job").project()
    job.edit(project={"ci": True})
    job.env |= {"CI": "true", "INNERLOOP_CI": "1"}
    job.run("make", "test")
    job.flush()
    assert eventually(lambda: server.requests, 3), "nothing was recorded in the CI job"
    (event,) = server.events
    assert "userId" not in event
    assert event["properties"]["actor"] == "ci"


def test_at_a_terminal_sits_a_person_whatever_a_makefile_exports(developer: Developer, server: Recorder) -> None:
    """Else a repository could record somebody who never answered by calling every command a CI job."""
    developer.edit(project={"ci": True})
    variables = {"CI": "1", "INNERLOOP_CI": "1"}
    said = developer.run_at_terminal("make", "test", env=variables)
    assert (said.status, said.text) == (0, "")
    assert developer.files() == {}
    developer.run("make", "test", env=variables)
    assert developer.recorded() == 1, "without a terminal it is a job"


def test_what_is_run_by_make_belongs_to_that_make(agreed: Developer) -> None:
    (agreed.directory / "Makefile").write_text("test:\n\t@innerloop run -- true\n")
    agreed.run("make", "test")
    assert [event["properties"]["command"] for event in agreed.pending()] == ["test"]
    assert agreed.recorded() == 1


def test_what_was_said_for_this_machine_may_only_restrict(agreed: Developer, server: Recorder) -> None:
    """A run under INNERLOOP_MODE=local is for the developer alone, also when the variable is gone again."""
    agreed.run("make", "build", env={"INNERLOOP_MODE": "local"})
    agreed.run("make", "test")
    assert agreed.flush(env={"INNERLOOP_MODE": "local"}).status == 1
    assert server.connections == 0
    agreed.flush()
    assert [event["properties"]["command"] for event in server.events] == ["test"]


@pytest.mark.parametrize("newest", ["the project's clone", "the fork"])
def test_a_clone_without_the_projects_remotes_is_recorded_for_its_developer_alone(
    developer: Developer, server: Recorder, newest: str
) -> None:
    """Whichever of two clones was used last, and whatever the other one's runs wait for."""
    developer.edit(project={"remotes": ["github.com/example/shop"]})
    text, clones = developer.project_file.read_text(), {}
    for name, url in (("ours", "git@github.com:example/shop.git"), ("fork", "https://git.example.net/anna/secret-shop")):
        developer.project(directory=name).write(text)
        developer.git("init", "-q")
        developer.git("remote", "add", "origin", url)
        clones[name] = developer.directory
    order = ["ours", "fork"] if newest == "the fork" else ["fork", "ours"]
    developer.directory = clones["ours"]
    developer.opt_in("yes")
    (developer.spool / "roots").write_text("")
    for name in order:
        developer.directory = clones[name]
        assert developer.status()["mode"] == ("on" if name == "ours" else "local")
        developer.run("make", "test" if name == "ours" else "build")
        developer.run("make", "test" if name == "ours" else "build")
    developer.directory = clones["ours"]
    developer.flush()
    assert [event["properties"]["command"] for event in server.events] == ["test", "test"]
    assert developer.ledger()["acknowledged"] == 2


@pytest.mark.parametrize("url", ["https://github.com/Example/Shop", "ssh://git@github.com:22/example/shop.git", "github.com:example/shop"])
def test_any_remote_of_the_clone_counts_in_any_spelling(developer: Developer, url: str) -> None:
    developer.edit(project={"remotes": ["github.com/example/shop"]})
    developer.git("init", "-q")
    developer.git("remote", "add", "origin", "https://example.net/x")
    developer.git("remote", "add", "upstream", url)
    developer.opt_in("yes")
    assert developer.status()["mode"] == "on"


# the machine-wide file


@pytest.mark.parametrize("text", ['mode = "off"\n', 'mode = "on', 'mode = "unheard-of"\n', "mode = true\n"])
def test_a_machine_wide_file_can_forbid_and_does_so_when_in_doubt(
    machine_file: Callable[[str], list[str]], developer: Developer, server: Recorder, text: str
) -> None:
    words = machine_file(text)
    assert developer.at_terminal(*words, developer.command, "run", "--", "make", "test") == (0, "")
    refused = developer.at_terminal(*words, developer.command, "opt-in")
    assert refused.status == 1
    assert "/etc/innerloop.toml forbids it" in refused.text
    assert developer.files() == {}
    developer.opt_in("yes")
    developer.run("make", "test")
    developer.pending()
    for _ in range(2):
        developer.execute(*words, developer.command, "run", "--", "true")
    assert developer.execute(*words, developer.command, "flush").status == 1
    assert developer.recorded() == 1
    assert "/etc/innerloop.toml" in developer.execute(*words, developer.command, "doctor").out
    assert developer.execute(*words, developer.command, "opt-out").status == 0
    assert server.connections == 0


def test_a_machine_wide_file_can_allow_local_recording_only(
    machine_file: Callable[[str], list[str]], agreed: Developer, server: Recorder
) -> None:
    words = machine_file('mode = "local"\n')
    agreed.run("make", "test")
    for _ in range(2):
        agreed.execute(*words, agreed.command, "run", "--", "make", "build")
    assert agreed.execute(*words, agreed.command, "flush").status == 1
    assert server.connections == 0
    agreed.flush()
    assert [event["properties"]["command"] for event in server.events] == ["test"]


def test_a_machine_wide_file_that_says_nothing_changes_nothing(machine_file: Callable[[str], list[str]], agreed: Developer) -> None:
    for text in ("", 'mode = "on"\n', "# nothing\n"):
        agreed.execute(*machine_file(text), agreed.command, "run", "--", "true")
    assert agreed.recorded() == 3
