"""Run a command without us: what is left to do where our own files are broken."""

import os
import signal
import sys


def command(arguments: "list[str]") -> "list[str]":
    """The command of `run ...` or `wrap TARGET`, as the launcher reads them where it can be imported."""
    if arguments[0] == "wrap":
        return ["make", "impl-" + arguments[1]]
    words = arguments[3:] if arguments[1:2] == ["--name"] else arguments[1:]
    return words[1:] if words[:1] == ["--"] else words


def run_bare(arguments: "list[str]") -> None:
    """Become the command of `run ...` or `wrap TARGET`; raise what is being handled again for any other. Does not return."""
    if arguments[:1] not in (["run"], ["wrap"]) or isinstance(sys.exc_info()[1], KeyboardInterrupt):
        raise  # noqa: PLE0704 (start.py handles it)
    words = command(arguments)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    os.execvp(words[0], words)
