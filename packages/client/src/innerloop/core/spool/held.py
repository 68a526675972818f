"""What our own collector took and holds back: it waits there in quarantine, in no report, until a day on which it goes.

`held.json` has the runs by reason, day and plan. A run leaves it when a later batch under the same plan was stored, for then the plan
was applied and what waited for it let in; or when its day has passed, for then nobody knows more.
"""

import re
from typing import Any, NamedTuple

from innerloop.core.shared import files
from innerloop.core.spool import store

UNKNOWN_PLAN = "unknown plan"  # as the collector calls it
EXPIRED = "expired-there"  # the reason of a drop
MOST = 50_000  # runs that are remembered
WORDS = {UNKNOWN_PLAN: "plan not applied"}  # for a person; other reasons are the collector's words
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REASON = re.compile(r"[A-Za-z0-9 ,:_-]{1,60}")


class Group(NamedTuple):
    """Runs that are held for one reason."""

    reason: str
    removed_on: str  # the day on which they go (ISO), or empty where the collector did not say
    plan: str  # the digest that they were sent under
    runs: "tuple[str, ...]"  # ids, 32 hex digits each, oldest first

    @property
    def words(self) -> str:
        """The reason for a person."""
        return WORDS.get(self.reason, self.reason)


def is_reason(value: Any) -> bool:
    """Whether a collector may call a reason so."""
    return isinstance(value, str) and bool(_REASON.fullmatch(value))


def is_day(value: Any) -> bool:
    """Whether a value is a day as the collector writes one."""
    return isinstance(value, str) and bool(_DAY.fullmatch(value))


def read(spool: str) -> "list[Group]":
    """What is held; nothing where that cannot be read."""
    found, groups = [], files.json_if_sound(f"{spool}/held.json").get("groups")
    for one in groups if isinstance(groups, list) else []:
        try:
            group = Group(one["reason"], one["removed_on"], one["plan"], tuple(one["runs"]))
        except (KeyError, TypeError):
            continue
        if (
            is_reason(group.reason)
            and (not group.removed_on or is_day(group.removed_on))
            and all(isinstance(run, str) for run in group.runs)
        ):
            found.append(group)
    return found


def add(spool: str, groups: "list[Group]") -> None:
    """Remember runs that the collector holds. Sent again they are held for what the last answer said."""
    if groups:
        new = {run for group in groups for run in group.runs}
        _write(spool, [*(group._replace(runs=tuple(run for run in group.runs if run not in new)) for group in read(spool)), *groups])


def release(spool: str, plan: str) -> int:
    """A batch under a plan was stored: what waited for that plan alone is let in. Returns how many runs."""
    groups = read(spool)
    free = [run for group in groups if (group.reason, group.plan) == (UNKNOWN_PLAN, plan) for run in group.runs]
    if free:
        store.note(spool, "acknowledged", free)
        _write(spool, [group for group in groups if (group.reason, group.plan) != (UNKNOWN_PLAN, plan)])
    return len(free)


def expire(spool: str, today: str) -> None:
    """Give up what is held past its day, counted: whether somebody let it in there is not known here."""
    groups = read(spool)
    over = [run for group in groups if group.removed_on and group.removed_on < today for run in group.runs]
    if over:
        store.note(spool, store.DROPPED + EXPIRED, over)
        _write(spool, [group for group in groups if not (group.removed_on and group.removed_on < today)])


def _write(spool: str, groups: "list[Group]") -> None:
    merged: "dict[tuple[str, str, str], list[str]]" = {}
    for group in groups:
        merged.setdefault((group.reason, group.removed_on, group.plan), []).extend(group.runs)
    every = [run for runs in merged.values() for run in runs]
    if beyond := every[:-MOST]:
        store.note(spool, store.DROPPED + EXPIRED, beyond)
    gone = set(beyond)
    rows = [
        {"reason": reason, "removed_on": day, "plan": plan, "runs": left}
        for (reason, day, plan), runs in merged.items()
        if (left := [run for run in runs if run not in gone])
    ]
    files.write_json(f"{spool}/held.json", {"groups": rows}, durable=True)
