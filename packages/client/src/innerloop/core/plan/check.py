"""Does an event keep to the plan? The one law that the client's filter and the collector's validation share."""

import re
from typing import Any, NamedTuple, Optional

from innerloop.core.plan import granularity
from innerloop.core.plan.tracking import PLAN, Event, Field
from innerloop.core.shared.names import LONGEST, OTHER, allowed

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LABEL = re.compile(r"[a-z0-9-]{1,16}")
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_WEEK = re.compile(r"[0-9]{4}-W(?:0[1-9]|[1-4][0-9]|5[0-3])")


class Violation(NamedTuple):
    """One way in which an event breaks the plan. It never repeats the offending value."""

    kind: str  # "unknown event", "unknown property", "missing", "not allowed"
    field: str


class Names(NamedTuple):
    """What may leave as a text: names and groups, as the project file lists them, cohorts and changes."""

    allow: "tuple[str, ...]" = ()
    stems: "tuple[str, ...]" = ()
    separator: str = ""
    cohorts: "tuple[str, ...]" = ()  # what a developer may, and need not, call themselves after a yes
    groups: "tuple[str, ...]" = ()  # in the order in which they are tried
    changes: "tuple[str, ...]" = ()  # the open ones: whether a checkout has them may leave

    def holds(self, name: str) -> bool:
        """Tell whether a name on the wire is `other`, a group, listed, or the first 50 characters of a listed one."""
        if name == OTHER or name in self.groups or (len(name) <= LONGEST and allowed(name, self.allow, self.stems, self.separator)):
            return True
        return len(name) == LONGEST and any(self._may_go_on_as(name, pattern) for pattern in self.allow)

    def _may_go_on_as(self, name: str, pattern: str) -> bool:
        """Tell whether a name that was cut is the beginning of what a pattern allows."""
        head, star, tail = pattern.partition("*")
        if not star or len(head) >= len(name):
            return head.startswith(name)
        if not name.startswith(head):
            return False
        rest = name[len(head) :]
        *whole, last = rest.split(self.separator) if self.separator else [rest]
        return all(stem in self.stems for stem in whole) and any((stem + tail).startswith(last) for stem in self.stems)


def find_event(agreement: "dict[str, Any]", wire_name: object, properties: "dict[str, Any]") -> Optional[Event]:
    """Find the plan's event for a name on the wire. Several events may share a name (as in the seed)."""
    candidates = [
        event
        for event in PLAN.events.values()
        if agreement["events"].get(event.name, event.wire) == wire_name and (event.needs is None or event.needs in agreement["fields"])
    ]
    marked = [event for event in candidates if event.needs and _wire_name(agreement, event.needs) in properties]
    plain = [event for event in candidates if not event.needs]
    return next(iter(marked + plain), None)


def planned_properties(agreement: "dict[str, Any]", event: Event) -> "dict[str, Field]":
    """The properties that an event carries under an agreement: name on the wire -> field."""
    return {_wire_name(agreement, name): PLAN.fields[name] for name in event.properties if name in agreement["fields"]}


def _wire_name(agreement: "dict[str, Any]", field: str) -> str:
    name: str = agreement["rename"].get(field, field)
    return name


def violations(message: "dict[str, Any]", agreement: "dict[str, Any]", names: Names) -> "list[Violation]":
    """Compare a Segment track message with an agreement. An empty list means: it keeps to the plan."""
    properties = message.get("properties")
    if not isinstance(properties, dict):
        return [Violation("missing", "properties")]
    event = find_event(agreement, message.get("event"), properties)
    if event is None:
        return [Violation("unknown event", "event")]
    planned = planned_properties(agreement, event)
    found = [Violation("unknown property", "properties") for name in properties if name not in planned]
    for name, field in planned.items():
        if name not in properties:
            if field.absent_without in (None, event.has):
                found.append(Violation("missing", field.name))
        elif not conforms(properties[name], field, agreement["fields"][field.name], names, event):
            found.append(Violation("not allowed", field.name))
    if message.get("userId") is not None and "userId" not in agreement["fields"]:
        found.append(Violation("unknown property", "userId"))
    stamp, exactness = message.get("timestamp"), agreement["fields"].get("timestamp")
    if stamp is not None and exactness is None:
        found.append(Violation("unknown property", "timestamp"))
    elif stamp is not None and not granularity.is_instant(stamp, exactness):
        found.append(Violation("not allowed", "timestamp"))
    return found


def conforms(value: Any, field: Field, exactness: str, names: Names, event: Optional[Event] = None) -> bool:
    """Tell whether a value is one that the plan allows for a field at an agreed granularity."""
    if value is None:
        return field.nullable
    if event is not None and field.name in event.constants:
        return bool(value == event.constants[field.name])
    test = _TESTS[field.type]
    return test(value, field, exactness, names)


def _integer(value: Any, field: Field, exactness: str, _names: Names) -> bool:
    if not isinstance(value, int) or isinstance(value, bool) or not field.minimum <= value <= field.maximum:
        return False
    return exactness != "3digits" or granularity.three_digits(value) == value


def _commit_time(value: Any, _field: Field, exactness: str, _names: Names) -> bool:
    if exactness == "week":
        return isinstance(value, str) and _WEEK.fullmatch(value) is not None
    return granularity.is_commit_time(value)


def _changes(value: Any, _field: Field, _exactness: str, names: Names) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one in names.changes for one in value) and len(set(value)) == len(value)


_TESTS = {
    "id": lambda value, *_: isinstance(value, str) and _UUID.fullmatch(value) is not None,
    "instant": lambda value, _field, exactness, _names: granularity.is_instant(value, exactness),
    "commit_time": _commit_time,
    "name": lambda value, _field, _exactness, names: isinstance(value, str) and names.holds(value),
    "cohort": lambda value, _field, _exactness, names: isinstance(value, str) and value in names.cohorts,
    "changes": _changes,
    "enum": lambda value, field, *_: isinstance(value, str) and value in field.values,
    "integer": _integer,
    "boolean": lambda value, *_: isinstance(value, bool),
    "label": lambda value, *_: isinstance(value, str) and _LABEL.fullmatch(value) is not None,
    "version": lambda value, *_: isinstance(value, str) and _VERSION.fullmatch(value) is not None,
}
