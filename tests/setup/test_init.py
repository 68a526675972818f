"""`innerloop init`: it finds what people type, writes what a person can review, runs nothing, and changes nothing twice."""

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from innerloop.tools.setup import names, targets, template
from innerloop.tools.setup.changes import Refused
from innerloop.tools.setup.template import Listed
from tests.setup.conftest import ANSWERS, Repository
from tests.transparency.developer import Developer

MAKEFILE = """\
.DEFAULT_GOAL := help
TARGETS := lint bench
IMPL := $(TARGETS:%=impl-%)
OBJECTS = a.o b.o
.PHONY: help test $(TARGETS) \\
    docs/site
help: ## list these
\t@echo help
test: build ## run the \x1b[36mtests\x1b[0m
\t@pytest
## put it on the machines
deploy:
\t@./deploy
##@ A heading
build: $(OBJECTS)
\tcc -o $@ $^
a.o b.o: %.o: %.c
\tcc -c $<
dev.up.%: ## start one service
\t@docker compose up $*
%.o: %.c
\tcc -c $<
$(TARGETS): %: impl-%
$(IMPL):
\t@true
$(addprefix made-,x y): ; @true
README: ; @true
_private .hidden: ; @true
FORCE:
test: CFLAGS = -g
X := $(shell touch leaked)
define TEXT
not-a-target: x
endef
ifdef NEVER
sometimes: ; @true
endif
double:: ; @true
url = http://x
"""


STEPS = [
    b"fill in innerloop.toml: organisation, endpoint.",
    b"review the names in innerloop.toml:",
    b"on the collector's machine: innerloop-collector projects apply innerloop.toml",
    b"on that machine too: innerloop-collector keys create shop; put the key into innerloop.toml as write_key",
    b"commit innerloop.toml, GNUmakefile",
    b"each developer decides for themselves: innerloop opt-in. Tell them",
]


def found(directory: Path, text: str) -> dict[str, str]:
    (directory / "Makefile").write_text(text)
    return {target.name: target.text for target in targets.find(str(directory), "Makefile", str(directory))}


