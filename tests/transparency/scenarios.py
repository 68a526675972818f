"""What a command inherits, how it ends, and what a signal to it does: each scenario returns what can be seen."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.transparency.stage import Ended, Matrix, Stage, eventually

MATRIX = Matrix()
DEADLY = ("TERM", "INT", "SEGV", "KILL", "PIPE", "ABRT", "HUP", "QUIT", "USR1", "ALRM", "XFSZ")
RELAYED = ("TERM", "HUP", "USR1", "USR2")
# The C library blocks its two internal signals in what posix_spawn starts; they are visible and harmless.
INTERNAL_SIGNALS = 0x180000000
STATUS_LINES = (
    "Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "ShdPnd", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
    "NoNewPrivs", "Seccomp", "Cpus_allowed", "Mems_allowed", "Threads", "TracerPid",
)  # fmt: skip


# How it ends


@MATRIX.row
def the_exit_status_is_the_commands(stage: Stage) -> object:
    return [stage.run("sh", "-c", f"exit {status}").status for status in (0, 1, 2, 3, 42, 77, 126, 127, 128, 129, 130, 137, 143, 254, 255)]


@MATRIX.row
def a_command_killed_by_a_signal_is_seen_as_killed_by_it(stage: Stage) -> object:
    return [stage.run("sh", "-c", f"ulimit -c 0; kill -{name} $$").status for name in DEADLY]


@MATRIX.row
def a_shell_sees_the_sameprocess_status(stage: Stage) -> object:
    script = "; ".join(f"$W sh -c 'ulimit -c 0; kill -{name} $$' 2>/dev/null; echo $?" for name in DEADLY)
    return stage.shell(f"{{ {script}; }} 2>/dev/null").out


@MATRIX.row
def an_exit_with_130_is_not_mistaken_for_an_interrupt(stage: Stage) -> object:
    return stage.shell("for i in 1 2; do $W sh -c 'exit 130'; echo $?; done").out


@MATRIX.row
def a_pipe_that_closes_ends_the_command(stage: Stage) -> object:
    return stage.shell("$W yes | head -n 1; echo ${PIPESTATUS[*]}").out


@MATRIX.row
def make_sees_that_a_recipe_was_killed(stage: Stage) -> object:
    makefile = stage.scratch / "killed.mk"
    makefile.write_text(f"all:\n\t@{stage.words} sh -c 'ulimit -c 0; kill -TERM $$$$'\n")
    return stage.run("make", "-f", str(makefile), wrapped=False)


# Not found, not executable: as a shell's exec, up to its words


def _cannot(ended: Ended, name: str) -> object:
    return ended.status, ended.out, len(ended.err.splitlines()), name.encode() in ended.err


def _as_a_shell(stage: Stage, command: str, *arguments: str) -> Ended:
    """Run a command; on the bare stage through a shell, which is what answers there."""
    if stage.prefix:
        return stage.run(command, *arguments)
    return stage.run("sh", "-c", 'exec "$@"', "sh", command, *arguments)


@MATRIX.row
def a_command_that_is_not_found_gives_127_and_one_line(stage: Stage) -> object:
    names = ("no-such-command", "./no-such-file", "/no/such/directory/command", "/etc/passwd/command")
    return [_cannot(_as_a_shell(stage, name), name) for name in names]


@MATRIX.row
def a_command_that_is_not_executable_gives_126_and_one_line(stage: Stage) -> object:
    plain = stage.scratch / "plain"
    plain.write_text("echo plain\n")
    plain.chmod(0o644)
    return [_cannot(_as_a_shell(stage, str(path)), path.name) for path in (plain, stage.scratch)]


@MATRIX.row
def a_script_without_an_interpreter_line_is_given_to_sh(stage: Stage) -> object:
    script = stage.scratch / "no-shebang"
    script.write_text('echo "$# $1"\nexit 3\n')
    script.chmod(0o755)
    return _as_a_shell(stage, str(script), "an argument", "another")


@MATRIX.row
def a_script_whose_interpreter_is_missing_cannot_run(stage: Stage) -> object:
    script = stage.scratch / "lost-interpreter"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    ended = _as_a_shell(stage, str(script))
    return ended.status in (126, 127), ended.out, len(ended.err.splitlines())


@MATRIX.row
def the_command_is_looked_for_as_a_shell_does(stage: Stage) -> object:
    """A file that cannot be executed is passed over; an empty part of PATH is the working directory."""
    first, second, here = (stage.scratch / name for name in ("first", "second", "here"))
    for directory, mode in ((first, 0o644), (second, 0o755), (here, 0o755)):
        directory.mkdir(exist_ok=True)
        script = directory / f"tool-{'here' if directory is here else 'path'}"
        script.write_text(f"#!/bin/sh\necho {directory.name}\n")
        script.chmod(mode)
    env = stage.env | {"PATH": f"{first}:{second}::{stage.env['PATH']}"}
    in_here = Stage(stage.name, stage.prefix, here, env, stage.scratch)
    return [_as_a_shell(in_here, tool) for tool in ("tool-path", "tool-here")]


# What it inherits


@MATRIX.row
def three_megabytes_of_input_arrive(stage: Stage) -> object:
    return stage.run("sha256sum", stdin=bytes(range(256)) * 12288)


@MATRIX.row
def input_that_the_command_leaves_is_left_for_the_next(stage: Stage) -> object:
    rest = stage.scratch / "rest"
    rest.write_text("one\ntwo\nthree\n")
    return stage.shell(f"{{ $W sh -c 'read line; echo got $line'; cat; }} <{rest}").out


@MATRIX.row
def output_and_errors_keep_their_order(stage: Stage) -> object:
    return stage.shell("$W sh -c 'for i in 1 2 3; do echo out $i; echo err $i >&2; done' 2>&1")


@MATRIX.row
def arguments_arrive_byte_for_byte(stage: Stage) -> object:
    return _arguments(stage, stage.env)


def _arguments(stage: Stage, env: dict[str, str]) -> Ended:
    words = (
        b"",
        b"a b",
        b"--",
        b"-n",
        b"*",
        b"$HOME",
        b"'",
        b"a\nb",
        b"\xff\xfe",
        b"\xc3\xa9",
        "\u4e2d".encode(),
        b"\xed\xa0\x80",
        b"\x01\x7f",
    )
    return stage.run("sh", "-c", 'printf "%s\\0" "$@"', "name", *words, env=env)


@MATRIX.row
def arguments_arrive_byte_for_byte_in_every_locale(stage: Stage) -> object:
    env = {key: value for key, value in stage.env.items() if key != "LANG"}
    locales: list[dict[str, str]] = [{}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "xx_YY.nonsense"}]
    locales += [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}]
    return [_arguments(stage, env | locale) for locale in locales]


@MATRIX.row
def arguments_arrive_byte_for_byte_in_a_latin_1_locale(stage: Stage) -> object:
    made = stage.scratch / "locales" / "en_US"
    made.parent.mkdir(exist_ok=True)
    subprocess.run(["localedef", "-f", "ISO-8859-1", "-i", "en_US", str(made)], capture_output=True, check=False)
    assert made.exists(), "localedef cannot make a locale here"
    return _arguments(stage, stage.env | {"LOCPATH": str(made.parent), "LC_ALL": "en_US"})


@MATRIX.row
def a_command_line_near_the_systems_limit_arrives(stage: Stage) -> object:
    return stage.run("sh", "-c", 'echo $#; printf %s "$*" | sha256sum', "name", *(["x" * 999] * 1500))


def environment(stage: Stage, env: "dict[str, str] | dict[bytes, bytes]") -> list[bytes]:
    """The variables that a command sees, sorted."""
    return sorted(stage.run("cat", "/proc/self/environ", env=env).out.split(b"\0"))


@MATRIX.row
def the_environment_is_the_callers(stage: Stage) -> object:
    return environment(stage, stage.env)


@MATRIX.row
def the_environment_is_the_callers_in_the_c_locale(stage: Stage) -> object:
    env = {key: value for key, value in stage.env.items() if key != "LANG"}
    return [
        environment(stage, env | locale)
        for locale in ({}, {"LC_ALL": "C"}, {"LANG": "C"}, {"LC_CTYPE": "C"}, {"LC_CTYPE": "POSIX"}, {"LC_ALL": ""})
    ]


@MATRIX.row
def pythons_own_variables_reach_the_command_and_do_nothing_to_us(stage: Stage) -> object:
    env = stage.env | {
        "PYTHONHOME": "/nonexistent", "PYTHONPATH": "/nonexistent:.", "PYTHONSTARTUP": "/nonexistent", "PYTHONINSPECT": "1",
        "PYTHONVERBOSE": "2", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1", "PYTHONUTF8": "0",
        "PYTHONMALLOC": "debug", "PYTHONHASHSEED": "1", "PYTHONIOENCODING": "ascii", "PYTHONPLATLIBDIR": "x", "PYTHONSAFEPATH": "1",
        "PYTHONCOERCECLOCALE": "warn", "PYTHONPROFILEIMPORTTIME": "1", "PYTHONFAULTHANDLER": "1", "PYTHONTRACEMALLOC": "5",
        "VIRTUAL_ENV": "/nonexistent",
    }  # fmt: skip
    return environment(stage, env), stage.run("sh", "-c", "exit 5", env=env)


@MATRIX.row
def variables_that_are_not_text_reach_the_command(stage: Stage) -> object:
    env = {key.encode(): value.encode() for key, value in stage.env.items()}
    return environment(stage, env | {b"RAW": b"\xff\xfe\x01", b"NEWLINE": b"a\nb", b"EMPTY": b"", b"LONG": b"x" * 100_000})


@MATRIX.row
def a_variable_that_python_takes_for_itself_reaches_the_command(stage: Stage) -> object:
    return environment(stage, stage.env | {"__PYVENV_LAUNCHER__": "the caller's"})


@MATRIX.row
def variables_that_a_shell_script_could_touch_reach_the_command(stage: Stage) -> object:
    """`innerloop` is a shell script: whatever names it uses for itself, the caller's of that name stay theirs."""
    names = ("self", "bin", "home", "python", "venvs", "candidate", "prefix", "here", "link", "target", "dir", "script", "path", "i", "x",
             "PS1", "PS2", "PS4", "OLDPWD", "CDPATH", "ENV", "MAIL", "_", "SHLVL", "LINENO", "HISTFILE", "POSIXLY_CORRECT")  # fmt: skip
    return [environment(stage, stage.env | {name: "the caller's"}) for name in names]


