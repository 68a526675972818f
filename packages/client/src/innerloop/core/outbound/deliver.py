"""The detached sender that the launcher starts."""

import os
import resource
import signal
from contextlib import suppress

from innerloop.core.consent import cache_files
from innerloop.core.consent.resolve import Context
from innerloop.core.outbound import erasure, sender
from innerloop.core.shared import files
from innerloop.core.spool import entries, store, wanted_erasures

LIFETIME = 60  # s: whatever happens, a sender ends by then
CPU = 10  # s


def deliver(context: Context) -> int:
    """The detached sender: deliver what is due from every spool, repeat erasures that wait, and never live long."""
    _confine()
    directory = f"{context.state}/spool"
    # The one whose delivery began last, by its lock's time, goes last: where a delivery used up our time, the others are served before it is tried again.
    for key in sorted(entries.spools(context.state), key=lambda key: store.modified(f"{directory}/{key}/lock")):
        if _due(f"{directory}/{key}", context.now()):
            with suppress(files.UnusableFile, OSError):  # what is odd about one spool (`doctor` names it) holds up no other
                sender.deliver(context, key)
    cache_files.forget_old(context.state)
    for key in wanted_erasures.due(context.state, context.now()):
        wanted = wanted_erasures.read(context.state, key)
        if wanted is None:
            files.move_aside(wanted_erasures.path(context.state, key))  # nobody can read it
        elif context.reaches(wanted.endpoint):
            erasure.ask(context.state, key, context.now)
    return 0


def _due(spool: str, now: float) -> bool:
    try:
        next_one = os.stat(f"{spool}/next")
        return next_one.st_mtime <= now or next_one.st_atime == 0  # 0: the launcher's claim for us
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
