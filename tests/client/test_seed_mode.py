"""Seed mode, to the letter: the founding system's file, words, events and habits, in a checkout like devstack's."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.client.founding import KEY, OLD_NO, OLD_YES, Devstack, ProxiedRecorder
from tests.client.people import Developer, Said, eventually
from tests.client.recorder import DRIP, HOLD, Recorder, Reply
from tests.conftest import ROOT

TESTING = {"DEVSTACK_METRICS_TESTING": "debug"}
PREFIX = "Send metrics info: "
RUN = {"command", "command_type", "duration_ms", "exit_status", "start_time", "is_test"}
GIT = {"git_commit_time", "git_checked_out_master"}
OPT_IN = {"choice", "command", "command_type", "start_time", "is_test"}
OPT_OUT = {"command", "command_type", "previous_consent", "start_time", "is_test"}
EXACT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Recorder]:
    """What stands for the founding system's endpoint."""
    with ProxiedRecorder(tmp_path) as recorder:
        yield recorder


@pytest.fixture
def devstack(hire: Callable[..., Developer], server: ProxiedRecorder) -> Devstack:
    return Devstack(hire(), server)


@pytest.fixture
def member(devstack: Devstack) -> Devstack:
    """Somebody who said yes to devstack."""
    devstack.opt_in()
    assert devstack.developer.status()["mode"] == "on"
    return devstack


def printed(said: Said) -> list[dict[str, Any]]:
    """The events that a command printed under the test variable."""
    found = [json.loads(line.removeprefix(PREFIX)) for line in said.text.splitlines() if line.startswith(PREFIX)]
    for event in found:
        assert set(event) == {"event", "userId", "properties", "sentAt"}
        assert event["event"] == "devstack.command.run"
        assert datetime.fromisoformat(event["sentAt"]).utcoffset() is not None
    return found


# answering


def test_the_invitation_is_the_projects_own_and_nothing_else(devstack: Devstack) -> None:
    said = devstack.make("dev.up.lms")
    assert said.status == 0
    lines = said.text.splitlines()
    assert lines[0] == "up lms"
    assert lines[1] == (
        "Would you like to assist devstack development by sending pseudonymous usage metrics? Run `make metrics-opt-in` to learn more!"
    )
    assert len(lines) == 2
    assert devstack.make("dev.up.lms").text == "up lms\n"
    assert not devstack.config.exists()


def test_the_question_is_printed_verbatim_around_the_generated_list(devstack: Devstack) -> None:
    text = devstack.opt_in("no").text
    assert "\nAllow devstack to report anonymized usage metrics?\n\nThey tell which devstack commands" in text
    question, _, rest = text.partition("A no changes nothing, and stays on this machine.")
    generated, _, after = rest.partition(
        "Type 'yes' or 'y' to opt in to reporting this information, 'no' or 'n' not to be asked again, anything else to cancel.\n"
    )
    assert "Allow devstack" in question
    for words in (
        "command name",
        "exact duration",
        "exit status",
        "exact time",
        "New Relic (rows with the id)",
        "365 days",
        "api.segment.io",
    ):
        assert words in " ".join(generated.split())
    assert "You may withdraw at any time by running `make metrics-opt-out`" in after
    assert "\x1b" not in text


@pytest.mark.parametrize("answer", ["yes", "y", " YES "])
def test_yes_and_y_are_yes(devstack: Devstack, answer: str) -> None:
    said = devstack.opt_in(answer)
    assert said.status == 0
    assert "Thank you for contributing to devstack development! You can opt out again at any time with `make metrics-opt-out`." in said.text
    document = devstack.answer
    assert set(document) == {"anonymous_user_id", "consent"}
    assert document["consent"]["decision"] is True
    assert datetime.fromisoformat(document["consent"]["timestamp"]).utcoffset() is not None


@pytest.mark.parametrize("answer", ["", "^D", "^C", "local", "yes please", "?", "nope"])
def test_anything_else_is_not_now_and_leaves_no_answer(devstack: Devstack, server: Recorder, answer: str) -> None:
    devstack.opt_in(answer)
    assert not devstack.config.exists()
    devstack.make("dev.up.lms")
    assert devstack.developer.recorded() == 0
    assert server.connections == 0


@pytest.mark.parametrize("answer", ["no", "n", " NO "])
def test_no_is_a_no_and_nobody_is_asked_again(devstack: Devstack, server: Recorder, answer: str) -> None:
    said = devstack.opt_in(answer)
    assert "Noted: no. Nothing is recorded and nobody was told." in said.text
    assert devstack.answer["consent"]["decision"] is False
    assert "anonymous_user_id" not in devstack.answer
    assert devstack.make("dev.up.lms").text == "up lms\n"
    assert devstack.developer.recorded() == 0
    assert server.connections == 0


def test_typed_ahead_input_counts(devstack: Devstack) -> None:
    child = devstack.developer.spawn("sh", "-c", 'sleep 1; make --no-print-directory metrics-opt-in; read after; echo "then $after"')
    child.sendline("yes")
    child.sendline("more")
    child.expect("then more")
    child.close()
    assert devstack.answer["consent"]["decision"] is True


def test_an_answer_through_a_pipe_does_not_count(devstack: Devstack) -> None:
    said = devstack.developer.at_terminal("sh", "-c", "echo yes | make --no-print-directory metrics-opt-in")
    assert said.status != 0
    assert not devstack.config.exists()


