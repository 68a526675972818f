# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`tokens`: with which people read and operate. May import: click, shared, terminal."""

from operator import itemgetter

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, say, show


@click.group()
def tokens() -> None:
    """The tokens with which people read and operate."""


@tokens.command("create")
@located
@click.option(
    "--role",
    required=True,
    type=click.Choice(["viewer", "analyst", "admin"]),
    help="viewer: reports; analyst: also what waits in quarantine, impact and exports; admin: everything.",
)
@click.option("--project", "projects", multiple=True, metavar="ID", help="Only this project; may be repeated (default: all).")
@click.option(
    "--expires", "days", default=365, show_default=True, type=click.IntRange(1, 3650), metavar="DAYS", help="How long it is good."
)
@click.option("--label", required=True, metavar="TEXT", help="What it is for; shown in the list.")
@as_json
def create_token(place: Place, role: str, projects: tuple[str, ...], days: int, label: str, as_json: bool) -> None:
    """Make a token and print it, once; only its hash is kept."""
    answer = call(place, "tokens.create", role=role, label=label, days=days, projects=list(projects))
    show(answer, as_json, itemgetter("token"))
    whose = ", ".join(answer["projects"]) or "all projects"
    say(f"token {answer['id']}: {role} of {whose}, good up to and including {answer['expires']}. It is not shown again.", err=True)


@tokens.command("list")
@located
@as_json
def list_tokens(place: Place, as_json: bool) -> None:
    """List tokens by their ids."""
    from innerloop_collector.terminal.tables import tokens as table

    show(call(place, "tokens.list"), as_json, table)


@tokens.command("revoke")
@click.argument("token")
@located
def revoke_token(place: Place, token: str) -> None:
    """Refuse a token (given by its id) from now on, and end its sessions."""
    answer = call(place, "tokens.revoke", token=token)
    say(f"token {answer['id']} is revoked")