@MATRIX.row
def an_empty_environment_stays_empty(stage: Stage) -> object:
    return environment(stage, {"PWD": str(stage.cwd)})


def process_status(stage: Stage, **options: Any) -> dict[str, object]:
    lines = stage.run("cat", "/proc/self/status", **options).out.decode().splitlines()
    found: dict[str, object] = {line.partition(":")[0]: line.partition("\t")[2] for line in lines if line.partition(":")[0] in STATUS_LINES}
    if "SigIgn" in found:
        found["SigIgn"] = f"{int(str(found['SigIgn']), 16) & ~INTERNAL_SIGNALS:x}"
    return found


@MATRIX.row
def identity_masks_and_capabilities_are_the_callers(stage: Stage) -> object:
    return process_status(stage)


@MATRIX.row
def limits_are_the_callers(stage: Stage) -> object:
    def before() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
        resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))
        resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CPU, (100, 200))

    return stage.run("cat", "/proc/self/limits", preexec_fn=before)


@MATRIX.row
def a_small_limit_of_descriptors_or_file_size_hurts_no_more_than_without_us(stage: Stage) -> object:
    def before() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    return stage.run("sh", "-c", "echo hello; exit 4", preexec_fn=before)


@MATRIX.row
def umask_and_niceness_are_the_callers(stage: Stage) -> object:
    def before() -> None:
        os.umask(0o137)
        os.nice(7)

    stat = stage.run("cat", "/proc/self/stat", preexec_fn=before).out.decode().rpartition(") ")[2].split()
    return process_status(stage, preexec_fn=before)["Umask"], stat[15:17], stat[37:39]


