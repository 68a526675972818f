"""`innerloop init`: it finds what people type, writes what a person can review, runs nothing, and changes nothing twice."""

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from innerloop.tools.setup import names, template
from innerloop.tools.setup.changes import Refused
from innerloop.tools.setup.template import Listed
from tests.setup.conftest import ANSWERS, Repository
from tests.transparency.developer import Developer

STEPS = [
    b"fill in innerloop.toml: organisation, endpoint.",
    b"review the names in innerloop.toml:",
    b"on the collector's machine: innerloop-collector projects apply innerloop.toml",
    b"on that machine too: innerloop-collector keys create shop; put the key into innerloop.toml as write_key",
    b"commit innerloop.toml, GNUmakefile",
    b"each developer decides for themselves: innerloop opt-in. Tell them",
]


def test_a_new_project_file_is_refused_until_it_is_filled_in(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    done = repository.init()

    assert 0 == done.status
    steps = [line.split(b". ", 1)[1] for line in done.out.splitlines() if line[:4].strip()[:1].isdigit()]
    assert STEPS == [step[: len(expected)] for step, expected in zip(steps, STEPS, strict=True)]
    again = repository.init()
    assert b"fill in innerloop.toml: organisation, endpoint." in again.out
    assert b"innerloop-collector keys create shop" in again.out
    assert ["organisation", "endpoint", "write_key"] == json.loads(repository.init("--json").out)["to_fill_in"]
    for command in ("doctor", "opt-in"):
        told = repository.run(str(repository.innerloop), command)
        assert b"project.organisation, project.endpoint, project.write_key are missing" in told.out + told.err


def test_a_key_that_only_holds_a_place_is_asked_for_and_says_how_to_get_one(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.init("--organisation", "Example", "--endpoint", "https://x.example", "--project", "shop")

    assert "shop.to-be-created" == tomllib.loads(repository.bytes("innerloop.toml").decode())["project"]["write_key"]
    refused = repository.run(str(repository.innerloop), "opt-in")
    assert 1 == refused.status
    assert b"project.write_key is missing; `innerloop-collector keys create shop` prints a write key" in refused.err


def test_patterns_without_stems_are_told_to_allow_nothing(repository: Repository) -> None:
    repository.write("Makefile", "up.%: ; @true\ndown.%: ; @true\n")

    assert b"list stems in innerloop.toml: without them 2 patterns such as `up.*` allow nothing" in repository.init(*ANSWERS).out


def test_one_is_said_in_the_singular(repository: Repository) -> None:
    for name in ("Makefile", "api/Makefile"):
        repository.write(name, "test: ; @true")
    repository.init(*ANSWERS)
    repository.write("Makefile", "test: ; @true\nnew: ; @true")
    done = repository.init("--update-names")

    assert b"changed: 1 name more." in done.out
    assert b"1 directory below with a Makefile" in done.out


def test_a_new_project_file_lists_names_one_a_line_with_their_texts(repository: Repository) -> None:
    repository.write("Makefile", 'test: ; @true\nq: x ## say "hi" \\ ünï\nup.%: ## one\n\t@true\n')
    repository.write("services/api/Makefile", "test: ## of the service\n\t@true")
    repository.commit()
    assert 0 == repository.init(*ANSWERS).status

    text = repository.bytes("innerloop.toml").decode()
    document = tomllib.loads(text)
    assert ["test", "q", "up.*", "make", "services/api:test", "services/api:make"] == document["names"]["allow"]
    assert [] == document["names"]["stems"]
    assert '    "q",  # say "hi" \\ ünï\n' in text
    assert {"id": "shop", "organisation": "Example", "endpoint": "http://127.0.0.1:9", "write_key": "shop.secret"} == document["project"]
    assert b"ok  project file" in repository.run(str(repository.innerloop), "doctor").out


def test_doing_it_twice_changes_nothing(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.commit()
    for words in (ANSWERS, ("--way", "private")):
        repository.init("--uninstall")
        assert 0 == repository.init(*words).status
        before = repository.tree()
        again = repository.init(*words)

        assert b"There is nothing to change." in again.out
        assert before == repository.tree()


def test_a_dry_run_shows_every_byte_and_writes_none(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    before = repository.tree()
    done = repository.init("--dry-run", *ANSWERS)
    document = json.loads(repository.init("--dry-run", "--json", *ANSWERS).out)

    assert before == repository.tree()
    assert b"+include Makefile\n" in done.out
    assert b'+    "test",\n' in done.out
    assert ["innerloop.toml", "GNUmakefile"] == [Path(change["path"]).name for change in document["changes"]]
    assert [] == document["written"]


def test_nothing_of_the_project_is_run(repository: Repository, tmp_path: Path) -> None:
    repository.write(
        "Makefile", f"X := $(shell touch {tmp_path}/leaked)\n$(shell touch {tmp_path}/leaked): x\ntest: ; @touch {tmp_path}/leaked"
    )
    repository.commit()
    repository.git("config", "core.fsmonitor", f"touch {tmp_path}/leaked")
    repository.init()

    assert not (tmp_path / "leaked").exists()


def test_a_run_without_a_goal_has_the_name_that_is_listed_for_it(hire: Callable[[str], Developer]) -> None:
    developer = hire("yes")
    listed = ["make", "services/api:make"]
    for name in ("", "services/api"):
        (developer.project / name).mkdir(parents=True, exist_ok=True)
        (developer.project / name / "Makefile").write_text("test: ; @true\n")
    root, env = developer.project, developer.env

    def innerloop(*words: str, directory: str = "") -> bytes:
        return subprocess.run(
            [developer.innerloop, *words], cwd=root / directory, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True
        ).stdout

    subprocess.run(["git", "init", "-q"], cwd=root, env=env, check=True)
    innerloop("init", "--update-names", "--all-makefiles")
    assert set(listed) < set(tomllib.loads((root / "innerloop.toml").read_text())["names"]["allow"])
    innerloop("run", "--", "true")  # finds out what the project file says by now
    innerloop("run", "--", "make")
    innerloop("run", "--", "make", "-C", "services/api")
    innerloop("run", "--", "make", directory="services/api")
    runs = [one["properties"] for one in json.loads(innerloop("show", "pending", "--json")) if one["event"] == "innerloop.run"]
    assert ["make", "other", "services/api:make", "services/api:make"] == sorted(run["command"] for run in runs)


def test_a_wrong_answer_at_a_terminal_is_asked_for_again(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    child = pexpect.spawn(str(repository.innerloop), ["init"], cwd=str(repository.path), env=repository.env, encoding="utf-8", timeout=20)
    for asked, answer in (
        ("Project id", "Example Ltd"), ("project.id must be.*Project id", "shop"), ("Who asks", "x" * 121),
        ("longer than 120.*Who asks", "Example"), ("Address", "ftp://x"), ("project.endpoint must.*Address", "https://x.example"), ("Write key", ""),
    ):  # fmt: skip
        child.expect(f"{asked}.*: $")
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()

    assert 0 == child.exitstatus
    project = tomllib.loads(repository.bytes("innerloop.toml").decode())["project"]
    assert {"id": "shop", "organisation": "Example", "endpoint": "https://x.example", "write_key": "shop.to-be-created"} == project


def test_a_wrong_answer_writes_nothing(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    done = repository.init("--project", "Not An Id")

    assert (1, b"") == (done.status, done.out)
    assert done.err.startswith(b"innerloop: nothing was written: project.id must be")
    assert ["Makefile"] == list(repository.tree())


def test_missing_names_are_told_and_added_only_when_asked(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true\nnew: x ## brand new\n")
    before = repository.write("innerloop.toml", '[project]\nid = "x"\n\n[names]\nallow = ["test"] # mine\n').read_bytes()
    done = repository.init("--way", "none")
    assert b'    "new",  # brand new\n' in done.out
    assert before == repository.bytes("innerloop.toml")

    done = repository.init("--way", "none", "--update-names")
    assert b'+    "new",  # brand new\n' in done.out
    assert ["test", "new", "make"] == tomllib.loads(repository.bytes("innerloop.toml").decode())["names"]["allow"]
    assert b"# mine" in repository.bytes("innerloop.toml")


def test_init_lists_no_more_and_no_longer_names_than_a_project_file_may_hold(repository: Repository) -> None:
    repository.write("Makefile", f"test new newer {'x' * 201}: ; @true\n")
    listed = ["test", *(f"n{number}" for number in range(1998))]
    repository.write("innerloop.toml", f'[project]\nid = "x"\n\n[names]\nallow = {listed}\n'.replace("'", '"'))
    assert b"1 name more" in repository.init("--way", "none", "--update-names").out
    assert [*listed, "new"] == tomllib.loads(repository.bytes("innerloop.toml").decode())["names"]["allow"]


def test_a_name_is_added_under_the_heading_of_its_makefile(repository: Repository) -> None:
    for name in ("Makefile", "api/Makefile"):
        repository.write(name, "test: ; @true")
    repository.init(*ANSWERS)
    repository.write("Makefile", "test: ; @true\nnew: ; @true")
    repository.write("web/Makefile", "serve: ; @true")
    repository.init("--update-names")

    after = repository.bytes("innerloop.toml").decode()
    assert 1 == after.count("# Makefile\n")
    assert ["test", "make", "new", "api:test", "api:make", "web:serve", "web:make"] == tomllib.loads(after)["names"]["allow"]


NEW = [Listed("new", "brand new", "Makefile"), Listed('q"\\', "", "Makefile")]


@pytest.mark.parametrize(
    "text",
    [
        '[names]\nallow = ["a", "b"]\n',
        '[names]\nallow = [\n  "a", # one, two ]\n  "b" # last\n]\nstems = ["x"]\n',
        '[names]\nallow = [\n  "a",\n  "b",\n  # the end\n]\n',
        '[names]\r\nallow = [\r\n  "a",\r\n  "b"\r\n]\r\n',
        '[names]\nallow = ["a", "b",]',
        '[ names ] # here\n  allow=["a","b"]\n[fields]\nos = false\n',
        "[project]\nname = '''\n[names]\nallow = [\"z\"]\n'''\n[names]\nallow = ['a', 'b']\n",
        '[x]\nallow = ["no"]\n[names]\nstems = ["["]\n"allow" = ["a", "b"]\n',
        "[names]\nallow = []\n",
        "[names]\nstems = []\n",
        "[names]",
        '[project]\nid = "x"',
        "",
    ],
)
def test_names_are_added_and_every_other_byte_stays(text: str) -> None:
    before = tomllib.loads(text)
    after = names.add(text.encode(), NEW).decode()

    expected = before | {"names": before.get("names", {}) | {"allow": [*before.get("names", {}).get("allow", []), "new", 'q"\\']}}
    assert expected == tomllib.loads(after)
    remains = iter(after)
    assert all(character in remains for character in text), "something of the old text is gone"
    assert text.count("\r\n") == text.count("\n") or "\r" not in after
    if "\r\n" in text:
        assert after.count("\n") == after.count("\r\n")


def test_a_project_file_that_cannot_be_read_is_not_touched() -> None:
    with pytest.raises(Refused, match=r"line 1"):
        names.add(b"[names\n", NEW)


def test_a_changed_project_file_is_known_as_such() -> None:
    text = template.text(template.Answers("x", "", "", ""), NEW, []).encode()

    assert template.is_unchanged(text)
    assert template.is_unchanged(text.replace(b"\n", b"\r\n"))
    assert not template.is_unchanged(text.replace(b'"new"', b'"old"'))
    assert not template.is_unchanged(text + b"\n")


def test_the_hook_is_told_and_not_written(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    done = repository.init("--way", "hook")

    assert b'eval "$(innerloop hook bash)"' in done.out
    assert not repository.has("GNUmakefile")
    assert [] == list(repository.home.iterdir())


def test_the_clones_remotes_are_proposed_but_no_path_of_this_machine(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.commit()
    repository.git("remote", "add", "origin", "git@git.example.org:shop/shop.git")
    repository.git("remote", "add", "local", "/home/somebody/shop")
    repository.init()

    assert b'# remotes = ["git.example.org/shop/shop"]' in repository.bytes("innerloop.toml")


def test_at_a_terminal_it_asks_for_what_it_cannot_know(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    child = pexpect.spawn(str(repository.innerloop), ["init"], cwd=str(repository.path), env=repository.env, encoding="utf-8", timeout=20)
    for answer in ("", "Example", "https://collector.example", "shop.key"):
        child.expect(": $")
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()

    assert 0 == child.exitstatus
    project = tomllib.loads(repository.bytes("innerloop.toml").decode())["project"]
    assert {"id": "shop", "organisation": "Example", "endpoint": "https://collector.example", "write_key": "shop.key"} == project