def test_targets_are_found_with_their_help_texts(tmp_path: Path) -> None:
    (tmp_path / "README").touch()

    assert found(tmp_path, MAKEFILE) == {
        "help": "list these", "test": "run the tests", "lint": "", "bench": "", "docs/site": "", "deploy": "put it on the machines",
        "build": "", "dev.up.*": "start one service", "impl-lint": "", "impl-bench": "", "sometimes": "", "double": "",
    }  # fmt: skip
    assert not (tmp_path / "leaked").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b: ; x", ["a", "b"]),
        ("a&: b; x", ["a"]),
        ("a : b | c", ["a"]),
        ("a: b \\\n  c\n\tx", ["a"]),
        ("A = a\n$(A)-$(A) ${A}: b", ["a-a", "a"]),
        ("A = $(A)\n$(A): b", []),
        ("$(foreach x,a b,$(x)-y): z", []),
        ("a$$b: z", []),
        ("a := b\nc ::= d\ne ?= f\ng += h\ni != j\nk = l", []),
        ("export a: b\nifeq (a:b,c)\nvpath %.c x:y\nexport: c", ["export"]),
        ("a: b = c", []),
        ("a: private b := c", []),
        ("x = a:b", []),
        ('a: ## it\'s "so" # really\n\tx', ["a"]),
        ("# a: b\n#a: b", []),
        ("\ta: b", []),
        ("a:\r\n\tx\r\n", ["a"]),
        ("\ufeffa: b", ["a"]),
        ("out/a.txt lib.a main.js a.py x.so.1: b", []),
        ("dev.up: b", ["dev.up"]),
        ("%: force", []),
        ("include missing.mk $(UNKNOWN)/x.mk\na: b", ["a"]),
        (
            "W = alice\nnames := $(sort $(shell sed -n \\\n $(W) 's/^\\(sc_[a-z]*\\):.*/\\1/p' x))\n.PHONY: $(names) a\n$(names): b",
            ["a"],
        ),
        (".PHONY: a $(shell cat 'alice bob", ["a"]),
        ("B = x) y\n.PHONY: $(B) $(sort $(B)) a", ["y", "a"]),
        (".PHONY: $$(call f, bob alice) a", ["a"]),
        (".PHONY: /usr/bin/sed -n 'alice' {x a", ["a"]),
        ("sp\\ ace: b\n.PHONY: sp\\ ace\nc: sp\\ ace", ["c"]),
        ("a$@b ${C}: b\nd: e", ["d"]),
    ],
)
def test_odd_makefiles_are_read_as_make_would(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert expected == list(found(tmp_path, text))


def test_included_files_are_followed_inside_the_project_only(tmp_path: Path) -> None:
    (tmp_path / "outside.mk").write_text("outside: x")
    project = tmp_path / "project"
    (project / "mk").mkdir(parents=True)
    (project / "mk" / "a.mk").write_text("inner: x ## inside\ninclude mk/a.mk")

    assert found(project, "DIR = mk\ninclude $(DIR)/*.mk ../outside.mk\n-include Makefile") == {"inner": "inside"}


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


def test_other_peoples_and_generated_makefiles_are_left_out(repository: Repository) -> None:
    for name in (
        "Makefile",
        "api/Makefile",
        "node_modules/x/Makefile",
        "vendor/Makefile",
        ".hidden/Makefile",
        "ignored/Makefile",
        "a/b/c/d/e/Makefile",
    ):
        repository.write(name, "test: ; @true")
    repository.write(".gitignore", "ignored/\n")
    repository.commit()

    assert ["Makefile", "api/Makefile"] == json.loads(repository.init("--json").out)["makefiles"]


def test_a_makefile_that_git_ignores_gets_no_company(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.write(".gitignore", "Makefile\n")
    repository.commit()
    done = repository.init()

    assert b"git ignores the Makefile here" in done.out
    assert not repository.has("GNUmakefile")


def test_init_below_works_on_the_whole_checkout(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.write("src/deep/x", "")
    repository.commit()
    repository.init(directory="src/deep")

    assert repository.has("innerloop.toml")
    assert repository.has("GNUmakefile")


def test_without_git_only_what_is_near_is_looked_into_and_said(repository: Repository) -> None:
    for name in ("Makefile", "api/Makefile", "api/deep/Makefile"):
        repository.write(name, "test: ; @true")
    said = "this is not a git repository"
    assert ["Makefile", "api/Makefile"] == json.loads(repository.init("--dry-run", "--json").out)["makefiles"]
    assert said in " ".join(repository.init("--dry-run").out.decode().split())

    repository.commit()
    assert 3 == len(json.loads(repository.init("--dry-run", "--json").out)["makefiles"])
    assert said not in " ".join(repository.init("--dry-run").out.decode().split())


def test_before_configure_it_says_that_a_tool_makes_the_makefile(repository: Repository) -> None:
    repository.write("GNUmakefile", "-include Makefile\nabort: ; @false\n")
    repository.write("configure.ac", "")
    said = "run it first (configure, cmake), then `innerloop init --update-names`"
    assert said in " ".join(repository.init("--dry-run").out.decode().split())

    repository.write("Makefile", "test: ; @true")
    assert said not in " ".join(repository.init("--dry-run").out.decode().split())


def test_only_documented_targets_where_that_is_wanted(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true\ndeploy: ## to the machines\n\t@true\n")

    assert ["deploy", "make"] == [one["name"] for one in json.loads(repository.init("--documented", "--json").out)["names"]]


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


def test_every_directory_gets_one_where_that_is_wanted(repository: Repository) -> None:
    for name in ("Makefile", "api/makefile", "web/GNUmakefile"):
        repository.write(name, "test: ; @echo $(MAKEFILE_LIST)\n")
    assert 0 == repository.init("--all-makefiles").status

    assert b"\ninclude makefile\n" in repository.bytes("api/GNUmakefile")
    assert repository.bytes("web/GNUmakefile").endswith(b"test: ; @echo $(MAKEFILE_LIST)\n")
    assert b"makefile\n" == repository.run("make", "-C", "api", "-s").out


def test_the_clones_remotes_are_proposed_but_no_path_of_this_machine(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.commit()
    repository.git("remote", "add", "origin", "git@git.example.org:shop/shop.git")
    repository.git("remote", "add", "local", "/home/somebody/shop")
    repository.init()

    assert b'# remotes = ["git.example.org/shop/shop"]' in repository.bytes("innerloop.toml")


@pytest.mark.parametrize(
    ("rule", "told"), [(".DEFAULT:\n\t@true", True), ("%: x\n\t@true\nx:", True), ("%.o: x\n\t@true", False), ("test: ; @true", False)]
)
def test_a_makefile_that_passes_goals_on_is_named(repository: Repository, rule: str, told: bool) -> None:
    repository.write("Makefile", f"{rule}\n")

    assert told == (b"accepts goals that it has no rule for" in repository.init("--dry-run").out)


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


@pytest.fixture
def configured(repository: Repository) -> Repository:
    """A project whose Makefile a tool made, and git ignores."""
    repository.write("configure.ac", "AC_INIT\n")
    repository.write(".gitignore", "Makefile\n")
    repository.commit()
    repository.write("Makefile", "all: ; @echo made\ncheck: all\n")
    return repository


def told(repository: Repository, *words: str) -> str:
    done = repository.init(*words)
    return " ".join((done.out + done.err).decode().split())


def test_a_makefile_that_configure_made_is_found_when_asked_and_told_when_not(configured: Repository) -> None:
    said = told(configured, *ANSWERS)
    assert "git ignores the Makefile here, so a tool made it, and init did not read it: `innerloop init --update-names`" in said
    assert [] == tomllib.loads(configured.bytes("innerloop.toml").decode())["names"]["allow"]
    assert not configured.has("GNUmakefile")

    assert "not looked into" not in told(configured, "--update-names")
    assert ["all", "check", "make"] == tomllib.loads(configured.bytes("innerloop.toml").decode())["names"]["allow"]
    assert ["Makefile"] == json.loads(configured.init("--generated", "--json").out)["makefiles"]
    assert not configured.has("GNUmakefile")


def test_a_makefile_that_cmake_made_below_is_found_when_asked(repository: Repository) -> None:
    repository.write("CMakeLists.txt", "project(x)\n")
    repository.write(".gitignore", "out/\n")
    repository.commit()
    repository.write("out/Makefile", "all: ; @true\n")

    assert [] == json.loads(repository.init("--dry-run", "--json").out)["makefiles"]
    assert ["out/Makefile"] == json.loads(repository.init("--dry-run", "--json", "--generated").out)["makefiles"]


@pytest.mark.parametrize("way", ["hook", "none", "makefile", "private"])
def test_no_way_is_advised_to_who_took_it(configured: Repository, way: str) -> None:
    said = told(configured, "--way", way, *ANSWERS)

    assert f"take --way {way}" not in said
    assert f"use --way {way}" not in said


def test_a_generated_makefile_gets_company_in_this_checkout_alone(configured: Repository) -> None:
    refused = configured.init("--way", "makefile")
    assert 1 == refused.status
    assert b"git does not track the Makefile here, so a GNUmakefile for everybody would fail where it is not made yet" in refused.err

    assert 0 == configured.init("--way", "private", *ANSWERS).status
    assert b"made\n" == configured.run("make").out
    assert "" == configured.git("status", "--porcelain", "GNUmakefile")
    before = configured.tree()
    assert 0 == configured.init("--way", "private").status
    assert before == configured.tree()
    assert 0 == configured.init("--uninstall").status
    assert {".git/info/exclude", ".gitignore", "Makefile", "configure.ac"} == set(configured.tree())


FLAGS = ("--organisation", "Example", "--endpoint", "https://x.example", "--write-key", "shop.secret")


def test_what_an_earlier_init_left_blank_is_filled_in(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.init("--project", "shop")
    before = repository.bytes("innerloop.toml")
    assert b"organisation and endpoint and write_key filled in" in repository.init(*FLAGS).out

    project = tomllib.loads(repository.bytes("innerloop.toml").decode())["project"]
    assert {"id": "shop", "organisation": "Example", "endpoint": "https://x.example", "write_key": "shop.secret"} == project
    changed = [one for one in zip(before.splitlines(), repository.bytes("innerloop.toml").splitlines(), strict=True) if one[0] != one[1]]
    assert 3 == len(changed)
    assert b"to fill in" not in repository.bytes("innerloop.toml")
    assert b"There is nothing to change." in repository.init(*FLAGS).out
    assert b"ok  project file" in repository.run(str(repository.innerloop), "doctor").out
    repository.init("--uninstall")
    assert not repository.has("innerloop.toml")


def test_one_field_after_the_other_is_filled_in(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.init("--project", "shop")
    for number in (0, 2, 4):
        assert 0 == repository.init(*FLAGS[number : number + 2]).status

    assert 0 == len(json.loads(repository.init("--json").out)["to_fill_in"])


@pytest.mark.parametrize(
    "text",
    [
        '[project]\r\nid = "shop"\r\norganisation=\'\'\r\nendpoint = ""\r\nwrite_key = ""\r\n',
        '# [project]\n[names]\nallow = []\n[ project ] # x\nid = "shop"',
        "[project]\nid = 'shop'\n  organisation  =  \"\"  # mine\n[wording]\npurpose = '''\norganisation = \"\"\n'''\n",
    ],
)
def test_files_of_ones_own_are_filled_in_and_every_other_byte_stays(repository: Repository, text: str) -> None:
    repository.write("innerloop.toml", text)
    done = repository.init("--way", "none", *FLAGS)

    after = repository.bytes("innerloop.toml").decode()
    assert 0 == done.status, done.err
    assert "# mine" not in text or "# mine" in after
    wanted = tomllib.loads(text)
    wanted["project"] |= {"organisation": "Example", "endpoint": "https://x.example", "write_key": "shop.secret"}
    assert wanted == tomllib.loads(after)
    assert text.count("\r\n") == 0 or after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize(
    "address", ["x.example", "ftp://x.example", "https://", "http://x:port", "https://a@x.example", "https://x y", "/tmp", "?"]
)
@pytest.mark.parametrize("there", [False, True])
def test_an_address_that_is_none_is_refused(repository: Repository, there: bool, address: str) -> None:
    repository.write("Makefile", "test: ; @true")
    if there:
        repository.init("--project", "shop")
    before = repository.tree()
    done = repository.init("--endpoint", address)

    assert (1, b"", 1) == (done.status, done.out, len(done.err.splitlines()))
    assert b"project.endpoint must be an http or https address" in done.err
    assert before == repository.tree()


def test_what_stands_in_the_file_is_not_overwritten(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true")
    repository.init(*ANSWERS)
    before = repository.tree()
    for words in (
        ("--organisation", "Other"),
        ("--project", "other"),
        ("--write-key", "shop.other"),
        ("--endpoint", "https://other.example"),
    ):
        done = repository.init(*words)

        assert 1 == done.status
        assert b"innerloop.toml says already" in done.err
    assert before == repository.tree()


def test_a_makefile_that_cmake_made_and_git_does_not_ignore_gets_no_company_either(repository: Repository) -> None:
    repository.write("CMakeLists.txt", "project(x)\n")
    repository.commit()
    repository.write("Makefile", "all: ; @true\n")
    said = told(repository, *ANSWERS)

    assert not repository.has("GNUmakefile")
    assert "a tool made the Makefile here, and git does not track it: init wrote no GNUmakefile beside it. Use --way hook" in said
    assert ["all", "make"] == tomllib.loads(repository.bytes("innerloop.toml").decode())["names"]["allow"]
