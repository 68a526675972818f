"""What make runs by itself may be longer than one argument may be, and an environment may be nearly full: it runs all the same."""

import resource

import pytest

from tests.probe.conftest import Since, Stage

DIGITS = "0 1 2 3 4 5 6 7 8 9"
# 9,000 names of 18 characters: 170 KB, where execve(2) takes 128 KB as one argument
NAMES = f"D := {DIGITS}\nNAMES := $(foreach a,1 2 3 4 5 6 7 8 9,$(foreach b,$D,$(foreach c,$D,$(foreach d,$D,obj/module_$a$b$c$d.o))))\n"


@pytest.mark.parametrize("line", ["@/bin/true $(NAMES)", "@/bin/true $(NAMES:.o=.c)", "-@/bin/true '$(NAMES)' x"])
def test_a_plain_line_longer_than_an_argument_may_be_runs(stage: Stage, line: str) -> None:
    stage.write(f"{NAMES}all: other\n\t{line}\n\t@echo done\nother: ; @echo other\n")

    said = stage.same().out.splitlines()
    assert ("other", "done") == (said[0], said[-1])
    assert [] == stage.targets(), "a make with such a text is measured as a whole"


@pytest.mark.parametrize("rule", ["all: short $(NAMES)", "all: short | $(NAMES)", "all: $(NAMES) | short"])
def test_so_does_one_that_is_made_of_prerequisites(stage: Stage, rule: str) -> None:
    names = NAMES.replace("NAMES :=", "names =")
    stage.write(f"{names}{rule.replace('NAMES', 'names')}\n\t@/bin/true $^ $|\n\t@echo done\nshort: ; @echo short\nobj/%.o: ;\n")

    assert "short\ndone\n" == stage.same().out
    assert ["short"] == stage.targets(), "only that target is left out"


def test_so_does_one_in_a_oneshell_makefile(stage: Stage) -> None:
    stage.write(f".ONESHELL:\n{NAMES}all:\n\t@/bin/true $(NAMES)\nother: ; @echo other\n")

    assert ("other\n", 0) == (stage.same("all", "other").out, stage.same("all", "other").status)


def test_so_does_one_where_the_text_of_shell_is_looked_at(stage: Stage, since: Since) -> None:
    since(4, 0)
    names = NAMES.replace("NAMES :=", "names =")
    stage.write(f"{names}all: short $(names)\n\t@/bin/true $^\n\t@echo $(SHELL)\nshort: ; @echo short\nobj/%.o: ;\n")

    assert "short\n/bin/sh\n" == stage.same().out
    assert ["short"] == stage.targets()


def test_what_is_long_but_no_line_could_be_made_of_it_hinders_nothing(stage: Stage) -> None:
    text = "\n".join(f"some words of a help text, line {number}" for number in range(900))
    few = " ".join(f"obj/{number}.o" for number in range(900))
    stage.write(f"define HELP\n{text}\nendef\nFEW := {few}\nall: ; @/bin/true $(FEW)\n")
    stage.same()

    assert ["all"] == stage.targets()


@pytest.mark.parametrize("text", ["x" * 100_000, "ln=01:" * 3000 + " b c", " ".join(["y" * 2000] * 60)])
def test_a_long_variable_of_few_words_hinders_nothing(stage: Stage, text: str) -> None:
    """Such as LS_COLORS, or a key."""
    stage.write("all: ; @/bin/true $(words $(LONG))\n")
    stage.same(LONG=text)

    assert ["all"] == stage.targets()


def test_a_file_of_words_is_one_word(stage: Stage) -> None:
    stage.write(".PHONY: @names\n@names: ; @/bin/echo @names >$@; cat $@\nall: @names\n\t@/bin/echo @names\n")

    assert "@names\n@names\n" == stage.same("all").out
    assert ["@names", "all"] == stage.targets()


@pytest.mark.parametrize("left", [20_000, 60_000, 120_000, 250_000, 400_000])
def test_an_environment_that_is_nearly_full_is_the_lines(stage: Stage, left: int) -> None:
    """`left`: bytes that execve(2) has left before us."""
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    if limit == resource.RLIM_INFINITY or limit > 64 << 20:
        pytest.skip("the limit on the stack is so high that no environment comes near what execve(2) takes")
    full = limit // 4 - left - 4096
    env = {f"FULL{number}": "x" * 100_000 for number in range(full // 100_020)}
    stage.write("all: ; @echo $${#FULL1}; :\nplain: ; @/bin/echo plain\nsub: ; @$(MAKE) -s all plain\n")

    assert 0 == stage.same("all", "plain", "sub", **env).status
