# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and the web server to be imported
"""What all commands share: where the collector is, how it is asked, how answers are shown. May import: click, configuration, settings, reach.

Data goes to stdout, talk to stderr.
"""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from innerloop_collector.configuration import Configuration, load
from innerloop_collector.errors import UsageError
from innerloop_collector.settings import Paths, data_directory, prepare

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Place(NamedTuple):
    """Which collector a command is about."""

    paths: Paths
    configuration: Configuration


def located(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which collector it is about, as its first argument `place`."""

    @click.option(
        "--data", metavar="DIR", help="Where the collector keeps its data (default: $INNERLOOP_COLLECTOR_DATA, else XDG's place)."
    )
    @click.option("--config", metavar="FILE", help="The configuration file (default: $INNERLOOP_COLLECTOR_CONFIG, else none).")
    @functools.wraps(command)
    def with_place(*words: Any, data: str | None, config: str | None, **options: Any) -> None:
        configuration = load(config, os.environ)
        paths = prepare(data_directory(data, os.environ, configuration.server.data))
        command(Place(paths, configuration), *words, **options)

    return with_place


def call(place: Place, operation: str, **arguments: Any) -> dict[str, Any]:
    """Run an operation where it can be run."""
    from innerloop_collector.cli import reach

    return reach.call(place.paths, place.configuration, operation, arguments)


def show(answer: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    """Print an answer."""
    click.echo(json.dumps(answer, indent=2) if as_json else text(answer), color=True)


def read(file: str) -> str:
    """Read a text that an argument names."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {file}: it is not UTF-8 text") from error
