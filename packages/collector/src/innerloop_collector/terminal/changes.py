"""Changes on a terminal."""

from collections.abc import Iterator
from typing import Any

from innerloop_collector.terminal.drawing import table


def registered(answer: dict[str, Any]) -> str:
    """What could be seen of each change, and that it was registered."""
    lines = []
    for one in answer["changes"]:
        lines += [f"{one['project']}/{one['name']}: {one['foreseen']}"] if one["foreseen"] else []
        lines.append(f"{one['project']}/{one['name']}: {'registered' if one['changed'] else 'unchanged'}, {one['date']}, {_about(one)}")
    return "\n".join(lines)


def table_of(answer: dict[str, Any]) -> str:
    """Changes as a table."""
    rows = [(one["date"], one["project"], one["name"], one["kind"], _about(one), _state(one)) for one in answer["changes"]]
    return table(
        ("date", "project", "change", "kind", "about", "state"), rows, "no changes; register one: innerloop-collector changes apply FILE"
    )


def details(one: dict[str, Any]) -> str:
    """One change."""
    return "\n".join(f"{title:<12}{value}" for title, value in _lines(one) if value)


def _lines(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "change", f"{one['project']}/{one['name']}"
    yield "title", one["title"]
    yield "date", f"{one['date']}, registered {one['registered']}"
    yield "kind", one["kind"]
    yield "projects", ", ".join(one["projects"])
    yield "affects", ", ".join(one["affects"]) or "everything there"
    yield "controls", ", ".join((*one["controls"], *(f"all of this in {project}" for project in one["control_projects"])))
    yield "metric", one["metric"]
    yield "expected", one["expect"]
    yield "looks", _looks(one)
    yield "scan", "everything else at each look" if one["scan"] else ""
    yield "link", one["link"]
    yield "at once", ", ".join(one["at_once"])
    yield "state", _state(one)


def _about(one: dict[str, Any]) -> str:
    """What it is about, in short."""
    names = ", ".join(one["affects"]) or "everything"
    return f"{one['metric']} of {names}" if one["metric"] else names


def _looks(one: dict[str, Any]) -> str:
    weeks = one["looks"]
    return f"{', '.join(map(str, weeks))} weeks after it" if weeks else ""


def _state(one: dict[str, Any]) -> str:
    if one["withdrawn"]:
        return f"withdrawn {one['withdrawn']}"
    if one["first_look"]:
        return f"looked at {one['first_look']}"
    return "drawn on charts" if one["kind"] == "annotation" else "open"
