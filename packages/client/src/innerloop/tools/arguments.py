"""The arguments of every command, and its help."""

import argparse
import re
import sys
from datetime import date
from typing import Any, NoReturn, Optional

from innerloop import __version__
from innerloop.core.shared import terminal
from innerloop.tools import output
from innerloop.tools.setup import SHELLS, WAYS

ABOUT = "Measures how long you wait for commands, if you agree. You can see every byte before it leaves."


class Parser(argparse.ArgumentParser):
    """A parser that knows no abbreviations, and prints through the terminal: what was typed may have come from elsewhere."""

    def __init__(self, **options: Any) -> None:
        """As ArgumentParser, with abbreviations switched off."""
        super().__init__(**{**options, "allow_abbrev": False})
        self.color = False  # of Python 3.14
        self.commands: "dict[str, Parser]" = {}  # by their names

    def _print_message(self, message: str, file: Any = None) -> None:
        (terminal.say if file is not None and file is sys.stderr else output.show)(message.rstrip("\n"))

    def print_help(self, file: Any = None) -> None:
        """Print the help, which was asked for."""
        self._print_message(self.format_help(), file)

    def exit(self, status: int = 0, message: Optional[str] = None) -> NoReturn:
        """End as every command does."""
        if message:
            terminal.say(message.rstrip("\n"))
        terminal.leave(status)

    def error(self, message: str) -> NoReturn:
        """Wrong usage: how it is used, and what was wrong."""
        self.exit(2, f"{self.format_usage()}{self.prog}: {terminal.line(message)}")


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


def weeks(text: str) -> int:
    """Read a number of weeks from 1 to 53."""
    number = int(text)
    if not 1 <= number <= 53:
        raise ValueError(text)
    return number


def day(text: str) -> date:
    """Read a day."""
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def misuse(given: argparse.Namespace) -> str:
    """What is wrong with arguments that are right one by one."""
    if given.command != "timeline" or not given.compare:
        return ""
    alone = not given.run and given.format in ("text", "json") and len(given.compare) <= 2
    return "" if alone else "--compare wants two runs, or `last`, and prints text or JSON; see: innerloop timeline --list"


def parser() -> Parser:
    """The arguments of every command."""
    top = Parser(prog="innerloop", description=ABOUT)
    top.add_argument("--version", action="version", version=f"innerloop {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str, json: bool = True) -> Parser:
        one = top.commands[name] = commands.add_parser(name, help=text, description=text)
        if json:
            one.add_argument("--json", action="store_true", help="print JSON")
        return one

    about = add("help", "show this list, or the usage of a command", json=False)
    about.add_argument("about", nargs="?", default="", metavar="COMMAND")
    start = add("init", "set a project up: innerloop.toml with its targets, and the way in; or undo that")
    start.add_argument("--way", choices=WAYS, help="makefile: a GNUmakefile, to be committed; private: the same, kept out of git")
    start.add_argument("--all-makefiles", action="store_true", help="a GNUmakefile for each directory with a Makefile")
    for key in ("project", "organisation", "endpoint", "write-key"):
        start.add_argument(f"--{key}", default="", metavar="TEXT", help=f"{key.replace('-', ' ')} for a new innerloop.toml")
    start.add_argument("--generated", action="store_true", help="also Makefiles that git ignores: those that configure or cmake made")
    start.add_argument("--update-names", action="store_true", help="add the targets that innerloop.toml does not list yet")
    start.add_argument("--documented", action="store_true", help="list only targets with a help text: `target: ## text`")
    start.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    start.add_argument("--uninstall", action="store_true", help="remove from the repository what init wrote")
    start.add_argument("--container", action="store_true", help="print the mounts as a compose fragment; writes nothing")
    hook = add("hook", "print a shell function that measures make, for your shell's startup file", json=False)
    hook.add_argument("shell", nargs="?", choices=SHELLS, help="default: that of $SHELL")
    run = add("run", "measure a command, under a name of its own where one is given; it leaves only if innerloop.toml lists it", json=False)
    run.usage = "innerloop run [--name NAME] [--] COMMAND..."  # only shown: the launcher reads what was typed
    wrap = add("wrap", "measure `make impl-TARGET` as TARGET", json=False)
    wrap.usage = "innerloop wrap TARGET"
    agree = add("opt-in", "see what is collected, and decide", json=False)
    agree.add_argument("--local", action="store_true", help="only for yourself, on this machine: nothing is sent")
    leave = add("opt-out", "stop measuring, and delete what was not sent", json=False)
    leave.add_argument("--all", action="store_true", help="every project on this machine")
    add("status", "what applies to this project on this machine")
    describe = add("describe", "every field that can be collected, why, and an example from here")
    describe.add_argument("--dpia", action="store_true", help="the record of processing and the facts of an impact assessment")
    show = add("show", "the exact bytes of the next batch, of what waits, of what was sent; what the collector keeps of you")
    show.add_argument("what", choices=["next", "pending", "sent", "stored"])
    flush = add("flush", "deliver now, and say what happened")
    flush.add_argument("--timeout", type=seconds, default=30, metavar="S", help="give up after S seconds (30)")
    report = add("report", "your own week: what you waited for, what failed")
    when = report.add_mutually_exclusive_group()
    when.add_argument("--days", type=days, default=7, metavar="N", help="look back N days (7)")
    when.add_argument("--since", type=day, metavar="YYYY-MM-DD", help="from that day on, beside as long a time before")
    when.add_argument("--weeks", type=weeks, metavar="N", help="N weeks, week by week, the running one last")
    line = add("timeline", "where a run's time went, and what would help: its make targets, the critical path, what failed first")
    line.add_argument(
        "run", nargs="?", default="", metavar="RUN", help="the beginning of its id, as --list shows it (default: the last run)"
    )
    line.add_argument(
        "--format", choices=["text", "json", "html", "perfetto", "speedscope"], default="text", help="for people (text), or a file"
    )
    line.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar="RUN",
        help="what became slower or is new: two runs, or `last`: the last one and the one before",
    )
    line.add_argument("--list", action="store_true", help="the runs that have targets")
    line.add_argument("--all", action="store_true", help="every target, or with --list every run (default: what fits on a screen)")
    add("reset-id", "a new pseudonymous id; the old one stays here as the key to erasure", json=False)
    forget = add("forget", "stop, and erase what was measured: here and, with a receipt, on the collector")
    forget.add_argument("--check", default="", metavar="RECEIPT", help="ask the collector about a receipt, and erase nothing")
    add("doctor", "why commands are (not) measured here, and where every record is")
    install = add("install", "unpack innerloop.pyz, so that `innerloop` is a command that starts fast", json=False)
    install.add_argument("--to", metavar="DIR", help="into DIR/share and DIR/bin instead of your home")
    gone = add("uninstall", "remove everything of innerloop from this machine; it names repositories and the package, which stay")
    gone.add_argument("--keep-answers", action="store_true", help="keep your answers: a no, and the keys to erasure on collectors")
    gone.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    return top
