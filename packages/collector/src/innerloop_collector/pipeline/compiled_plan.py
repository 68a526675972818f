"""An agreed plan, prepared for many events.

Whether an event keeps to its plan is `innerloop.core.plan.check`'s to say, once per event and thoroughly. Most events repeat what was
found good before, value by value; for those a look into a few sets is enough. What is in none of them is asked of `check`,
so nothing here can let pass what that would not.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from innerloop.core.plan import check, granularity
from innerloop.core.plan.tracking import PLAN, Field
from innerloop.core.plan.tracking import Event as PlannedEvent
from innerloop_collector.db import schema
from innerloop_collector.pipeline.event import instant
from innerloop_collector.store.catalogue import AgreedPlan


def _absent(column: str) -> Any:
    """What stands in a column for what is absent or null."""
    if column.startswith("DateTime64"):
        return 0
    if column.startswith("Array("):
        return []
    return None if column.startswith("Nullable(") else ""


_MOST_REMEMBERED = 4_096  # values per property
_NEVER_AGAIN = ("id",)  # types of fields whose values do not repeat
_COLUMNS = schema.plan_columns(PLAN)
_NOTHING = [_absent(column) for column in _COLUMNS.values()]
_INSTANTS = {number for number, column in enumerate(_COLUMNS.values()) if column.startswith("DateTime64")}
_Test = Callable[[Any], bool]
_Known = dict[type, set[Any]]


class _Seen:
    """Says whether a value is good, and remembers the good ones. By type, since 1 equals True."""

    __slots__ = ("_remember", "_test", "known")

    def __init__(self, test: _Test, *, remember: bool = True) -> None:
        self._test = test
        self._remember = remember
        self.known: _Known = {str: set(), int: set(), bool: set(), type(None): set()}

    def good(self, value: Any) -> bool:
        known = self.known.get(value.__class__)
        if known is None:  # of lists none is remembered
            return value.__class__ is list and self._test(value)
        if not self._test(value):
            return False
        if self._remember and len(known) < _MOST_REMEMBERED:
            known.add(value)
        return True


class _Shape:
    """One kind of event under an agreement."""

    __slots__ = ("planned", "required", "seen")

    def __init__(self, planned: PlannedEvent, agreed: AgreedPlan) -> None:
        terms, names = agreed.agreement, agreed.names[0]
        fields = check.planned_properties(terms, planned)
        self.planned = planned
        self.required = {wire for wire, field in fields.items() if field.absent_without in (None, planned.has)}
        self.seen = {wire: self._seen(field, terms["fields"][field.name], names) for wire, field in fields.items()}

    def _seen(self, field: Field, exactness: str, names: check.Names) -> _Seen:
        planned = self.planned
        return _Seen(lambda value: check.conforms(value, field, exactness, names, planned), remember=field.type not in _NEVER_AGAIN)

    def fits(self, properties: dict[str, Any]) -> bool:
        """Tell whether these are the properties of such an event."""
        seen = self.seen
        for name, value in properties.items():
            one = seen.get(name)
            if one is None:
                return False
            known = one.known.get(value.__class__)
            if (known is None or value not in known) and not one.good(value):
                return False
        return self.required <= properties.keys()


class CompiledPlan:
    """What one agreed plan asks of its events, and where their values go."""

    def __init__(self, agreed: AgreedPlan) -> None:
        terms = agreed.agreement
        self._shapes: dict[str, list[tuple[str | None, _Shape]]] = {}
        for event in PLAN.events.values():
            if event.needs is None or event.needs in terms["fields"]:
                mark = event.needs and terms["rename"].get(event.needs, event.needs)
                self._shapes.setdefault(terms["events"].get(event.name, event.wire), []).append((mark, _Shape(event, agreed)))
        exactness = terms["fields"].get("timestamp")
        self._stamps = _Seen(lambda stamp: exactness is not None and granularity.is_instant(stamp, exactness))
        self._places = {terms["rename"].get(name, name): number for number, name in enumerate(_COLUMNS)}
        self.start = terms["rename"].get("start_time", "start_time")

    def kind(self, body: dict[str, Any]) -> PlannedEvent | None:
        """The plan's event that a message is, where it keeps to the newest names in every respect. None: this must be looked at closely."""
        properties, name, stamp = body.get("properties"), body.get("event"), body.get("timestamp")
        if not isinstance(properties, dict) or not isinstance(name, str):
            return None
        if stamp is not None and (not isinstance(stamp, str) or (stamp not in self._stamps.known[str] and not self._stamps.good(stamp))):
            return None
        shape = self._shape(name, properties)
        return shape.planned if shape is not None and shape.fits(properties) else None

    def _shape(self, name: str, properties: dict[str, Any]) -> _Shape | None:
        """As `check.find_event`: an event that its mark tells apart goes before one without."""
        plain = None
        for mark, shape in self._shapes.get(name, ()):
            if mark is None:
                plain = plain or shape
            elif mark in properties:
                return shape
        return plain

    def values(self, properties: dict[str, Any]) -> list[Any]:
        """The plan's columns of an event's row."""
        found = _NOTHING.copy()
        places = self._places
        for wire, value in properties.items():
            place = places.get(wire)
            if place is not None and value is not None:
                found[place] = instant(value) if place in _INSTANTS else value
        return found


_compiled: WeakKeyDictionary[AgreedPlan, CompiledPlan] = WeakKeyDictionary()


def compiled(agreed: AgreedPlan) -> CompiledPlan:
    """Prepare an agreed plan, once. The catalogue makes a new one whenever a project file is applied, and what was made of the old one goes with it."""
    found = _compiled.get(agreed)
    if found is None:
        found = _compiled[agreed] = CompiledPlan(agreed)
    return found
