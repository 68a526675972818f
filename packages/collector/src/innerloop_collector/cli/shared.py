# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and the web server to be imported
"""What all commands share: where the collector is, how it is asked, how answers are shown.

Data goes to stdout, talk to stderr.
"""

import functools
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from innerloop_collector.cli.engine_extra import refuse_without_engine
from innerloop_collector.cli.remote import URL_VARIABLE, Remote, remote
from innerloop_collector.cli.running_services import others
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.data_lock import holder
from innerloop_collector.config.files import read_text
from innerloop_collector.config.loading import load
from innerloop_collector.config.paths import Paths, data_directory, prepare, unusable
from innerloop_collector.errors import CollectorError, UsageError
from innerloop_collector.terminal.escaping import cleaned, lines
from innerloop_collector.terminal.pager import paged

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_data = click.option(
    "--data", metavar="DIR", help="Where the collector keeps its data (default: $INNERLOOP_COLLECTOR_DATA, else the XDG data directory)."
)
_config = click.option("--config", metavar="FILE", help="The configuration file (default: $INNERLOOP_COLLECTOR_CONFIG, else none).")


class Place(NamedTuple):
    """Which collector a command is about: the one on this machine, or one elsewhere."""

    here: Paths | None
    configuration: Configuration
    elsewhere: Remote | None = None

    @property
    def paths(self) -> Paths:
        """Where the one on this machine keeps things. For commands that are `local`."""
        assert self.here is not None
        return self.here


def local(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which collector of this machine it is about, as its first argument `place`."""

    @_data
    @_config
    @functools.wraps(command)
    def with_place(*words: Any, data: str | None, config: str | None, **options: Any) -> None:
        command(_here(data, load(config, os.environ), make=True), *words, **options)

    return with_place


def unmade(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where a collector of this machine is to be, as its first arguments `data` and `configuration`. Nothing is made."""

    @_data
    @_config
    @functools.wraps(command)
    def with_directory(*words: Any, data: str | None, config: str | None, **options: Any) -> None:
        refuse_without_engine()
        configuration = load(config, os.environ)
        _quiet()
        command(data_directory(data, os.environ, configuration.server.data), configuration, *words, **options)

    return with_directory


def located(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which collector it is about, here or elsewhere, as its first argument `place`. There must be one."""
    return _located(command, make=False)


def founding(command: Callable[..., None]) -> Callable[..., None]:
    """Do as `located` for a command that may be the first on a collector: where there is no store, it makes one."""
    return _located(command, make=True)


def sometimes_located(command: Callable[..., None]) -> Callable[..., None]:
    """Do as `located` for a command that needs a collector only sometimes: its first argument says which, when it is called, and then there must be one."""
    return _located(command, make=False, later=True)


def _located(command: Callable[..., None], *, make: bool, later: bool = False) -> Callable[..., None]:

    @_data
    @_config
    @click.option("--url", metavar="URL", help="Ask the collector at URL instead (default: $INNERLOOP_COLLECTOR_URL, else the one here).")
    @click.option("--token-file", metavar="FILE", help="The token for that collector (default: $INNERLOOP_COLLECTOR_TOKEN).")
    @functools.wraps(command)
    def with_place(*words: Any, data: str | None, config: str | None, url: str | None, token_file: str | None, **options: Any) -> None:
        find = functools.partial(_place, data, config, url, token_file, make=make)
        command(find if later else find(), *words, **options)

    return with_place


def _place(data: str | None, config: str | None, url: str | None, token_file: str | None, *, make: bool) -> Place:
    configuration = load(config, os.environ)
    # An option is nearer than a variable: --data means the collector here, also where a variable names one elsewhere.
    elsewhere = url or (None if data else os.environ.get(URL_VARIABLE))
    if not elsewhere and token_file:
        raise UsageError("--token-file is for a collector elsewhere; name it with --url")
    if elsewhere:
        return Place(None, configuration, remote(elsewhere, token_file, os.environ))
    return _here(data, configuration, make=make)


def _here(data: str | None, configuration: Configuration, *, make: bool) -> Place:
    """The collector of this machine. Raises UsageError where there is none, which mostly is a directory that was mistyped or left out."""
    refuse_without_engine()
    directory = data_directory(data, os.environ, configuration.server.data)
    what = "secret for the store of store.url" if configuration.store.url else "store"
    if not (make or _has_begun(Paths(directory), embedded=not configuration.store.url)):
        raise UsageError(
            f"there is no {what} in {directory}; name the collector's data directory with --data DIR, or make a store with serve or projects apply"
        )
    _quiet()
    return Place(prepare(directory), configuration)


def _has_begun(paths: Paths, *, embedded: bool) -> bool:
    """Tell whether a collector was here before. Raises UsageError where nobody lets us look."""
    try:
        return paths.secret.exists() or (embedded and paths.store.exists())
    except OSError as error:
        raise unusable(paths.data, error) from error


def _quiet() -> None:
    """Log nothing: what a command has to say it says itself. The service sets its log up later."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def call(place: Place, operation: str, **arguments: Any) -> dict[str, Any]:
    """Run an operation where it can be run."""
    from innerloop_collector.cli import connection

    if place.elsewhere:
        return connection.call_remote(place.elsewhere, operation, arguments)
    answer = connection.call(place.paths, place.configuration, operation, arguments)
    _say_which(place.paths.data)
    return answer


def _say_which(data: Path) -> None:
    """Name the data directory where it may not be the one that was meant: another service of this user runs, and none on this."""
    if holder(Paths(data).lock):
        return
    for running in others(data, os.environ):
        say(
            f"note: this was done in {data}, and a service of yours runs on {running.data} ({running.url}); for that one say --data {running.data}",
            err=True,
        )


def show(answer: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    """Print an answer. Raises CollectorError for one that another version, or no collector, gave."""
    try:
        shown = as_text(answer) if as_json else text(_printable(answer))
    except msgspec.ValidationError as error:
        raise CollectorError(
            f"the answer is not what this version reads ({error}); check the address, and use the same version at both ends"
        ) from error
    if not paged(shown):
        click.echo(shown, color=True)


def as_text(answer: Any) -> str:
    """An answer as JSON in ASCII, in which what a terminal would obey is escaped."""
    return json.dumps(answer, indent=2).replace("\x7f", "\\u007f")


def say(text: str, *, err: bool = False) -> None:
    """Print what a command has to say, on as many lines as it has."""
    click.echo(lines(text), err=err)


def _printable(answer: dict[str, Any]) -> dict[str, Any]:
    """Make every text of an answer printable, in its place: what is missing in it still says so itself."""
    for name, value in answer.items():
        answer[name] = cleaned(value)
    return answer


def read(file: str) -> str:
    """Read a text that an argument names."""
    return read_text(Path(file))
