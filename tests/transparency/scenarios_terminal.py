"""What a person sees who runs a command at a terminal: each scenario uses an interactive bash on a pty."""

import sys
import time
from pathlib import Path

from tests.transparency.stage import Matrix, Stage, Terminal, eventually

MATRIX = Matrix()
SLEEPER = "$W sh -c 'echo ready; exec sleep 30'"
HANDLES_WINDOW = """
import os, signal, time
signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b"size %d %d." % os.get_terminal_size()))
os.write(1, b"ready")
for _ in range(60): time.sleep(0.02)
"""
HANDLES_STOP = """
import os, signal, time
state = []
def stop(*_):
    time.sleep(0.1)
    os.write(1, b"saving")
    os.kill(os.getpid(), signal.SIGSTOP)
    os.write(1, b"restored")
    state.append("restored")
signal.signal(signal.SIGTSTP, stop)
os.write(1, b"ready")
while not state: time.sleep(0.02)
"""


def _python(stage: Stage, name: str, code: str) -> str:
    script = stage.scratch / f"{name}.py"
    script.write_text(code)
    return f"$W {sys.executable} -I -S {script}"


def _states(terminal: Terminal) -> list[str]:
    """The states of all processes of the last job."""
    _, words = terminal.answer("jobs -p %+")
    group = int(words[-1])
    states = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            states.add(fields[0])
    return sorted(states)


@MATRIX.row
def it_has_the_terminal_in_the_foreground(stage: Stage) -> object:
    with stage.terminal() as terminal:
        seen = [terminal.answer("$W sh -c '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all'")]
        terminal.type("$W sh -c 'read x </dev/tty; echo got $x'")
        time.sleep(0.3)
        terminal.type("a line")
        seen.append((terminal.prompt(), str(terminal.child.before).split()))
        terminal.type("$W cat /proc/self/stat")
        terminal.prompt()
        fields = str(terminal.child.before).rpartition(") ")[2].split()
        return seen, fields[2] == fields[5]


