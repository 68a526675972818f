"""What the areas of operations have in common: how an operation is named, and which role it takes. May import: core, access."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.arguments import fitting
from innerloop_collector.core import Core

Answer = dict[str, Any]


class Operation(NamedTuple):
    """Something that can be asked for.

    Who may see only some projects can ask for what takes the argument `project`, and for what takes `visible`: there the
    door says which projects the answer may speak of (None: all).
    """

    name: str
    role: Role  # who may ask, at least
    run: Callable[..., Answer]

    def takes(self, argument: str) -> bool:
        """Tell whether the operation has an argument."""
        return argument in inspect.signature(self.run).parameters


def operation(name: str, role: Role) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Make a method of an area an operation."""

    def mark(method: Callable[..., Answer]) -> Callable[..., Answer]:
        method.operation = (name, role)  # type: ignore[attr-defined]
        return method

    return mark


class Area:
    """Some operations that belong together, on an open collector."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def operations(self) -> list[Operation]:
        """Every operation of this area."""
        found = []
        for attribute, method in vars(type(self)).items():
            if mark := getattr(method, "operation", None):
                name, role = mark
                found.append(Operation(name, role, fitting(getattr(self, attribute))))
        return found
