"""`innerloop hook`: make is measured as it is typed, in real shells, and is plain make wherever anything is unusual."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.needs import need
from tests.setup.conftest import programs
from tests.transparency.developer import Developer

SHELLS = pytest.mark.parametrize("shell", ["bash", "zsh", "fish"], indirect=True)
LOAD = {"bash": 'eval "$(innerloop hook bash)"', "zsh": 'eval "$(innerloop hook zsh)"', "fish": "innerloop hook fish | source"}
BARE = {"bash": ["bash", "--norc", "--noprofile"], "zsh": ["zsh", "-f"], "fish": ["fish"]}
STATUS = {"bash": "echo status $?", "zsh": "echo status $?", "fish": "echo status $status"}
MAKEFILE = """\
.PHONY: test fail waits build docs/site
test: ; @echo tested [$(MAKEFLAGS)]
fail: ; @exit 3
build: ## compile
\t@echo built
docs/site: ; @true
$(addprefix made-,one two): ; @true
waits: ; @echo ready; sleep 20
"""
PATIENCE = 20


def play(developer: Developer, shell: str, script: str, load: bool = True, **env: str) -> "tuple[str, str]":
    """Run a script in a shell that has loaded the hook; return what it printed, on stdout and stderr."""
    lines = [LOAD[shell], script] if load else [script]
    done = subprocess.run(
        [*BARE[shell], "-c", "\n".join(lines)], cwd=developer.project, env=developer.env | env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout, done.stderr


@pytest.fixture
def somebody(hire: Callable[[str], Developer]) -> Developer:
    """Somebody who agreed, in a project with no way in."""
    developer = hire("yes")
    (developer.project / "Makefile").write_text(MAKEFILE)
    return developer


@SHELLS
def test_make_is_measured_and_ends_as_it_did(somebody: Developer, shell: str) -> None:
    script = f"make test; {STATUS[shell]}; make fail; {STATUS[shell]}; make -s -j2 test"
    bare = play(somebody, shell, script, load=False)

    assert bare == play(somebody, shell, script)
    assert 3 == somebody.recorded()


@SHELLS
def test_from_a_directory_below_it_is_measured_too(somebody: Developer, shell: str, tmp_path: Path) -> None:
    below = somebody.project / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "link").symlink_to(below)
    out, _ = play(somebody, shell, f"cd a/b; make -s -f ../../Makefile test; cd {tmp_path}/link; make -s -f ../../Makefile test")

    assert "tested [s]\ntested [s]\n" == out
    assert 2 == somebody.recorded()


@SHELLS
@pytest.mark.parametrize(
    "script",
    [
        "command make test", "env make test", "make -n test", "make -npq test | wc -c | grep -c .", "make -q test", "make -kn test", "make --version",
        "make --dry-run test", "cd /; make -f $OLDPWD/Makefile test",
        "mkdir gone; cd gone; rmdir ../gone; make -f /dev/null x",
    ],
)  # fmt: skip
def test_where_nothing_is_to_be_measured_it_is_plain_make(somebody: Developer, shell: str, script: str) -> None:
    (somebody.project / "elsewhere").mkdir()
    script = script.replace("$OLDPWD", str(somebody.project))
    bare = play(somebody, shell, script, load=False)

    assert bare == play(somebody, shell, script)
    assert 0 == somebody.recorded()


@SHELLS
def test_without_innerloop_on_path_it_is_plain_make(somebody: Developer, shell: str) -> None:
    leave = "set PATH /usr/bin /bin" if shell == "fish" else "PATH=/usr/bin:/bin"
    out, err = play(somebody, shell, f"{leave}\nmake test; {STATUS[shell]}")

    assert ("tested []\nstatus 0\n", "") == (out, err)
    assert 0 == somebody.recorded()


@SHELLS
def test_arguments_with_blanks_and_stars_stay_what_they_are(somebody: Developer, shell: str) -> None:
    (somebody.project / "Makefile").write_text("test: ; @printf '<%s>' '$(X)' '$(Y)'\n")

    assert "<a  b*><--x $HOME>" == play(somebody, shell, "make test 'X=a  b*' 'Y=--x $$HOME'")[0]


@pytest.mark.parametrize("shell", ["bash", "zsh"], indirect=True)
def test_strict_shells_and_aliases_get_along_with_it(somebody: Developer, shell: str) -> None:
    expand = "shopt -s expand_aliases\n" if shell == "bash" else ""
    script = f"{expand}alias make='make -s'\nset -eu\n{LOAD[shell]}\n{LOAD[shell]}\nmake test\n\\make test\nmake fail\necho not reached"
    bare = script.replace(f"{LOAD[shell]}\n", "")

    assert play(somebody, shell, bare, load=False) == play(somebody, shell, script, load=False)
    assert "not reached" not in play(somebody, shell, script, load=False)[0]
    assert 6 == somebody.recorded()


@SHELLS
def test_a_function_of_ones_own_is_left_alone(somebody: Developer, shell: str) -> None:
    own = "function make; echo own; end" if shell == "fish" else "make() { echo own; }"

    assert "own\n" == play(somebody, shell, f"{own}\n{LOAD[shell]}\nmake test", load=False)[0]


def test_sudo_runs_the_real_make(somebody: Developer) -> None:
    need("sudo")
    assert "tested" in play(somebody, "bash", "sudo -n make test")[0]
    assert 0 == somebody.recorded()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"], indirect=True)
def test_it_decides_without_a_process(somebody: Developer, strace: str, tmp_path: Path, shell: str) -> None:
    text = subprocess.run([somebody.innerloop, "hook", shell], env=somebody.env, capture_output=True, text=True, check=True).stdout
    (tmp_path / "hook").write_text(text)
    (tmp_path / "Makefile").write_text("test: ; @true\n")
    words = [*BARE[shell], "-c", f"source {tmp_path}/hook\nmake test\ntrue"]
    found = programs(strace, tmp_path / "trace", words, cwd=tmp_path, env=somebody.env)

    assert [shell, "make", "true"] == found


def open_terminal(shell: str, developer: Developer, hook: bool) -> Any:
    """A terminal with an interactive shell whose completion is as users have it."""
    env = developer.env | {"TERM": "dumb", "PS1": "", "INPUTRC": "/dev/null"}
    child = pexpect.spawn(
        BARE[shell][0],
        [*BARE[shell][1:], "-i"],
        cwd=str(developer.project),
        env=env,
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(50, 200),
    )
    child.delaybeforesend = None
    lines = {
        "bash": ["bind 'set bell-style none'", "bind 'set completion-query-items 0'", "bind 'set page-completions off'",
                 "bind 'set enable-bracketed-paste off'", ". /usr/share/bash-completion/bash_completion"],
        "zsh": ["unsetopt PROMPT_SP BEEP", "autoload -Uz compinit && compinit -u -D", "zstyle ':completion:*:make:*' tag-order targets"],
    }  # fmt: skip
    for line in [*lines[shell], *([LOAD[shell]] if hook else []), "PS1='READY'\"> \""]:
        child.sendline(line)
    child.expect("READY> ")
    return child


def offered(shell: str, developer: Developer, hook: bool, typed: str = "make ") -> list[str]:
    """What the shell offers after TAB TAB behind `make `."""
    child = open_terminal(shell, developer, hook)
    child.send(typed + ("\t\t" if shell == "bash" else "\t"))
    child.expect(re.escape(typed) + r"(?s:(.*?))READY> ")
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x07\r]", " ", child.match.group(1))
    child.close(force=True)
    return sorted(shown.split())


@pytest.mark.parametrize("shell", ["bash", "zsh"], indirect=True)
def test_completion_offers_the_same(somebody: Developer, shell: str) -> None:
    if shell == "bash":
        need("/usr/share/bash-completion/bash_completion")
    bare = offered(shell, somebody, hook=False)
    assert {"build", "fail", "test", "waits"} <= set(bare)

    assert bare == offered(shell, somebody, hook=True)
    subprocess.run(
        [somebody.innerloop, "init"], cwd=somebody.project, env=somebody.env, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert (somebody.project / "GNUmakefile").exists()
    assert bare == offered(shell, somebody, hook=False)
    assert bare == offered(shell, somebody, hook=True)
    assert 0 == somebody.recorded()


def test_completion_in_fish_offers_the_same(somebody: Developer) -> None:
    need("fish")
    ask = "complete -C 'make '"
    bare = play(somebody, "fish", ask, load=False)[0].splitlines()
    assert {"build\tTarget", "test\tTarget"} <= set(bare)

    assert bare == play(somebody, "fish", ask)[0].splitlines()
    subprocess.run(
        [somebody.innerloop, "init"], cwd=somebody.project, env=somebody.env, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert bare == play(somebody, "fish", ask, load=False)[0].splitlines()
    assert bare == play(somebody, "fish", ask)[0].splitlines()
    assert 0 == somebody.recorded()


@pytest.mark.parametrize("shell", ["bash", "zsh"], indirect=True)
def test_ctrl_c_and_ctrl_z_at_a_terminal(somebody: Developer, shell: str) -> None:
    child = open_terminal(shell, somebody, hook=True)
    child.sendline("make waits")
    child.expect("ready\r")
    time.sleep(0.5)  # the shell may be between two programs
    child.sendcontrol("z")
    child.expect("READY> ")
    child.sendline("fg")
    child.expect("fg")
    time.sleep(0.5)
    child.sendcontrol("c")
    child.expect("READY> ")
    child.sendline("echo status $?")
    child.expect(r"status (\d+)\r")
    child.close(force=True)

    assert "130" == child.match.group(1)


@SHELLS
def test_the_shell_is_guessed_and_the_way_round_for_one_command_is_one_that_works(hire: Callable[[str], Developer], shell: str) -> None:
    developer = hire("yes")
    (developer.project / "Makefile").write_text(MAKEFILE)
    guessed = subprocess.run(
        [developer.innerloop, "hook"], env=developer.env | {"SHELL": f"/usr/bin/{shell}"}, capture_output=True, text=True, check=True
    )
    assert "For one command: `INNERLOOP_MODE=off make`" in " ".join(guessed.stdout.replace("# ", "").split())
    named = subprocess.run([developer.innerloop, "hook", shell], env=developer.env, capture_output=True, text=True, check=True)
    assert guessed.stdout == named.stdout

    subprocess.run([developer.innerloop, "init"], cwd=developer.project, env=developer.env, stdin=subprocess.DEVNULL, check=True)
    play(developer, shell, "make test; INNERLOOP_MODE=off make test")
    assert 1 == developer.recorded()


def test_an_unknown_shell_is_one_clear_line(hire: Callable[[str], Developer]) -> None:
    developer = hire("nothing")
    done = subprocess.run(
        [developer.innerloop, "hook"], env=developer.env | {"SHELL": "/bin/tcsh"}, capture_output=True, text=True, check=False
    )

    assert (1, "") == (done.returncode, done.stdout)
    assert "innerloop: there is no hook for tcsh; name one: innerloop hook bash|zsh|fish\n" == done.stderr
