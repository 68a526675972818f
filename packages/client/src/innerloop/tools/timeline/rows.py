"""The rows of a timeline: which targets fit on a screen, in the order of the tree, with headings for other directories."""

import os
from typing import NamedTuple, Optional

from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import RUNNING, Make

DEEPEST = 6  # levels that are indented


class Row(NamedTuple):
    """A target, or the directory of the make whose targets follow."""

    depth: int
    target: Optional[int]  # place in the log's targets
    directory: str = ""


def base(log: Log) -> str:
    """The directory that others are named from: where the first make ran."""
    return log.makes[log.targets[0].make].directory


def directory(log: Log, make: Make) -> str:
    """A make's directory, as seen from the first make's."""
    relative = os.path.relpath(make.directory or "/", base(log) or "/")
    return make.directory if relative.startswith("../..") else relative


def rows(log: Log, chosen: "set[int]") -> "list[Row]":
    """The rows of the chosen targets: by their start, and below each what its makes ran."""
    within: "dict[Optional[int], list[int]]" = {}
    for number, make in enumerate(log.makes):
        within.setdefault(make.parent, []).append(number)
    found: "list[Row]" = []
    waiting = [(0, number, base(log)) for number in reversed(within.get(None, []))]
    while waiting:
        depth, number, above = waiting.pop()
        if number < 0:  # a target, as -1 minus its place: its makes come right after it
            found.append(Row(min(depth, DEEPEST), -1 - number))
            here = log.makes[log.targets[-1 - number].make].directory
            waiting += [(depth + 1, inner, here) for inner in reversed(within.get(-1 - number, []))]
            continue
        make = log.makes[number]
        mine = [place for place in make.targets if place in chosen]
        if mine and make.directory != above:
            found.append(Row(min(depth, DEEPEST), None, directory(log, make)))
        waiting += [(depth, -1 - place, above) for place in reversed(mine)]
    return found


def choose(log: Log, room: int) -> "set[int]":
    """The targets that tell most in so many rows: what failed or still runs, then what took longest by itself; with those above them."""

    def rank(place: int) -> "tuple[int, int]":
        one = log.targets[place]
        urgent = 0 if place == log.first_failure else 1 if one.failed or one.outcome == RUNNING else 2
        return urgent, -one.own_ns

    chosen: "set[int]" = set()
    makes: "set[int]" = set()  # whose headings are there
    used = 0
    for place in sorted(range(len(log.targets)), key=rank):
        new = _upwards(log, place, chosen, room + 1)
        headed = {log.targets[one].make for one in new} - makes
        cost = len(new) + sum(_has_heading(log, log.makes[number]) for number in headed)
        if used + cost <= room:
            used += cost
            chosen.update(new)
            makes |= headed
        if used >= room:
            break
    return chosen


def _upwards(log: Log, place: int, chosen: "set[int]", most: int) -> "list[int]":
    """A target and those above it, as far up as none is chosen yet; so many at most."""
    found: "list[int]" = []
    at: Optional[int] = place
    while at is not None and at not in chosen and len(found) < most:
        found.append(at)
        at = log.targets[at].parent
    return found


def _has_heading(log: Log, make: Make) -> bool:
    above = base(log) if make.parent is None else log.makes[log.targets[make.parent].make].directory
    return make.directory != above
