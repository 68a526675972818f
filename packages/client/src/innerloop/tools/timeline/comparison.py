"""Two runs side by side: what became slower or faster, what is new, and what ran in one of them only.

Targets are the same if they have the same name in the same directory, seen from where the first make ran; their own times are compared, so that
nothing counts twice.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from innerloop.core.shared.printable import clean
from innerloop.core.targets.target_log import Log
from innerloop.tools.timeline import document, opening, words
from innerloop.tools.timeline.bars import Look
from innerloop.tools.timeline.rows import directory
from innerloop.tools.timeline.runs import Known

SHARE, LEAST, OF_RUN = 0.1, 20_000_000, 0.005  # a difference is told from a share of the time before, ns, and a share of the run on
ROWS = 10  # of slower targets, and of faster ones

Key = tuple[str, str]  # directory and name


class Side(NamedTuple):
    """One of two runs."""

    run: Known
    log: Log

    @property
    def length(self) -> int:
        """How long the run took (ns)."""
        return opening.span(self.run, self.log)


class Change(NamedTuple):
    """A target that ran in both (ns)."""

    key: Key
    before: int
    now: int

    @property
    def more(self) -> int:
        """By how much it became slower."""
        return self.now - self.before


class Comparison(NamedTuple):
    """Two runs; targets that ran in one only with their own times (ns)."""

    older: Side
    newer: Side
    slower: "list[Change]"
    faster: "list[Change]"
    alike: int
    new: "dict[Key, int]"  # in no run before
    only_newer: "dict[Key, int]"  # seen in runs before, but not in the older one of the two
    only_older: "dict[Key, int]"


def keys(log: Log) -> "set[Key]":
    """The targets of a run."""
    return set(_times(log))


def _times(log: Log) -> "dict[Key, int]":
    found: "dict[Key, int]" = {}
    directories = [directory(log, make) for make in log.makes]
    for one in log.targets:
        key = directories[one.make], one.name
        found[key] = found.get(key, 0) + one.own_ns
    return found


def compare(older: Side, newer: Side, seen: "set[Key]") -> Comparison:
    """Compare; `seen` are the targets of runs before the newer one."""
    before, now = _times(older.log), _times(newer.log)
    both = [Change(key, before[key], now[key]) for key in now if key in before]
    least = max(LEAST, OF_RUN * max(older.length, newer.length))
    told = [one for one in both if abs(one.more) >= max(least, SHARE * one.before)]
    slower = sorted((one for one in told if one.more > 0), key=lambda one: (-one.more, one.key))
    faster = sorted((one for one in told if one.more < 0), key=lambda one: (one.more, one.key))
    only = {key: now[key] for key in now if key not in before}
    return Comparison(
        older, newer, slower, faster, len(both) - len(told),
        _longest((key, time) for key, time in only.items() if key not in seen),
        _longest((key, time) for key, time in only.items() if key in seen),
        _longest((key, time) for key, time in before.items() if key not in now),
    )  # fmt: skip


def _longest(some: "Iterable[tuple[Key, int]]") -> "dict[Key, int]":
    return dict(sorted(some, key=lambda one: (-one[1], one[0])))


def as_json(what: Comparison) -> "dict[str, Any]":
    """A comparison as a document; times in ms."""
    changes = {kind: [_changed(one) for one in some] for kind, some in (("slower", what.slower), ("faster", what.faster))}
    only = (("new", what.new), ("only_in_newer", what.only_newer), ("only_in_older", what.only_older))
    return {
        **{
            side: {**document.about(one.run, one.log), **document.condition(one.log)}
            for side, one in (("older", what.older), ("newer", what.newer))
        },
        **changes,
        "alike": what.alike,
        **{kind: [{"name": name, "directory": place, "own_ms": _ms(time)} for (place, name), time in some.items()] for kind, some in only},
    }


def _changed(one: Change) -> "dict[str, Any]":
    return {"name": one.key[1], "directory": one.key[0], "before_ms": _ms(one.before), "now_ms": _ms(one.now)}


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)


def draw(what: Comparison, titles: "list[str]", look: Look) -> str:
    """A comparison for a terminal; `titles` say which runs these are, the older one first."""
    lines = [look.paint(words.fold(_headline(what), look.width, look.gap), "1")]
    lines += [words.fold(f"{side}: {title}", look.width, look.gap) for side, title in zip(("before", "now"), titles)]
    if what.older.log.lanes != what.newer.log.lanes:
        jobs = f"Before, up to {words.count(what.older.log.lanes, 'target')} ran side by side; now up to {what.newer.log.lanes:,}."
        lines.append(words.fold(jobs, look.width, look.gap))
    for side, log in (("before", what.older.log), ("now", what.newer.log)):
        if log.problem or log.damaged or log.cut:
            lines.append(
                words.fold(f"The target log of {side} is not complete: what is missing there counts as not run.", look.width, look.gap)
            )
    changes = [("slower", what.slower), ("faster", what.faster)]
    name = max(min(max((words.cells(_title(one.key)) for _, some in changes for one in some[:ROWS]), default=0), look.width - 40), 16)
    for title, some in changes:
        lines += _table(title, some, name, look)
    only = (("New, in no run before", what.new), ("Only now", what.only_newer), ("Only before", what.only_older))
    lines += ["", *(_only(title, some, look) for title, some in only if some)] if any(some for _, some in only) else []
    alike = f"{words.count(what.alike, 'target')} in both took about the same time. " if what.alike else ""
    lines += ["", words.fold(f"{alike}These are two single runs: small differences are chance.", look.width, look.gap)]
    return "\n".join(lines)


def _headline(what: Comparison) -> str:
    older, newer = what.older, what.newer
    if not (older.run.done and newer.run.done):  # then it did not do all its work, or nobody knows
        now, before = (opening.headline(one.run, one.log) for one in (newer, older))
        return f"{now}. Before, {before}. Which is faster cannot be said, since not both were done."
    more = newer.length - older.length
    other = "" if newer.run.name == older.run.name else f" of {older.run.name}"
    if abs(more) < max(LEAST, OF_RUN * older.length):
        return f"{newer.run.name}: {words.duration(newer.length)}, about as long as the run{other} before"
    how = f"{words.duration(abs(more))} {'slower' if more > 0 else 'faster'}"
    return f"{newer.run.name}: {how}, {words.duration(newer.length)} instead of {words.duration(older.length)}{other}"


def _title(key: Key) -> str:
    place, name = key
    return clean(name if place == "." else f"{place}:{name}")


def _table(title: str, some: "list[Change]", name: int, look: Look) -> "list[str]":
    if not some:
        return []
    rows = [f"{title:<{name}}   {'before':>8}  {'now':>8}  {'change':>9}"]
    for one in some[:ROWS]:
        change = ("+" if one.more > 0 else "-") + words.duration(abs(one.more))
        label = words.pad(words.cut(_title(one.key), name, look.gap), name)
        rows.append(f"{label}   {words.duration(one.before):>8}  {words.duration(one.now):>8}  {change:>9}")
    if len(some) > ROWS:
        left = sum(abs(one.more) for one in some[ROWS:])
        rows.append(f"and {words.count(len(some) - ROWS, 'target')} more, {words.duration(left)} together")
    return ["", *rows]


def _only(title: str, some: "dict[Key, int]", look: Look) -> str:
    shown = ", ".join(f"{words.cut(_title(key), 40, look.gap)} {words.duration(time)}" for key, time in list(some.items())[:4])
    more = f" and {len(some) - 4:,} more" if len(some) > 4 else ""
    return words.fold(
        f"{title}: {words.count(len(some), 'target')}, {words.duration(sum(some.values()))}: {shown}{more}.", look.width, look.gap
    )
