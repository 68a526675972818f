"""The commands of `core` but those of the launcher, and the border around every command: who it acts as, and one clear line for every expected failure.

How opting in and out, and the sender, may be typed stands here alone. A command's module is imported where that was typed, and before
anything acts as somebody else: root's own modules may be root's alone.
"""

import os
import time
from typing import Callable, NoReturn

from innerloop.core.asking import home_check
from innerloop.core.consent.resolve import Context, NoProject
from innerloop.core.launcher import record
from innerloop.core.plan.project import ProjectError
from innerloop.core.shared import terminal
from innerloop.core.shared.files import UnusableFile
from innerloop.core.spool import wanted_erasures

Step = Callable[[Context], int]


def _opt_in(local: bool) -> Step:
    from innerloop.core.asking.dialogue import opt_in

    return lambda context: opt_in(context, local)


def _opt_out(everywhere: bool) -> Step:
    from innerloop.core.asking.opt_out import opt_out

    return lambda context: opt_out(context, everywhere)


def _deliver() -> Step:
    from innerloop.core.outbound.deliver import deliver

    return deliver


COMMANDS: "dict[tuple[str, ...], Callable[[], Step]]" = {
    ("opt-in",): lambda: _opt_in(local=False),
    ("opt-in", "--local"): lambda: _opt_in(local=True),
    ("opt-out",): lambda: _opt_out(everywhere=False),
    ("opt-out", "--all"): lambda: _opt_out(everywhere=True),
    ("deliver",): _deliver,  # what the launcher starts, and nobody types
}


def main(arguments: "list[str]") -> None:
    """Run one of these commands and end. Returns where something else was typed, for `tools` to explain."""
    command = COMMANDS.get(tuple(arguments))
    if command:
        perform(command(), arguments[0], asks_again=arguments != ["deliver"])


def perform(step: Step, name: str, asks_again: bool = True, in_a_shell: bool = False) -> NoReturn:
    """Run a command and end with its status: 0 done, 1 failed with one line.

    `asks_again`: an erasure that no collector confirmed yet is asked for again afterwards. `in_a_shell`: a shell that starts waits for no home.
    """
    terminal.prepare()
    try:
        context = Context(dict(os.environb), _directory(), time.time)
        if not in_a_shell:
            home_check.answer_in_time(context)
            _act_as_owner(context)
        status = step(context)
        if asks_again and not in_a_shell and wanted_erasures.due(context.state, context.now()):
            record.start_delivery(context.env)  # nobody waits for it
    except KeyboardInterrupt:
        terminal.say("")
        status = 130
    except (terminal.Failure, NoProject, ProjectError, UnusableFile) as error:
        terminal.complain(error)
        status = 1
    except OSError as error:
        terminal.complain(OSError(f"{os.fsdecode(error.filename or name)}: {error.strerror}; try again once that is fixed"))
        status = 1
    terminal.leave(status)


def _act_as_owner(context: Context) -> None:
    """Root in a container works on the host's files as the owner of the mount, to the end."""
    try:
        context.home.owner.enter()
    except OSError as error:
        context.home.owner.leave()
        context.home.problem = f"root may not act as uid {context.home.uid} here ({error.strerror})"


def _directory() -> str:
    """The working directory, or the root where it was deleted: there is no project in either."""
    try:
        return os.getcwd()
    except OSError:
        os.chdir("/")
        return "/"