@MATRIX.row
def other_inherited_attributes_are_the_callers(stage: Stage) -> object:
    names = ("timerslack_ns", "oom_score_adj", "coredump_filter", "personality", "cgroup", "loginuid", "sessionid")
    return [stage.run("cat", f"/proc/self/{name}") for name in names]


@MATRIX.row
def the_working_directory_is_the_callers(stage: Stage) -> object:
    odd = stage.cwd / "an odd\nname"
    odd.mkdir(exist_ok=True)
    raw = os.fsencode(stage.cwd) + b"/raw-\xff"
    os.makedirs(raw, exist_ok=True)
    return [stage.run("readlink", "/proc/self/cwd", cwd=directory) for directory in (odd, raw, "/")]


@MATRIX.row
def a_working_directory_that_is_gone_does_not_matter(stage: Stage) -> object:
    return stage.shell("mkdir -p gone && cd gone && rmdir ../gone && $W /bin/sh -c 'echo still here' 2>/dev/null; echo $?")


@MATRIX.row
def process_group_and_session_are_the_callers(stage: Stage) -> object:
    with stage.start("cat", "/proc/self/stat") as running:
        fields = running.end().out.decode().rpartition(") ")[2].split()
        return int(fields[2]) == running.pid, int(fields[3]) == running.pid, fields[4:6]


@MATRIX.row
def the_command_runs_in_the_group_of_a_job(stage: Stage) -> object:
    script = "set -m; $W cat /proc/self/stat & wait $!; echo $!"
    *_, stat, job = stage.shell(script).out.decode().splitlines()
    return stat.rpartition(") ")[2].split()[2] == job


