"""The conveniences' command line, and the explanation of every other command: arguments in, a step out.

A step's module is imported where its command was typed, and before anything acts as somebody else: root's own modules may be root's alone.
"""

import argparse
from typing import Callable

from innerloop.core.main import Step, perform
from innerloop.core.shared import terminal
from innerloop.tools.arguments import misuse, parser


def _init(given: argparse.Namespace) -> Step:
    from innerloop.tools.setup.init import init

    return lambda context: init(context, given)


def _hook(given: argparse.Namespace) -> Step:
    from innerloop.tools.hook import hook

    return lambda _: hook(given.shell or "")


def _install(given: argparse.Namespace) -> Step:
    from innerloop.tools.install import install

    return lambda context: install(context.env, given.to)


def _status(given: argparse.Namespace) -> Step:
    from innerloop.tools.diagnosis.status import status

    return lambda context: status(context, given.json)


def _doctor(given: argparse.Namespace) -> Step:
    from innerloop.tools.diagnosis.doctor import doctor

    return lambda context: doctor(context, given.json)


def _describe(given: argparse.Namespace) -> Step:
    from innerloop.tools.disclosure.show import describe

    return lambda context: describe(context, given.json, given.dpia)


def _show(given: argparse.Namespace) -> Step:
    from innerloop.tools.disclosure.show import show

    return lambda context: show(context, given.what, given.json)


def _report(given: argparse.Namespace) -> Step:
    from innerloop.tools.report import report

    return lambda context: report(context, given)


def _timeline(given: argparse.Namespace) -> Step:
    from innerloop.tools.timeline.command import timeline

    return lambda context: timeline(context, given)


def _reset_id(_given: argparse.Namespace) -> Step:
    from innerloop.tools.forget import reset_id

    return reset_id


def _forget(given: argparse.Namespace) -> Step:
    from innerloop.tools.forget import forget

    return lambda context: forget(context, given.check, given.json)


def _flush(given: argparse.Namespace) -> Step:
    from innerloop.tools.flush import flush

    return lambda context: flush(context, given.timeout, given.json)


def _uninstall(given: argparse.Namespace) -> Step:
    from innerloop.tools.uninstall import uninstall

    return lambda context: uninstall(context, given)


COMMANDS: "dict[str, Callable[[argparse.Namespace], Step]]" = {
    "init": _init, "hook": _hook, "install": _install, "status": _status, "doctor": _doctor, "describe": _describe, "show": _show,
    "report": _report, "timeline": _timeline, "reset-id": _reset_id, "forget": _forget, "flush": _flush, "uninstall": _uninstall,
}  # fmt: skip


MISREAD = {  # what the launcher did not understand
    "run": "name a command, and put `--` before one that begins with a dash",
    "wrap": "name one target",
}


def main(arguments: "list[str]") -> None:
    """Run a command and end with its status: 0 done, 1 failed with one line, 2 wrong usage."""
    terminal.prepare()
    given = read(arguments)
    step = COMMANDS[given.command](given)
    perform(step, given.command, asks_again=given.command not in ("forget", "uninstall"), in_a_shell=given.command in ("hook", "install"))


def read(arguments: "list[str]") -> argparse.Namespace:
    """What was typed. Help and wrong usage end here."""
    top = parser()
    if not arguments:
        terminal.say(top.format_help().rstrip("\n"))
        terminal.leave(2)
    if arguments[0] in MISREAD and not {"-h", "--help"}.intersection(arguments):
        top.commands[arguments[0]].error(MISREAD[arguments[0]])
    parsed = top.parse_args(arguments)
    if parsed.command == "help":
        if parsed.about and parsed.about not in top.commands:
            top.error(f"there is no command {parsed.about}; see: innerloop help")
        (top.commands[parsed.about] if parsed.about else top).print_help()
        terminal.leave(0)
    wrong = misuse(parsed)
    if wrong:
        top.commands[parsed.command].error(wrong)
    if parsed.command not in COMMANDS:
        top.commands[parsed.command].error("say each option once")
    return parsed
