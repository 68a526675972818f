"""What a collector published, as a terminal elsewhere reads it back from JSON. For the terminal only: a page has the values themselves.

In the process that lays a report out as text there are no rows, and often no store: what it has is what a collector answered.
"""

from typing import Annotated, Any, TypeVar

import msgspec

from innerloop_collector.query.published import Count, Minutes, People, Percent, Published, Rate, Ratio, Saved, View, seal

_Number = Annotated[int, msgspec.Meta(ge=0)]
V = TypeVar("V", bound=View)


def received(answer: dict[str, Any], view: type[V]) -> V:
    """Read an answer. Raises msgspec.ValidationError for what no collector of this version publishes."""
    return msgspec.convert(answer, view, dec_hook=_read)


def _read(kind: type[Any], number: Any) -> Any:
    if not issubclass(kind, Published):
        raise NotImplementedError
    if kind is People:
        return seal(kind, msgspec.convert(number, tuple[_Number, _Number]))
    absent = kind is Count and number is None
    signed = kind in (Percent, Saved)
    number_of_it = isinstance(number, int) or (isinstance(number, float) and (signed or kind in (Minutes, Rate, Ratio)))
    if not absent and (isinstance(number, bool) or not number_of_it or (number < 0 and not signed)):
        raise ValueError(f"not a {kind.__name__}")
    return seal(kind, number)
