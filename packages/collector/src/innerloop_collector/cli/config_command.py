# ruff: noqa: PLC0415 - `--help` and `config show` need not wait for the service to be imported
"""`config`: what is set, and whether it can be."""

import json
import os
from typing import Any

import click
import msgspec

from innerloop_collector.cli.shared import as_json, as_text, say
from innerloop_collector.config.configuration import NAMED, Configuration, shown
from innerloop_collector.config.loading import FILE_VARIABLE, load
from innerloop_collector.errors import UsageError

_file = click.option("--config", "file", metavar="FILE", help="The configuration file (default: $INNERLOOP_COLLECTOR_CONFIG, else none).")


@click.group()
def config() -> None:
    """Check or show the configuration: one file and the environment."""


@config.command("check")
@_file
@as_json
def check_config(file: str | None, as_json: bool) -> None:
    """Read the configuration, and the files that it names, as the service would. Exit status 1 with one line if it would not start."""
    from innerloop_collector.composition.trial import try_out

    configuration = load(file, os.environ)
    source = file or os.environ.get(FILE_VARIABLE) or "the environment"
    try:
        notes = try_out(configuration)
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error
    for note in notes:
        say(f"note: {source}: {note}", err=True)
    say(as_text({"configuration": source, "ok": True, "notes": notes}) if as_json else f"{source}: well")


@config.command("show")
@_file
@as_json
def show_config(file: str | None, as_json: bool) -> None:
    """Print every setting and its value, and mark what was set. Secrets are not shown."""
    document = shown(load(file, os.environ))
    say(as_text(document) if as_json else _text(document, _usual(document)))


def _usual(document: dict[str, Any]) -> dict[str, Any]:
    """The defaults, by the dotted name of each table."""
    usual = shown(Configuration())
    for table, struct in NAMED.items():
        for name, keys in document[table].items():
            defaults = msgspec.to_builtins(struct(kind=keys["kind"]))
            usual[f"{table}.{name}"] = {key: value for key, value in defaults.items() if key != "kind"}
    return usual


def _text(document: dict[str, Any], usual: dict[str, Any]) -> str:
    tables = [f"[{name}]\n" + "\n".join(_lines(table, usual.get(name, {}))) for name, table in _tables(document)]
    return "\n\n".join(tables)


def _tables(document: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every table that holds values, by its dotted name."""
    found = []
    for name, value in document.items():
        if isinstance(value, dict):
            if any(not isinstance(one, dict) for one in value.values()):
                found.append((prefix + name, value))
            found += _tables(value, f"{prefix}{name}.")
    return found


def _lines(table: dict[str, Any], usual: dict[str, Any]) -> list[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, dict)}
    return [f"{key} = {json.dumps(value)}" + ("" if usual.get(key) == value else "  # set") for key, value in values.items()]
