"""The command line: arguments in, one clear line out for every expected failure.

May import: argparse, this package, and what it hands to it.
"""

import argparse
import importlib
import os
import signal
from collections.abc import Callable
from typing import Any

from innerloop import __version__
from innerloop.cli import ground, terminal
from innerloop.consent.resolve import NoProject, State
from innerloop.delivery import erasure
from innerloop.files import UnusableFile
from innerloop.launcher import record
from innerloop.plan.project import ProjectError
from innerloop.setup import SHELLS, WAYS

ABOUT = "Measures how long you wait for commands, if you agreed; look at every byte before it leaves."


def seconds(text: str) -> float:
    """Read a number of seconds above zero."""
    number = float(text)
    if not 0 < number < 86400:
        raise ValueError(text)
    return number


def days(text: str) -> int:
    """Read a number of days from 1 to 366, which is how long the history is kept."""
    number = int(text)
    if not 1 <= number <= 366:
        raise ValueError(text)
    return number


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    top = argparse.ArgumentParser("innerloop", description=ABOUT, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"innerloop {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str, json: bool = True) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        if json:
            one.add_argument("--json", action="store_true", help="print JSON")
        return one

    start = add("init", "set a project up: its targets, innerloop.toml, and the way in; or take that out again")
    start.add_argument("--way", choices=WAYS, help="makefile: a GNUmakefile, to be committed; private: the same, kept out of git")
    start.add_argument("--all-makefiles", action="store_true", help="a GNUmakefile for each directory with a Makefile")
    for key in ("project", "organisation", "endpoint", "write-key"):
        start.add_argument(f"--{key}", default="", metavar="TEXT", help=f"{key.replace('-', ' ')} for a new innerloop.toml")
    start.add_argument("--generated", action="store_true", help="also Makefiles that git ignores: those that configure or cmake made")
    start.add_argument("--update-names", action="store_true", help="add the targets that innerloop.toml does not list yet")
    start.add_argument("--documented", action="store_true", help="list only targets with a help text: `target: ## text`")
    start.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    start.add_argument("--uninstall", action="store_true", help="take out of the repository what init wrote")
    start.add_argument("--container", action="store_true", help="print the mounts as a compose fragment; writes nothing")
    hook = add("hook", "print a shell function that measures make, for your shell's own file", json=False)
    hook.add_argument("shell", nargs="?", choices=SHELLS, help="without it: that of $SHELL")
    run = add("run", "measure a command: innerloop run [--name NAME] -- COMMAND...", json=False)
    run.add_argument("--name", help="what to call it; leaves only where innerloop.toml lists it")
    run.add_argument("words", nargs="+", metavar="COMMAND")
    wrap = add("wrap", "measure `make impl-TARGET` as TARGET", json=False)
    wrap.add_argument("target", metavar="TARGET")
    agree = add("opt-in", "see what is collected and decide", json=False)
    agree.add_argument("--local", action="store_true", help="only for yourself, on this machine: nothing is sent")
    leave = add("opt-out", "stop measuring; deletes what was not sent", json=False)
    leave.add_argument("--all", action="store_true", help="every project on this machine")
    add("status", "what holds for this project here")
    describe = add("describe", "every field that can be collected, why, and an example from here")
    describe.add_argument("--dpia", action="store_true", help="the record of processing and the facts of an impact assessment")
    show = add("show", "the very bytes: of the next batch, of what waits, of what left; what the collector keeps of you")
    show.add_argument("what", choices=["next", "pending", "sent", "stored"])
    flush = add("flush", "deliver now, and say what happened")
    flush.add_argument("--timeout", type=seconds, default=30, metavar="S", help="give up after S seconds (30)")
    report = add("report", "your own week: what you waited for, what failed")
    report.add_argument("--days", type=days, default=7, metavar="N", help="look back N days (7)")
    line = add("timeline", "where a run's time went: its make targets, the critical path, what failed first")
    line.add_argument("run", nargs="?", default="", metavar="RUN", help="the beginning of its id, as --list shows it; else the last run")
    line.add_argument("--format", choices=["text", "json", "perfetto", "speedscope"], default="text", help="for people (text), or a file")
    line.add_argument("--list", action="store_true", help="the runs that have targets")
    line.add_argument("--all", action="store_true", help="every target, or with --list every run; else what fits on a screen")
    add("reset-id", "a new pseudonymous id; the old one stays here as the key to erasure", json=False)
    forget = add("forget", "stop, and erase what was measured: here and, with a receipt, on the collector")
    forget.add_argument("--check", default="", metavar="RECEIPT", help="ask the collector about a receipt, and erase nothing")
    add("doctor", "why commands are (not) measured here, and where every record is")
    install = add("install", "unpack innerloop.pyz, so that `innerloop` is a command that starts fast", json=False)
    install.add_argument("--to", metavar="DIR", help="into DIR/share and DIR/bin instead of your home")
    commands.add_parser("deliver")
    attach = commands.add_parser("attach")  # make's question, which the launcher answers
    attach.add_argument("pid")
    attach.add_argument("goals")
    return top


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
    "deliver": ("deliver", lambda module, here, _given: module.deliver(here)),
}


def dispatch(given: argparse.Namespace, here: State) -> int:
    """Call a command and return its exit status."""
    name, call = COMMANDS[given.command]
    module = importlib.import_module(f"innerloop.cli.{name}")  # before: root's own modules may be root's alone
    if given.command in ("install", "hook"):
        return call(module, here, given)  # a shell that starts waits for no home
    ground.answer_in_time(here)
    act_as_owner(here)
    status = call(module, here, given)
    if given.command not in ("forget", "deliver") and erasure.due(here.state):
        record.start_delivery(here.env)  # an erasure that no collector confirmed yet is asked for again, and nobody waits
    return status


def main(arguments: "list[str]") -> None:
    """Run a command and end with its status: 0 done, 1 failed with one line, 2 wrong usage."""
    parsed = parser().parse_args(arguments)
    if parsed.command in ("run", "wrap"):
        parser().error(f"{parsed.command}: put `--` before a command that has options of its own")
    try:
        status = dispatch(parsed, State(dict(os.environb), directory()))
    except KeyboardInterrupt:
        terminal.say("")
        status = 130
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 128 + signal.SIGPIPE
    except (terminal.Failure, NoProject, ProjectError, UnusableFile) as error:
        terminal.say(f"innerloop: {error}")
        status = 1
    except OSError as error:
        terminal.say(f"innerloop: {error.filename or parsed.command}: {error.strerror}; try again when that is mended.")
        status = 1
    terminal.leave(status)


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
