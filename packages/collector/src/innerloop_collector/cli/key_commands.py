# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`keys`: the write keys with which clients may send."""

import sys
from operator import itemgetter

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, read, say, show
from innerloop_collector.errors import UsageError


@click.group()
def keys() -> None:
    """Manage the write keys with which clients send."""


@keys.command("create")
@click.argument("project")
@located
@click.option("--secret-from", metavar="FILE", help="Accept an existing key or secret, read from FILE (- is stdin), instead of making one.")
@as_json
def create_key(place: Place, project: str, secret_from: str | None, as_json: bool) -> None:
    """Create a write key and print it, once; only its hash is kept."""
    secret = _secret(secret_from) if secret_from else None
    answer = call(place, "keys.create", project=project, secret=secret)
    show(answer, as_json, itemgetter("key"))
    say(f"write key {answer['id']} of {project}; put it into innerloop.toml as project.write_key. It is not shown again.", err=True)
    if answer["weak"]:
        say("note: the secret is short enough to be guessed; leave out --secret-from to get a random one", err=True)


@keys.command("rotate")
@click.argument("project")
@located
@as_json
@click.option(
    "--overlap",
    default=30,
    show_default=True,
    type=click.IntRange(1, 365),
    metavar="DAYS",
    help="How many days the project's other keys are accepted beside the new one.",
)
def rotate_key(place: Place, project: str, overlap: int, as_json: bool) -> None:
    """Create a write key and print it; the project's other keys end at a date."""
    answer = call(place, "keys.rotate", project=project, overlap=overlap)
    show(answer, as_json, itemgetter("key"))
    say(f"write key {answer['id']} of {project}; put it into innerloop.toml as project.write_key. It is not shown again.", err=True)
    for old in answer["ending"]:
        say(f"write key {old['id']} is accepted up to and including {old['ends']}", err=True)


@keys.command("list")
@located
@as_json
def list_keys(place: Place, as_json: bool) -> None:
    """List write keys by their ids."""
    from innerloop_collector.terminal.tables import keys as table

    show(call(place, "keys.list"), as_json, table)


@keys.command("revoke")
@click.argument("key")
@located
def revoke_key(place: Place, key: str) -> None:
    """Refuse a write key, named by its id, from now on."""
    answer = call(place, "keys.revoke", key=key)
    say(f"write key {answer['id']} of {answer['project']} is revoked")
    if not answer["left"]:
        again = f"innerloop-collector keys create {answer['project']}"
        say(f"note: {answer['project']} has no key left, so nothing of it is accepted; make one: {again}", err=True)


def _secret(source: str) -> str:
    text = (sys.stdin.read() if source == "-" else read(source)).strip()
    if not text:
        raise UsageError(f"{source} holds no secret")
    return text


@click.group()
def oauth() -> None:
    """Manage the public keys with which SDKs fetch tokens."""


@oauth.command("add")
@click.argument("project")
@located
@click.option("--public-key", "file", metavar="FILE", required=True, help="The public half of an RSA key, as PEM.")
@as_json
def add_key(place: Place, project: str, file: str, as_json: bool) -> None:
    """Accept requests for tokens that the private half of a key signed."""
    answer = call(place, "oauth.add", project=project, public_key=read(file))
    show(answer, as_json, lambda key: f"client id {key['project']}, key id {key['id']}")
    if not place.configuration.ingest.oauth_audience:
        say("note: no tokens are given until oauth_audience is set in [ingest] of the service's configuration", err=True)


@oauth.command("list")
@located
@as_json
def list_public_keys(place: Place, as_json: bool) -> None:
    """List public keys by their ids."""
    from innerloop_collector.terminal.tables import oauth_keys as table

    show(call(place, "oauth.list"), as_json, table)


@oauth.command("revoke")
@click.argument("key")
@located
def revoke_public_key(place: Place, key: str) -> None:
    """Refuse a public key, named by its id, and every token that was issued for it, from now on."""
    answer = call(place, "oauth.revoke", key=key)
    say(f"public key {answer['id']} of {answer['project']} is revoked, and so are its tokens")


@click.group()
def tokens() -> None:
    """Manage the tokens with which people read and operate."""


@tokens.command("create")
@located
@click.option(
    "--role",
    required=True,
    type=click.Choice(["viewer", "analyst", "changes", "admin"]),
    help="viewer: what was published, such as reports, impact, alerts; analyst: the same; changes: registers changes and nothing else; admin: everything.",
)
@click.option("--project", "projects", multiple=True, metavar="ID", help="Limit it to this project; repeatable (default: all).")
@click.option(
    "--expires", "days", default=365, show_default=True, type=click.IntRange(1, 3650), metavar="DAYS", help="How long it is valid."
)
@click.option("--label", required=True, metavar="TEXT", help="What it is for; shown in the list.")
@as_json
def create_token(place: Place, role: str, projects: tuple[str, ...], days: int, label: str, as_json: bool) -> None:
    """Create a token and print it, once; only its hash is kept."""
    answer = call(place, "tokens.create", role=role, label=label, days=days, projects=list(projects))
    show(answer, as_json, itemgetter("token"))
    whose = ", ".join(answer["projects"]) or "all projects"
    say(f"token {answer['id']}: {role} of {whose}, valid up to and including {answer['expires']}. It is not shown again.", err=True)


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
    """Refuse a token, named by its id, from now on, and end its sessions."""
    answer = call(place, "tokens.revoke", token=token)
    say(f"token {answer['id']} is revoked")
