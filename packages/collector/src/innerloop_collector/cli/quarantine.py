# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`quarantine`: events that were set aside. May import: click, shared, terminal."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show


@click.group()
def quarantine() -> None:
    """Events that were set aside because they do not fit an applied plan."""


@quarantine.command("list")
@located
@as_json
def list_quarantine(place: Place, as_json: bool) -> None:
    """Count what waits, by project, reason and field. Values are never shown."""
    from innerloop_collector.terminal.tables import quarantine as table

    show(call(place, "quarantine.list"), as_json, table)


@quarantine.command("violations")
@located
@as_json
def list_violations(place: Place, as_json: bool) -> None:
    """Count what ever came into quarantine, by project, reason, field and day; also what has left it."""
    from innerloop_collector.terminal.retention import violations

    show(call(place, "quarantine.violations"), as_json, violations)
