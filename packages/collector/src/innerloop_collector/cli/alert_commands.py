# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`alerts`: what became slower or fails more."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show


@click.command()
@located
@click.option("--project", metavar="PROJECT", help="Only of this project (default: of all).")
@as_json
def alerts(place: Place, project: str | None, as_json: bool) -> None:
    """Show which commands and targets became slower or fail more, since about when, and what became of it."""
    from innerloop_collector.terminal.alert_table import render

    show(call(place, "alerts", project=project), as_json, render)
