"""The journals of run ids, which only grow, and how they are folded into numbers before they grow too large.

A run whose place is final is counted in `totals.json` and taken out of the journals. The steps, of which a crash at any point loses
nothing and counts nothing twice: `folding.json` names the runs; from now on readers count them and look over them in the journals; the
journals are written without them; `totals.json` has them; `folding.json` goes.
"""

import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from innerloop.core.shared import files, untrusted
from innerloop.core.spool import entries, store

ID = 32  # bytes of a run in a journal
FOLD_ABOVE = 1 << 20  # bytes of all journals together
MOST_AT_ONCE = 50_000  # runs that are folded in one step
_ENTRY = re.compile(rb"[0-9a-f]{32}")  # whatever stands between two entries: damage must not shift those behind it
FINAL = ("acknowledged", "local")


class Folded(NamedTuple):
    """What was folded, and the runs that are just being so."""

    recorded: int = 0
    acknowledged: int = 0
    local: int = 0
    dropped: "dict[str, int]" = {}  # reason -> runs
    tag: str = ""  # of the last step
    hidden: "frozenset[str]" = frozenset()  # counted above, and perhaps still in the journals


def reasons(spool: str) -> "list[str]":
    """Why runs were dropped."""
    return [name[len(store.DROPPED) :] for name in entries.names(spool) if name.startswith(store.DROPPED) and entries.is_known("", name)]


def ids(spool: str, name: str) -> "list[str]":
    """The runs of a journal. What is no file of ours counts as empty, and `doctor` names it."""
    return _ids(files.read_if_sound(f"{spool}/{name}", entries.LARGEST_JOURNAL))


def _ids(entries_of_it: bytes) -> "list[str]":
    return [one.decode() for one in _ENTRY.findall(entries_of_it)]


def folded(spool: str) -> Folded:
    """What is folded, also in the midst of a step."""
    totals, step = _totals(spool), _step(spool)
    if not step or step["tag"] == totals.tag:
        return totals
    return _after(totals, step)


def _totals(spool: str) -> Folded:
    document = files.json_if_sound(f"{spool}/totals.json")
    dropped = document.get("dropped")
    numbers = [document.get(key, 0) for key in ("recorded", "acknowledged", "local")]
    if not isinstance(dropped, dict) or not all(untrusted.is_whole(number, 1 << 50) for number in [*numbers, *dropped.values()]):
        return Folded()
    recorded, acknowledged, local = numbers
    return Folded(recorded, acknowledged, local, dropped, str(document.get("tag", "")))


def _step(spool: str) -> "dict[str, Any]":
    """The step that is under way: its tag, and the runs by journal."""
    document = files.json_if_sound(f"{spool}/folding.json")
    runs = document.get("runs")
    good = isinstance(document.get("tag"), str) and isinstance(runs, dict) and all(isinstance(text, str) for text in runs.values())
    return document if good else {}


def _after(totals: Folded, step: "dict[str, Any]") -> Folded:
    """The totals with a step's runs in them."""
    runs = {journal: _ids(text.encode()) for journal, text in step["runs"].items()}
    dropped = dict(totals.dropped)
    for journal, some in runs.items():
        if journal.startswith(store.DROPPED):
            reason = journal[len(store.DROPPED) :]
            dropped[reason] = dropped.get(reason, 0) + len(some)
    more = {journal: getattr(totals, journal) + len(runs.get(journal, ())) for journal in FINAL}
    every = frozenset(run for some in runs.values() for run in some)
    return Folded(totals.recorded + len(every), **more, dropped=dropped, tag=step["tag"], hidden=every)


def fold(spool: str) -> None:
    """Keep the journals small. Call it under both of the spool's locks; launchers may write meanwhile."""
    _finish(spool)
    while sum(size(spool, journal) for journal in names(spool)) > FOLD_ABOVE:
        runs = _final(spool)
        if not any(runs.values()):
            return  # nothing of it is final yet
        text = {journal: "".join(some) for journal, some in runs.items()}
        files.write_json(f"{spool}/folding.json", {"tag": os.urandom(8).hex(), "runs": text}, durable=True)
        _finish(spool)


def names(spool: str) -> "Iterator[str]":
    """The journals of a spool."""
    yield from ("recorded", *FINAL)
    yield from (store.DROPPED + reason for reason in reasons(spool))


def size(spool: str, name: str) -> int:
    """How many bytes a journal has."""
    try:
        return os.lstat(f"{spool}/{name}").st_size
    except OSError:
        return 0


def _final(spool: str) -> "dict[str, list[str]]":
    """Runs whose place is final, by journal, oldest first: those that nothing of the spool holds any more, each once."""
    busy = {run_id.replace("-", "") for place in ("run", "new", "sealed", "quarantine") for run_id in store.ids(spool, place)}
    found: "dict[str, list[str]]" = {}
    number = 0
    for journal in sorted(names(spool), key=lambda name: not name.startswith(store.DROPPED)):  # as the ledger takes them
        if journal != "recorded":
            some = [run for run in dict.fromkeys(ids(spool, journal)) if run not in busy][: MOST_AT_ONCE - number]
            found[journal] = some
            busy.update(some)
            number += len(some)
    return found


def _finish(spool: str) -> None:
    """Take a step to its end, also one that was cut off."""
    step, totals = _step(spool), _totals(spool)
    if step and step["tag"] != totals.tag:
        after = _after(totals, step)
        for journal in list(names(spool)):
            _rewrite(spool, journal, after.hidden)
        document = {key: value for key, value in after._asdict().items() if key != "hidden"}
        files.write_json(f"{spool}/totals.json", document, durable=True)
    files.remove(f"{spool}/folding.json")


def _rewrite(spool: str, journal: str, without: "frozenset[str]") -> None:
    """Write a journal without some runs. What a launcher adds to the old file meanwhile is added to the new one."""
    path = f"{spool}/{journal}"
    try:
        old = files.open_own(path, os.O_RDONLY)
    except (FileNotFoundError, files.UnusableFile):
        return
    with open(old, "rb") as file:
        known = _ENTRY.findall(file.read(entries.LARGEST_JOURNAL))
        files.write(path, b"".join(one for one in known if one.decode() not in without), durable=True)
        if later := file.read(entries.LARGEST_JOURNAL):
            files.append(path, later)
