"""`ids`: those that are beyond what a write key may bring in a day. May import: click, shared."""

from typing import Any

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show


@click.group()
def ids() -> None:
    """Ids that wait because a write key brought too many new ones in a day."""


@ids.command("release")
@click.argument("project")
@located
@as_json
def release_ids(place: Place, project: str, as_json: bool) -> None:
    """Let in the ids of a project that wait, with their events."""
    show(call(place, "ids.release", project=project), as_json, _released)


def _released(answer: dict[str, Any]) -> str:
    return f"{answer['project']}: {answer['released']} events released, {answer['still_quarantined']} still wait"
