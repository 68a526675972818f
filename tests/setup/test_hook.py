"""`innerloop hook`: make is measured as it is typed, in real shells, and is plain make wherever anything is unusual."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from innerloop.tools.setup import hooks
from tests.conftest import ROOT
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


POSIX_ODDITIES = {
    "readonly variables": "readonly up=1 argument=2 here=3 word=4 found=5",
    "the variables of old": "up=a argument=b; export up argument",
    "strict": "set -eu",
    "no globs": "set -f",
    "everything exported": "set -a",
    "no clobber": "set -C",
    "an IFS of its own": "IFS=-/m",
    "an empty IFS": "IFS=",
    "CDPATH": "CDPATH=/:/tmp; export CDPATH",
    "a trap": "trap 'echo trapped' EXIT",
    "functions for tests": "test() { echo test; return 1; }\ntrue() { return 1; }\ntype() { echo type; return 1; }\necho() { printf '%s\\n' \"$*\"; }",
    "a function local": "local() { echo local; }",
    "a function command": 'command() { echo "command $1"; return 7; }',
    "a function builtin": 'builtin() { echo "builtin $1"; return 7; }',
    "functions command and builtin": "builtin() { echo builtin; return 7; }\ncommand() { echo command; return 7; }",
    "a function declare": "declare() { return 0; }\ntypeset() { return 0; }",
    "another function declare": "declare() { return 1; }\ntypeset() { return 1; }",
    "a function innerloop": "innerloop() { echo mine; }",
    "a readonly function": "make_it() { make; }\nreadonly -f make_it",
}
BASH_ODDITIES = {
    "posix": "set -o posix",
    "no case": "shopt -s nocasematch",
    "null globs": "shopt -s nullglob failglob extglob dotglob",
    "an ERR trap": "set -E; trap 'echo failed >&2' ERR",
    "no aliases": "shopt -u expand_aliases",
}
ZSH_ODDITIES = {
    "as ksh": "emulate ksh",
    "as sh": "emulate sh",
    "arrays of ksh": "setopt ksh_arrays sh_word_split glob_subst",
    "extended": "setopt extended_glob null_glob no_unset err_return warn_create_global",
    "global aliases": "alias -g run=x\nalias -g -- --=x\nalias -g innerloop=x",
}
FISH_ODDITIES = {
    "variables": "set -gx up 1; set -gx argument 2; set -gx here 3",
    "functions": "function realpath; echo realpath; return 1; end\nfunction functions; echo functions; return 1; end\nfunction cat; echo cat; end",
    "a function innerloop": "function innerloop; echo mine; end",
}
ALIASES = "\n".join(
    f"alias {word}='echo aliased'" for word in ("local", "command", "builtin", "declare", "typeset", "return", "type", "innerloop", "gmake")
)
ENVIRONMENT = "env | grep -v -e ^_= -e ^MAKE -e ^MFLAGS -e ^SHLVL -e ^OLDPWD | sort"


def oddities() -> list[Any]:
    of_shell = {"bash": POSIX_ODDITIES | BASH_ODDITIES, "zsh": POSIX_ODDITIES | ZSH_ODDITIES, "fish": FISH_ODDITIES}
    return [pytest.param(shell, kind, text, id=f"{shell}-{kind}") for shell, kinds in of_shell.items() for kind, text in kinds.items()]


@pytest.mark.parametrize(("shell", "kind", "text"), oddities(), indirect=["shell"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_a_shell_has_make_runs_as_without_the_hook(somebody: Developer, shell: str, kind: str, text: str, when: str) -> None:
    """Whether the shell had it when the hook came, or got it afterwards; what make's recipes see is the same too."""
    (somebody.project / "Makefile").write_text(MAKEFILE + f"environment: ; @{ENVIRONMENT.replace('$', '$$')}\n")
    use = f"make test; {STATUS[shell].replace('echo', '/bin/echo')}; make -s environment; make fail"
    if when == "before" and ("innerloop" in text or (kind, shell) == ("a readonly function", "zsh")):
        return  # the line that loads the hook would not be ours, or there is no such thing
    bare = play(somebody, shell, f"{text}\n{use}", load=False, INNERLOOP_MODE="off")
    hooked = play(
        somebody,
        shell,
        f"{text}\n{LOAD[shell]}\n{use}" if when == "before" else f"{LOAD[shell]}\n{text}\n{use}",
        load=False,
        INNERLOOP_MODE="off",
    )

    assert "tested []" in bare[0]
    assert bare == hooked


