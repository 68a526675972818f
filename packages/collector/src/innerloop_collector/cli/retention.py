# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`retain`: what goes after its time. May import: click, shared, terminal."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show


@click.command()
@located
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@as_json
def retain(place: Place, dry_run: bool, as_json: bool) -> None:
    """Remove what was kept for as long as its project promises. The service does this by itself every day."""
    from innerloop_collector.terminal.retention import swept

    show(call(place, "retention.sweep", dry_run=dry_run), as_json, swept)


@click.command()
@click.argument("project")
@located
@as_json
def totals(place: Place, project: str, as_json: bool) -> None:
    """Show the weekly totals that stay of a project."""
    from innerloop_collector.terminal.retention import weekly

    show(call(place, "retention.totals", project=project), as_json, weekly)
