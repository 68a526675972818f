# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and what draws tables to be imported
"""`backup`, `backups` and `restore`."""

import sys
from pathlib import Path

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, read, say, show, unmade
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.data_lock import held_or_undone
from innerloop_collector.errors import UsageError


@click.command()
@click.argument("directory", metavar="DIR")
@located
@click.option("--without-secret", is_flag=True, help="Leave out the key of the keyed hashes; restoring then needs it from elsewhere.")
@as_json
def backup(place: Place, directory: str, without_secret: bool, as_json: bool) -> None:
    """Back up the store into DIR, a new directory, also while the service runs."""
    from innerloop_collector.terminal.tables import made

    show(call(place, "backup.make", directory=str(Path(directory).absolute()), with_secret=not without_secret), as_json, made)


@click.group()
def backups() -> None:
    """Manage the list of backups. What is erased or past its time is removed from those within reach as well."""


@backups.command("list")
@located
@as_json
def list_backups(place: Place, as_json: bool) -> None:
    """List the backups that were made, without those recorded as gone."""
    from innerloop_collector.terminal.tables import known

    show(call(place, "backup.list"), as_json, known)


@backups.command("gone")
@click.argument("directory", metavar="DIR")
@located
@as_json
def backup_gone(place: Place, directory: str, as_json: bool) -> None:
    """Record that the backup in DIR and every copy of it is deleted, so that receipts need not mention it."""
    from innerloop_collector.terminal.tables import known

    show(call(place, "backup.gone", directory=str(Path(directory).absolute())), as_json, known)


@click.command()
@click.argument("directory", metavar="DIR")
@unmade
@click.option(
    "--erasures",
    "journals",
    multiple=True,
    metavar="FILE",
    help="Another journal of erasures (erasures.log), which may contain newer ones.",
)
@click.option(
    "--without-journal",
    "without",
    multiple=True,
    metavar="FILE",
    help="Restore without this journal, which is lost: the backup's, or a configured one.",
)
@click.option("--secret-from", metavar="FILE", help="The key of the keyed hashes, if the backup was made without it.")
@as_json
def restore(
    data: Path,
    configuration: Configuration,
    directory: str,
    journals: tuple[str, ...],
    without: tuple[str, ...],
    secret_from: str | None,
    as_json: bool,
) -> None:
    """Restore the backup in DIR into an empty data directory. What was erased since stays erased."""
    from innerloop_collector.cli.connection import log_to_stderr
    from innerloop_collector.composition.restored import restored as put_back
    from innerloop_collector.lifecycle.restore import RestoreOptions
    from innerloop_collector.terminal.tables import restored

    log_to_stderr()
    secret = Path(secret_from) if secret_from else None
    given = RestoreOptions([Path(name) for name in journals], [Path(name) for name in without], secret)
    with held_or_undone(data) as paths:
        done = put_back(paths, configuration, Path(directory), given)
    answer = {
        "directory": directory,
        "made": done.backup.made,
        "position": done.backup.position,
        "rows": done.backup.rows,
        "events": done.events,
        "erased_again": done.erased_since,
        "tokens_revoked": done.tokens_revoked,
        "keys_accepted": done.keys,
        "secret_checked": done.secret_checked,
    }
    show(answer, as_json, restored)


@click.command()
@click.argument("project")
@located
@click.option("--id-from", metavar="FILE", help="Read ids from FILE, one a line; - is stdin.")
@click.option("--id", "given", metavar="ID", help="An id. Others on this machine can see it in the list of processes: prefer --id-from.")
@as_json
def erase(place: Place, project: str, id_from: str | None, given: str | None, as_json: bool) -> None:
    """Erase everything under an id of PROJECT, without its secret, and do not store what arrives later."""
    from innerloop_collector.terminal.tables import receipt as text

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
    from innerloop_collector.terminal.tables import receipt as text

    show(call(place, "erasure.receipt", receipt=receipt), as_json, text)


@click.command()
@located
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and change nothing.")
@as_json
def retain(place: Place, dry_run: bool, as_json: bool) -> None:
    """Remove what reached the end of its retention. The service does this by itself every day."""
    from innerloop_collector.terminal.tables import swept

    show(call(place, "retention.sweep", dry_run=dry_run), as_json, swept)
