"""`innerloop flush`: deliver now, and say what happened."""

import os

from innerloop.core.consent.answer import LOCAL, ON
from innerloop.core.consent.resolve import Context, resolve
from innerloop.core.outbound import backoff, sender
from innerloop.core.shared import terminal
from innerloop.core.spool import layout
from innerloop.tools import output


def flush(context: Context, timeout: float, as_json: bool) -> int:
    """Deliver everything now and say what happened. Exit status 1 where something is left."""
    state = resolve(context)
    if state.mode != ON:
        raise terminal.Failure(
            f"nothing is sent: {state.reason or ('you answered local' if state.mode == LOCAL else 'you have not agreed')}; see: innerloop status"
        )
    layout.prepare(context.spool(state.key), state.path, context.now())
    show = (lambda _: None) if as_json or not os.isatty(2) else (lambda text: terminal.say(f"  {text}"))
    result = sender.deliver(context, state.key, everything=True, deadline=timeout, tell=show)
    if as_json:
        output.show_json(result._asdict(), None)
    elif result.busy:
        terminal.say("Another delivery is running; check again: innerloop status")
    else:
        refused = f", {result.refused} refused and set aside (innerloop doctor)" if result.refused else ""
        output.show(f"{output.count(result.sent, 'run')} delivered to {state.project.endpoint_host}{refused}, {result.left} left.")
        for reason, number in result.held.items():
            output.show(
                f"Of these {number} {'is' if number == 1 else 'are'} held there, in no report: {terminal.line(reason)}. See: innerloop status"
            )
        for reason, number in result.lost.items():
            output.show(f"Of these {number} {'was' if number == 1 else 'were'} not kept there: {terminal.line(reason)}.")
    if result.problem and not as_json:
        wait = backoff.read(context.spool(state.key)).until
        terminal.say(f"Stopped: {terminal.line(result.problem)}. Nothing is lost{'; delivery tries again by itself' if wait else ''}.")
    return 1 if result.left or result.refused or result.busy else 0
