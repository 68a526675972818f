"""`innerloop init` leaves the name GNUmakefile to whoever has it: then it takes another way, and says why."""

import json
import os
from pathlib import Path

import pytest

from tests.setup.conftest import ANSWERS, Repository

TEST = "test: ; @echo tested\n"
OWNED: dict[str, tuple[dict[str, str], str]] = {
    "GNUmakefile.in": ({"GNUmakefile.in": "", "configure": ""}, "GNUmakefile.in is there, of which a tool makes one"),
    "another ending": ({"GNUmakefile.cmake": ""}, "GNUmakefile.cmake is there"),
    "configure": ({"configure": "#!/bin/sh\nsed s/x/y/ > GNUmakefile\n"}, "configure names it"),
    "configure.ac": ({"configure.ac": "AC_CONFIG_FILES([GNUmakefile])\n"}, "configure.ac names it"),
    "CMakeLists.txt": ({"CMakeLists.txt": "configure_file(x GNUmakefile)\n"}, "CMakeLists.txt names it"),
    "a script": ({"bootstrap": "#!/bin/sh\necho > gnumakefile\n"}, "bootstrap names it"),
    "bootstrap.conf": ({"bootstrap.conf": "gnulib_modules='gnumakefile'\n"}, "bootstrap.conf names it"),
    "an ignore rule": ({".gitignore": "/GNUmakefile\n"}, "git ignores that name (.gitignore:1)"),
    "a wide ignore rule": ({".gitignore": "# all\n*\n!Makefile\n!.gitignore\n"}, "git ignores that name (.gitignore:2)"),
    "its text": ({"Makefile": "all: ; @test -f GNUmakefile\n"}, "Makefile names it"),
    "a comment": ({"Makefile": "# the real one is GNUmakefile\n"}, "Makefile names it"),
    "an included file": ({"Makefile": "D = mk\ninclude $(D)/x.mk\n", "mk/x.mk": "X := GNUmakefile\n"}, "mk/x.mk names it"),
    "a script that it runs": ({"Makefile": "all: ; @tools/run.sh\n", "tools/run.sh": "test -f GNUmakefile\n"}, "tools/run.sh names it"),
    "a wildcard": (
        {"Makefile": "ifneq (,$(wildcard GNU*))\nendif\n"},
        "Makefile looks for files by the pattern GNU*, which it would match",
    ),
    "it would include itself": (
        {"Makefile": "include $(filter-out Makefile,$(wildcard *akefile))\n"},
        "Makefile looks for files by the pattern *akefile",
    ),
    "any letter": ({"Makefile": "all: ; @ls [GM]*akefile\n"}, "Makefile looks for files by the pattern [GM]*akefile"),
}


def said(repository: Repository, *words: str) -> str:
    done = repository.init(*words)
    return " ".join((done.out + done.err).decode().split())


@pytest.mark.parametrize("kind", OWNED)
def test_where_the_name_is_somebodys_init_takes_the_hook_and_says_why(repository: Repository, kind: str) -> None:
    files, reason = OWNED[kind]
    for name, text in ({"Makefile": TEST} | files).items():
        repository.write(name, text).chmod(0o755)
    repository.commit()
    told = said(repository, *ANSWERS)

    assert f"GNUmakefile might be in the way of the project's own, so init writes none there: {reason}" in told
    assert 'eval "$(innerloop hook bash)"' in told
    assert not repository.has("GNUmakefile")
    assert "hook" == json.loads(repository.init("--json").out)["way"]
    assert reason in " ".join(repository.run(str(repository.innerloop), "doctor").out.decode().split())


@pytest.mark.parametrize("way", ["makefile", "private"])
def test_a_way_that_was_asked_for_is_refused_with_the_reason(repository: Repository, way: str) -> None:
    repository.write("Makefile", "all: ; @test -f GNUmakefile\n")
    repository.commit()
    before = repository.tree()
    done = repository.init("--way", way)

    assert (1, b"") == (done.status, done.out)
    assert b"Makefile names it; use --way hook" in done.err
    assert before == repository.tree()


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "There is no GNUmakefile here.\n", "CHANGES": "GNUmakefile is gone\n", "docs.txt": "GNUmakefile"},
        {"Makefile": f"SOURCES := $(wildcard *) $(wildcard src/*.c)\n{TEST}"},
        {"configure": "#!/bin/sh\n", "Makefile.in": "", "CMakeLists.txt": ""},
        {".gitignore": "*.o\nbuild/\n"},
        {".editorconfig": "[GNUmakefile]\nindent_style = tab\n"},
        {"GNUmakefile.md": ""},
        {"GNUmakefile": TEST, "GNUmakefile.local": "", "include.mk": "GNUmakefile"},
    ],
)
def test_a_name_that_is_nobodys_is_taken(repository: Repository, files: dict[str, str]) -> None:
    for name, text in ({"Makefile": TEST} | files).items():
        repository.write(name, text)
    repository.commit()

    assert "might be in the way" not in said(repository, *ANSWERS)
    assert repository.has("GNUmakefile")


