"""Whatever comes from elsewhere, no command prints what could steer a terminal, hide something, or forge a line."""

import json
import os
import subprocess
import time
import unicodedata
import uuid

import pytest

from tests.client.people import PATIENCE, Developer
from tests.client.recorder import Recorder, Reply
from tests.client.target_logs import HandMade

HOSTILE = "x\x1b[31m\x1b]0;title\x07\x9b2J\x7f\u202e\u2066\u200b\u00ad\ufeff\U000e0041\u2028\r\b\ty"
FORGED = "x\nok  forged        line\ny"
COMMANDS = [
    ["status"], ["doctor"], ["describe"], ["describe", "--dpia"], ["report"], ["timeline"], ["timeline", "--all"], ["timeline", "--list"],
    ["show", "pending"], ["show", "next"], ["show", "sent"], ["flush"], ["init", "--dry-run"], ["init", "--dry-run", "--way", "hook"],
    ["init", "--uninstall", "--dry-run"], ["init", "--container"], ["hook", "bash"], ["opt-in"], ["forget"], ["timeline", HOSTILE],
    ["timeline", "--format", HOSTILE], [HOSTILE], ["help", HOSTILE], ["init", "--endpoint", HOSTILE], ["init", "--project", HOSTILE],
    ["forget", "--check", HOSTILE], ["run", HOSTILE], ["run", "-x", HOSTILE], ["show", "stored"], ["uninstall", "--dry-run"],
]  # fmt: skip


def steers(text: str, allowed: str = "\n") -> set[str]:
    """The characters of a text that could steer a terminal, hide or change order."""
    return {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and one not in allowed}


def surround(developer: Developer, text: str) -> None:
    """Put a text wherever something of the outside is read: history, target logs, project file, Makefile, git, paths, reasons."""
    spool = developer.spool
    for number, name in enumerate([text, f"{text}{text}"]):
        run = str(uuid.uuid4())
        entry = [run, name, "make" if number else "other", time.time() - 60, 70_000 + number, 1, "human", "1", False, "no"]
        with (spool / "history").open("a") as file:
            file.write("\n" + json.dumps(entry) + "\n")
        book = HandMade()
        below = book.line(f"t{text.replace(chr(10), ' ')}", 0, 900, 2, directory=f"/shop/{text}")
        book.line(f"{text}.o", 5, 90, 1, under=below, make=20, directory=f"/shop/deps/{text}", needs=text.replace("\n", " "))
        (spool / "targets").mkdir(exist_ok=True)
        (spool / "targets" / run).write_bytes(book.data)
        (spool / "targets" / run).chmod(0o600)
    (spool / "quarantine").mkdir(exist_ok=True)
    run = str(uuid.uuid4())
    (spool / "quarantine" / run).write_bytes(b"{}")
    (spool / "quarantine" / f"{run}.reason").write_text(text)
    for path in (spool / "quarantine").iterdir():
        path.chmod(0o600)
    (developer.directory / "Makefile").write_text(f".PHONY: all {text}\nall: ## {text}\n\t@true\n# {text}\n", newline="")
    odd = developer.directory / os.fsdecode(text.encode("utf-8", "surrogateescape") + b"\xff").replace("/", "_")
    odd.mkdir(exist_ok=True)
    (odd / "Makefile").write_text("all: ; @true\n")


def check(done: "subprocess.CompletedProcess[bytes]", words: list[str]) -> None:
    for data in (done.stdout, done.stderr):
        text = data.decode("utf-8")
        assert set() == steers(text), (words, data)
        assert "Traceback" not in text, (words, text)
        assert not any(line.startswith("ok  forged        line") for line in text.splitlines()), words


@pytest.mark.parametrize("text", [HOSTILE, FORGED], ids=["hostile", "forged"])
@pytest.mark.parametrize("json_too", [False, True], ids=["text", "json"])
def test_no_command_prints_what_could_steer_a_terminal(agreed: Developer, text: str, json_too: bool) -> None:
    agreed.run("make", "test")
    surround(agreed, text)
    agreed.edit(project={"contact": text, "region": text}, names={"allow": ["test", text]})
    for words in COMMANDS:
        if json_too and words[0] not in ("status", "doctor", "describe", "report", "timeline", "show", "flush", "init", "uninstall"):
            continue
        command = [agreed.command, *words, *(["--json"] if json_too else [])]
        words_as_bytes = [os.fsencode(str(word)) for word in command]
        done = subprocess.run(
            words_as_bytes,
            cwd=agreed.directory,
            env=agreed.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        check(done, words)
        if json_too and done.stdout and "--format" not in words:
            assert done.stdout.isascii(), words
            for document in done.stdout.splitlines() if words[:1] == ["flush"] else [done.stdout]:
                json.loads(document)


def test_json_means_what_was_recorded(agreed: Developer) -> None:
    """Escaped, not removed: a program reads the very text."""
    agreed.run("true")
    surround(agreed, HOSTILE)

    assert HOSTILE in {line["name"] for line in agreed.innerloop("report", "--json").json["commands"]}
    assert {f"{HOSTILE}.o"} <= {one["name"] for one in agreed.innerloop("timeline", "--json").json["targets"]}


def test_the_answer_of_a_collector_steers_nothing(agreed: Developer, server: Recorder) -> None:
    agreed.run("true")
    server.always(Reply(400, body=json.dumps({"error": HOSTILE, "message": HOSTILE}).encode()))
    for words in (["flush"], ["status"], ["doctor"], ["show", "stored"], ["forget", "--check", "abcdefgh"]):
        done = subprocess.run(
            [str(agreed.command), *words], cwd=agreed.directory, env=agreed.env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        check(done, words)


def test_colours_at_a_terminal_are_ours_alone(agreed: Developer) -> None:
    agreed.run("true")
    surround(agreed, HOSTILE)
    said = agreed.at_terminal(agreed.command, "timeline", "--all").text
    for code in ("31", "33", "2", "1", "0"):
        said = said.replace(f"\x1b[{code}m", "")

    assert set() == steers(said.replace("\r", ""), "\n")


def test_what_a_locale_does_not_have_is_shown_by_its_number(agreed: Developer) -> None:
    agreed.run("true")
    surround(agreed, "\u65e5")
    for words in (["report"], ["timeline"], ["status"], ["init", "--dry-run"]):
        done = agreed.innerloop(*words, env={"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"})
        assert "Traceback" not in done.err, words


def test_a_command_that_is_not_there_is_named_without_what_could_steer(agreed: Developer) -> None:
    done = agreed.innerloop("run", "--", HOSTILE)

    assert 127 == done.status
    assert done.err.startswith("innerloop: x?[31m")
    assert set() == steers(done.err)


def test_the_lines_of_a_file_that_is_shown_steer_nothing(agreed: Developer) -> None:
    """A difference shows lines of a repository's file as they are, but for that."""
    agreed.write(agreed.project_file.read_text() + "# \u202etxet\u2066 \u200b\n[names.x]\n")
    agreed.write(agreed.project_file.read_text().replace('"true"]', '"true"] # \u202e\u2066'))
    done = agreed.innerloop("init", "--update-names", "--dry-run", "--way", "none")

    assert "txet" in done.out
    assert set() == steers(done.out)
