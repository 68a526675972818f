# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`erase` and `receipt`: what is known of an id goes. May import: click, shared, terminal, errors."""

import sys

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, read, say, show
from innerloop_collector.errors import UsageError


@click.command()
@click.argument("project")
@located
@click.option("--id-from", metavar="FILE", help="Read ids from FILE, one a line; - is stdin.")
@click.option("--id", "given", metavar="ID", help="An id. Others on this machine can see it in the list of processes: prefer --id-from.")
@as_json
def erase(place: Place, project: str, id_from: str | None, given: str | None, as_json: bool) -> None:
    """Erase everything under an id of PROJECT, without its secret, and keep what arrives later out."""
    from innerloop_collector.terminal.erasure import receipt as text

    if (given is None) == (id_from is None):
        raise click.UsageError("say whose records: either --id-from FILE (- is stdin) or --id ID")
    ids = [given] if given is not None else _ids(id_from or "-")
    answer = call(place, "erasure.erase", project=project, ids=ids)
    show(answer, as_json, text)
    if not answer["events"]:
        say(f"note: nothing was kept of {project} under what was given; see whether it is written right, or was erased before", err=True)


def _ids(source: str) -> list[str]:
    text = sys.stdin.read() if source == "-" else read(source)
    ids = [line.strip() for line in text.splitlines() if line.strip()]
    if not ids:
        raise UsageError(f"{'stdin' if source == '-' else source} holds no id")
    return ids


@click.command()
@click.argument("receipt")
@located
@as_json
def receipt(place: Place, receipt: str, as_json: bool) -> None:
    """Show what the receipt of an erasure stands for."""
    from innerloop_collector.terminal.erasure import receipt as text

    show(call(place, "erasure.receipt", receipt=receipt), as_json, text)