def test_a_generated_file_of_that_name_is_left_as_it_is(repository: Repository) -> None:
    """After ./configure, PostgreSQL has a GNUmakefile of its own that git ignores."""
    repository.write("Makefile", TEST)
    repository.write("GNUmakefile.in", TEST)
    repository.write(".gitignore", "/GNUmakefile\n")
    repository.commit()
    repository.write("GNUmakefile", TEST)

    assert "GNUmakefile.in is there" in said(repository, *ANSWERS)
    assert TEST.encode() == repository.bytes("GNUmakefile")


def test_without_git_an_untracked_gnumakefile_with_its_template_is_left_as_it_is(repository: Repository) -> None:
    for name in ("Makefile", "GNUmakefile", "GNUmakefile.in"):
        repository.write(name, TEST)

    assert "GNUmakefile.in is there" in said(repository, *ANSWERS)
    assert TEST.encode() == repository.bytes("GNUmakefile")


def test_a_private_file_of_ours_is_no_ignore_rule_of_somebodys(repository: Repository) -> None:
    repository.write("Makefile", TEST)
    repository.commit()
    assert 0 == repository.init("--way", "private", *ANSWERS).status
    before = repository.tree()

    assert "might be in the way" not in said(repository, "--way", "private")
    assert before == repository.tree()


def test_of_several_directories_those_that_are_free_get_one(repository: Repository) -> None:
    for name in ("Makefile", "api/Makefile", "db/Makefile", "db/GNUmakefile.in"):
        repository.write(name, TEST)
    repository.commit()
    told = said(repository, "--all-makefiles", *ANSWERS)

    assert "db/GNUmakefile might be in the way of the project's own, so init writes none there: db/GNUmakefile.in is there" in told
    assert [True, True, False] == [repository.has(f"{name}GNUmakefile") for name in ("", "api/", "db/")]


def test_a_makefile_that_includes_those_below_would_include_itself(repository: Repository) -> None:
    repository.write("Makefile", f"include $(wildcard */GNUmakefile)\n{TEST}")
    repository.write("api/Makefile", TEST)
    repository.commit()

    assert "GNUmakefile, api/GNUmakefile might be in the way" in said(repository, "--all-makefiles", *ANSWERS)
    assert not repository.has("api/GNUmakefile")


def test_a_file_of_an_earlier_init_that_is_in_the_way_now_is_named(repository: Repository) -> None:
    repository.write("Makefile", TEST)
    repository.commit()
    repository.init(*ANSWERS)
    repository.write("Makefile", "all: ; @test -f GNUmakefile\n")
    told = said(repository)

    assert "GNUmakefile is from an earlier init and may make `make` start itself for ever: `innerloop init --uninstall` removes it" in told
    assert 0 == repository.init("--uninstall").status
    assert not repository.has("GNUmakefile")


def test_looking_runs_nothing_of_the_project(repository: Repository, tmp_path: Path) -> None:
    touch = f"touch {tmp_path}/leaked"
    repository.write("Makefile", f"X := $(shell {touch})\nall: ; @./script\n")
    for name in ("script", "configure", "GNUmakefile.in"):
        repository.write(name, f"#!/bin/sh\n{touch}\n").chmod(0o755)
    repository.commit()
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "filter.x.clean"):
        repository.git("config", key, touch)
    repository.init(*ANSWERS)

    assert not (tmp_path / "leaked").exists()


def test_files_that_cannot_be_read_hold_nothing_up(repository: Repository) -> None:
    repository.write("Makefile", "all: ; @cat pipe self loop\ninclude pipe loop\n")
    repository.commit()
    os.mkfifo(repository.path / "pipe")
    (repository.path / "loop").symlink_to("loop")
    (repository.path / "self").symlink_to("/dev/zero")

    assert 0 == repository.init(*ANSWERS).status
    assert repository.has("GNUmakefile")


def test_another_repository_in_the_environment_is_not_asked(repository: Repository, tmp_path: Path) -> None:
    repository.write("Makefile", TEST)
    repository.commit()
    repository.git("init", "-q", str(tmp_path / "other"))
    (tmp_path / "other" / ".git" / "info" / "exclude").write_text("GNUmakefile\n")
    git = {"GIT_DIR": str(tmp_path / "other/.git"), "GIT_WORK_TREE": str(tmp_path / "other"), "GIT_TRACE": str(tmp_path / "trace")}
    done = repository.run(str(repository.innerloop), "init", *ANSWERS, **git)

    assert (0, True) == (done.status, repository.has("GNUmakefile"))
    assert not (tmp_path / "trace").exists()
