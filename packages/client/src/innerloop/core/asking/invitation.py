"""What the launcher says after a command, in the rare case that it says anything at all."""

import os
import signal
import time
from typing import Callable

from innerloop.core.asking import dialogue, events
from innerloop.core.consent import texts
from innerloop.core.consent.apply import cached_answer
from innerloop.core.consent.resolve import PAUSED, Context, resolve
from innerloop.core.outbound import seal
from innerloop.core.shared import cache, files, terminal
from innerloop.core.spool import store

GIT_PATIENCE = 5.0  # s, in a seed project's tests only


def invite(env: "dict[bytes, bytes]", now: Callable[[], float]) -> None:
    """Invite the developer once, or ask the question itself where the project file prefers that."""
    context = Context(env, os.getcwd(), now)
    files.private_directory(context.state)
    with files.alone(context.state):  # of several commands that end at once one invites
        state = resolve(context)
        if cache.action_of(cached_answer(state, context), env, context.today) != cache.INVITE:
            return  # somebody answered meanwhile, or was asked in another terminal
        dialogue.note_asked(state, context)
    if state.project.ask == "question" and not state.project.seed and state.mode != PAUSED:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP})
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            dialogue.talk(state, context, noted=True)
        except KeyboardInterrupt:
            terminal.say("\n" + texts.not_now(state.project))
        except terminal.Failure as error:
            terminal.complain(error)
        return
    terminal.say(texts.invitation(state))


def print_event(env: "dict[bytes, bytes]", now: Callable[[], float], run_id: str, git: int) -> None:
    """In a seed project's tests: seal the run at once and print its event, waiting for git's facts."""
    deadline = time.monotonic() + GIT_PATIENCE
    while git and time.monotonic() < deadline and os.waitpid(git, os.WNOHANG)[0] == 0:
        time.sleep(0.005)
    context = Context(env, os.getcwd(), now)
    state = resolve(context)
    spool = context.spool(state.key)
    seal.seal_finished(spool, state, context)
    events.print_sent(state, context, store.read_sealed(spool, run_id).events[0])
