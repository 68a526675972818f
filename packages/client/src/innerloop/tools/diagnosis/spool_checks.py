"""What `status` and `doctor` say of the spool, of delivery and of the ledger."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from innerloop.core.consent.resolve import ConsentState, Context
from innerloop.core.launcher import record
from innerloop.core.outbound import backoff
from innerloop.core.shared import files
from innerloop.core.spool import entries, held, store
from innerloop.tools.diagnosis import ledger
from innerloop.tools.output import count

MOST_NAMED = 20  # runs, and odd files, that are named one by one
LARGEST_REASON = 4096  # bytes


class Check(NamedTuple):
    """One thing that doctor looked at."""

    name: str
    good: bool
    finding: str


def document(counts: ledger.Ledger) -> "dict[str, Any]":
    """The ledger as JSON has it; `held` where there is something."""
    found = {**counts._asdict(), "adds_up": counts.adds_up}
    return found if counts.held else {key: value for key, value in found.items() if key != "held"}


def equation(counts: ledger.Ledger) -> str:
    """The ledger in a line."""
    dropped = sum(counts.dropped.values())
    terms = (
        f"{counts.acknowledged} acknowledged + {counts.queued} queued + {counts.quarantined} quarantined{_held(counts)} + "
        f"{dropped} dropped{_reasons(counts.dropped)} + {counts.local} local + {counts.unfinished} unfinished"
    )
    lost = "" if counts.adds_up else f"  MISSING {counts.missing}: please report this"
    return f"ledger (runs): {counts.recorded} recorded = {terms}{lost}"


def _held(counts: ledger.Ledger) -> str:
    return f" ({'; '.join(f'{number} held there: {reason}' for reason, number in counts.held.items())})" if counts.held else ""


def _reasons(dropped: "dict[str, int]") -> str:
    named = ", ".join(f"{reason} {number}" for reason, number in sorted(dropped.items()) if number)
    return f" ({named})" if named else ""


def held_there(state: ConsentState, spool: str) -> "Iterator[str]":
    """What the collector took and holds back, one sentence for each reason and day."""
    for group in held.read(spool):
        if group.runs:
            until = f", removed on {group.removed_on}" if group.removed_on else ""
            ask = f"; ask: {state.project.contact or state.project.organisation}"
            yield f"{count(len(group.runs), 'run')} at {state.project.endpoint_host} in no report: {group.words}{until}{ask}"


def checks(state: ConsentState, context: Context, counts: ledger.Ledger) -> "list[Check]":
    """What doctor finds in a spool, and beside it."""
    spool = context.spool(state.key)
    beside = [path for directory in (context.state, f"{context.state}/forget", f"{context.state}/hot") for path in _moved_aside(directory)]
    odd = [Check("odd file", False, f"{path}: {files.fault(path) or 'it could not be read'}; it was moved aside") for path in beside]
    if not os.path.isdir(spool):
        return odd
    written = os.access(spool, os.W_OK)
    found = [Check("spool", written, spool if written else f"{spool} cannot be written: nothing is recorded")]
    found += [*_delivery(spool, context.now()), *_aside(spool), *odd]
    found += [Check("journal", False, f"{spool}/{name}: not all of it can be read") for name in ledger.damaged(spool)]
    found += [Check("held there", False, text) for text in held_there(state, spool)]
    if not counts.adds_up:
        found.append(Check("ledger", False, f"{counts.missing} runs are in none of the places"))
    return found


def _moved_aside(directory: str) -> "list[str]":
    try:
        return [f"{directory}/{name}" for name in sorted(os.listdir(directory)) if files.is_aside(name)]
    except OSError:
        return []


def _delivery(spool: str, now: float) -> "Iterator[Check]":
    state = backoff.read(spool)
    if state.failures:
        wait = max(state.until - now, 0) / 60
        problem = f"{state.failures} failures, last: {state.last_error}; the next try is in {wait:.0f} minutes, or: innerloop flush"
        yield Check("delivery", False, problem)
    elif store.modified(f"{spool}/next") > now + record.FARTHEST:
        yield Check("delivery", False, "it waits for a date that a wrong clock set; the next run starts it anyway")
    elif state.last_success_at:
        yield Check("delivery", True, f"last worked {(now - state.last_success_at) / 60:.0f} minutes ago")


def _aside(spool: str) -> "Iterator[Check]":
    """What was set aside: runs with their reasons, and what is no file of ours."""
    runs, odd = store.ids(spool, "quarantine"), _odd(spool)
    for run_id in runs[:MOST_NAMED]:
        yield Check("quarantine", False, f"{run_id}: {_reason(spool, run_id)}")
    for path, problem in odd[:MOST_NAMED]:
        yield Check("odd file", False, f"{spool}/{path}: {problem}; it was not opened")
    if more := len(runs[MOST_NAMED:]) + len(odd[MOST_NAMED:]):
        yield Check("quarantine", False, f"and {more} more, in {spool}")


def _odd(spool: str) -> "list[tuple[str, str]]":
    """What is no file of ours and was moved aside, or stands where one should be: its path in the spool, and what is wrong with it."""
    found = []
    for place, name in entries.every(spool):
        path = os.path.join(place, name)
        if files.is_aside(name):
            found.append((path, files.fault(f"{spool}/{path}") or "it was no file of ours"))
        elif not place and entries.is_known(place, name) and (problem := entries.fault(spool, name)):
            found.append((path, problem))
    return found


def _reason(spool: str, run_id: str) -> str:
    return (files.read_if_sound(f"{spool}/quarantine/{run_id}.reason", LARGEST_REASON) or b"?").decode("utf-8", "replace")
