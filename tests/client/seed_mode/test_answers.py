"""Seed mode, to the letter: the founding system's question, its file and its habits."""

import shutil
from datetime import datetime
from typing import Any

import pytest

from tests.client.founding import GIT, OLD_NO, OLD_YES, RUN, Devstack
from tests.client.recorder import Recorder

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
