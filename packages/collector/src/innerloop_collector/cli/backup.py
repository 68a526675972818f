# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and what draws tables to be imported
"""`backup`, `backups` and `restore`. May import: click, shared, restore, the store's lock, terminal."""

from pathlib import Path

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show, unmade
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.data_lock import held_or_undone


@click.command()
@click.argument("directory", metavar="DIR")
@located
@click.option("--without-secret", is_flag=True, help="Leave out the key of the keyed hashes; restoring then needs it from elsewhere.")
@as_json
def backup(place: Place, directory: str, without_secret: bool, as_json: bool) -> None:
    """Back up the store into DIR, a new directory, also while the service runs."""
    from innerloop_collector.terminal.backup import made

    show(call(place, "backup.make", directory=str(Path(directory).absolute()), with_secret=not without_secret), as_json, made)


@click.group()
def backups() -> None:
    """The backups that were made. What is erased or past its time goes from those within reach as well."""


@backups.command("list")
@located
@as_json
def list_backups(place: Place, as_json: bool) -> None:
    """List the backups that were made and not said to be gone."""
    from innerloop_collector.terminal.backup import known

    show(call(place, "backup.list"), as_json, known)


@backups.command("gone")
@click.argument("directory", metavar="DIR")
@located
@as_json
def backup_gone(place: Place, directory: str, as_json: bool) -> None:
    """Say that the backup in DIR and every copy of it is deleted, so that receipts need not speak of it."""
    from innerloop_collector.terminal.backup import known

    show(call(place, "backup.gone", directory=str(Path(directory).absolute())), as_json, known)


@click.command()
@click.argument("directory", metavar="DIR")
@unmade
@click.option(
    "--erasures", "journals", multiple=True, metavar="FILE", help="A journal of erasures (erasures.log) that may know newer ones."
)
@click.option(
    "--without-journal",
    "without",
    multiple=True,
    metavar="FILE",
    help="A journal that would be read and is lost: the backup's, or a configured one.",
)
@click.option("--secret-from", metavar="FILE", help="The key of the keyed hashes, where the backup was made without.")
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
    """Put the backup in DIR back into an empty data directory. What was erased since stays erased."""
    from innerloop_collector.cli.connection import log_to_stderr
    from innerloop_collector.lifecycle.restore import Given
    from innerloop_collector.lifecycle.restore import restore as put_back
    from innerloop_collector.terminal.backup import restored

    log_to_stderr()
    secret = Path(secret_from) if secret_from else None
    given = Given([Path(name) for name in journals], [Path(name) for name in without], secret)
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
