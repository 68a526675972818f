"""The border around every command but the launcher's: who it acts as, and one clear line for every expected failure."""

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


def perform(step: "Callable[[Context], int]", name: str, asks_again: bool = True, in_a_shell: bool = False) -> NoReturn:
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
