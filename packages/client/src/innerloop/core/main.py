"""The commands of `core` but those of the launcher: opting in and out, and the sender. How they may be typed stands here alone.

A command's module is imported where that was typed, and before anything acts as somebody else: root's own modules may be root's alone.
"""

from typing import Callable

from innerloop.core.command import perform
from innerloop.core.consent.resolve import Context

Step = Callable[[Context], int]


def _opt_in(local: bool) -> Step:
    from innerloop.core.asking.dialogue import opt_in

    return lambda context: opt_in(context, local)


def _opt_out(everywhere: bool) -> Step:
    from innerloop.core.asking.opt_out import opt_out

    return lambda context: opt_out(context, everywhere)


def _deliver() -> Step:
    from innerloop.core.outbound.deliver import deliver

    return deliver


COMMANDS: "dict[tuple[str, ...], Callable[[], Step]]" = {
    ("opt-in",): lambda: _opt_in(local=False),
    ("opt-in", "--local"): lambda: _opt_in(local=True),
    ("opt-out",): lambda: _opt_out(everywhere=False),
    ("opt-out", "--all"): lambda: _opt_out(everywhere=True),
    ("deliver",): _deliver,  # what the launcher starts, and nobody types
}


def main(arguments: "list[str]") -> None:
    """Run one of these commands and end. Returns where something else was typed, for `tools` to explain."""
    command = COMMANDS.get(tuple(arguments))
    if command:
        perform(command(), arguments[0], asks_again=arguments != ["deliver"])
