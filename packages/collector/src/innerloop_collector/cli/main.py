# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and the web server to be imported
"""The commands. May import: click, the rest of cli, terminal; heavier parts inside the commands that need them.

Data goes to stdout, talk to stderr. Exit status: 0 done, 1 failed with one line on stderr, 2 wrong usage.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from innerloop_collector import __version__
from innerloop_collector.errors import CollectorError, UsageError
from innerloop_collector.settings import Paths, data_directory, prepare

_data = click.option(
    "--data", metavar="DIR", help="Where the collector keeps its data (default: $INNERLOOP_COLLECTOR_DATA, else XDG's place)."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def main() -> NoReturn:
    """Run the command line; turn what a person can understand into one line."""
    try:
        commands(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except CollectorError as error:
        click.echo(f"innerloop-collector: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    sys.exit(0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="innerloop-collector")
def commands() -> None:
    """Receives, keeps and reports what innerloop measured, with consent."""


@commands.command()
@_data
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any free one.")
@click.option(
    "--project-file", "files", multiple=True, metavar="FILE", help="Apply this project file first and accept the write key in it."
)
def serve(data: str | None, host: str, port: int, files: tuple[str, ...]) -> None:
    """Run the service."""
    from innerloop_collector.app import serve as run_service
    from innerloop_collector.store.lock import Holder, acquire, in_use

    paths = _paths(data)
    held = acquire(paths.lock)
    if isinstance(held, Holder):
        raise in_use(paths.data, held)
    with held:
        run_service(paths, held, host, port, [Path(file) for file in files])


@commands.group()
def projects() -> None:
    """The projects whose events are accepted."""


@projects.command("apply")
@click.argument("file")
@_data
@click.option(
    "--min-active-weeks",
    type=click.IntRange(1, 52),
    help="Count developers from this many active weeks on (default: as before, at first 3).",
)
@_json
def apply_project(file: str, data: str | None, min_active_weeks: int | None, as_json: bool) -> None:
    """Register a version of a project file; events that waited for it are released."""
    answer = _call(data, "projects.apply", toml=_read(file), source=file, min_active_weeks=min_active_weeks)
    for key in answer["unknown_keys"]:
        click.echo(f"note: {file}: {key} is not known to this version and counts as off", err=True)
    if not answer["write_key_known"]:
        click.echo(f"note: the write key in {file} is not accepted yet; see: innerloop-collector keys create --help", err=True)
    _show(answer, as_json, _applied)


def _applied(answer: dict[str, Any]) -> str:
    what = "applied" if answer["changed"] else "unchanged"
    text = f"{answer['project']}: {what}, version {answer['version']}, digest {answer['digest'][:12]}, min_active_weeks {answer['min_active_weeks']}"
    if answer["released"] or answer["still_quarantined"]:
        text += f"\nquarantine: {answer['released']} released, {answer['still_quarantined']} still wait"
    return text


@projects.command("list")
@_data
@_json
def list_projects(data: str | None, as_json: bool) -> None:
    """List projects and their applied versions."""
    from innerloop_collector.terminal.tables import projects as table

    _show(_call(data, "projects.list"), as_json, table)


@commands.group()
def keys() -> None:
    """The write keys with which clients may send."""


@keys.command("create")
@click.argument("project")
@_data
@click.option("--secret-from", metavar="FILE", help="Accept an existing key or secret, read from FILE (- is stdin), instead of making one.")
def create_key(project: str, data: str | None, secret_from: str | None) -> None:
    """Make a write key and print it, once; only its hash is kept."""
    secret = _secret(secret_from) if secret_from else None
    answer = _call(data, "keys.create", project=project, secret=secret)
    click.echo(answer["key"])
    click.echo(f"write key {answer['id']} of {project}; put it into innerloop.toml as project.write_key. It is not shown again.", err=True)
    if answer["weak"]:
        click.echo("note: the secret is short enough to be guessed; leave out --secret-from to get a random one", err=True)


@keys.command("list")
@_data
@_json
def list_keys(data: str | None, as_json: bool) -> None:
    """List write keys by their ids."""
    from innerloop_collector.terminal.tables import keys as table

    _show(_call(data, "keys.list"), as_json, table)


@keys.command("revoke")
@click.argument("key")
@_data
def revoke_key(key: str, data: str | None) -> None:
    """Refuse a write key (given by its id) from now on."""
    answer = _call(data, "keys.revoke", key=key)
    click.echo(f"write key {answer['id']} of {answer['project']} is revoked")


@commands.group()
def quarantine() -> None:
    """Events that were set aside because they do not fit an applied plan."""


@quarantine.command("list")
@_data
@_json
def list_quarantine(data: str | None, as_json: bool) -> None:
    """Count what waits, by project, reason and field. Values are never shown."""
    from innerloop_collector.terminal.tables import quarantine as table

    _show(_call(data, "quarantine.list"), as_json, table)


@commands.command()
@click.argument("project")
@_data
@click.option("--weeks", type=int, help="How many whole calendar weeks before the current one (default 8).")
@_json
def report(project: str, data: str | None, weeks: int | None, as_json: bool) -> None:
    """Show the team's report of a project."""
    from innerloop_collector.terminal.report import render

    _show(_call(data, "report", project=project, weeks=weeks), as_json, render)


@commands.command()
@_data
@_json
def check(data: str | None, as_json: bool) -> None:
    """Say whether the collector is well. Exit status 1 when it is not."""
    from innerloop_collector.terminal.tables import check as table

    answer = _call(data, "check")
    _show(answer, as_json, table)
    if not answer["ok"]:
        raise CollectorError(f"the last events could not be written: {answer['last_write_failure']}; see the service's log and the disk")


@commands.command()
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


def _call(data: str | None, operation: str, **arguments: Any) -> dict[str, Any]:
    from innerloop_collector.cli.reach import call

    return call(_paths(data), operation, arguments)


def _paths(data: str | None) -> Paths:
    return prepare(data_directory(data, os.environ))


def _show(answer: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    click.echo(json.dumps(answer, indent=2) if as_json else text(answer), color=True)


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {file}: it is not UTF-8 text") from error


def _secret(source: str) -> str:
    text = (sys.stdin.read() if source == "-" else _read(source)).strip()
    if not text:
        raise UsageError(f"{source} holds no secret")
    return text
