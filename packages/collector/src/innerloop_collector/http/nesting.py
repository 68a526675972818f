"""How deep do objects and lists lie in each other? May import: the standard library.

What lies deeper than a few levels is no event; what lies a thousand deep breaks whatever walks through it later.
"""

from typing import Any


def too_deep(document: dict[str, Any], most: int) -> bool:
    """Tell whether something lies deeper than `most`; the document itself lies at 1."""
    level: list[Any] = [document]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True
