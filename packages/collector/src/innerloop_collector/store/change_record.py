"""A change, as its record says it: what came when, what it affects, what serves for comparison, and when that is looked at.

A record is a file of a repository or one call of a deployment. It may come from anywhere: everything in it is bounded, and nothing of it is believed
to be there before somebody has looked (`admin.change_operations`).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, Self

import msgspec

from innerloop.core.plan.names_table import CHANGE
from innerloop.core.shared.names import LONGEST, LONGEST_NAME, OTHER
from innerloop.core.shared.printable import clean

ANNOTATION = "annotation"
KINDS = (ANNOTATION, "docs", "course", "server", "code")
METRICS = {
    "duration": "%",
    "failures": "pp",
    "failed_checks": "pp",
    "usage": "%",
    "adoption": "pp",
}  # each with the unit of what is expected
WEEKS_BEFORE = 8  # that a change is compared with
DEFAULT_LOOKS = (4,)
MOST_BYTES = 16_384  # of a file
_LONGEST_TITLE, _LONGEST_LINK = 120, 300
_MOST_PROJECTS, _MOST_NAMES, _MOST_LOOKS = 20, 50, 6
_LAST_LOOK = 52  # weeks
_APART = 4  # weeks between two looks
_EXPECTED = re.compile(r"([+-]?[0-9]{1,3}(?:\.[0-9])?) ?(%|pp)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LINK = re.compile(r"https?://[!-~]+")
_KEYS = {
    "title": str, "date": str, "kind": str, "projects": list, "affects": list, "controls": list, "control_projects": list,
    "metric": str, "looks": list, "expect": str, "link": str, "scan": bool,
}  # fmt: skip
_TYPES = {str: "a text", list: "a list", bool: "true or false"}
Cell = tuple[str, str]  # a project, and the name of a command or target; empty: whatever is run there


class WrongRecordError(ValueError):
    """A record cannot be used. The message names the key and what is wrong with it."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change. What it says never changes once somebody has looked at what it did."""

    name: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{1,40}\Z")]  # of a store that was put back, too
    title: str
    day: date
    kind: str
    projects: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]  # whose runs it affects; the first one is whose record it is
    affects: tuple[str, ...] = ()  # commands and targets; none: all of these projects
    controls: tuple[str, ...] = ()  # commands and targets of these projects that it leaves as they were
    control_projects: tuple[str, ...] = ()  # projects that it did not reach
    metric: str = ""
    looks: tuple[Annotated[int, msgspec.Meta(ge=1, le=_LAST_LOOK)], ...] = ()  # after so many whole weeks
    expect: Annotated[str, msgspec.Meta(pattern=r"\A(?:[+-]?[0-9]{1,3}(?:\.[0-9])? (?:%|pp))?\Z")] = ""  # such as "-15 %"
    link: str = ""
    scan: bool = False  # at each look everything else that is run in its project is asked about as well

    @property
    def project(self) -> str:
        """Whose record it is."""
        return self.projects[0]

    @property
    def is_annotation(self) -> bool:
        """Whether it is only drawn on charts."""
        return self.kind == ANNOTATION

    @property
    def everywhere(self) -> tuple[str, ...]:
        """Every project that it names."""
        return (*self.projects, *self.control_projects)

    def seen_by(self, visible: frozenset[str] | None) -> bool:
        """Tell whether somebody may see every project that it names. None: they may see all."""
        return visible is None or visible.issuperset(self.everywhere)

    @property
    def affected(self) -> tuple[Cell, ...]:
        """What it affects."""
        return tuple((project, name) for project in self.projects for name in self.affects or ("",))

    @property
    def compared(self) -> tuple[Cell, ...]:
        """What serves as a control."""
        inside = tuple((project, name) for project in self.projects for name in self.controls)
        return inside + tuple((project, name) for project in self.control_projects for name in self.affects or ("",))

    @property
    def expected(self) -> float | None:
        """What its author expects, in percent or points. None: they did not say."""
        return float(self.expect.split()[0]) if self.expect else None

    @property
    def ends(self) -> date:
        """The day after the last week that is looked at."""
        return self._monday + timedelta(weeks=1 + max(self.looks, default=0))

    @property
    def _monday(self) -> date:
        return self.day - timedelta(days=self.day.weekday())

    def meets(self, other: "Change") -> bool:
        """Whether another change confounds this one, or this one the other: it came in the weeks that are compared, to what is compared."""
        if self.is_annotation or other.is_annotation or not (self.sees(other.day) or other.sees(self.day)):
            return False
        return _meet(self.affected, (*other.affected, *other.compared)) or _meet(self.compared, other.affected)

    def sees(self, day: date) -> bool:
        """Whether a day lies in the weeks that are compared."""
        return self._monday - timedelta(weeks=WEEKS_BEFORE) <= day < self.ends

    @classmethod
    def of(cls, name: str, says: Mapping[str, Any]) -> Self:
        """Read what a record says. Raises WrongRecordError."""
        if not CHANGE.fullmatch(name):
            raise WrongRecordError("name", f"{shown(name)} is no name of a change: 1 to 40 characters of a-z 0-9 -")
        values = _typed(says)
        kind, metric = values["kind"] or "code", values["metric"]
        if kind not in KINDS:
            raise WrongRecordError("kind", f"kind must be one of: {', '.join(KINDS)}")
        found = cls(
            name=name,
            title=_line("title", values["title"], _LONGEST_TITLE) or name,
            day=_day(values["date"]),
            kind=kind,
            projects=_names("projects", values["projects"], _MOST_PROJECTS),
            affects=_names("affects", values["affects"], _MOST_NAMES, (OTHER,)),
            controls=_names("controls", values["controls"], _MOST_NAMES, (OTHER,)),
            control_projects=_names("control_projects", values["control_projects"], _MOST_PROJECTS),
            metric=metric if kind == ANNOTATION else metric or "duration",
            looks=_looks(values["looks"]) or (() if kind == ANNOTATION else DEFAULT_LOOKS),
            expect=values["expect"],
            link=_line("link", values["link"], _LONGEST_LINK),
            scan=values["scan"],
        )
        if wrong := next(_wrong(found), None):
            raise WrongRecordError(*wrong)
        return msgspec.structs.replace(found, expect=_expected(found.expect, found.metric))


