"""How exact a value may be: make it coarser, and tell whether it is coarse enough."""

import re
from datetime import datetime, timedelta, timezone

_UTC = re.compile(r"[0-9-]{10}T[0-9:]{8}(?:\.[0-9]{1,6})?(?:Z|[+]00:00)")
STEPS = {"hour": 3600, "minute": 60, "second": 1}


def instant(seconds: float, granularity: str) -> str:
    """Write a Unix time (s) as ISO 8601 in UTC, cut down to the granularity.

    `exact` has microseconds, written as Python writes them (none where they are zero).
    """
    step = STEPS.get(granularity)
    if step is not None:
        seconds = int(seconds) // step * step
    microseconds = round(seconds * 1_000_000)
    return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)).isoformat()


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with an offset or `Z` and 0 to 6 digits of fraction, as UTC.

    Raises ValueError for anything else.
    """
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    head, dot, tail = text.partition(".")
    if dot:  # Python 3.9 reads only 3 or 6 digits
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]:0<6}{tail[len(digits) :]}"
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset from UTC")
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("an instant must lie in the years 1 to 9999, also in UTC") from None


def is_instant(value: object, granularity: str) -> bool:
    """Tell whether a value is an instant in UTC, no finer than the granularity. Any other offset says where somebody is."""
    if not isinstance(value, str) or not _UTC.fullmatch(value):
        return False
    try:
        moment = parse_instant(value)
    except ValueError:
        return False
    step = STEPS.get(granularity)
    return step is None or (moment.microsecond == 0 and int(moment.timestamp()) % step == 0)


def is_commit_time(value: object) -> bool:
    """Tell whether a value is a commit's time as git prints it: to the second, with its own offset."""
    try:
        return isinstance(value, str) and parse_instant(value).microsecond == 0
    except ValueError:
        return False


def three_digits(value: int) -> int:
    """Round to three significant digits: 12345 becomes 12300."""
    digits = len(str(value))
    if digits <= 3:
        return value
    unit: int = 10 ** (digits - 3)
    return (value + unit // 2) // unit * unit


def week(seconds: float) -> str:
    """Name the ISO week (UTC) of a Unix time (s): `2026-W47`."""
    year, number, _ = datetime.fromtimestamp(seconds, timezone.utc).isocalendar()
    return f"{year}-W{number:02d}"
