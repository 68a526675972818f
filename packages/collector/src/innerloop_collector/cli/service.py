# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`check` and `demo`: the collector itself. May import: click, shared, terminal; the demo inside its command."""

import sys

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show
from innerloop_collector.errors import CollectorError


@click.command()
@located
@as_json
def check(place: Place, as_json: bool) -> None:
    """Say whether the collector is well. Exit status 1 and one line each for what is wrong."""
    from innerloop_collector.terminal.tables import check as table

    answer = call(place, "check")
    show(answer, as_json, table)
    if not answer["ok"]:
        raise CollectorError("\ninnerloop-collector: ".join(one["text"] for one in answer["findings"] if not one["note"]))


@click.command()
@click.option("--source", metavar="PATH", help="Build this instead of the source that comes with the demo.")
@click.option("--keep", metavar="DIR", help="Keep everything in DIR.")
def demo(source: str | None, keep: str | None) -> None:
    """Try everything: collector, real builds and reports, with no account and no network."""
    try:
        from innerloop_collector.demo.main import run
    except ImportError as error:
        raise CollectorError(
            f"the demo is not part of this installation ({error}); see the README for how to run it from a clone"
        ) from error
    sys.exit(run(source, keep))