@MATRIX.row
def a_pipe_from_a_process_substitution_works(stage: Stage) -> object:
    return stage.shell("$W cat <(echo hi) <(echo ho)")


@MATRIX.row
def further_descriptors_pass_in_both_directions(stage: Stage) -> object:
    written = stage.scratch / "fd4"
    script = f"$W sh -c 'cat <&3; echo written >&4; echo high >&9' 3<<<'from three' 4>{written} 9>&1; cat {written}"
    return stage.shell(script)


def _descriptors(stage: Stage, script: str) -> list[str]:
    """The numbers of a command's open descriptors, as `ls` sees its own."""
    seen = stage.scratch / "descriptors"
    seen.unlink(missing_ok=True)
    stage.shell(f"$W sh -c 'ls /proc/$$/fd >{seen}' {script}")
    return seen.read_text().split() if seen.exists() else ["nothing was written"]


@MATRIX.row
def no_descriptor_is_added_or_lost(stage: Stage) -> object:
    closings = ("", "<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", "7</dev/null 8>/dev/null")
    return {closing: _descriptors(stage, closing) for closing in closings}


@MATRIX.row
def closed_standard_streams_stay_closed(stage: Stage) -> object:
    script = "$W sh -c 'exit 5' <&- >&- 2>&-; echo $?; $W cat <&- 2>/dev/null; echo $?; $W echo x >&- 2>/dev/null; echo $?"
    return stage.shell(script)


@MATRIX.row
def the_job_server_of_make_is_passed_on(stage: Stage) -> object:
    """Two jobs that wait for each other end only where both run at the same time."""
    inner = stage.scratch / "inner.mk"
    pipes = [stage.scratch / name for name in ("ping", "pong")]
    for pipe in pipes:
        if not pipe.exists():
            os.mkfifo(pipe)
    ping, pong = pipes
    inner.write_text(f"all: a b\na:\n\t@echo a >{ping}; cat {pong}\nb:\n\t@cat {ping}; echo b >{pong}\n")
    outer = stage.scratch / "outer.mk"
    outer.write_text(f"all:\n\t+@{stage.words} $(MAKE) --no-print-directory -f {inner}\n")
    ended = stage.run("make", "-j3", "-f", str(outer), wrapped=False)
    whole = stage.run("make", "-j3", "-f", str(outer))
    return [(one.status, sorted(one.out.splitlines()), one.err) for one in (ended, whole)]


@MATRIX.row
def many_at_once_do_not_disturb_each_other(stage: Stage) -> object:
    ended = stage.shell("seq 24 | xargs -P 8 -n 1 $W sh -c 'echo $0; exit 0'")
    return ended.status, sorted(ended.out.split()), ended.err


# Signals that were ignored or blocked when it started


def ignoring(*numbers: int) -> Callable[[], None]:
    def before() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    return before


@MATRIX.row
def ignored_signals_stay_ignored(stage: Stage) -> object:
    numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP, signal.SIGUSR1, signal.SIGALRM, signal.SIGTTOU)
    return [process_status(stage, preexec_fn=ignoring(number)) for number in numbers]


@MATRIX.row
def an_ignored_sigchld_does_not_change_the_status(stage: Stage) -> object:
    before = ignoring(signal.SIGCHLD)
    statuses = [stage.run("sh", "-c", script, preexec_fn=before).status for script in ("exit 5", "kill -TERM $$")]
    return statuses, _cannot(_as_a_shell(stage, "no-such-command"), "no-such-command")


@MATRIX.row
def blocked_signals_stay_blocked(stage: Stage) -> object:
    def before() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])

    return process_status(stage, preexec_fn=before), stage.run("sh", "-c", "exit 5", preexec_fn=before)


@MATRIX.row
def a_background_command_of_a_script_is_not_interrupted(stage: Stage) -> object:
    return stage.shell("$W sh -c 'kill -INT $$; echo alive' & wait $!; echo $?", "sh")


@MATRIX.row
def under_nohup_a_hang_up_does_not_matter(stage: Stage) -> object:
    with stage.start("nohup", *stage.prefix, "sh", "-c", "echo ready; sleep 0.5; echo done", wrapped=False) as running:
        running.see(b"ready")
        os.kill(running.pid, signal.SIGHUP)
        return running.end()


# Signals that somebody sends to it

HANDLER = 'trap "echo got {0}; exit 3" {0}; echo ready; while :; do sleep 0.02; done'


def sent(stage: Stage, script: str, name: str, send: Callable[[int, int], None] = os.kill) -> Ended:
    with stage.start("sh", "-c", script) as running:
        running.see(b"ready")
        send(running.pid, signal.Signals[f"SIG{name}"])
        return running.end()