@pytest.mark.parametrize("shell", ["bash", "zsh"], indirect=True)
def test_aliases_of_any_word_do_not_reach_into_it(somebody: Developer, shell: str) -> None:
    expand = "shopt -s expand_aliases\n" if shell == "bash" else ""
    for script in (f'{expand}{ALIASES}\neval "$(\\innerloop hook {shell})"\nmake test', f"{expand}{LOAD[shell]}\n{ALIASES}\nmake test"):
        assert ("tested []\n", "") == play(somebody, shell, script, load=False)
    assert 2 == somebody.recorded()


@pytest.mark.parametrize("shell", ["bash", "zsh"], indirect=True)
def test_it_leaves_no_variable_behind(somebody: Developer, shell: str) -> None:
    shown = play(somebody, shell, "make -s test; make -n test; set | grep -c '^__innerloop_[a-z]*='", load=True)[0]

    assert "0" == shown.splitlines()[-1]


@SHELLS
def test_every_name_of_the_hook_is_its_own(shell: str) -> None:
    """Functions and variables that the text sets, but for make and gmake, have our prefix."""
    text = re.sub(r"^#.*$", "", hooks.TEXTS[shell], flags=re.MULTILINE)
    named = re.findall(r"^\s*function ([\w-]+)", text, re.MULTILINE)
    named += re.findall(r"(?:local|for|set -l|set -g|set) ([A-Za-z_]\w*)", text) + re.findall(r"^\s*([A-Za-z_]\w*)=", text, re.MULTILINE)

    assert {"make", "gmake"} == {name for name in named if not name.startswith("__innerloop_")}


@SHELLS
def test_loading_it_twice_is_loading_it_once(somebody: Developer, shell: str) -> None:
    assert "tested []\n" == play(somebody, shell, f"{LOAD[shell]}\nmake test")[0]
    assert 1 == somebody.recorded()


@SHELLS
def test_the_guarded_line_is_silent_where_innerloop_is_not_installed(somebody: Developer, shell: str) -> None:
    """The very line that the guides, `init` and `doctor` give."""
    line = hooks.LINES[shell][1]
    home = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        [*BARE[shell], "-c", f"{line}\nmake test"], cwd=somebody.project, env=somebody.env | home, capture_output=True, check=False
    )
    assert (b"tested []\n", b"") == (done.stdout, done.stderr)
    strict = "" if shell == "fish" else "set -eu\n"
    assert ("tested []\n", "") == play(somebody, shell, f"{strict}{line}\nmake test", load=False)
    assert 1 == somebody.recorded()
    guides = (ROOT / "docs" / "guides" / "developers.md").read_text()
    assert line in guides


@SHELLS
def test_a_hook_that_outlives_the_package_does_nothing_silently(somebody: Developer, shell: str, tmp_path: Path) -> None:
    """The command may be left without its package, as a link or a script; a shell that has the hook already, or loads it, runs plain make."""
    script = (ROOT / "packages" / "client" / "scripts" / "innerloop").read_bytes()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "innerloop").write_bytes(script)
    (tmp_path / "bin" / "innerloop").chmod(0o755)
    env = {"PATH": f"{tmp_path}/bin:/usr/local/bin:/usr/bin:/bin"}
    for text in (hooks.LINES[shell][1], hooks.TEXTS[shell]):
        assert ("tested []\n", "") == play(somebody, shell, f"{text}\nmake test", load=False, **env)
    (tmp_path / "bin" / "innerloop").unlink()
    (tmp_path / "bin" / "innerloop").symlink_to(tmp_path / "gone")
    for text in (hooks.LINES[shell][1], hooks.TEXTS[shell]):
        assert ("tested []\n", "") == play(somebody, shell, f"{text}\nmake test", load=False, **env)
    assert 0 == somebody.recorded()
