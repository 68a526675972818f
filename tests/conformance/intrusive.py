"""Probes that do what a probe must not. Each is the shipped one with one thing added; the table has to catch every one.

A shim that is changed is a script before the real one, which it calls by the same name. It acts on recipe lines only.
"""

from pathlib import Path
from typing import NamedTuple

from tests.conformance.ways import Core, source

LINE = 'me=${0##*/}; [ "${__innerloop_line+is}" ] || exec @REAL@/$me "$@"\n'
RUN = '@REAL@/$me "$@"\n'
BECOME = 'exec @REAL@/$me "$@"\n'


class Intruder(NamedTuple):
    """What is added, and the rows that must fail."""

    rows: tuple[str, ...]
    shim: str = ""  # a script around the real shim
    makefile: str = ""  # lines before those of probe.mk
    after: str = ""  # and behind them

    def probe(self, name: str, core: Core) -> Path:
        """Make the directory."""
        texts = {}
        if self.shim:
            texts["shim"] = "#!/bin/sh\n" + LINE + self.shim
        if self.makefile or self.after:
            texts["probe.mk"] = self.makefile + source() + self.after
        return core.changed(f"intruder-{name}", texts)


INTRUDERS = {
    "harmless": Intruder((), BECOME),
    "prints_a_byte": Intruder(("option make", "oneshell", "exit_statuses", "recursive_make"), "printf x\n" + BECOME),
    "prints_a_byte_to_stderr": Intruder(("option make", "up_to_date", "output_by_target"), "printf x >&2\n" + BECOME),
    "touches_what_was_there": Intruder(
        ("option make", "up_to_date", "dependencies_by_the_compiler"), RUN + "s=$?; touch -c -- * 2>/dev/null; exit $s\n"
    ),
    "sets_a_time_back": Intruder(
        ("option make", "pattern_rule_with_two_targets", "shell_text_is_written_to_a_file"),
        RUN + "s=$?; find . -newer Makefile -type f -exec touch -d '1 hour ago' {} +; exit $s\n",
    ),
    "swaps_the_order_of_times": Intruder(
        ("pattern_rules_with_stems", "static_pattern"),
        RUN + "s=$?; for f in *.x *.out; do [ ! -e $f ] || touch -d '5 ms ago' $f; done; exit $s\n",
    ),
    "leaves_a_file": Intruder(("option make", "silent_one"), "touch measured\n" + BECOME),
    "changes_a_mode": Intruder(("limits_umask_niceness_group", "option make"), "umask 077\n" + BECOME),
    "runs_one_job_at_a_time": Intruder(
        ("output_unsorted", "two_slots_are_two", "two_slots_in_a_sub_make", "quick_lines_beside_a_slow_one"), makefile=".NOTPARALLEL:\n"
    ),
    "takes_a_slot_of_the_job_server": Intruder(
        ("a_recipe_uses_the_job_server", "two_slots_in_a_sub_make"),
        'case $MAKEFLAGS in *--jobserver-auth=fifo:*) f=${MAKEFLAGS##*auth=fifo:}; exec 9<>"${f%% *}";; '
        '*--jobserver-auth=*) f=${MAKEFLAGS##*auth=}; eval "exec 9<&${f%%,*}" 2>/dev/null;; esac\n'
        "[ -e /proc/$$/fd/9 ] && timeout 0.2 head -c 1 <&9 >/dev/null\nexec 9<&-\n" + BECOME,
    ),
    "adds_50_ms_to_each_line": Intruder(("quick_lines_beside_a_slow_one",), "sleep 0.05\n" + BECOME),
    "makes_every_failure_a_1": Intruder(
        ("exit_statuses", "option make broken", "oneshell_in_perl", "delete_on_error"), RUN + "[ $? = 0 ] || exit 1\n"
    ),
    "turns_death_into_a_status": Intruder(("death_by_signals", "exit_statuses"), RUN + "exit $?\n"),
    "ignores_sigint": Intruder(("dispositions_and_mask_of_signals", "ctrl_c"), "trap '' INT\n" + BECOME),
    "ignores_sigterm": Intruder(("dispositions_and_mask_of_signals", "sigterm_to_make"), "trap '' TERM\n" + BECOME),
    "starts_a_session": Intruder(("process_group_and_session_are_makes",), 'exec setsid -w @REAL@/$me "$@"\n'),
    "leaks_a_variable": Intruder(("the_environment_of_a_recipe",), "export MEASURED_BY=us\n" + BECOME),
    "leaks_the_probes_own_variable": Intruder(("the_environment_of_a_recipe",), "export __innerloop_leaked=$__innerloop_line\n" + BECOME),
    "exports_a_variable_of_the_makefile": Intruder(("the_environment_of_a_recipe",), makefile="export MEASURED_BY = us\n"),
    "opens_a_descriptor": Intruder(("descriptors_of_a_recipe",), "exec 7</dev/null\n" + BECOME),
    "closes_a_descriptor": Intruder(("descriptors_that_were_open_reach_the_recipe",), "exec 7<&- 8>&-\n" + BECOME),
    "reads_the_input": Intruder(("standard_input",), "head -c 1 >/dev/null\n" + BECOME),
    "keeps_the_output_open": Intruder(("a_pipe_ends_when_make_ends",), "sleep 5 &\n" + BECOME),
    "loses_the_fast_path": Intruder(("commands_that_are_not_there",), makefile="__innerloop :=\noverride SHELL := /bin/dash\n"),
    "stays_in_the_list_of_makefiles": Intruder(
        ("help_from_the_list_of_makefiles",), after="MAKEFILE_LIST := measured.mk $(MAKEFILE_LIST)\n"
    ),
    "sets_flags": Intruder(("variables_that_make_sets",), makefile="MAKEFLAGS += --no-print-directory\n"),
    "runs_the_line_again": Intruder(("option make", "double_colon"), '@REAL@/$me "$@"\n' + BECOME),
}
