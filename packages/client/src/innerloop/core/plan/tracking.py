"""Read `plan.json`: which fields and events there are."""

import json
from datetime import date
from typing import Any, NamedTuple, Optional

OFF = "off"


class Field(NamedTuple):
    """One field that may leave the machine, as written down in `plan.json`."""

    name: str
    where: str  # "envelope" or "properties"
    type: str
    granularities: "tuple[str, ...]"  # coarsest first
    default: str  # a granularity, or "off"
    label: str  # how the consent question calls it
    category: str  # "technical" or "interaction"
    purpose: str
    risk: str
    example: Any
    last_day: int  # days since 1970: after it the field stops by itself, unless a newer plan renewed it
    column: str  # the store's column type; empty where the store keeps something else instead
    values: "tuple[str, ...]" = ()
    minimum: int = 0
    maximum: int = 0
    nullable: bool = False
    follows: Optional[str] = None  # the field whose granularity this one shares
    absent_without: Optional[str] = (
        None  # "git" (a checkout), a named "cohort", a "probe", a "failure" before, an "interrupt", open "changes"
    )
    part_of: Optional[str] = None  # on only where that field is
    in_seed_mode: bool = True  # False: off there, whatever the project file says
    record: "dict[str, Any]" = {}  # the whole entry, for pages that print all of it


class Event(NamedTuple):
    """One kind of event: which properties it carries."""

    name: str
    wire: str  # the name on the wire, unless the project file calls it otherwise
    about: str
    properties: "tuple[str, ...]"
    needs: Optional[str] = None  # sent only where this field is on
    constants: "dict[str, Any]" = {}
    has: Optional[str] = None  # without which there is no such event: what is absent elsewhere without it is never absent here


class Plan(NamedTuple):
    """The tracking plan: its fields and events by name, in the order of the file."""

    version: int
    fields: "dict[str, Field]"
    events: "dict[str, Event]"
    batch: "tuple[tuple[str, str, str], ...]"  # what a request says once: name, what it is, example


def _field(entry: "dict[str, Any]") -> Field:
    """A field is as its entry says; what only people read of that (who reads it, what else was thought of) stays in `record`."""
    said = {key: value for key, value in entry.items() if key in Field._fields}
    said.update(granularities=tuple(entry["granularities"]), values=tuple(entry.get("values", ())))
    last_day = (date.fromisoformat(entry["expires"]) - date(1970, 1, 1)).days
    return Field(**said, last_day=last_day, in_seed_mode=entry.get("seed") != OFF, record=entry)


def _event(name: str, entry: "dict[str, Any]") -> Event:
    return Event(name, **{**entry, "properties": tuple(entry["properties"])})


def parse(text: str) -> Plan:
    """Read a plan from the JSON text of a `plan.json`."""
    document = json.loads(text)
    return Plan(
        version=document["plan"],
        fields={entry["name"]: _field(entry) for entry in document["fields"]},
        events={name: _event(name, entry) for name, entry in document["events"].items()},
        batch=tuple((entry["name"], entry["about"], entry["example"]) for entry in document.get("batch", ())),
    )


def load() -> Plan:
    """Read the plan that this version of innerloop ships, also out of a zip file."""
    loader = globals()["__loader__"]
    path = __file__[: -len("tracking.py")] + "plan.json"
    text: bytes = loader.get_data(path)
    return parse(text.decode("utf-8"))


PLAN = load()