def test_local_keeps_the_old_script_silent(devstack: Devstack, server: Recorder) -> None:
    said = devstack.developer.opt_in("yes", local=True)
    consent = devstack.answer["consent"]
    assert (consent["decision"], consent["mode"]) == (False, "local")
    assert "Thank you for contributing" not in said.text
    devstack.make("dev.up.lms")
    assert devstack.developer.recorded() == 1
    assert devstack.developer.flush().status == 1
    assert server.connections == 0


# the old script's file


def test_an_old_yes_without_digests_counts(devstack: Devstack, server: Recorder) -> None:
    devstack.remember(OLD_YES)
    assert devstack.make("dev.up.studio").text == ""
    assert devstack.make("dev.up.studio").text == ""
    assert devstack.developer.flush().status == 0
    assert len(server.events) == 2
    for event in server.events:
        assert event["userId"] == OLD_YES["anonymous_user_id"]
        assert set(event["properties"]) == RUN | GIT
    assert devstack.answer == OLD_YES


def test_an_old_yes_does_not_count_for_a_field_that_came_later(devstack: Devstack) -> None:
    file = devstack.directory / "innerloop.toml"
    file.write_text(file.read_text().replace("os = false", "os = true"))
    devstack.remember(OLD_YES)
    devstack.make("dev.up.lms")
    assert devstack.developer.recorded() == 0


def test_an_old_no_is_a_no(devstack: Devstack, server: Recorder) -> None:
    devstack.remember(OLD_NO)
    for _ in range(3):
        assert devstack.make("dev.up.lms").text == "up lms\n"
    assert devstack.developer.recorded() == 0
    assert devstack.answer == OLD_NO
    assert server.connections == 0


@pytest.mark.parametrize(
    "document",
    [{"consent": OLD_YES["consent"]}, {"anonymous_user_id": OLD_YES["anonymous_user_id"]}, {}, {"anonymous_user_id": "x", "consent": {}}],
)
def test_a_yes_without_an_id_and_an_id_without_a_yes_are_invited(devstack: Devstack, document: Any) -> None:
    devstack.remember(document)
    assert "Would you like to assist devstack development" in devstack.make("dev.up.lms").text
    assert devstack.developer.recorded() == 0
    assert devstack.answer == document


def test_keys_of_others_in_the_file_are_left_alone(devstack: Devstack) -> None:
    devstack.remember({"anonymous_user_id": "11111111-2222-4333-8444-555555555555", "future": [1]})
    devstack.opt_in()
    assert devstack.answer["anonymous_user_id"] == "11111111-2222-4333-8444-555555555555"
    assert devstack.answer["future"] == [1]
    devstack.make("metrics-opt-out")
    assert devstack.answer["future"] == [1]
    assert devstack.answer["consent"]["decision"] is False


def test_the_place_is_literal_whatever_xdg_says(devstack: Devstack) -> None:
    devstack.opt_in(env={"XDG_CONFIG_HOME": str(devstack.developer.base / "xdg")})
    assert devstack.answer["consent"]["decision"] is True


def make_unusable(devstack: Devstack, how: str) -> None:
    devstack.remember(OLD_YES)
    if how.startswith("symlink"):
        target = devstack.config.with_name("real.json")
        devstack.config.rename(target)
        devstack.config.symlink_to(target)
        if how == "symlink to settings":
            target.write_text('{"theme": "dark"}')
    elif how == "directory":
        devstack.config.unlink()
        devstack.config.mkdir()
    else:
        devstack.config.write_text("{")


def test_a_file_that_is_not_regular_is_off_and_opt_out_moves_it_aside(devstack: Devstack, server: Recorder) -> None:
    make_unusable(devstack, "symlink")
    assert devstack.make("dev.up.lms") == (0, "up lms\n")
    assert devstack.developer.recorded() == 0
    assert devstack.make("metrics-opt-out").status == 0
    assert devstack.config.is_file()
    assert not devstack.config.is_symlink()
    assert devstack.answer["consent"]["decision"] is False
    assert len([path for path in devstack.config.parent.iterdir() if "unusable" in path.name]) == 1
    assert server.connections == 0


@pytest.mark.parametrize("how", ["symlink to settings", "directory", "garbage"])
def test_opt_out_leaves_a_file_that_may_be_another_programs_and_is_a_no_all_the_same(
    devstack: Devstack, server: Recorder, how: str
) -> None:
    make_unusable(devstack, how)
    before = [(path, path.lstat().st_ino, path.is_file() and path.read_bytes()) for path in sorted(devstack.config.parent.iterdir())]
    said = devstack.make("metrics-opt-out")
    assert said.status == 0
    assert "is no consent file of devstack, so it is left as it is" in said.text
    after = [(path, path.lstat().st_ino, path.is_file() and path.read_bytes()) for path in sorted(devstack.config.parent.iterdir())]
    assert before == after
    for path in devstack.config.parent.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    devstack.remember(OLD_YES)
    assert devstack.developer.status()["mode"] == "no", "the no outlives what was in the way"
    assert devstack.make("dev.up.lms") == (0, "up lms\n")
    assert devstack.developer.recorded() == 0
    assert server.connections == 0
    devstack.opt_in()
    assert devstack.developer.status()["mode"] == "on", "a later yes counts"


def test_opt_out_all_includes_an_old_yes(devstack: Devstack, server: Recorder) -> None:
    """Somebody who never ran innerloop here, and wants out of everything, standing in devstack."""
    devstack.remember(OLD_YES)
    assert devstack.developer.opt_out("--all").status == 0
    devstack.make("dev.up.lms")
    assert devstack.developer.recorded() == 0
    assert devstack.answer["consent"]["decision"] is False


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
