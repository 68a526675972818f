"""A text that is longer than the terminal goes through the reader's pager, as with git; a pipe or a file never gets one."""

import os
import shlex
import shutil
import signal
import subprocess
import sys

_OF_LESS = "FRX"  # leave at once where it fits, keep colours, leave the text on the screen


def paged(text: str) -> bool:
    """Show a text through `$PAGER`, else less. False: no pager is wanted or can be started, so that the text is still to be printed."""
    command = _command()
    if not (command and sys.stdout.isatty() and text.count("\n") + 1 >= shutil.get_terminal_size().lines):
        return False
    environment = {"LESS": _OF_LESS, "LV": "-c", **os.environ}
    try:
        started = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    except OSError:
        return False
    with started as pager:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the pager's
        try:
            pager.communicate(f"{text}\n".encode(sys.stdout.encoding, "replace"))
        finally:
            signal.signal(signal.SIGINT, before)
    return True


def _command() -> list[str]:
    """The pager's words. None: there is none, or it is cat."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return []
    try:
        words = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:
        return []
    return words if words and words != ["cat"] and shutil.which(words[0]) else []
