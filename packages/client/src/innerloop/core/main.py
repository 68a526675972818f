"""The commands of `core` but those of the launcher: opting in and out, and the sender. How they may be typed stands here alone."""

from typing import Callable

from innerloop.core.asking import dialogue, opt_out
from innerloop.core.command import perform
from innerloop.core.consent.resolve import State
from innerloop.core.outbound import deliver

COMMANDS: "dict[tuple[str, ...], Callable[[State], int]]" = {
    ("opt-in",): lambda here: dialogue.opt_in(here, local=False),
    ("opt-in", "--local"): lambda here: dialogue.opt_in(here, local=True),
    ("opt-out",): lambda here: opt_out.opt_out(here, everywhere=False),
    ("opt-out", "--all"): lambda here: opt_out.opt_out(here, everywhere=True),
    ("deliver",): deliver.deliver,  # what the launcher starts, and nobody types
}


def main(arguments: "list[str]") -> None:
    """Run one of these commands and end. Returns where something else was typed, for `tools` to explain."""
    command = COMMANDS.get(tuple(arguments))
    if command:
        perform(command, arguments[0], asks_again=arguments != ["deliver"])
