# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`destinations`: where events are passed on to. May import: click, shared, terminal."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, say, show


@click.group()
def destinations() -> None:
    """Where events are passed on to, as the configuration says and the project files allow."""


@destinations.command()
@located
@as_json
def status(place: Place, as_json: bool) -> None:
    """Say how far each destination is, and what was wrong last."""
    from innerloop_collector.terminal.destinations import status as table

    show(call(place, "destinations.status"), as_json, table)


@destinations.command("set-aside")
@click.argument("name")
@located
@as_json
def set_aside(place: Place, name: str, as_json: bool) -> None:
    """List the events that a destination does not take. Values are never shown."""
    from innerloop_collector.terminal.destinations import set_aside as table

    show(call(place, "destinations.set_aside", destination=name), as_json, table)


@destinations.command()
@click.argument("name")
@located
def pause(place: Place, name: str) -> None:
    """Send nothing more to a destination, also after a restart. Nothing is lost: it goes on from there."""
    call(place, "destinations.pause", destination=name)
    say(f"{name} is paused; go on with: innerloop-collector destinations resume {name}")


@destinations.command()
@click.argument("name")
@located
def resume(place: Place, name: str) -> None:
    """Go on with a destination that was paused, or that waits after a failure."""
    answer = call(place, "destinations.resume", destination=name)
    say(f"{name} goes on, {answer['behind_events']} events behind")


@destinations.command()
@click.argument("name")
@located
def retry(place: Place, name: str) -> None:
    """Try the events once more that a destination did not take."""
    answer = call(place, "destinations.retry", destination=name)
    say(f"{answer['events']} events are tried again")
