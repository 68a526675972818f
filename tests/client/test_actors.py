"""Who ran it: a person, a CI service or a coding agent, by what the environment is known to hold. The table is in docs/reference/actors.md."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import actor_marks
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerloop.core.shared import environment
from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder

ENOUGH = 0.95  # of what the packages say


def actor(env: dict[str, str]) -> str:
    return environment.actor({key.encode(): value.encode() for key, value in env.items()})


def said(facts: dict[str, Any]) -> list[tuple[dict[str, str], str, str]]:
    """Each environment with one package and its verdict. Where packages contradict each other nobody can agree with both."""
    return [
        (one["env"], package, verdict)
        for one in facts["environments"]
        for package, verdict in one["says"].items()
        if len(set(one["says"].values())) == 1 or verdict == actor(one["env"])
    ]


def agrees(env: dict[str, str], verdict: str) -> bool:
    return verdict in (actor(env), "either")


def holds(facts: dict[str, Any]) -> None:
    """Nearly all verdicts are ours, and where one is not it is argued why."""
    verdicts = said(facts)
    others = [(env, package, verdict) for env, package, verdict in verdicts if not agrees(env, verdict)]
    argued = [one["env"] for one in actor_marks.by_hand()["argued"]]
    assert [one for one in others if one[0] not in argued] == []
    assert len(others) <= len(verdicts) * (1 - ENOUGH), others


def test_other_detectors_agree_or_it_is_argued_why_not() -> None:
    facts = actor_marks.known()
    assert set(facts["versions"]) == set(actor_marks.PACKAGES)
    assert len(said(facts)) > 190
    holds(facts)


@pytest.mark.slow
def test_their_newest_versions_agree_too(tmp_path: Path) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed: the newest versions of the detectors were not asked")
    try:
        facts = actor_marks.fetch(tmp_path, *actor_marks.PACKAGES)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm did not answer: the newest versions of the detectors were not asked: {error.stderr!r:.200}")
    holds(facts)


def test_every_argument_is_about_something_that_a_package_says() -> None:
    """And none of them is needed no longer."""
    known = {str(sorted(one["env"].items())): one for one in actor_marks.known()["environments"]}
    for argued in actor_marks.by_hand()["argued"]:
        one = known[str(sorted(argued["env"].items()))]
        assert actor(argued["env"]) == argued["kind"]
        assert set(one["says"].values()) != {argued["kind"]}


@pytest.mark.parametrize("row", actor_marks.rows(), ids=lambda row: " ".join(mark["variable"] for mark in row["marks"]))
def test_each_row_of_the_table_says_what_it_says(row: dict[str, Any]) -> None:
    env = {mark["variable"]: mark.get("is", mark.get("contains", mark.get("named", "x"))) for mark in row["marks"]}
    assert actor(env) == row["kind"]
    for mark in row["marks"]:
        assert row["kind"] == "human" or actor({key: value for key, value in env.items() if key != mark["variable"]}) != row["kind"]
        if len(mark) == 1 and mark["variable"] != "CI":
            assert row["kind"] != actor(env | {mark["variable"]: "0"}) or row["kind"] == "human"


PEOPLE = [
    {}, {"OPENAI_API_KEY": "sk-1"}, {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_MODEL": "m"}, {"GEMINI_API_KEY": "k"}, {"GITHUB_TOKEN": "t"},
    {"AIDER_API_KEY": "k"}, {"AIDER_MODEL": "m"}, {"COPILOT_MODEL": "m", "COPILOT_GITHUB_TOKEN": "t"}, {"GOOSE_PROVIDER": "p", "GOOSE_MODEL": "m"},
    {"TERM_PROGRAM": "vscode", "VSCODE_PID": "1"}, {"TERM_PROGRAM": "vscode", "GIT_PAGER": "delta"}, {"TERM_PROGRAM": "zed", "PAGER": "less"},
    {"TERM_PROGRAM": "kiro"}, {"CURSOR_TRACE_ID": "1"}, {"CODEIUM_EDITOR_APP_ROOT": "/opt"}, {"TERMINAL_EMULATOR": "JetBrains-JediTerm"},
    {"CODESPACES": "true", "GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "a/b"}, {"GITPOD_WORKSPACE_ID": "x"}, {"REPL_ID": "x"},
    {"EDITOR": "/home/devin/bin/vim", "USER": "devin"}, {"HOME": "/home/jules", "USER": "jules"}, {"PATH": "/home/a/.pi/bin:/bin"},
    {"NODE": "/usr/bin/node"}, {"CI": "false", "GITHUB_ACTIONS": "true"}, {"CI": "0", "BUILD_ID": "7"}, {"CLAUDECODE": "0"},
]  # fmt: skip


@pytest.mark.parametrize("env", PEOPLE, ids=str)
def test_a_person_is_a_person(env: dict[str, str]) -> None:
    """Whose model somebody configured, and in which editor they sit, makes nobody an agent."""
    assert actor(env) == "human"


@given(
    st.dictionaries(
        st.sampled_from(sorted(environment.AGENT_MARKS | environment.CI_MARKS | {b"PATH", b"EDITOR", b"NODE"})), st.binary(max_size=40)
    )
)
def test_whatever_the_values_are_somebody_acts(env: dict[bytes, bytes]) -> None:
    assert environment.actor(env) in ("human", "ci", "agent")
    assert (environment.actor(env) == "human") == (not environment.by_agent(env) and not environment.in_ci(env))


def test_values_of_a_megabyte_cost_nothing_to_speak_of(agreed: Developer) -> None:
    """Of every variable that decides something, as large as the system takes it."""
    large = "x" * 120_000
    env = dict.fromkeys(("AI_AGENT", "CI", "PATH_OF_MINE", "EDITOR", "NODE", "TERM_PROGRAM", "GIT_PAGER", "AWS_EXECUTION_ENV"), large)
    assert agreed.run("true", env=env).status == 0
    (event,) = agreed.pending()
    assert event["properties"]["actor"] == "agent"


@pytest.mark.parametrize("mark", [{"BUILDER_OUTPUT": "x"}, {"NODE": "/app/.heroku/node/bin/node"}, {"CI": "true"}], ids=str)
def test_what_a_ci_job_recorded_is_delivered_by_the_sender_too(developer: Developer, server: Recorder, mark: dict[str, str | None]) -> None:
    """Its environment is cut short, and says of the job what the launcher knew."""
    developer.edit(project={"ci": True})
    job: dict[str, str | None] = {**mark, "INNERLOOP_CI": "1"}
    developer.run("true", env=job)
    assert developer.innerloop("show", "pending", env=job).status == 0  # it is sealed by this
    developer.let_releases_pass()
    developer.make_delivery_due()
    developer.run("true", env=job)
    assert eventually(lambda: server.requests)
    (event,) = server.events
    assert ("ci", False) == (event["properties"]["actor"], "userId" in event)


def test_doctor_says_which_variable_makes_this_a_ci_job(agreed: Developer) -> None:
    assert "RUN_ID is set" in agreed.innerloop("doctor", env={"RUN_ID": "7"}).out
    assert "RUN_ID" in agreed.at_terminal(agreed.command, "opt-in", env={"RUN_ID": "7"}).text
    assert "RUN_ID" not in agreed.innerloop("doctor", env={"RUN_ID": "7", "CI": "false"}).out


JOB = {"CI": "1", "INNERLOOP_CI": "1"}


def test_a_redirected_stream_makes_no_ci_job_of_a_person(developer: Developer, server: Recorder) -> None:
    developer.edit(project={"ci": True})
    for line in ("innerloop run -- true </dev/null | cat", "innerloop run -- true 2>/dev/null", "innerloop flush </dev/null 2>&1 | cat"):
        developer.at_terminal("sh", "-c", line, env=JOB)
    assert developer.files() == {}
    assert server.connections == 0
