"""Pairs of two lists: a few in each run of the tests, all of them among those that take minutes."""

from collections.abc import Iterable
from typing import Any

import pytest


def pairs(names: Iterable[Any], kinds: Iterable[Any]) -> list[Any]:
    """Every pair as a parameter set. Each name and each kind stands in at least one pair that is not slow."""
    first, second = list(names), list(kinds)
    quick = {(number % len(first), number % len(second)) for number in range(max(len(first), len(second)))}
    return [
        pytest.param(name, kind, marks=() if (at, other) in quick else pytest.mark.slow)
        for at, name in enumerate(first)
        for other, kind in enumerate(second)
    ]
