"""Compare what was seen of a bare make with what was seen of a measured one."""

import re
from collections import Counter
from typing import Any

from tests.conformance.play import Observation
from tests.conformance.table import Case, Deviation, seen_by

STREAMS = ("out", "err", "together")


def differences(case: Case, bare: Observation, measured: Observation) -> list[str]:
    """Say in what they differ, one line each; an empty list is the aim."""
    found = []
    if bare.status != measured.status:
        found.append(f"status: {bare.status} is {measured.status}")
    for stream in STREAMS:
        found += _of_text(case, stream, getattr(bare, stream), getattr(measured, stream))
    for name in sorted(bare.files.keys() | measured.files.keys()):
        if bare.files.get(name) != measured.files.get(name):
            found.append(f"file {name}: {bare.files.get(name)} is {measured.files.get(name)}")
    if not case.unordered:
        found += _order(bare.times, measured.times)
    return found


def missing(case: Case, measured: Observation, version: tuple[int, ...]) -> list[str]:
    """Say which targets were not seen, or seen though they must not be: without this the table would prove nothing."""
    wanted, seen = seen_by(case, version), set(measured.seen.targets)
    if case.seen == "maybe":
        return []
    extra = set() if case.seen == "at least" else seen - wanted
    return [f"not seen: {name}" for name in sorted(wanted - seen)] + [f"seen: {name}" for name in sorted(extra)]


def _of_text(case: Case, stream: str, bare: bytes, measured: bytes) -> list[str]:
    bare, measured = _cut(case, bare), _cut(case, measured)
    if case.deviation:
        return [f"{stream}: {line}" for line in _not_as_declared(case.deviation, stream, bare, measured)]
    if case.unordered:
        only = Counter(bare.splitlines()) - Counter(measured.splitlines()), Counter(measured.splitlines()) - Counter(bare.splitlines())
        return [f"{stream}: {dict(only[0])} is {dict(only[1])}"] if any(only) else []
    return [] if bare == measured else [f"{stream}: {bare!r} is {measured!r}"]


def _cut(case: Case, text: bytes) -> bytes:
    for pattern in case.cut:
        text = re.sub(pattern.encode(), b"", text, flags=re.MULTILINE)
    return text


def _not_as_declared(deviation: Deviation, stream: str, bare: bytes, measured: bytes) -> list[str]:
    """Where lines were lost or gained that the deviation does not declare, or the declared ones were not."""
    lost, gained = (_lines(first) - _lines(second) for first, second in ((bare, measured), (measured, bare)))
    found = []
    for name, lines, declared in (("lost", lost, deviation.lost), ("gained", gained, deviation.gained)):
        left = [line for line in lines.elements() if not any(re.fullmatch(pattern, line) for pattern in deviation.optional)]
        for pattern in declared:
            match = next((line for line in left if re.fullmatch(pattern, line)), None)
            if match is not None:
                left.remove(match)
            elif stream == "together" and not deviation.maybe:
                found.append(f"not {name}, but declared: {pattern}")
        found += [f"{name}, but not declared: {line}" for line in left]
    return found


def _lines(text: bytes) -> "Counter[str]":
    return Counter(text.decode("utf-8", "backslashreplace").splitlines())


def _order(bare: dict[str, int], measured: dict[str, int]) -> list[str]:
    """Files of which one was older than the other and now is younger."""
    names = sorted(bare.keys() & measured.keys())
    pairs: list[Any] = [(one, other) for one in names for other in names]
    return [
        f"order: {one} is not older than {other}" for one, other in pairs if bare[one] < bare[other] and measured[one] > measured[other]
    ]
