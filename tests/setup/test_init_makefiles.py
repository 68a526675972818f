"""`innerloop init` finds the targets that people type, in the makefiles that are theirs, and runs nothing of them."""

import json
import tomllib
from pathlib import Path

import pytest

from innerloop.tools.setup import targets
from tests.setup.conftest import ANSWERS, Repository

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


def test_every_directory_gets_one_where_that_is_wanted(repository: Repository) -> None:
    for name in ("Makefile", "api/makefile", "web/GNUmakefile"):
        repository.write(name, "test: ; @echo $(MAKEFILE_LIST)\n")
    assert 0 == repository.init("--all-makefiles").status

    assert b"\ninclude makefile\n" in repository.bytes("api/GNUmakefile")
    assert repository.bytes("web/GNUmakefile").endswith(b"test: ; @echo $(MAKEFILE_LIST)\n")
    assert b"makefile\n" == repository.run("make", "-C", "api", "-s").out


@pytest.mark.parametrize(
    ("rule", "told"), [(".DEFAULT:\n\t@true", True), ("%: x\n\t@true\nx:", True), ("%.o: x\n\t@true", False), ("test: ; @true", False)]
)
def test_a_makefile_that_passes_goals_on_is_named(repository: Repository, rule: str, told: bool) -> None:
    repository.write("Makefile", f"{rule}\n")

    assert told == (b"accepts goals that it has no rule for" in repository.init("--dry-run").out)


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


def test_a_makefile_that_cmake_made_and_git_does_not_ignore_gets_no_company_either(repository: Repository) -> None:
    repository.write("CMakeLists.txt", "project(x)\n")
    repository.commit()
    repository.write("Makefile", "all: ; @true\n")
    said = told(repository, *ANSWERS)

    assert not repository.has("GNUmakefile")
    assert "a tool made the Makefile here, and git does not track it: init wrote no GNUmakefile beside it. Use --way hook" in said
    assert ["all", "make"] == tomllib.loads(repository.bytes("innerloop.toml").decode())["names"]["allow"]