def _typed(says: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all keys, each of its type."""
    if unknown := [key for key in says if key not in _KEYS]:
        raise WrongRecordError(shown(unknown[0]), f"{shown(unknown[0])} is no key of a change; there are: {', '.join(_KEYS)}")
    for key, value in says.items():
        if not isinstance(value, _KEYS[key]):
            raise WrongRecordError(key, f"{key} must be {_TYPES[_KEYS[key]]}")
    return {key: says.get(key, kind()) for key, kind in _KEYS.items()}


def _wrong(found: Change) -> Iterator[tuple[str, str]]:
    """What does not go together: a key, and why."""
    if not found.projects:
        yield "projects", "projects must name at least one project"
    if both := sorted(set(found.projects) & set(found.control_projects)):
        yield "control_projects", f"control_projects: {both[0]} is affected, so it cannot be a control"
    if both := sorted(set(found.affects) & set(found.controls)):
        yield "controls", f"controls: {both[0]} is affected, so it cannot be a control"
    if found.controls and not found.affects:
        yield "controls", "controls: without affects everything in these projects is affected, so nothing there can be a control"
    if found.controls and found.control_projects:
        yield (
            "control_projects",
            "controls and control_projects do not go together: either the same people's other commands serve for comparison, or other projects",
        )
    if found.link and not _LINK.fullmatch(found.link):
        yield "link", "link must be an http or https address"
    if found.is_annotation and (found.metric or found.looks or found.expect or found.controls or found.control_projects or found.scan):
        yield "kind", "an annotation is only drawn on charts: leave out metric, looks, expect and controls, or give it another kind"
    if found.scan and not found.affects:
        yield "scan", "scan: without affects everything in these projects is affected, so nothing is left to scan"
    if not found.is_annotation and found.metric not in METRICS:
        yield "metric", f"metric must be one of: {', '.join(METRICS)}"


def _line(key: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise WrongRecordError(key, f"{key} is longer than {longest} characters")
    if clean(text) != text or text.strip() != text:
        raise WrongRecordError(key, f"{key} must be one line, without control characters and blanks at its ends")
    return text


def _names(key: str, words: list[Any], most: int, nameless: tuple[str, ...] = ()) -> tuple[str, ...]:
    if len(words) > most:
        raise WrongRecordError(key, f"{key} names more than {most}")
    for word in words:
        if not isinstance(word, str):
            raise WrongRecordError(key, f"{key} must be a list of texts")
        if not word or len(word) > LONGEST_NAME or _line(key, word, LONGEST_NAME) in nameless:
            raise WrongRecordError(key, f"{key}: {shown(word)!r} is no name")
    cut = tuple(word[:LONGEST] for word in words)  # as it is on the wire
    if len(set(cut)) < len(cut):
        raise WrongRecordError(key, f"{key} names something twice")
    return cut


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise WrongRecordError("date", 'date must be a day, such as "2026-12-01"')


def _looks(weeks: list[Any]) -> tuple[int, ...]:
    whole = all(isinstance(week, int) and not isinstance(week, bool) and 1 <= week <= _LAST_LOOK for week in weeks)
    if len(weeks) > _MOST_LOOKS or not whole or any(later - earlier < _APART for earlier, later in pairwise(weeks)):
        raise WrongRecordError(
            "looks",
            f"looks must be at most {_MOST_LOOKS} whole numbers of weeks after the change, from 1 to {_LAST_LOOK}, each at least {_APART} after the one before",
        )
    return tuple(weeks)


def _expected(text: str, metric: str) -> str:
    """What is expected, written in one way."""
    if not text:
        return ""
    found = _EXPECTED.fullmatch(text)
    if not found or found[2] != METRICS[metric]:
        raise WrongRecordError("expect", f'expect must be a number of {METRICS[metric]} for {metric}, such as "-15 {METRICS[metric]}"')
    return f"{found[1]} {found[2]}"


def _meet(some: tuple[Cell, ...], others: tuple[Cell, ...]) -> bool:
    return any(project == where and (name == what or "" in (name, what)) for project, name in some for where, what in others)


def shown(text: str) -> str:
    """Anybody's text, short and safe to print."""
    safe = clean(text)
    return safe if len(safe) <= LONGEST else safe[:LONGEST] + "..."
