# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws reports to be imported
"""`report`: what the team's report says. May import: click, shared, terminal."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show


@click.command()
@click.argument("project")
@located
@click.option("--weeks", type=int, help="How many whole calendar weeks before the current one (default 8).")
@as_json
def report(place: Place, project: str, weeks: int | None, as_json: bool) -> None:
    """Show the team's report of a project."""
    from innerloop_collector.terminal.report import render

    show(call(place, "report", project=project, weeks=weeks), as_json, render)
