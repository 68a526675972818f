"""Values, and pairs of two lists: a few in each run of the tests, all of them among those that take minutes."""

from collections.abc import Iterable
from typing import Any

import pytest


def some(values: Iterable[Any], *quick: Any) -> list[Any]:
    """Each value as a parameter set. Those that are named here are not slow."""
    return [pytest.param(value, marks=() if value in quick else pytest.mark.slow) for value in values]


def pairs(names: Iterable[Any], kinds: Iterable[Any]) -> list[Any]:
    """Every pair as a parameter set. Each name and each kind stands in at least one pair that is not slow."""
    first, second = list(names), list(kinds)
    quick = {(number % len(first), number % len(second)) for number in range(max(len(first), len(second)))}
    return [
        pytest.param(name, kind, marks=() if (at, other) in quick else pytest.mark.slow)
        for at, name in enumerate(first)
        for other, kind in enumerate(second)
    ]
