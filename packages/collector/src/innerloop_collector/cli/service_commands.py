# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and the web server to be imported
"""`serve`: run the service."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from innerloop_collector.cli.engine_extra import refuse_without_engine
from innerloop_collector.cli.running_services import registered
from innerloop_collector.cli.shared import Place, as_json, call, local, located, say, show
from innerloop_collector.errors import CollectorError


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
@click.option(
    "--sign-in-link",
    is_flag=True,
    help="Print the link that signs an admin in once also where the output is no terminal. Whoever reads the output may use it.",
)
def serve(place: Place, host: str | None, port: int | None, files: tuple[str, ...], *, sign_in_link: bool) -> None:
    """Run the service."""
    from innerloop_collector.composition.service import serve as run_service
    from innerloop_collector.config.data_lock import Holder, acquire, in_use

    held = acquire(place.paths.lock)
    if isinstance(held, Holder):
        raise in_use(place.paths.data, held)
    server = place.configuration.server
    address = (server.host if host is None else host, server.port if port is None else port)
    with held, registered(place.paths.data, os.environ):
        run_service(place.paths, place.configuration, held, address, [Path(file) for file in files], sign_in_link=sign_in_link)


@click.command()
@located
@as_json
def check(place: Place, as_json: bool) -> None:
    """Check whether the collector is well. Exit status 1 and one line for each thing that is wrong."""
    from innerloop_collector.terminal.tables import check as table

    answer = call(place, "check")
    show(answer, as_json, table)
    if not answer["ok"]:
        raise CollectorError("\ninnerloop-collector: ".join(one["text"] for one in answer["findings"] if not one["note"]))


@click.command()
@click.option("--source", metavar="PATH", help="Build this instead of the source that comes with the demo.")
@click.option("--keep", metavar="DIR", help="Keep everything in DIR.")
@click.option("--team", is_flag=True, help="A year of a simulated team instead, in a store that is thrown away.")
@click.option("--seed", type=click.IntRange(0), help="With --team: another team (default: 1).")
@click.option("--developers", type=click.IntRange(6, 2_000), help="With --team: how many (default: 80).")
@click.option("--weeks", type=click.IntRange(2, 104), help="With --team: how many, up to the newest that is over (default: 52).")
@click.option("--ending", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="With --team: as if this day were today.")
@click.option("--json", "as_json", is_flag=True, help="With --team: print what was made as JSON; talk goes to stderr.")
def demo(source: str | None, keep: str | None, **of_a_team: Any) -> None:
    """Try everything: collector, real builds and reports, without an account or a network."""
    refuse_without_engine()
    given = {name: value for name, value in of_a_team.items() if value not in (None, False)}
    if given and not given.pop("team", False):
        raise click.UsageError("--seed, --developers, --weeks, --ending and --json go with --team")
    try:
        from innerloop_collector.demo.main import run
        from innerloop_collector.demo.team.main import Options
        from innerloop_collector.demo.team.main import run as run_team
    except ImportError as error:
        raise CollectorError(
            f"the demo is not part of this installation ({error}); see the README for how to run it from a clone"
        ) from error
    if not of_a_team["team"]:
        sys.exit(run(source, keep))
    if source:
        raise click.UsageError("--source is for the demo without --team: nothing is built")
    if "ending" in given:
        given["ending"] = given["ending"].date()
    sys.exit(run_team(Options(keep=keep, **given)))


@click.group()
def destinations() -> None:
    """Manage where events are forwarded to, as the configuration says and the project files allow."""


@destinations.command()
@located
@as_json
def status(place: Place, as_json: bool) -> None:
    """Show how far each destination is, and its last error."""
    from innerloop_collector.terminal.tables import status as table

    show(call(place, "destinations.status"), as_json, table)


@destinations.command("set-aside")
@click.argument("name")
@located
@as_json
def set_aside(place: Place, name: str, as_json: bool) -> None:
    """List the events that a destination does not take. Values are never shown."""
    from innerloop_collector.terminal.tables import set_aside as table

    show(call(place, "destinations.set_aside", destination=name), as_json, table)


@destinations.command()
@click.argument("name")
@located
def pause(place: Place, name: str) -> None:
    """Send nothing more to a destination, also after a restart. Nothing is lost: `resume` continues from there."""
    call(place, "destinations.pause", destination=name)
    say(f"{name} is paused; go on with: innerloop-collector destinations resume {name}")


@destinations.command()
@click.argument("name")
@located
def resume(place: Place, name: str) -> None:
    """Continue with a destination that was paused, or that waits after a failure."""
    answer = call(place, "destinations.resume", destination=name)
    say(f"{name} goes on, {answer['behind_events']} events behind")


@destinations.command()
@click.argument("name")
@located
def retry(place: Place, name: str) -> None:
    """Try again the events that a destination did not take."""
    answer = call(place, "destinations.retry", destination=name)
    say(f"{answer['events']} events are tried again")
