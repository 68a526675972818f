"""`config`: what is set, and whether it can be. May import: click, shared, configuration."""

import json
import os
from typing import Any

import click

from innerloop_collector.cli.shared import as_json
from innerloop_collector.configuration import FILE_VARIABLE, Configuration, load, shown

_file = click.option("--config", "file", metavar="FILE", help="The configuration file (default: $INNERLOOP_COLLECTOR_CONFIG, else none).")


@click.group()
def config() -> None:
    """The configuration: one file and the environment."""


@config.command("check")
@_file
def check_config(file: str | None) -> None:
    """Read the configuration as the service would. Exit status 1 with one line where it cannot be."""
    load(file, os.environ)
    click.echo(f"{file or os.environ.get(FILE_VARIABLE) or 'the environment'}: well")


@config.command("show")
@_file
@as_json
def show_config(file: str | None, as_json: bool) -> None:
    """Print every setting and its value; what is not the default is marked. Secrets are not shown."""
    document = shown(load(file, os.environ))
    click.echo(json.dumps(document, indent=2) if as_json else _text(document, shown(Configuration())))


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
