"""The matrix can fail: it catches wrappers that are written as they usually are, on the rows where they go wrong."""

import sys
from pathlib import Path

import pytest

from tests.transparency.developer import Developer
from tests.transparency.stage import observe
from tests.transparency.test_matrix import ROWS

# As the founding system's script runs its command.
SUBPROCESS = """
import subprocess, sys
try:
    status = subprocess.run(sys.argv[1:]).returncode
except FileNotFoundError:
    status = 127
sys.exit(128 - status if status < 0 else status)
"""
# A shell script that does something afterwards.
SHELL = '#!/bin/sh\n"$@"\nstatus=$?\n: record it\nexit $status\n'
# One that is careful, but writes down who is at work before and stays in its own group.
OWN_GROUP = """
import os, sys
pid = os.fork()
if not pid:
    os.setpgid(0, 0)
    os.environ["MEASURED_BY"] = "us"
    os.umask(0o077)
    os.execvp(sys.argv[1], sys.argv[1:])
status = os.waitpid(pid, 0)[1]
os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
"""
# One whose helper inherits what it should not.
LINGERS = """
import os, subprocess, sys
status = subprocess.run(sys.argv[1:], close_fds=False).returncode
subprocess.Popen(["sleep", "6"], close_fds=False)
os._exit(status & 0xFF)
"""
CAUGHT = {
    "subprocess": (
        "a_command_killed_by_a_signal_is_seen_as_killed_by_it", "a_pipe_from_a_process_substitution_works",
        "further_descriptors_pass_in_both_directions", "the_job_server_of_make_is_passed_on",
        "a_signal_to_it_ends_a_command_that_has_no_handler", "a_signal_to_it_reaches_the_commands_handler_once",
        "a_script_without_an_interpreter_line_is_given_to_sh", "an_ignored_sigchld_does_not_change_the_status",
        "an_interactive_interpreter_survives_ctrl_c_twice", "a_command_that_stops_itself_gives_the_shell_control",
        "the_environment_is_the_callers_in_the_c_locale", "a_command_that_is_not_executable_gives_126_and_one_line",
        "timeout_ends_it_and_says_so", "an_alarm_that_was_set_before_reaches_the_command",
        "a_slow_handler_of_the_groups_signal_decides_the_status", "no_descriptor_is_added_or_lost",
    ),
    "shell": (
        "a_command_killed_by_a_signal_is_seen_as_killed_by_it", "a_signal_to_it_ends_a_command_that_has_no_handler",
        "a_command_that_stops_itself_gives_the_shell_control", "several_signals_are_all_passed_on",
    ),
    "own group": (
        "process_group_and_session_are_the_callers", "the_environment_is_the_callers", "umask_and_niceness_are_the_callers",
        "the_end_of_input_is_seen",
        "a_signal_to_the_group_ends_it_as_without_us", "it_has_the_terminal_in_the_foreground",
    ),
    "lingers": ("a_command_substitution_returns_when_the_command_ends", "a_pipe_ends_when_the_command_ends"),
}  # fmt: skip


def _wrapper(name: str, directory: Path) -> list[str]:
    if name == "shell":
        script = directory / "wrapper"
        script.write_text(SHELL)
        script.chmod(0o755)
        return [str(script)]
    file = directory / "wrapper.py"
    file.write_text({"subprocess": SUBPROCESS, "own group": OWN_GROUP, "lingers": LINGERS}[name])
    return [sys.executable, "-I", "-S", str(file)]


@pytest.mark.parametrize(
    ("wrapper", "promise"),
    [  # what goes wrong is often that something never ends, so most of them wait for as long as the matrix waits
        pytest.param(name, row, marks=pytest.mark.slow if at else ()) for name, rows in CAUGHT.items() for at, row in enumerate(rows)
    ],
)
def test_a_bad_wrapper_is_caught(wrapper: str, promise: str, agreed: Developer, tmp_path: Path) -> None:
    bare = observe(ROWS[promise], agreed.stage("bare", []))
    bad = observe(ROWS[promise], agreed.stage("bad", _wrapper(wrapper, tmp_path)))

    assert bare != bad


def test_a_wrapper_that_only_executes_is_not_caught(agreed: Developer) -> None:
    """`env COMMAND` is as good as nothing, so a difference is never the matrix's own."""
    different = []
    for promise in (
        "the_exit_status_is_the_commands",
        "the_environment_is_the_callers",
        "ctrl_c_ends_it_and_the_shell_knows",
        "no_descriptor_is_added_or_lost",
    ):
        if observe(ROWS[promise], agreed.stage("bare", [])) != observe(ROWS[promise], agreed.stage("good", ["env"])):
            different.append(promise)

    assert [] == different
