# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`keys`: the write keys with which clients may send. May import: click, shared, terminal."""

import sys
from operator import itemgetter

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, read, say, show
from innerloop_collector.errors import UsageError


@click.group()
def keys() -> None:
    """The write keys with which clients may send."""


@keys.command("create")
@click.argument("project")
@located
@click.option("--secret-from", metavar="FILE", help="Accept an existing key or secret, read from FILE (- is stdin), instead of making one.")
@as_json
def create_key(place: Place, project: str, secret_from: str | None, as_json: bool) -> None:
    """Make a write key and print it, once; only its hash is kept."""
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
    """Make a write key and print it; the ones that the project has end at a date."""
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
    """Refuse a write key (given by its id) from now on."""
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
