"""Seed mode, to the letter: the founding system's events, and its test variable."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.client.founding import GIT, KEY, OLD_NO, OLD_YES, RUN, Devstack, ProxiedRecorder
from tests.client.people import Developer, Said, eventually
from tests.client.recorder import DRIP, HOLD, Recorder, Reply
from tests.conftest import ROOT

TESTING = {"DEVSTACK_METRICS_TESTING": "debug"}


PREFIX = "Send metrics info: "


OPT_IN = {"choice", "command", "command_type", "start_time", "is_test"}


OPT_OUT = {"command", "command_type", "previous_consent", "start_time", "is_test"}


EXACT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00")


def printed(said: Said) -> list[dict[str, Any]]:
    """The events that a command printed under the test variable."""
    found = [json.loads(line.removeprefix(PREFIX)) for line in said.text.splitlines() if line.startswith(PREFIX)]
    for event in found:
        assert set(event) == {"event", "userId", "properties", "sentAt"}
        assert event["event"] == "devstack.command.run"
        assert datetime.fromisoformat(event["sentAt"]).utcoffset() is not None
    return found


# the events


def test_a_run_has_exactly_the_old_properties(member: Devstack, server: Recorder) -> None:
    before = datetime.now(UTC)
    assert member.make("dev.up.studio").status == 0
    member.developer.flush()
    (event,) = [event for event in server.events if "choice" not in event["properties"]]
    assert event["event"] == "devstack.command.run"
    assert event["userId"] == member.answer["anonymous_user_id"]
    properties = event["properties"]
    assert set(properties) == RUN | GIT
    assert {name: properties[name] for name in ("command", "command_type", "exit_status", "is_test")} == {
        "command": "dev.up.studio", "command_type": "make", "exit_status": 0, "is_test": "no",
    }  # fmt: skip
    assert properties["git_commit_time"] == "2021-02-03T04:05:06+05:30"
    assert properties["git_checked_out_master"] is True
    assert isinstance(properties["duration_ms"], int)
    assert 400 <= properties["duration_ms"] < 5000
    assert EXACT.fullmatch(properties["start_time"])
    assert before <= datetime.fromisoformat(properties["start_time"]) <= datetime.now(UTC)
    assert event["timestamp"] == properties["start_time"]
    assert server.requests[-1].document["context"]["plan"]
    assert "context" not in event


def test_opting_in_is_an_event_with_exactly_the_old_properties(member: Devstack, server: Recorder) -> None:
    assert server.connections == 0
    member.developer.flush()
    (event,) = server.events
    properties = event["properties"]
    assert set(properties) == OPT_IN | GIT
    assert properties | {"start_time": 0, "git_commit_time": 0} == {
        "choice": "accept", "command": "metrics-opt-in", "command_type": "make", "is_test": "no", "start_time": 0,
        "git_commit_time": 0, "git_checked_out_master": True,
    }  # fmt: skip
    assert EXACT.fullmatch(properties["start_time"])


def test_opting_out_is_one_event_at_once_and_never_kept(member: Devstack, server: Recorder) -> None:
    user = member.answer["anonymous_user_id"]
    member.make("dev.up.lms")
    said = member.make("metrics-opt-out")
    assert said.status == 0
    assert "You have been opted out of reporting devstack command metrics." in said.text
    (event,) = server.events
    assert event["userId"] == user
    assert set(event["properties"]) == OPT_OUT
    assert event["properties"] | {"start_time": 0} == {
        "command": "metrics-opt-out", "command_type": "make", "previous_consent": "yes", "is_test": "no", "start_time": 0,
    }  # fmt: skip
    assert EXACT.fullmatch(event["properties"]["start_time"])
    assert member.pending() == []
    assert member.developer.ledger()["dropped"] == {"withdrawn": 2}
    member.make("metrics-opt-out")
    member.make("dev.up.lms")
    assert len(server.requests) == 1


@pytest.mark.parametrize("before", ["nothing", "no", "old no", "local", "old yes, other remote"])
def test_opting_out_is_an_event_only_after_a_yes(devstack: Devstack, server: Recorder, before: str) -> None:
    if before == "no":
        devstack.make("metrics-opt-out")
    elif before == "old no":
        devstack.remember(OLD_NO)
    elif before == "local":
        devstack.developer.opt_in("yes", local=True)
    elif before == "old yes, other remote":
        devstack.remember(OLD_YES)
        devstack.developer.git("remote", "set-url", "origin", "https://example.org/x")
    assert devstack.make("metrics-opt-out").status == 0
    assert devstack.answer["consent"]["decision"] is False
    assert server.connections == 0


@pytest.mark.parametrize("reply", [Reply(500), Reply(how=HOLD), Reply(how=DRIP)], ids=["500", "silent", "dripping"])
def test_the_last_message_takes_at_most_three_seconds_and_fails_silently(member: Devstack, server: Recorder, reply: Reply) -> None:
    server.always(reply)
    started = time.monotonic()
    said = member.make("metrics-opt-out")
    assert time.monotonic() - started < 5
    assert said.status == 0
    assert "You have been opted out" in said.text.splitlines()[0]
    assert len(said.text.splitlines()) == 1
    assert member.answer["consent"]["decision"] is False
    assert len(server.requests) == 1
    assert not member.developer.place("sealed")


def test_outside_git_there_are_no_git_properties(hire: Callable[..., Developer], server: ProxiedRecorder) -> None:
    devstack = Devstack(hire(), server)
    shutil.rmtree(devstack.directory / ".git")
    file = devstack.directory / "innerloop.toml"
    file.write_text(re.sub(r"^remotes = .*\n", "", file.read_text(), flags=re.MULTILINE))
    devstack.opt_in()
    devstack.make("dev.up.studio")
    devstack.developer.flush()
    assert sorted(map(sorted, (event["properties"] for event in server.events))) == sorted(map(sorted, (RUN, OPT_IN)))


@pytest.mark.parametrize(("state", "master"), [("branch", False), ("detached", False), ("main", False), ("master", True)])
def test_master_is_what_head_names(member: Devstack, state: str, master: bool) -> None:
    if state == "detached":
        member.developer.git("checkout", "-q", "--detach")
    elif state != "master":
        member.developer.git("checkout", "-q", "-b", state)
    member.make("dev.up.studio")
    (event,) = [event for event in member.pending() if "choice" not in event["properties"]]
    assert event["properties"]["git_checked_out_master"] is master


@pytest.mark.parametrize(("target", "status"), [("dev.up.lms", 0), ("dev.up.fails", 2), ("dev.up.nothing", 2)])
def test_wrap_ends_with_the_status_of_its_make(member: Devstack, target: str, status: int) -> None:
    ended = member.developer.innerloop("wrap", target)
    bare = member.developer.execute("make", f"impl-{target}")
    assert ended == bare
    assert ended.status == status
    assert [event["properties"].get("exit_status") for event in member.pending()].count(status) == 1


def test_a_make_that_was_killed_is_128_and_the_signal_and_negative_on_the_wire(member: Devstack) -> None:
    ended = member.developer.innerloop("wrap", "dev.pull.lms")
    assert ended.status == 128 + 15
    assert -15 in [event["properties"].get("exit_status") for event in member.pending()]


def test_names_are_matched_whole_and_others_are_other(member: Devstack) -> None:
    for target in (
        "dev.up.lms",
        "dev.up.lms+studio",
        "dev.up.acme-secret",
        "dev.up.lms+acme",
        "dev.up.",
        "secret",
        "dev.pull.without-deps.redis",
    ):
        member.developer.innerloop("wrap", target)
    names = [event["properties"]["command"] for event in member.pending() if "choice" not in event["properties"]]
    assert sorted(names) == ["dev.pull.without-deps.redis", "dev.up.lms", "dev.up.lms+studio", "other", "other", "other", "other"]


def test_makelevel_does_not_matter_to_wrap_and_a_nested_wrap_is_its_own_event(member: Devstack) -> None:
    assert member.make("dev.pull.redis").status == 0
    names = [event["properties"]["command"] for event in member.pending() if "choice" not in event["properties"]]
    assert sorted(names) == ["dev.pull.redis", "dev.up.lms"]


def test_wrap_passes_input_and_output_through(member: Devstack) -> None:
    done = member.developer.innerloop("wrap", "dev.provision", stdin="a\nb\n")
    assert (done.status, done.out, done.err) == (0, "a\nb\n", "")


# the test variable


def test_an_event_is_the_last_thing_that_a_command_prints(devstack: Devstack) -> None:
    said = devstack.opt_in(env=TESTING)
    (event,) = printed(said)
    assert said.text.splitlines()[-1].startswith(PREFIX)
    assert set(event["properties"]) == OPT_IN | GIT
    assert event["properties"]["is_test"] == "debug"
    for target, status in (("dev.up.lms", 0), ("dev.up.fails", 2)):
        said = devstack.developer.at_terminal(devstack.developer.command, "wrap", target, env=TESTING)
        assert said.status == status
        (event,) = printed(said)
        assert said.text.splitlines()[-1].startswith(PREFIX)
        assert set(event["properties"]) == RUN | GIT
        assert (event["properties"]["is_test"], event["properties"]["exit_status"]) == ("debug", status)
        assert event["userId"] == devstack.answer["anonymous_user_id"]
    said = devstack.make("metrics-opt-out", env=TESTING)
    (event,) = printed(said)
    assert said.text.splitlines()[-1].startswith(PREFIX)
    assert set(event["properties"]) == OPT_OUT


def test_events_go_to_stderr_also_without_a_terminal(devstack: Devstack) -> None:
    devstack.opt_in(env=TESTING)
    done = devstack.developer.innerloop("wrap", "dev.up.lms", env=TESTING)
    assert done.out == "up lms\n"
    assert done.err.startswith(PREFIX)
    assert len(done.err.splitlines()) == 1


def test_no_delivery_error_is_shown_under_the_test_variable(devstack: Devstack, server: Recorder) -> None:
    server.always(Reply(500))
    assert "500" not in devstack.opt_in(env=TESTING).text
    devstack.developer.make_delivery_due()
    devstack.developer.let_releases_pass()
    assert len(devstack.make("dev.up.lms", env=TESTING).text.splitlines()) == 2
    said = devstack.make("metrics-opt-out", env=TESTING)
    assert len(said.text.splitlines()) == 2


@pytest.mark.parametrize("env", [{"CI": "true"}, {"CLAUDECODE": "1"}, {"CI": "1", "GITHUB_ACTIONS": "true"}])
def test_rules_about_ci_agents_and_remotes_do_not_apply_under_the_test_variable(devstack: Devstack, env: dict[str, str]) -> None:
    devstack.developer.git("remote", "set-url", "origin", "https://example.org/fork")
    everything = {**TESTING, **env}
    assert "Would you like to assist" in devstack.make("dev.up.lms", env=everything).text
    assert len(printed(devstack.opt_in(env=everything))) == 1
    assert len(printed(devstack.make("dev.up.lms", env=everything))) == 1
    assert len(printed(devstack.make("metrics-opt-out", env=everything))) == 1


def test_the_invitation_has_no_memory_under_the_test_variable_and_follows_any_exit(devstack: Devstack) -> None:
    for target in ("dev.up.lms", "dev.up.lms", "dev.up.fails", "dev.up.lms"):
        assert devstack.make(target, env=TESTING).text.count("Would you like to assist") == 1
    assert not (devstack.developer.state / "asked").exists()
    assert devstack.make("dev.up.lms").text.count("Would you like to assist") == 1


def test_a_yes_under_the_test_variable_holds_only_under_it(devstack: Devstack, server: Recorder) -> None:
    devstack.opt_in(env=TESTING)
    recorded = devstack.developer.recorded()
    assert len(printed(devstack.make("dev.up.lms"))) == 0
    assert devstack.developer.recorded() == recorded
    devstack.developer.flush()
    assert server.connections == 0
    assert len(printed(devstack.make("dev.up.lms", env=TESTING))) == 1


@pytest.mark.parametrize("value", ["", "UPPER", "with space", "x" * 17, "a_b", "\u00e9"])
def test_a_value_that_is_none_is_no_test(member: Devstack, value: str) -> None:
    said = member.make("dev.up.lms", env={"DEVSTACK_METRICS_TESTING": value})
    assert PREFIX not in said.text
    runs = [event for event in member.pending() if "choice" not in event["properties"]]
    assert [event["properties"]["is_test"] for event in runs] == ["no"]


def test_test_events_are_in_no_report(devstack: Devstack) -> None:
    devstack.opt_in(env=TESTING)
    devstack.make("dev.up.lms", env=TESTING)
    assert devstack.developer.innerloop("report", "--json").json["commands"] == []


# the example script


def test_without_innerloop_the_example_script_just_runs_make(devstack: Devstack) -> None:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    for target, status in (("dev.up.lms", 0), ("dev.up.fails", 2)):
        done = devstack.developer.execute("./send_metrics.py", "wrap", target, env=env)
        bare = devstack.developer.execute("make", f"impl-{target}", env=env)
        assert (done.status, bare.status) == (status, status)
        assert done == bare
    for words in (["opt-in"], ["opt-out"]):
        done = devstack.developer.execute("./send_metrics.py", *words, env=env)
        assert (done.status, "uv tool install innerloop" in done.err) == (1, True)
    for words in ([], ["wrap"], ["wrap", "a", "b"], ["else"]):
        assert devstack.developer.execute("./send_metrics.py", *words, env=env).err.startswith("Usage:")
    assert not devstack.config.exists()


def test_the_example_file_sends_nothing_until_devstacks_own_key_is_put_in(hire: Callable[..., Developer], server: Recorder) -> None:
    developer = hire()
    developer.directory = developer.base / "as-it-is"
    developer.directory.mkdir()
    shutil.copy(ROOT / "examples" / "devstack" / "innerloop.toml", developer.directory)
    assert "project.write_key is missing" in developer.innerloop("status").err
    developer.project_file.write_text(developer.project_file.read_text().replace("devstack.to-be-created", KEY))
    assert developer.status()["endpoint"] == "https://api.segment.io"
    assert "unknown keys" not in developer.innerloop("doctor").out
    assert server.connections == 0


def test_seed_runs_never_wait_for_the_network(member: Devstack, server: Recorder) -> None:
    server.always(Reply(how=HOLD))
    member.developer.let_releases_pass()
    member.developer.make_delivery_due()
    started = time.monotonic()
    subprocess.run(
        [member.developer.command, "wrap", "dev.up.lms"], cwd=member.directory, env=member.developer.env, check=True, capture_output=True
    )
    assert time.monotonic() - started < 3
    assert eventually(lambda: server.requests)


def test_the_file_is_for_its_owner_alone(member: Devstack) -> None:
    assert Path(member.config).stat().st_mode & 0o777 == 0o600