@MATRIX.row
def ctrl_c_ends_it_and_the_shell_knows(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type(SLEEPER)
        terminal.see("ready")
        terminal.press("c")
        return terminal.prompt()


@MATRIX.row
def ctrl_c_right_after_enter_ends_it(stage: Stage) -> object:
    """At any moment of our own start, also before the command runs."""
    statuses = []
    with stage.terminal() as terminal:
        for delay in (0.002, 0.01, 0.02, 0.03, 0.05, 0.1):
            terminal.type("$W sleep 30")
            terminal.press("c", after=0.05 + delay)
            statuses.append((terminal.prompt(), "Traceback" in str(terminal.child.before)))
    return statuses


@MATRIX.row
def ctrl_c_is_handled_by_the_command_once_each(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type(
            """$W sh -c 'trap "echo caught" INT; echo ready; i=0; while [ $i -lt 40 ]; do sleep 0.05; i=$((i+1)); done; exit 9'"""
        )
        terminal.see("ready")
        for _ in range(3):
            terminal.press("c")
            terminal.see("caught")
            time.sleep(0.1)
        return terminal.prompt(), str(terminal.child.before).count("caught")


@MATRIX.row
def ctrl_c_does_not_end_a_command_that_ignores_it(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("""$W sh -c 'trap "" INT QUIT; echo ready; sleep 0.6; exit 8'""")
        terminal.see("ready")
        terminal.press("c")
        terminal.press("\\")
        return terminal.prompt()


@MATRIX.row
def ctrl_c_in_a_loop_stops_the_loop(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("for i in 1 2 3; do $W sh -c 'echo ready; exec sleep 5'; echo round $i; done")
        terminal.see("ready")
        terminal.press("c")
        return terminal.prompt(), "round" in str(terminal.child.before)


@MATRIX.row
def a_loop_goes_on_where_the_command_exits_with_130(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("""for i in 1 2; do $W sh -c 'trap "exit 130" INT; echo ready; while :; do sleep 0.05; done'; echo round $i; done""")
        for _ in range(2):
            terminal.see("ready")
            terminal.press("c")
            terminal.see("round")
        return terminal.prompt()


@MATRIX.row
def ctrl_backslash_ends_it_and_the_shell_knows(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type(SLEEPER)
        terminal.see("ready")
        terminal.press("\\")
        return terminal.prompt(), "Quit" in str(terminal.child.before)


@MATRIX.row
def an_interactive_interpreter_survives_ctrl_c_twice(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type(f"$W {sys.executable} -I -S -q -i")
        terminal.see(">>> ")
        for _ in range(2):
            terminal.press("c", after=0.2)  # between its prompt and its read Python itself would lose the signal
            terminal.see("KeyboardInterrupt")
            terminal.see(">>> ")
        terminal.type("raise SystemExit(7)")
        return terminal.prompt()


@MATRIX.row
def ctrl_z_stops_all_of_it_and_fg_goes_on(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("$W sh -c 'echo ready; read x; echo got $x; exit 4'")
        terminal.see("ready")
        terminal.press("z")
        stopped = terminal.prompt(), "Stopped" in str(terminal.child.before), _states(terminal)
        terminal.type("fg")
        time.sleep(0.2)
        terminal.type("hello")
        terminal.see("got hello")
        return stopped, terminal.prompt()


@MATRIX.row
def ctrl_z_and_bg_let_it_end_in_the_background(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("$W sh -c 'echo ready; sleep 0.5; exit 4'")
        terminal.see("ready")
        terminal.press("z")
        stopped = terminal.prompt()
        terminal.type("bg; wait %1")
        return stopped, terminal.prompt()


@MATRIX.row
def it_can_be_stopped_and_continued_six_times(stage: Stage) -> object:
    seen: list[object] = []
    with stage.terminal() as terminal:
        terminal.type("$W sh -c 'echo ready; while read x; do echo got $x; done; exit 4'")
        terminal.see("ready")
        for number in range(6):
            terminal.press("z")
            seen.append((terminal.prompt(), _states(terminal)))
            terminal.type("fg")
            time.sleep(0.1)
            terminal.type(f"line {number}")
            terminal.see(f"got line {number}")
        terminal.press("d")
        seen.append(terminal.prompt())
    return seen


@MATRIX.row
def a_command_that_handles_ctrl_z_itself_saves_and_restores(stage: Stage) -> object:
    """The shell has control only after the command has put the terminal in order."""
    with stage.terminal() as terminal:
        terminal.type(_python(stage, "handles-stop", HANDLES_STOP))
        terminal.see("ready")
        terminal.press("z")
        stopped = terminal.prompt(), "saving" in str(terminal.child.before), _states(terminal)
        terminal.type("fg")
        terminal.see("restored")
        return stopped, terminal.prompt()


@MATRIX.row
def a_command_that_stops_itself_gives_the_shell_control(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("$W sh -c 'echo ready; kill -STOP $$; echo resumed; exit 6'")
        terminal.see("ready")
        stopped = terminal.prompt(), _states(terminal)
        terminal.type("fg")
        terminal.see("resumed")
        return stopped, terminal.prompt()


@MATRIX.row
def reading_the_terminal_in_the_background_stops_it(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("$W cat &")
        terminal.prompt()
        stopped = eventually(lambda: "Stopped" in terminal.answer("jobs")[1], 5)
        states = _states(terminal)
        terminal.type("fg")
        time.sleep(0.2)
        terminal.type("a line")
        terminal.see("a line")
        terminal.press("d")
        return stopped, states, terminal.prompt()


@MATRIX.row
def a_job_in_the_background_ends_by_kill(stage: Stage) -> object:
    seen = []
    with stage.terminal() as terminal:
        for name in ("TERM", "INT", "HUP", "KILL"):
            terminal.type(SLEEPER + " &")
            terminal.see("ready")
            terminal.type(f"kill -{name} %%; wait $!; echo ended with $?.")
            terminal.see(r"ended with \d+\.")
            seen.append(str(terminal.child.after))
    return seen


@MATRIX.row
def a_shell_inside_has_job_control_of_its_own(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("$W bash --norc --noprofile --noediting -i")
        time.sleep(0.3)
        terminal.type("PS1='[status $?]'")
        terminal.prompt()
        terminal.type("sh -c 'echo ready; exec sleep 30'")
        terminal.see("ready")
        terminal.press("c")
        interrupted = terminal.prompt()
        terminal.type("sh -c 'echo ready; exec sleep 30'")
        terminal.see("ready")
        terminal.press("z")
        stopped = terminal.prompt()
        terminal.type("fg")
        time.sleep(0.2)
        terminal.press("c")
        ended = terminal.prompt()
        terminal.type("exit 5")
        return interrupted, stopped, ended, terminal.prompt()


@MATRIX.row
def a_change_of_the_windows_size_is_seen(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type(_python(stage, "handles-window", HANDLES_WINDOW))
        terminal.see("ready")
        terminal.child.setwinsize(50, 100)
        terminal.see(r"size 100 50\.")
        terminal.child.setwinsize(51, 101)
        terminal.see(r"size 101 51\.")
        return terminal.prompt(), str(terminal.child.before).count("size")


@MATRIX.row
def the_terminals_modes_are_the_commands(stage: Stage) -> object:
    with stage.terminal() as terminal:
        before = terminal.answer("stty -g")
        inside = terminal.answer("$W stty -g")
        terminal.answer("$W stty -icanon min 1 time 3")
        return before == inside, before == terminal.answer("stty -g"), terminal.answer("stty -a | grep -o -- -icanon")


@MATRIX.row
def the_end_of_input_is_seen(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("$W cat")
        time.sleep(0.3)
        terminal.press("d")
        return terminal.prompt()


@MATRIX.row
def in_a_pipeline_ctrl_c_ends_everything(stage: Stage) -> object:
    with stage.terminal() as terminal:
        terminal.type("$W sh -c 'echo ready; exec sleep 30' | $W cat")
        terminal.see("ready")
        terminal.press("c")
        status = terminal.prompt()
        return status, terminal.answer("jobs")[1]


@MATRIX.row
def closing_the_terminal_ends_it(stage: Stage) -> object:
    """A command without a handler is gone soon, and so is everything of ours."""
    pids = stage.scratch / "pids"
    pids.unlink(missing_ok=True)
    with stage.terminal() as terminal:
        terminal.type(f"$W sh -c 'echo $$ $PPID >{pids}; echo ready; sleep 30; echo over'")
        terminal.see("ready")
        child, parent = map(int, pids.read_text().split())
        terminal.hang_up()
        return eventually(lambda: not _alive(child) and not _alive(parent), 5)


@MATRIX.row
def closing_the_terminal_lets_a_handler_finish(stage: Stage) -> object:
    """How often the handler is called is a documented deviation."""
    log = stage.scratch / "hang-up"
    log.write_text("")
    with stage.terminal() as terminal:
        terminal.type(f"$W sh -c 'trap \"echo hup >>{log}\" HUP; echo ready; sleep 0.6; sleep 0.6; echo done >>{log}'")
        terminal.see("ready")
        terminal.hang_up()
        finished = eventually(lambda: "done" in log.read_text(), 5)
        return finished, "hup" in log.read_text()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False
