"""The command line: what a wrong word, a strange place and an odd locale get is one clear line and the promised status."""

import os
import subprocess
from pathlib import Path

import pytest

from innerloop import fallback
from innerloop.core.launcher.main import parse
from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.conftest import ROOT

USAGE: list[list[str]] = [
    [], ["bogus"], ["wrap"], ["wrap", "a", "b"], ["wrap", "--x"], ["run"], ["run", "--"], ["run", "--name"], ["run", "--name", "x"], ["run", "-x", "true"],
    ["show"], ["show", "everything"], ["flush", "--timeout"], ["flush", "--timeout", "soon"], ["flush", "--timeout", "nan"], ["flush", "--timeout", "-1"],
    ["report", "--days", "x"], ["report", "--days", "0"], ["status", "--yaml"], ["opt-in", "--yes"],
    ["opt-out", "--al"], ["opt-in", "--loc"], ["status", "--js"], ["init", "--dry"], ["timeline", "--li"], ["forget", "--che", "x"], ["--vers"], ["stat"],
    ["help", "bogus"], ["help", "deliver"], ["attach"], ["attach", "1"], ["deliver", "x"], ["run", "--nam", "x", "true"],
]  # fmt: skip


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_wrong_usage_is_status_2(developer: Developer, words: list[str]) -> None:
    done = developer.innerloop(*words)
    assert (done.status, done.out, "Traceback" in done.err) == (2, "", False)
    assert developer.files() == {}


@pytest.mark.parametrize(
    "words",
    [
        ["run", "show", "a b"], ["run", "--", "show", ""], ["run", "--name", "x", "--", "show", "--", "y"], ["run", "--name", "x", "show", "-x"],
        ["run", "show", "--name", "y"], ["run", "--", "--", "show"], ["wrap", "test"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_was_typed_is_read_alike_by_whoever_has_to(words: list[str], tmp_path: Path) -> None:
    """The launcher reads it; where our own files are broken, `fallback` does, and where they are gone, the start script."""
    for name in ("show", "make", "--"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" {name} "$@"\n')
        program.chmod(0o755)
    script = tmp_path / "bin" / "innerloop"
    script.parent.mkdir()
    script.write_bytes((ROOT / "packages" / "client" / "scripts" / "innerloop").read_bytes())
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", script, *words], env=env, capture_output=True, text=True, check=True)
    request = parse(words)

    assert request is not None
    assert [word.decode() for word in request.argv] == fallback.command(words) == done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    "words", [["status"], ["describe"], ["report"], ["show", "next"], ["flush"], ["opt-in"], ["opt-out"]], ids=" ".join
)
def test_outside_of_a_project_there_is_one_line_and_status_1(developer: Developer, words: list[str]) -> None:
    done = developer.innerloop(*words, cwd=developer.home)
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "innerloop.toml" in done.err
    assert developer.run("sh", "-c", "exit 3", cwd=developer.home).status == 3


@pytest.mark.parametrize(
    "words", [["status"], ["describe"], ["doctor"], ["report"], ["show", "pending"], ["show", "sent"], ["flush"]], ids=" ".join
)
def test_what_there_is_to_read_can_be_read_as_json(agreed: Developer, words: list[str]) -> None:
    agreed.run("make", "test")
    done = agreed.innerloop(*words, "--json")
    assert done.status == 0
    assert done.err == ""
    assert done.json is not None


NAMES = {
    "latin-1": b"caf\xe9",
    "utf-8": "caf\u00e9 \u65e5\u672c".encode(),
    "blanks and quotes": b"a b'c\"d",
    "a line break": b"a\nb",
    "an escape": b"a\x1bb",
}


@pytest.mark.parametrize(
    ("name", "locale"), [*((name, {"LANG": "C.UTF-8"}) for name in NAMES), ("latin-1", {"LC_ALL": "C"}), ("utf-8", {"LANG": None})]
)
def test_a_project_in_any_directory_is_measured(developer: Developer, server: Recorder, name: str, locale: dict[str, str | None]) -> None:
    developer.env = developer.environment(locale)
    odd = Path(os.fsdecode(os.fsencode(developer.base) + b"/" + NAMES[name]))
    developer.directory.rename(odd)
    developer.directory = odd
    text = developer.opt_in("?", "yes").text
    assert "commands are measured from now on" in text
    for _ in range(2):
        assert developer.run("make", "fail").status == 2
    for words in (["status"], ["doctor"], ["show", "pending"], ["flush"]):
        done = developer.innerloop(*words)
        assert (done.status, "Traceback" in done.err) == (0, False), (words, done.err[-300:])
        assert "\x1b" not in done.out + done.err, words
    assert len(server.events) == 2
    assert developer.opt_out().status == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_developer_with_any_home_is_measured(developer: Developer, server: Recorder, name: str) -> None:
    odd = os.fsdecode(os.fsencode(developer.base) + b"/" + NAMES[name])
    developer.home.rename(odd)
    developer.home = Path(odd)
    developer.env["HOME"] = odd
    assert developer.opt_in("yes").status == 0
    for _ in range(2):
        assert developer.run("make", "fail").status == 2
    assert developer.flush().status == 0
    assert len(server.events) == 2
    for words in (["status"], ["doctor"], ["opt-out"]):
        done = developer.innerloop(*words)
        assert (done.status, "Traceback" in done.err) == (0, False), (words, done.err[-300:])


def test_a_project_with_letters_of_any_language_is_asked_about_in_any_locale(developer: Developer) -> None:
    developer.edit(project={"name": "\u65e5\u672c", "organisation": "Caf\u00e9 \u0141\u00f3d\u017a"})
    for locale in ({"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}, {"LANG": None}):
        said = developer.opt_in("?", "", env=locale)
        assert said.status == 0
        assert "Traceback" not in said.text
    assert developer.innerloop("status", env={"LC_ALL": "C"}).status == 0


def test_without_a_word_it_says_how_it_is_used(developer: Developer) -> None:
    done = developer.innerloop()
    listed = developer.innerloop("help")

    assert (2, "") == (done.status, done.out)
    assert (0, "", done.err) == (listed.status, listed.err, listed.out)
    assert listed == developer.innerloop("--help") == developer.innerloop("-h")
    assert developer.files() == {}


def test_help_tells_how_each_command_is_used_and_nothing_of_the_inside(developer: Developer) -> None:
    listed = developer.innerloop("help").out
    commands = [line.split()[0] for line in listed.splitlines() if line.startswith("    ") and line[4] != " "]
    assert {"help", "init", "opt-out", "status", "run", "doctor", "uninstall"} <= set(commands)
    for inside in ("deliver", "attach"):
        assert inside not in listed.replace("deliver now", "")
        assert f"'{inside}'" not in developer.innerloop("bogus").err
    for command in commands:
        done = developer.innerloop("help", command)
        assert (0, "") == (done.status, done.err), command
        assert done.out.startswith(f"usage: innerloop {command}")
        assert done.out == developer.innerloop(command, "--help").out
