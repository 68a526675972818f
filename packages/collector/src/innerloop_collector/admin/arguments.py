"""What the arguments of operations must be, by the types that their methods declare. May import: msgspec.

They come over HTTP from whoever may call: a list where a word belongs is refused here, and not by whatever it reaches first.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import msgspec

Directory = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+$")]
_OF_THE_DOOR = "visible"  # which projects somebody may see: no caller says that


def fitting(method: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Let a method be called with arguments of its types only. Raises TypeError for others."""
    hints = get_type_hints(method, include_extras=True)

    @functools.wraps(method)
    def checked(**arguments: Any) -> dict[str, Any]:
        try:
            inspect.signature(method).bind(**arguments)
            return method(**{name: msgspec.convert(value, hints[name]) for name, value in arguments.items()})
        except msgspec.ValidationError as error:
            raise TypeError(str(error)) from error

    return checked


def schema(method: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The JSON schema of a method's arguments."""
    hints = get_type_hints(method, include_extras=True)
    parameters = [one for one in inspect.signature(method).parameters.values() if one.name != _OF_THE_DOOR]
    required = [one.name for one in parameters if one.default is inspect.Parameter.empty]
    properties = {one.name: msgspec.json.schema(hints[one.name]) for one in parameters}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
