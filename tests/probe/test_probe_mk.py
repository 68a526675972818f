"""What probe.mk tells the shim, in which mode, where it steps aside, and that the Makefile cannot tell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from innerloop.core.probe import place
from innerloop.tools.setup import gnumakefile
from tests.probe.conftest import ENVIRONMENT, MAKE, Since, Stage


def test_every_field_of_a_line_is_right(stage: Stage) -> None:
    stage.write("all: one two | three ; @sleep 0.1; exit 3\none two three: ; @true\n")
    stage.same("-k", "-j2")

    lines = {line.target: line for line in stage.lines()}
    assert {"one", "two", "three", "all"} == set(lines)
    line = lines["all"]
    assert ("", 0, "kj", str(stage.work)) == (line.up, line.level, line.flags, line.cwd)
    assert (("one", "two"), ("three",), 3) == (line.normal, line.order, line.status)
    assert line.end is not None
    assert 100_000_000 <= line.end - line.start < 10_000_000_000
    assert 100 < line.memory < 1_000_000
    assert line.id.endswith(f"-{line.start}")
    assert len({line.make for line in lines.values()}) == 1


def test_every_line_of_a_recipe_is_a_record_and_so_are_those_that_make_itself_could_start(stage: Stage) -> None:
    stage.write("all:\n> @true\n> @: ; :\n> @true\n> @echo done\n")
    stage.same()

    assert ["all"] * 4 == stage.targets()


def test_sub_makes_are_a_tree_however_they_are_started(stage: Stage) -> None:
    stage.write("all: ; @$(MAKE) -s -C sub a; make -s -C sub b; sh run.sh\n")
    stage.write("make -s -C sub c\n", "run.sh")
    stage.write("a b c: ; @true\n", "sub/Makefile")
    stage.same(PATH=f"{Path(MAKE).parent}:{os.environ['PATH']}" if "/" in MAKE else os.environ["PATH"])

    top, *below = stage.lines()
    assert ("all", 0) == (top.target, top.level)
    assert [("a", 1), ("b", 1), ("c", 1)] == [(line.target, line.level) for line in below]
    assert {top.id} == {line.up for line in below}
    assert 3 == len({line.make for line in below})


@pytest.mark.parametrize(
    "goal",
    ["dollar$sign", "quo'te", 'quo"te', "ünï", "100%", "semi;colon", "hash#", "back`tick", "star*", "tab\\", "@at", "a&b"],
)
def test_odd_names_are_recorded_as_they_are(stage: Stage, goal: str) -> None:
    stage.write("%: ; @true\nMakefile: ;\n")
    stage.same(goal)

    assert [goal] == stage.targets()


def test_names_with_blanks_are_escaped(stage: Stage) -> None:
    stage.write("with\\ blank: also\\ one ; @true\nalso\\ one: ; @true\n")
    stage.same("with blank")

    assert ["also one", "with blank"] == stage.targets()


def test_prerequisites_are_cut_at_64_and_16(stage: Stage) -> None:
    names = " ".join(f"p{number}" for number in range(100))
    orders = " ".join(f"o{number}" for number in range(100))
    stage.write(f"all: {names} | {orders} ; @true\n{names} {orders}: ;\n")
    stage.same()

    (line,) = stage.lines()
    assert (64, 16) == (len(line.normal), len(line.order))


def test_a_thousand_long_names_neither_break_make_nor_the_record(stage: Stage, since: Since) -> None:
    since(4, 2)
    names = " ".join(f"{'/'.join(['d' * 200] * 16)}/{number}" for number in range(1000))
    stage.write(f"SHELL = /bin/bash\nall: {names} ; @true\n{names}: ;\n")
    stage.same()

    assert ["all"] == stage.targets()
    assert len(stage.log.read_bytes()) < 17_000


@pytest.mark.parametrize("name", ["x" * 140_000, "/".join(["d" * 250] * 490), "a/" * 70_000 + "b", "a\\ b" * 50_000])
def test_names_longer_than_a_path_may_be_are_left_out(stage: Stage, version: tuple[int, ...], name: str) -> None:
    if version[:2] == (4, 0):
        pytest.skip("make 4.0 aborts on such a name by itself")
    stage.write(f".PHONY: all short {name} {name}2\nall: short {name} {name}2 | {name} ; @true\nshort {name}: ; @true\n{name}2: ;\n")
    stage.same("all", "short")

    assert (["short"] if " " in name else ["short", "all"]) == stage.targets(), "so many words are a long line"


@pytest.mark.parametrize("count", [1, 15, 16, 17, 32, 33, 48, 49, 64])
def test_names_come_in_groups_and_none_is_lost(stage: Stage, count: int) -> None:
    names = [f"{'n' * 80}{number}" for number in range(count)]
    stage.write(f"all: {' '.join(names)} | {' '.join(names[:16])} order ; @true\n{' '.join(names)} order: ;\n")
    stage.same()

    (line,) = stage.lines()
    assert names == list(line.normal)[: len(names)]
    assert len(line.normal) == count


def test_a_makefile_of_half_a_million_words_is_read_with_little_stack(stage: Stage, since: Since) -> None:
    since(4, 2)
    stage.write("SHELL = /bin/bash\nX := " + "w " * 500_000 + "\nall: ; @true\n")
    stage.same()

    assert ["all"] == stage.targets()


def test_nothing_is_recorded_while_files_are_read(stage: Stage) -> None:
    stage.write("X := $(shell echo parsed)\nall: ; @echo $(X)\n")
    stage.same()

    assert ["all"] == stage.targets()


@pytest.mark.parametrize("flag", ["-n", "-q", "-t", "-p", "-d", "--trace", "-kn"])
def test_where_nothing_runs_or_make_explains_itself_nothing_is_recorded(stage: Stage, since: Since, flag: str) -> None:
    if flag == "--trace":
        since(4, 0)
    stage.write("all: ; @+echo run\n")
    done = stage.measured(flag)

    assert done.status in (0, 1)
    assert [] == stage.targets()
    assert [] == [line for line in done.out.splitlines() if "innerloop-hook" in line and "Must remake" in line]


@pytest.mark.parametrize(
    "words",
    [
        ["A=nqtpd"],
        ["A=--trace"],
        ["A=x --trace"],
        ["-j2"],
        ["-k", "--no-print-directory"],
        ["--warn-undefined-variables"],
        ["-i", "B=-n"],
        ["-s"],
    ],
)
def test_other_options_and_variables_hide_nothing(stage: Stage, words: list[str]) -> None:
    stage.write("all: ; @echo '$(A)' $(UNDEFINED)\n")
    stage.same(*words)

    assert ["all"] == stage.targets()


def test_the_list_of_makefiles_is_as_without_us(stage: Stage) -> None:
    stage.write("before:\n", "with.mk")
    stage.write("include more.mk\nall: ; @echo '[$(MAKEFILE_LIST)] [$(firstword $(MAKEFILE_LIST))] [$(.DEFAULT_GOAL)]'\n")
    stage.write("X := [$(MAKEFILE_LIST)]\n$(info $X)\n", "more.mk")
    stage.same()

    other = str(stage.work / "with.mk")
    bare = stage.bare(MAKEFILES=other)
    assert bare == stage.measured(MAKEFILES=f"{stage.probe}/probe.mk {other}")
    assert bare == stage.measured(MAKEFILES=f"{other} {stage.probe}/probe.mk")
    assert ["all"] * 3 == stage.targets()


@pytest.mark.parametrize(
    "rule", ["%: ; @echo caught $@", "%: force ; @echo caught $@\nforce: ;", ".DEFAULT: ; @echo caught $@", "%:: ; @echo caught $@"]
)
@pytest.mark.parametrize("flag", ["-k", "-n"])
def test_a_rule_for_everything_never_runs_for_our_files(stage: Stage, rule: str, flag: str) -> None:
    stage.write(f"all: other ; @echo all\nMakefile: ;\n{rule}\n")

    assert "innerloop" not in stage.same(flag).out
    assert "innerloop" not in stage.same(flag, "something").out


def test_there_is_no_default_goal_of_ours(stage: Stage) -> None:
    stage.write("# nothing\n")
    assert "No targets" in stage.same().err
    stage.write("$(info [$(.DEFAULT_GOAL)])\nall: ; @echo all\n")
    assert "[]\nall\n" == stage.same().out


def test_files_that_are_made_and_read_again_are_measured_like_the_rest(stage: Stage) -> None:
    stage.write("all: ; @echo $(X)\ninclude made.mk\nmade.mk: ; @echo X := made > $@; echo making\n")
    bare = stage.bare()
    (stage.work / "made.mk").unlink()

    assert bare.out == stage.measured().out
    assert "all" == stage.targets()[-1]


# -- modes ---------------------------------------------------------------------------------------------------------------

SHELL = "shell"
FLAGS = "flags"
OTHER = "other"
NONE = "none"


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("", SHELL),
        ("SHELL := /bin/bash\n", SHELL),
        ("SHELL = /bin/sh\n.SHELLFLAGS := -euc\n", SHELL),
        ("SHELL=/bin/bash\n.SHELLFLAGS = -eu -o pipefail -c\n.ONESHELL:\n", SHELL),
        ("SHELL := bash\n", OTHER),
        ("SHELL := /usr/bin/env bash\n", OTHER),
        ("SHELL := /bin/bash -e\n", OTHER),
        ("SHELL := $(shell command -v bash)\n", OTHER),
        (f"SHELL := {sys.executable}\n.ONESHELL:\n", OTHER),
        ("x: ; $(SHELL) script\n", FLAGS),
        ("x: ; ${SHELL} script\n", FLAGS),
        ("X = $(subst /,-,$(SHELL))\n", FLAGS),
        ("x: SHELL := /bin/bash\n", FLAGS),
        ("x:SHELL=/bin/bash\n", FLAGS),
        ("export SHELL\n", FLAGS),
        ("export\n", FLAGS),
        (".EXPORT_ALL_VARIABLES:\n", FLAGS),
        ("x:\n> SHELL=/bin/sh ./configure\n", SHELL),
        (".POSIX:\n", SHELL),
        ("SHELL = $(warning $@)/bin/sh\n", NONE),
    ],
)
def test_the_mode_follows_what_the_makefile_does_with_its_shell(stage: Stage, since: Since, text: str, mode: str) -> None:
    since(4, 2)
    stage.write(f"all: ; @:\n{text}")

    assert mode == stage.mode()


def test_a_shell_that_is_set_on_the_command_line_stays_as_it_is(stage: Stage, since: Since) -> None:
    since(4, 0)
    stage.write("all: ; @echo $(origin SHELL) $$0; $(MAKE) -s sub\nsub: ; @echo '$(SHELL)'; env | grep ^SHELL=\n")
    stage.same("SHELL=/bin/bash", "-s", SHELL="/bin/dash")

    assert ["all", "sub"] == sorted(set(stage.targets()))


def test_before_make_4_2_the_text_of_shell_may_change_and_the_build_may_not(stage: Stage, version: tuple[int, ...]) -> None:
    if version >= (4, 0):
        pytest.skip("this make has another way")
    stage.write("all: ; @$(SHELL) -c 'echo $$0 ran'\n")

    assert 0 == stage.measured().status
    assert ["all"] == stage.targets()


MAKEFILES = {
    "plain": "all: a b\n> @echo all\na: ; @echo a; echo err >&2\nb: ; -@false\n",
    "text of shell": "all: ; @echo '$(SHELL)' '$(origin SHELL)' '$(flavor SHELL)'\n",
    "shell to a script": "all: ; @$(SHELL) ./s.sh x\n",
    "exported shell": "export SHELL\nall: ; @echo $$SHELL\n",
    "export all": ".EXPORT_ALL_VARIABLES:\nX = y\nall: ; @echo $$X $$SHELL; env | grep -v innerloop | grep -v MAKEFILES | sort\n",
    "environment": "all: ; @env | grep -v ^__innerloop= | grep -v MAKEFILES | sort\n",
    "environment without a shell": "all: ; @env -u MAKEFILES -u __innerloop\n",
    "environment and the text of shell": "all: ; @env -u MAKEFILES -u __innerloop\nx: ; $(SHELL)\n",
    "own PWD": "PWD := $(shell pwd)/x\nall: ; @env -u MAKEFILES -u __innerloop\nx: ; $(SHELL)\n",
    "bash": "SHELL := /bin/bash\nall: ; @echo $$0 $${BASH_VERSION%%.*}; [[ a == a ]] && echo yes\n",
    "bash by name": "SHELL := bash\nall: ; @echo $$0; [[ a == a ]] && echo yes\n",
    "env bash": "SHELL := /usr/bin/env bash\nall: ; @echo $$0; [[ a == a ]] && echo yes\n",
    "bash -e": "SHELL := /bin/bash -e\nall: ; @false; echo not here\n",
    "pipefail": "SHELL := /bin/bash\n.SHELLFLAGS := -eu -o pipefail -c\nall: ; @false | true; echo $$?\n",
    "oneshell": ".ONESHELL:\nSHELL := /bin/bash\n.SHELLFLAGS := -ec\nall:\n> @x=1\n> @echo $$x\n> -false\n> echo not here\n",
    "oneshell sh": ".ONESHELL:\nall:\n> @x=1\n> @echo $$x\n",
    "shell per target": "all: a b\na: SHELL := /bin/bash\na: ; @echo $$0; [[ a ]]\nb: ; @echo $$0\n",
    "python per target": "all: a b\na: SHELL := python3\na: ; @print('a')\nb: ; @echo $$0\n",
    "perl": 'SHELL := /usr/bin/perl\n.SHELLFLAGS := -e\nall: ; @print "perl\\n";\n',
    "flags per target": "all: a b\na: .SHELLFLAGS := -ec\na: ; @false; true\nb: ; @false; true\n",
    "posix": ".POSIX:\nall: ; @false; echo no\nb: ; -@false; echo yes\n",
    "posix ignored": ".POSIX:\nall: ; -@false; echo yes\n",
    "posix ignored and the text of shell": ".POSIX:\nall: ; -@false; echo yes\nx:\n> $(SHELL) s\n",
    "silent": ".SILENT:\nall: ; echo quiet\n",
    "second expansion": ".SECONDEXPANSION:\nall: $$(X)\nX = y\ny: ; @echo $@\n",
    "delete on error": ".DELETE_ON_ERROR:\nall: ; @touch made; exit 1\n",
    "shell function": "X = $(shell echo $$0; nosuchcommand)\nall: ; @echo '$X'\n",
    "shell function of a recipe": "all:\n> @echo $(shell echo $$0 a; true)\n> @echo $(shell echo plain)\n",
    "shell function with bash": "SHELL := bash\nX = $(shell echo $$0)\nall: ; @echo '$X'\n",
    "not found": "all: ; nosuchcommand x\n",
    "not found below": "all: ; @$(MAKE) below\nbelow: ; nosuchcommand x\n",
    "not found by the shell": "all: ; nosuchcommand x; true\n",
    "not executable": "all: ; ./s.sh\n",
    "a directory": "all: ; /tmp\n",
    "no such interpreter": "all: ; ./bad\n",
    "no first line": "all: ; ./plain\n",
    "words of the shell": "all:\n> @test -f Makefile\n> @cd /\n> @exit 0\n> @type cd >/dev/null\n> @command -v sh\n",
    "quotes": "all:\n> @echo 'a  b' \"c  d\" e\\ f ''\n> @echo a=b\n> @X=1 env | grep ^X=\n> @printf '%s|' a '' \"\" b\\\n> c\n",
    "continued": "all:\n> @echo one \\\n> two 'three \\\n> four' \"five \\\n> six\"\n",
    "tilde and glob": "all:\n> @echo ~ *.sh\n> @echo 'a*' \"b?\"\n",
    "only a continuation": "E =\nall: ; @echo a\n",
    "define": "define two\n@echo 1\n@echo 2\nendef\nall: ; $(two)\n",
    "signal": "all: ; @kill -TERM $$$$\n",
    "killed": "all: ; @kill -KILL $$$$\n",
    "grouped": "a b &: ; @echo $@\n",
    "double colon": "all:: ; @echo 1\nall:: ; @echo 2\n",
    "order only": "all: | o ; @echo $| $^\no: ; @echo o\n",
    "ifs": "export IFS = ,\nall: ; @echo a,b\n",
    "undefined": "all: ; @echo '$(NOTHING)' '$(words $(.VARIABLES))' >/dev/null\n",
}


@pytest.mark.parametrize("words", [[], ["-j2", "-k"], ["-e"], ["-s", "-i", "--warn-undefined-variables"]], ids=" ".join)
@pytest.mark.parametrize("name", MAKEFILES)
def test_output_and_status_are_as_without_us(stage: Stage, version: tuple[int, ...], name: str, words: list[str]) -> None:
    stage.write(MAKEFILES[name])
    stage.write("echo script $0 $1\n", "s.sh")
    stage.write("#!/no/such/interpreter\n", "bad")
    stage.write("echo plain $0\n", "plain")
    for program in ("bad", "plain"):
        (stage.work / program).chmod(0o755)
    if version < (4, 0) and name in ("text of shell", "exported shell", "export all"):
        pytest.skip("make 3.81 and 3.82 show the shim in $(SHELL): the documentation says so")
    bare, measured = stage.bare(*words), stage.measured(*words)

    if "-j2" in words or "environment" in name or "own PWD" in name:  # their order is not settled
        bare, measured = (
            ended._replace(out="\n".join(sorted(ended.out.splitlines())), err="\n".join(sorted(ended.err.splitlines())))
            for ended in (bare, measured)
        )
    assert bare == measured
    if version >= (4, 2):  # before that, a SHELL other than /bin/NAME is left alone
        assert stage.targets() != [], "nothing was recorded, so nothing was proved"


# -- stepping aside ------------------------------------------------------------------------------------------------------


def test_without_a_run_or_a_log_nothing_is_armed(stage: Stage) -> None:
    stage.write("all: ; @env | grep innerloop_line; true\n")
    only_file = subprocess.run(
        [MAKE], cwd=stage.work, env=ENVIRONMENT | {"MAKEFILES": f"{stage.probe}/probe.mk"}, capture_output=True, text=True, check=True
    )
    stage.log.unlink()

    assert "" == only_file.stdout + only_file.stderr
    assert stage.bare() == stage.measured()
    assert not stage.log.exists()


def test_a_shim_that_is_gone_breaks_nothing(stage: Stage) -> None:
    stage.write("all: ; @echo all\n")
    for path in stage.probe.rglob("sh"):
        path.unlink()

    assert "all\n" == stage.same().out
    assert [] == stage.targets()


def test_a_probe_that_is_gone_breaks_nothing(stage: Stage) -> None:
    stage.write("all: ; @echo all\n")
    shutil.rmtree(stage.probe)

    assert "all\n" == stage.same().out


def test_a_completion_sees_no_probe(stage: Stage) -> None:
    stage.write("all: ; @true\n")
    stage.measured("-npq", "__BASH_MAKE_COMPLETION__=1", ".DEFAULT")
    stage.measured("__BASH_MAKE_COMPLETION__=1")

    assert [] == stage.targets()


def test_a_file_that_is_a_pipe_or_has_a_blank_in_its_name_is_read_once(stage: Stage, version: tuple[int, ...]) -> None:
    stage.write(f"all: ; @echo {'$(SHELL)' if version >= (4, 0) else ''}\n", "with blank.mk")
    stage.same("-f", "with blank.mk")
    script = f'{MAKE} -f <(printf "all: ; @echo piped\\n")'
    piped = subprocess.run(["bash", "-c", script], cwd=stage.work, env=stage.env(), capture_output=True, text=True, check=True, timeout=20)
    stdin = subprocess.run(
        [MAKE, "-f", "-"], cwd=stage.work, env=stage.env(), capture_output=True, text=True, check=True, input="all: ; @echo stdin\n"
    )

    assert ("piped\n", "stdin\n") == (piped.stdout, stdin.stdout)
    assert ["all"] * 3 == stage.targets()


def test_a_shell_function_in_a_recipe_fails_in_makes_own_words(stage: Stage, since: Since) -> None:
    since(4, 3)
    stage.write("all: ; @echo $(shell nosuchcommand x)\nbelow: ; @$(MAKE) -s all\n")

    assert "nosuchcommand" in stage.same().err
    stage.same("below")


def test_a_shim_that_was_written_into_a_file_works_without_a_run(stage: Stage) -> None:
    """A Makefile that puts $(SHELL) into what it generates, with a make that has no other mode."""
    script = stage.work / "made"
    script.write_text(f"#!{stage.probe}/sh\necho $0 ran\n")
    script.chmod(0o755)

    assert b"./made ran\n" == subprocess.run(["./made"], cwd=stage.work, env=ENVIRONMENT, check=True, capture_output=True).stdout


def test_no_variable_of_a_committed_gnumakefile_is_used_by_what_it_includes() -> None:
    """A GNUmakefile stays as it was written, and is read around these two: a name of both would mean two things."""
    name = re.compile(r"\.innerloop-[a-z0-9-]+")
    committed = set(name.findall(gnumakefile.whole("Makefile").decode()))
    here = Path(place.HERE)

    assert len(committed) > 1
    assert set() == committed & {found for file in ("probe.mk", "attach.mk") for found in name.findall((here / file).read_text())}
