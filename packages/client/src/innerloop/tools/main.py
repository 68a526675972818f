"""The command line: arguments in, one clear line out for every expected failure.

May import: argparse, this package, and what it hands to it.
"""

import argparse
import importlib
import os
from collections.abc import Callable
from typing import Any

from innerloop.core.asking import home_check
from innerloop.core.consent.resolve import NoProject, State
from innerloop.core.launcher import record
from innerloop.core.outbound import erasure
from innerloop.core.plan.project import ProjectError
from innerloop.core.shared import terminal
from innerloop.core.shared.files import UnusableFile
from innerloop.tools.arguments import parser

# command -> the module of this package that has it, and the call: a module is imported only where it is needed
COMMANDS: "dict[str, tuple[str, Callable[[Any, State, argparse.Namespace], int]]]" = {
    "init": ("init", lambda module, here, given: module.init(here, given)),
    "hook": ("hook", lambda module, _here, given: module.hook(given.shell or "")),
    "install": ("install", lambda module, here, given: module.install(here.env, given.to)),
    "opt-in": ("dialogue", lambda module, here, given: module.opt_in(here, given.local)),
    "opt-out": ("leave", lambda module, here, given: module.opt_out(here, given.all)),
    "status": ("status", lambda module, here, given: module.status(here, given.json)),
    "doctor": ("status", lambda module, here, given: module.doctor(here, given.json)),
    "describe": ("look", lambda module, here, given: module.describe(here, given.json, given.dpia)),
    "show": ("look", lambda module, here, given: module.show(here, given.what, given.json)),
    "report": ("report", lambda module, here, given: module.report(here, given.json, given.days)),
    "timeline": ("timeline", lambda module, here, given: module.timeline(here, given)),
    "reset-id": ("forget", lambda module, here, _given: module.reset_id(here)),
    "forget": ("forget", lambda module, here, given: module.forget(here, given.check, given.json)),
    "flush": ("deliver", lambda module, here, given: module.flush(here, given.timeout, given.json)),
    "uninstall": ("uninstall", lambda module, here, given: module.uninstall(here, given)),
    "deliver": ("deliver", lambda module, here, _given: module.deliver(here)),
}


def dispatch(given: argparse.Namespace, here: State) -> int:
    """Call a command and return its exit status."""
    name, call = COMMANDS[given.command]
    module = importlib.import_module(f"innerloop.cli.{name}")  # before: root's own modules may be root's alone
    if given.command in ("install", "hook"):
        return call(module, here, given)  # a shell that starts waits for no home
    home_check.answer_in_time(here)
    act_as_owner(here)
    status = call(module, here, given)
    if given.command not in ("forget", "deliver", "uninstall") and erasure.due(here.state):
        record.start_delivery(here.env)  # an erasure that no collector confirmed yet is asked for again, and nobody waits
    return status


def main(arguments: "list[str]") -> None:
    """Run a command and end with its status: 0 done, 1 failed with one line, 2 wrong usage."""
    terminal.prepare()
    parsed = read(arguments)
    try:
        status = dispatch(parsed, State(dict(os.environb), directory()))
    except KeyboardInterrupt:
        terminal.say("")
        status = 130
    except (terminal.Failure, NoProject, ProjectError, UnusableFile) as error:
        terminal.complain(error)
        status = 1
    except OSError as error:
        terminal.complain(OSError(f"{os.fsdecode(error.filename or parsed.command)}: {error.strerror}; try again when that is mended"))
        status = 1
    terminal.leave(status)


def read(arguments: "list[str]") -> argparse.Namespace:
    """What was typed. Help and wrong usage end here."""
    if arguments == ["deliver"]:  # what the launcher starts, and nobody types
        return argparse.Namespace(command="deliver")
    top = parser()
    if not arguments:
        terminal.say(top.format_help().rstrip("\n"))
        terminal.leave(2)
    parsed = top.parse_args(arguments)
    if parsed.command == "help":
        if parsed.about and parsed.about not in top.commands:
            top.error(f"there is no command {parsed.about}; see: innerloop help")
        (top.commands[parsed.about] if parsed.about else top).print_help()
        terminal.leave(0)
    if parsed.command in ("run", "wrap"):
        top.commands[parsed.command].error("put `--` before a command that has options of its own")
    return parsed


def act_as_owner(here: State) -> None:
    """Root in a container works on the host's files as the owner of the mount, to the end."""
    try:
        here.home.enter()
    except OSError as error:
        here.home.leave()
        here.home.problem = f"root may not act as uid {here.home.uid} here ({error.strerror})"


def directory() -> str:
    """The working directory, or the root where it was deleted: there is no project in either."""
    try:
        return os.getcwd()
    except OSError:
        os.chdir("/")
        return "/"
