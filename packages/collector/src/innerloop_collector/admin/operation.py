"""What the areas of operations have in common: how an operation is named, and which role it takes."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any, NamedTuple, get_type_hints

import msgspec

from innerloop_collector.access.principal import Role
from innerloop_collector.errors import Denied, InvalidArguments, UsageError

Answer = dict[str, Any]


class Operation(NamedTuple):
    """Something that can be asked for.

    Who may see only some projects can ask for what takes the argument `project`, and for what takes `visible`: there the
    principal says which projects the answer may speak of (None: all). `reads` says whether their role may read reports at all.
    """

    name: str
    role: Role  # who may ask, at least
    run: Callable[..., Answer]
    changes: bool = False  # whether something is another than before

    def takes(self, argument: str) -> bool:
        """Tell whether the operation has an argument."""
        return argument in inspect.signature(self.run).parameters


def operation(name: str, role: Role, *, changes: bool = False) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Make a method of an area an operation. `changes`: afterwards something is another than before, so that the service's log says who did it."""

    def mark(method: Callable[..., Answer]) -> Callable[..., Answer]:
        method.operation = (name, role, changes)  # type: ignore[attr-defined]
        return method

    return mark


def refuse_unseen(project: str, known: Iterable[str], visible: frozenset[str] | None) -> None:
    """Raise Denied for a project that somebody may not see, whether or not it is there, and UsageError for one that is not there."""
    if project in known and (visible is None or project in visible):
        return
    if visible is not None:
        raise Denied("you may not see this project. Ask whoever runs the collector")
    raise UsageError(f"no project {project!r}; see: innerloop-collector projects list")


class Area:
    """Some operations that belong together. Each area is given the parts of a collector that it works on."""

    def operations(self) -> list[Operation]:
        """Every operation of this area."""
        found = []
        for attribute, method in vars(type(self)).items():
            if mark := getattr(method, "operation", None):
                name, role, changes = mark
                found.append(Operation(name, role, fitting(getattr(self, attribute)), changes))
        return found


Directory = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+$")]
_OF_THE_DOOR = ("visible", "reads")  # which projects somebody may see, and whether they may read: no caller says that


def fitting(method: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Let a method be called with arguments of its types only. Raises InvalidArguments for others."""
    hints = get_type_hints(method, include_extras=True)
    signature = inspect.signature(method)

    @functools.wraps(method)
    def checked(**arguments: Any) -> dict[str, Any]:
        try:
            signature.bind(**arguments)
            typed = {name: msgspec.convert(value, hints[name]) for name, value in arguments.items()}
        except (TypeError, msgspec.ValidationError) as error:
            raise InvalidArguments("these arguments do not fit the operation") from error
        return method(**typed)

    return checked


def schema(method: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The JSON schema of a method's arguments."""
    hints = get_type_hints(method, include_extras=True)
    parameters = [one for one in inspect.signature(method).parameters.values() if one.name not in _OF_THE_DOOR]
    required = [one.name for one in parameters if one.default is inspect.Parameter.empty]
    properties = {one.name: msgspec.json.schema(hints[one.name]) for one in parameters}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
