"""Words for numbers: how pages write what was published. One place, so that a number looks the same wherever it stands."""

import re
from collections.abc import Sequence
from datetime import date

from innerloop_collector.query import Count, Milliseconds, Minutes, People, Rate, RateRange, Spread, Time, Waited

THIN = "\N{NARROW NO-BREAK SPACE}"  # before a unit, and between thousands
MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EN DASH}"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINALS = ("1st", "2nd", "3rd", "4th")
_MINUTE, _HOUR = 60_000, 3_600_000
_BELOW = re.compile(r"(?<=[ (])-(?=[0-9])")
_NARROW = 1.5  # a part of the durations whose end is at most so many times its beginning is told as one number


def number(value: int) -> str:
    """A whole number, with thousands apart: 5 815."""
    return f"{value:,}".replace(",", THIN)


def duration(milliseconds: float) -> str:
    """A time as a person says it: 240 ms, 4.2 s, 42 s, 3 min 20 s, 14 min, 2 h 5 min, 31 h."""
    if milliseconds < 999.5:
        return f"{milliseconds:.0f}{THIN}ms"
    if milliseconds < 9_950:
        return f"{milliseconds / 1000:.1f}{THIN}s"
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds}{THIN}s"
    if seconds < 600:
        return _two(seconds, 60, "min", "s")
    minutes = round(milliseconds / _MINUTE)
    if minutes < 60:
        return f"{minutes}{THIN}min"
    if minutes < 600:
        return _two(minutes, 60, "h", "min")
    return f"{number(round(milliseconds / _HOUR))}{THIN}h"


def _two(amount: int, size: int, large: str, small: str) -> str:
    whole, rest = divmod(amount, size)
    return f"{whole}{THIN}{large}" + (f" {rest}{THIN}{small}" if rest else "")


def count(of: Count | None) -> str:
    """How many. None: not told."""
    if of is None:
        return ABSENT
    return f"{of}" if of.value is None else number(of.value)


def share(of: Rate | None) -> str:
    """A part of a whole: 12 %."""
    return ABSENT if of is None else f"{of.value * 100:.0f}{THIN}%"


def people(of: People | None) -> str:
    """How many developers, as the range that was published."""
    return ABSENT if of is None else f"{number(of.value[0])} to {number(of.value[1])}"


def sentence(said: str) -> str:
    """Words as a sentence, with a minus before what is below 0. Empty: there are none."""
    return _BELOW.sub(MINUS, f"{said[:1].upper()}{said[1:]}.") if said else ""


def renamed(old: Sequence[str]) -> str:
    """What a series of several names says of itself. Empty: it has one name."""
    names = "its name before" if len(old) == 1 else "its names before"
    return f"What was published as {listed(list(old))}, {names}, is added up in it." if old else ""


def fives(developers: int) -> str:
    """The range as which a number of developers is published."""
    low = developers - developers % 5
    return f"{number(low)} to {number(low + 4)}"


def waited(of: Minutes | None) -> str:
    """A sum of waiting."""
    return ABSENT if of is None else duration(of.value * _MINUTE)


def waiting(of: Waited | None) -> str:
    """Minutes that were waited: about so many, or the bounds where the middle says nothing."""
    if of is None:
        return ABSENT
    return waited(of.about) if of.about else waiting_bounds(of)


def waiting_bounds(of: Waited) -> str:
    """Between what a waiting lies."""
    if of.at_most is None:
        return f"over {waited(of.at_least)}"
    return f"{waited(of.at_least)} to {waited(of.at_most)}" if of.at_least.value else f"up to {waited(of.at_most)}"


def share_range(of: RateRange | None) -> str:
    """Between what a part of a whole lies: 9 to 13 %."""
    return "" if of is None else f"{of.at_least.value * 100:.0f} to {share(of.at_most)}"


def spread(of: Spread | None) -> str:
    """How many times as long as a typical run a slow one takes."""
    if of is None:
        return ABSENT
    return spread_bounds(of) if of.about is None else f"about {of.about.value:g} times"


def spread_bounds(of: Spread) -> str:
    """Between what a ratio lies."""
    return f"over {of.at_least.value:g} times" if of.at_most is None else f"{of.at_least.value:g} to {of.at_most.value:g} times"


def time(of: Milliseconds | None) -> str:
    """A time that is told as one number."""
    return ABSENT if of is None else duration(of.value)


def quantile(of: Time | None) -> str:
    """A quantile: about so much, or the bounds where nothing better can be told."""
    if of is None:
        return ABSENT
    return bounds(of) if of.about is None else duration(of.about.value)


def bounds(of: Time) -> str:
    """Between which published durations a quantile lies."""
    if of.at_most is None:
        return f"over {duration(of.at_least.value)}"
    if not of.at_least.value:
        return f"up to {duration(of.at_most.value)}"
    return f"{duration(of.at_least.value)} to {duration(of.at_most.value)}"


def is_wide(of: Time | None) -> bool:
    """Whether the bounds of a quantile belong beside it."""
    return of is not None and (of.about is None or of.at_most is None or of.at_most.value > _NARROW * max(of.at_least.value, 1))


def participation(taking_part: People | None, headcount: int | None) -> str:
    """Who shares their data, of how many."""
    if taking_part is None:
        return ""
    if headcount is None:
        return f"{people(taking_part)} developers share their data (team size not given)"
    return f"{people(taking_part)} of {number(headcount)} developers share their data"


def day(of: date) -> str:
    """A day: 9 Dec 2026."""
    return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"


def weekday(of: date) -> str:
    """A day with its name: Wednesday 9 December."""
    return f"{_DAYS[of.weekday()]} {of.day} {_LONG_MONTHS[of.month - 1]}"


def span(first: date, last: date) -> str:
    """From one day to another: 26 Oct to 22 Nov 2026."""
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {_MONTHS[first.month - 1]}{year} to {day(last)}"


def period(name: str, first: date, last: date) -> str:
    """A period by its name: week of 16 Nov 2026; 26 Oct to 22 Nov 2026; 4th quarter of 2026; 2026."""
    kind = name[4:6]
    if kind == "-W":
        return f"week of {day(first)}"
    if kind == "-Q":
        return f"{_ORDINALS[int(name[6:]) - 1]} quarter of {name[:4]}"
    if kind == "-B":
        return span(first, last)
    return name or span(first, last)


def weeks(first: date, last: date) -> str:
    """How long a period is: 4 weeks."""
    found = ((last - first).days + 1) // 7
    return "1 week" if found == 1 else f"{found} weeks"


def listed(words: list[str]) -> str:
    """Words in a sentence: a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