@MATRIX.row
def a_signal_to_it_reaches_the_commands_handler_once(stage: Stage) -> object:
    return [sent(stage, HANDLER.format(name), name) for name in RELAYED]


@MATRIX.row
def a_signal_to_it_ends_a_command_that_has_no_handler(stage: Stage) -> object:
    return [sent(stage, "echo ready; exec sleep 20", name) for name in RELAYED]


@MATRIX.row
def a_command_that_ignores_a_signal_goes_on(stage: Stage) -> object:
    return [sent(stage, f'trap "" {name}; echo ready; sleep 0.4; echo done; exit 6', name) for name in RELAYED]


@MATRIX.row
def several_signals_are_all_passed_on(stage: Stage) -> object:
    script = 'trap "echo one" USR1; trap "echo two" USR2; trap "echo end; exit 9" TERM; echo ready; while :; do sleep 0.02; done'
    with stage.start("sh", "-c", script) as running:
        running.see(b"ready")
        for name, answer in (("USR1", b"one"), ("USR2", b"two"), ("USR1", b"one\ntwo\none"), ("TERM", b"end")):
            os.kill(running.pid, signal.Signals[f"SIG{name}"])
            running.see(answer)
        return running.end()


@MATRIX.row
def a_signal_to_the_group_ends_it_as_without_us(stage: Stage) -> object:
    return [sent(stage, "echo ready; exec sleep 20", name, os.killpg) for name in ("TERM", "INT", "QUIT", "HUP", "USR1")]


@MATRIX.row
def an_interrupt_of_the_group_is_handled_once(stage: Stage) -> object:
    script = 'trap "echo got INT" INT; echo ready; i=0; while [ $i -lt 30 ]; do sleep 0.02; i=$((i+1)); done; exit 4'
    return sent(stage, script, "INT", os.killpg)


@MATRIX.row
def a_slow_handler_of_the_groups_signal_decides_the_status(stage: Stage) -> object:
    """How often the handler runs is a documented deviation; that it runs to its end is not."""
    ended = sent(stage, 'trap "sleep 0.3; exit 4" TERM; echo ready; while :; do sleep 0.02; done', "TERM", os.killpg)
    return ended.status, ended.out


@MATRIX.row
def timeout_ends_it_and_says_so(stage: Stage) -> object:
    lines = ("timeout 0.5 $W sleep 20", "timeout --foreground 0.5 $W sleep 20", "timeout -s INT 0.5 $W sleep 20", "timeout -s KILL 0.5 $W true",
             "timeout --preserve-status 0.5 $W sleep 20", "timeout 5 $W sh -c 'exit 8'")  # fmt: skip
    return [stage.shell(f"{line}; echo $?").out for line in lines]


@MATRIX.row
def an_alarm_that_was_set_before_reaches_the_command(stage: Stage) -> object:
    code = "import signal, os, sys; signal.alarm(1); os.execvp(sys.argv[1], sys.argv[1:])"
    command = [*stage.prefix, "sleep", "20"] if stage.prefix else ["sleep", "20"]
    return stage.run(sys.executable, "-I", "-S", "-c", code, *command, wrapped=False)


# Nothing lingers


@MATRIX.row
def a_command_substitution_returns_when_the_command_ends(stage: Stage) -> object:
    began = time.monotonic()
    ended = stage.shell('x=$($W sh -c "echo out; exit 3"); echo "$x $?"')
    return ended, time.monotonic() - began < 4


@MATRIX.row
def a_pipe_ends_when_the_command_ends(stage: Stage) -> object:
    began = time.monotonic()
    ended = stage.shell("{ $W echo through 5>&1 6>&2 | cat; } 2>&1; echo ${PIPESTATUS[*]}")
    return ended, time.monotonic() - began < 4


@MATRIX.row
def what_the_command_leaves_in_the_background_stays(stage: Stage) -> object:
    sleeper = int(stage.run("sh", "-c", "sleep 20 >/dev/null 2>&1 & echo $!").out)
    alive = Path(f"/proc/{sleeper}/cmdline").read_bytes()
    os.kill(sleeper, signal.SIGKILL)
    return alive, eventually(lambda: not Path(f"/proc/{sleeper}").exists())


@MATRIX.row
def no_file_appears_in_the_working_directory(stage: Stage) -> object:
    fresh = stage.cwd / f"fresh-{stage.name}"
    fresh.mkdir(exist_ok=True)
    stage.run("true", cwd=fresh)
    return sorted(path.name for path in fresh.iterdir())
