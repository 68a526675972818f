# ruff: noqa: S608 - the text is ours, from constants of this file; every value is a parameter
"""Who counts, and which of their runs: what all figures of people have in common, as SQL.

It is hand-written, parameterised and the same embedded and on a server. People are those who count in a block: `actor` human, or absent as in the
founding system, and known from enough active weeks before the block began. An active week is one in which something was received of them: the times of
events are whatever a sender says. Tests, coding agents and CI are no people, and events without an id are nobody's.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol, Self

from innerloop.core.plan.names_table import STARTUP_MS
from innerloop_collector.query.releases.disclosure import STEP
from innerloop_collector.query.releases.document import Release

AFTER_NOBODY = 20  # people who may begin to count in a block after one of which nothing was published
GROWTH = 1.5  # from one block to the next
_NOBODY_SAID = 2**31
_SEEN_WITHIN = timedelta(weeks=13)  # before a block: who was away for longer gives their place to others
_BLOCK_DAYS = 28  # who could be counted so long before already goes before who is new

PERSON = "actor IN ('', 'human')"
REAL = "project = {project:String} AND installation != 0 AND is_test IN ('', 'no')"
KEPT = "keep_until >= {today:Date} AND toDate(corrected_time) >= {oldest:Date}"  # by what was agreed, and by the newest promise
IN_SPAN = "corrected_time >= toDateTime64({first:Date}, 3, 'UTC') AND corrected_time < toDateTime64({end:Date}, 3, 'UTC')"
INTERRUPTED = "ifNull(exit_status IN (-1, -2, -15, 130, 143), 0)"
ENDED = f"(exit_status IS NOT NULL AND NOT {INTERRUPTED})"
SESSION = "(kind = 'run' AND command IN {sessions:Array(String)})"  # a server, a shell: its hours are use, and nobody waited for it
AWAKE = f"(duration_ms IS NOT NULL AND NOT ifNull(suspended, 0) AND NOT {SESSION})"
WAIT = "ifNull(duration_ms, 0)"
AS_IT_STARTED = f"({WAIT} <= {STARTUP_MS})"
FAILED = f"({ENDED} AND exit_status != 0 AND NOT ({SESSION} AND NOT {AS_IT_STARTED}))"
SUCCEEDED = f"({ENDED} AND exit_status = 0)"
AGREED = "({any_plan:Bool} OR plan IN {plans:Array(String)})"
WHO_COUNTS = f"""SELECT installation FROM events WHERE {REAL} AND {PERSON} AND kind = 'run' AND {KEPT}
    AND received_day < {{began:Date}} GROUP BY installation
    HAVING uniqExact(toMonday(received_day)) >= {{min_weeks:UInt16}} AND max(received_day) >= {{seen:Date}}
    ORDER BY uniqExactIf(toMonday(received_day), received_day < subtractDays({{began:Date}}, {_BLOCK_DAYS})) >= {{min_weeks:UInt16}} DESC,
        min(received_day), min(position) LIMIT {{most:UInt64}}"""
COUNTED = f"installation GLOBAL IN ({WHO_COUNTS})"
AMONG = "installation IN {counted:Array(UInt128)}"  # the same, where who counts was read before


class Store(Protocol):
    """What runs SQL."""

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        """Run a SELECT and return its rows."""


def none(_: Iterable[str]) -> Iterable[str]:
    """No command is a session."""
    return ()


class Settings(NamedTuple):
    """What a project, at this collector, says of its figures."""

    min_weeks: int
    k: int
    headcount: int | None
    retention_days: int
    sessions: Callable[[Iterable[str]], Iterable[str]] = none  # which of some commands are sessions
    public: tuple[str, ...] | None = None  # of a project whose figures are open to everybody: the plans whose developers agreed to that


@dataclass(frozen=True, slots=True)
class Population:
    """Whose rows of a project count in a block, and which of them are there to be read."""

    project: str
    began: date  # the Monday of the block
    min_weeks: int
    most: int  # people; those who were there first
    today: date
    retention_days: int
    sessions: Callable[[Iterable[str]], Iterable[str]] = none  # which of some commands are sessions
    every: bool = False  # in a store that publishes at once: whoever is there, however new
    plans: tuple[str, ...] | None = None  # only what came under these; None: under any
    counted: tuple[int, ...] | None = None  # who they are, where that was read before
    kept_open: tuple[str, ...] | None = None  # which commands of some weeks are sessions, where that was read before

    @classmethod
    def of(cls, project: str, settings: Settings, began: date, today: date) -> Self:
        """Those who may count in a block by a project's headcount."""
        return cls(
            project, began, settings.min_weeks, settings.headcount or _NOBODY_SAID, today, settings.retention_days, settings.sessions
        )

    @classmethod
    def in_block(cls, project: str, settings: Settings, began: date, before: Release | None, today: date) -> Self:
        """Those who count in a block that began on a day, and whose developers agreed to whoever sees it. `before` is what was published of the block before."""
        most = most_who_count(settings, before)
        return cls(project, began, settings.min_weeks, most, today, settings.retention_days, settings.sessions, plans=settings.public)

    @property
    def parameters(self) -> dict[str, Any]:
        """As SQL wants them."""
        oldest = self.today - timedelta(days=self.retention_days)
        seen = self.began - _SEEN_WITHIN
        before = date(2149, 6, 6) if self.every else self.began
        return {
            "project": self.project, "began": before, "seen": seen, "min_weeks": self.min_weeks, "most": self.most,
            "today": self.today, "oldest": oldest, "any_plan": self.plans is None, "plans": list(self.plans or ()),
        }  # fmt: skip


def most_who_count(settings: Settings, before: Release | None) -> int:
    """How many people may count in a block: those who are said to be there, else as many as there were and half as many again.

    Of the first block nothing is known: whoever was there for long enough counts.
    """
    if settings.headcount:
        return settings.headcount
    if before is None:
        return _NOBODY_SAID
    there = before.people.get("", {}).get("", 0)
    return int(GROWTH * (there + STEP - 1)) if there else AFTER_NOBODY
