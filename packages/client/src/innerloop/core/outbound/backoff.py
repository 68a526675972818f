"""How long to leave the collector alone, remembered on disk."""

import random
from typing import NamedTuple

from innerloop.core.outbound.answers import STOP, Outcome
from innerloop.core.shared import files, untrusted
from innerloop.core.spool import layout

INTERVAL = (300, 600)  # s between two deliveries when all is well
FIRST, LONGEST = 30, 6 * 3600  # s
LARGEST = 65536  # bytes of the state on disk
MOST = 1 << 40  # of each number in it: more is damage
STOPPED = 86400  # s after the collector did not know us


class Backoff(NamedTuple):
    """The state of delivery to one endpoint."""

    failures: int = 0
    until: float = 0.0  # s since 1970
    last_error: str = ""
    last_error_at: float = 0.0
    last_success_at: float = 0.0


def read(spool: str) -> Backoff:
    """Read the state; a damaged file means a fresh start."""
    try:
        state = Backoff(**files.json_if_sound(f"{spool}/delivery.json", LARGEST))
    except TypeError:
        return Backoff()
    numbers = (state.failures, state.until, state.last_error_at, state.last_success_at)
    sound = all(untrusted.is_number(one, MOST) for one in numbers) and untrusted.is_whole(state.failures, MOST)
    return state._replace(last_error=str(state.last_error)) if sound else Backoff()


def _write(spool: str, state: Backoff, due: float) -> None:
    files.write_json(f"{spool}/delivery.json", state._asdict())
    layout.set_next(spool, due)


def succeed(spool: str, now: float) -> None:
    """Delivery worked: the next one is due after the usual interval."""
    due = now + random.uniform(*INTERVAL)  # noqa: S311
    _write(spool, Backoff(last_success_at=now), due)


def fail(spool: str, outcome: Outcome, now: float) -> float:
    """Delivery failed: wait as the collector asks, else a random part of a doubling time. Returns s."""
    before = read(spool)
    failures = before.failures + 1
    wait = float(STOPPED) if outcome.kind == STOP else outcome.wait(now)
    if wait is None:
        wait = random.uniform(1, min(LONGEST, FIRST * 2 ** min(failures, 20)))  # noqa: S311 (full jitter)
    state = before._replace(failures=failures, until=now + wait, last_error=outcome.detail, last_error_at=now)
    _write(spool, state, now + wait)
    return wait
