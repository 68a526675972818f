"""Run a command without us: what is left to do where our own files are broken."""

import os
import signal
import sys


def run_bare(arguments: "list[str]") -> None:
    """Become the command of `run ...` or `wrap TARGET`; raise what is being handled again for any other. Does not return."""
    if arguments[:1] not in (["run"], ["wrap"]) or isinstance(sys.exc_info()[1], KeyboardInterrupt):
        raise  # noqa: PLE0704 (start.py handles it)
    words = ["make", "impl-" + arguments[1]] if arguments[0] == "wrap" else arguments[1:]
    if words[:1] == ["--name"]:
        words = words[2:]
    if words[:1] == ["--"]:
        words = words[1:]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    os.execvp(words[0], words)
