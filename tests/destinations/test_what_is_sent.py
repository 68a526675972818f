"""What a guide says that a destination gets is what goes over the wire: every name, and no other."""

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from innerloop.core.plan.tracking import PLAN
from innerloop_collector.config.configuration import Destination
from innerloop_collector.exporters.address import check
from innerloop_collector.exporters.record import Record, Taken, Value
from innerloop_collector.exporters.senders import open_sender
from tests.conftest import ROOT
from tests.destinations.receivers import Receiver
from tests.destinations.support import SECRET

NOW = datetime.now(UTC)
SAMPLES: dict[str, Value] = {"integer": 1, "boolean": True, "instant": NOW}
GUIDES = ROOT / "docs" / "guides"


def records(status: int = 1, person: str | None = "person") -> list[Record]:
    """One event of each kind with every field that the plan has for it."""
    made = []
    for number, (kind, event) in enumerate(PLAN.events.items()):
        fields = {name: SAMPLES.get(PLAN.fields[name].type, "text") for name in event.properties} | {"os": "linux", "arch": "arm64"}
        fields = {name: value for name, value in fields.items() if name in event.properties}
        if "exit_status" in fields:
            fields["exit_status"] = status
        parent = 7 if kind == "target" else 0
        made.append(
            Record(
                number,
                NOW.date() + timedelta(days=1),
                "shop",
                kind,
                f"shop.{kind}",
                NOW,
                fields,
                {},
                f"m{number}",
                "nobody",
                person,
                5,
                6 + number,
                parent,
            )
        )
    return made


def sent(kind: str, receiver: Receiver, directory: Path) -> list[Any]:
    """What goes to a destination, request by request: those who are told somebody, those who are not, and each way to end."""
    key = directory / "key"
    key.write_text(SECRET)
    settings = Destination(kind=kind, recipient="x", endpoint=receiver.url, key_file=str(key))  # type: ignore[arg-type]
    for batch in (records(), records(0, None), records(-2)):
        with contextlib.closing(open_sender(settings, check("x", settings), Taken(), lambda: NOW)) as sender:
            sender.send(batch)
    return receiver.requests


def listed(page: str) -> dict[str, set[str]]:
    """The names in the tables of a guide whose second column is `attribute`, by the first column."""
    found: dict[str, set[str]] = {}
    inside = False
    for line in (GUIDES / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) > 1 and cells[1] == "attribute":
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not cells[0].startswith("---"):
            for where in cells[0].split(", "):
                found.setdefault(where, set()).update(re.findall(r"`([^`]+)`", cells[1]))
    return found


def keys(attributes: list[dict[str, Any]]) -> set[str]:
    return {one["key"] for one in attributes}


def of_otlp(requests: list[Any]) -> dict[str, set[str]]:
    """The attributes of spans and metrics, and of where they come from."""
    found: dict[str, set[str]] = {}
    for request in requests:
        document = MessageToDict(request.message)
        for resource in [*document.get("resourceSpans", ()), *document.get("resourceMetrics", ())]:
            found.setdefault("resource", set()).update(keys(resource["resource"]["attributes"]))
            for scope in [*resource.get("scopeSpans", ()), *resource.get("scopeMetrics", ())]:
                assert not scope["scope"].get("attributes")
                for span in scope.get("spans", ()):
                    found.setdefault("target" if "parentSpanId" in span else "run", set()).update(keys(span["attributes"]))
                    assert not {"events", "links"} & set(span)
                for metric in scope.get("metrics", ()):
                    points = metric.get("histogram", metric.get("sum"))["dataPoints"]
                    found.setdefault(f"`{metric['name']}`", set()).update(*(keys(point["attributes"]) for point in points))
    return found


def paths(thing: Any, at: str = "") -> Iterator[str]:
    """Where each value of a document stands."""
    if isinstance(thing, dict) and thing and at != "integrations":
        for name, value in thing.items():
            yield from paths(value, f"{at}.{name}" if at else name)
    else:
        yield at


def test_the_guide_to_opentelemetry_lists_every_attribute(receiver: Receiver, tmp_path: Path) -> None:
    said = listed("opentelemetry.md")
    both = said.pop("both")
    for where in ("run", "target"):
        said[where] |= both
    assert said == of_otlp(sent("otlp", receiver, tmp_path))


def test_the_guide_to_new_relic_lists_every_attribute(receiver: Receiver, tmp_path: Path) -> None:
    said = listed("new-relic.md")
    every = said.pop("every event")
    found: dict[str, set[str]] = {}
    for request in sent("newrelic", receiver, tmp_path):
        for event in request.json:
            found.setdefault(f"`{event['eventType']}`", set()).update(event)

    assert {name: attributes | every for name, attributes in said.items()} == found


def test_the_guide_to_segment_lists_every_member(receiver: Receiver, tmp_path: Path) -> None:
    said = listed("segment.md")
    found: dict[str, set[str]] = {}
    for request in sent("segment", receiver, tmp_path):
        found.setdefault("request", set()).update(set(request.json) - {"batch"})
        for message in request.json["batch"]:
            of_event = {path for path in paths(message) if path.startswith("properties.")}
            found.setdefault(f"`{message['event'].removeprefix('shop.')}`", set()).update(
                path.removeprefix("properties.") for path in of_event
            )
            found.setdefault("message", set()).update(
                path for path, value in ((p, at(message, p)) for p in paths(message)) if value is not None and path not in of_event
            )

    assert said == found


def at(thing: Any, path: str) -> Any:
    """The value at a path."""
    for name in path.split("."):
        thing = thing[name]
    return thing


@pytest.mark.parametrize("page", ["opentelemetry.md", "new-relic.md", "segment.md"])
def test_a_guide_that_forgets_an_attribute_is_noticed(page: str) -> None:
    assert all(names for names in listed(page).values())
    assert "message_id" in str(listed(page)) or "messageId" in str(listed(page))
