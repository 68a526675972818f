# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`notifications`: what people are told by themselves, and whether it reaches them."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, show


@click.group()
def notifications() -> None:
    """See to what people are told by themselves: confirmed alerts, and a weekly digest."""


@notifications.command("status")
@located
@as_json
def channel_status(place: Place, as_json: bool) -> None:
    """Show how each channel is doing, how much waits for it, and its last error."""
    from innerloop_collector.terminal.notification_text import status

    show(call(place, "notifications.status"), as_json, status)


@notifications.command("test")
@click.argument("channel")
@located
@as_json
def send_test(place: Place, channel: str, as_json: bool) -> None:
    """Send CHANNEL a notice that says that it is a test, now. Exit status 1 if the channel does not take it."""
    show(call(place, "notifications.test", channel=channel), as_json, lambda one: f"{one['channel']} took the test ({one['id']})")


@notifications.command("digest")
@click.argument("project", required=False)
@located
@as_json
def digest(place: Place, project: str | None, as_json: bool) -> None:
    """Show what the digest of the last week says of PROJECT (default: of all that you may see). Nothing is sent."""
    from innerloop_collector.terminal.notification_text import render

    show(call(place, "digest", project=project), as_json, render)
