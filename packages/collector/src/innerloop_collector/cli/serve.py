# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and the web server to be imported
"""`serve`: run the service. May import: click, shared; the service inside the command."""

import os
from pathlib import Path

import click

from innerloop_collector.cli.running_services import registered
from innerloop_collector.cli.shared import Place, local


@click.command()
@local
@click.option("--host", help="Address to listen on (default: server.host of the configuration, 127.0.0.1).")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes any free one (default: server.port of the configuration, 8080).",
)
@click.option(
    "--project-file", "files", multiple=True, metavar="FILE", help="Apply this project file first and accept the write key in it."
)
def serve(place: Place, host: str | None, port: int | None, files: tuple[str, ...]) -> None:
    """Run the service."""
    from innerloop_collector.config.data_lock import Holder, acquire, in_use
    from innerloop_collector.web.app import serve as run_service

    held = acquire(place.paths.lock)
    if isinstance(held, Holder):
        raise in_use(place.paths.data, held)
    server = place.configuration.server
    address = (server.host if host is None else host, server.port if port is None else port)
    with held, registered(place.paths.data, os.environ):
        run_service(place.paths, place.configuration, held, address, [Path(file) for file in files])
