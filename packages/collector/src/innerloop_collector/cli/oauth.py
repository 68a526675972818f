# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`keys oauth`: the public keys of programs that fetch tokens. May import: click, shared, terminal."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, read, say, show


@click.group()
def oauth() -> None:
    """The public keys with which SDKs fetch tokens."""


@oauth.command("add")
@click.argument("project")
@located
@click.option("--public-key", "file", metavar="FILE", required=True, help="The public half of an RSA key, as PEM.")
@as_json
def add_key(place: Place, project: str, file: str, as_json: bool) -> None:
    """Accept tokens' requests that the private half of a key signed."""
    answer = call(place, "oauth.add", project=project, public_key=read(file))
    show(answer, as_json, lambda key: f"client id {key['project']}, key id {key['id']}")
    if not place.configuration.ingest.oauth_audience:
        say("note: no tokens are given until oauth_audience is set in [ingest] of the service's configuration", err=True)


@oauth.command("list")
@located
@as_json
def list_keys(place: Place, as_json: bool) -> None:
    """List public keys by their ids."""
    from innerloop_collector.terminal.tables import oauth_keys as table

    show(call(place, "oauth.list"), as_json, table)


@oauth.command("revoke")
@click.argument("key")
@located
def revoke_key(place: Place, key: str) -> None:
    """Refuse a public key (given by its id), and every token that was given for it, from now on."""
    answer = call(place, "oauth.revoke", key=key)
    say(f"public key {answer['id']} of {answer['project']} is revoked, and so are its tokens")
