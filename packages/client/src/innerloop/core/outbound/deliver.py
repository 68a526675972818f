"""`innerloop flush`, and the sender that the launcher starts. May import: delivery, the spool, consent, setup's leftovers, files and this package."""

import os
import resource
import signal
import time
from contextlib import suppress

from innerloop.core.consent.answer import LOCAL, ON
from innerloop.core.consent.resolve import State, resolve
from innerloop.core.outbound import backoff, erasure, sender
from innerloop.core.shared import files, terminal
from innerloop.core.spool import entries, store
from innerloop.tools.setup import leftovers

LIFETIME = 60  # s: whatever happens, a sender ends by then
CPU = 10  # s
MOST_CACHES = 200  # hot files: a cache, whose loss costs the next run some milliseconds


def flush(here: State, timeout: float, as_json: bool) -> int:
    """Deliver everything now and say what happened. Exit status 1 where something is left."""
    state = resolve(here)
    if state.mode != ON:
        raise terminal.Failure(
            f"nothing is sent: {state.reason or ('you answered local' if state.mode == LOCAL else 'you have not agreed')}; see: innerloop status"
        )
    store.prepare(here.spool(state.key), state.path)
    show = (lambda _: None) if as_json or not os.isatty(2) else (lambda text: terminal.say(f"  {text}"))
    result = sender.deliver(here, state.key, everything=True, deadline=timeout, tell=show)
    if as_json:
        terminal.show_json(result._asdict(), None)
    elif result.busy:
        terminal.say("Another delivery is at work; look again: innerloop status")
    else:
        refused = f", {result.refused} refused and set aside (innerloop doctor)" if result.refused else ""
        terminal.show(f"{terminal.count(result.sent, 'run')} delivered to {state.project.endpoint_host}{refused}, {result.left} left.")
        for reason, number in result.held.items():
            terminal.show(
                f"Of these {number} {'is' if number == 1 else 'are'} held there, in no report: {terminal.line(reason)}. See: innerloop status"
            )
        for reason, number in result.lost.items():
            terminal.show(f"Of these {number} {'was' if number == 1 else 'were'} not kept there: {terminal.line(reason)}.")
    if result.problem and not as_json:
        wait = backoff.read(here.spool(state.key)).until
        terminal.say(f"Stopped: {terminal.line(result.problem)}. Nothing is lost{'; it is tried again by itself' if wait else ''}.")
    return 1 if result.left or result.refused or result.busy else 0


def deliver(here: State) -> int:
    """The detached sender: deliver what is due from every spool, repeat erasures that wait, and never live long."""
    _confine()
    directory = f"{here.state}/spool"
    # The one that was begun last goes last: where a delivery used up our time, the others are served before it is tried again.
    for key in sorted(entries.names(directory), key=lambda key: sender.begun(f"{directory}/{key}")):
        if _due(f"{directory}/{key}"):
            with suppress(files.UnusableFile, OSError):  # what is odd about one spool (`doctor` names it) holds up no other
                sender.deliver(here, key)
    forget_old_caches(here.state)
    for key in erasure.due(here.state):
        wanted = erasure.read(here.state, key)
        if wanted is None:
            erasure.set_aside(here.state, key)
        elif here.reaches(wanted.endpoint):
            erasure.ask(here.state, key)
    return 0


def forget_old_caches(state: str) -> None:
    """Delete what the launcher remembers of project files that were replaced long ago: each `git pull` that changes one leaves some KB."""
    for path in sorted(leftovers.caches(state), key=store.modified, reverse=True)[MOST_CACHES:]:
        files.remove(path)


def _due(spool: str) -> bool:
    try:
        next_one = os.stat(f"{spool}/next")
        return next_one.st_mtime <= time.time() or next_one.st_atime == 0  # 0: the launcher's claim for us
    except OSError:
        return False


def _confine() -> None:
    """Leave the developer's directory, and bound what a fault of ours can cost them."""
    os.chdir("/")
    os.umask(0o077)
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIFETIME)
