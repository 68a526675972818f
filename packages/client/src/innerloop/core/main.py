"""The commands of `core` but those of the launcher: opting in and out, and the sender. How they may be typed stands here alone."""

from typing import Callable

from innerloop.core.asking import dialogue, opt_out
from innerloop.core.command import perform
from innerloop.core.consent.resolve import Context
from innerloop.core.outbound import deliver

COMMANDS: "dict[tuple[str, ...], Callable[[Context], int]]" = {
    ("opt-in",): lambda context: dialogue.opt_in(context, local=False),
    ("opt-in", "--local"): lambda context: dialogue.opt_in(context, local=True),
    ("opt-out",): lambda context: opt_out.opt_out(context, everywhere=False),
    ("opt-out", "--all"): lambda context: opt_out.opt_out(context, everywhere=True),
    ("deliver",): deliver.deliver,  # what the launcher starts, and nobody types
}


def main(arguments: "list[str]") -> None:
    """Run one of these commands and end. Returns where something else was typed, for `tools` to explain."""
    command = COMMANDS.get(tuple(arguments))
    if command:
        perform(command, arguments[0], asks_again=arguments != ["deliver"])
