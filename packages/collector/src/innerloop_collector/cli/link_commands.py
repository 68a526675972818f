# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`links`: share one page with people who have no token."""

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, say, show


@click.group()
def links() -> None:
    """Manage read-only links: each opens one page, with its filters as they are, and nothing else."""


@links.command("create")
@click.argument("page", metavar="PAGE")
@located
@click.option(
    "--expires", "days", default=30, show_default=True, type=click.IntRange(1, 365), metavar="DAYS", help="How long it opens the page."
)
@click.option("--label", default="", metavar="TEXT", help="Whom it is for; shown in the list.")
@as_json
def create_link(place: Place, page: str, days: int, label: str, as_json: bool) -> None:
    """Create a link to PAGE and print it, once; only its hash is kept. PAGE is the page's address, such as /p/shop/changes/cache, or with the collector's host."""
    answer = call(place, "links.create", page=page, label=label, days=days)
    where = place.elsewhere.url if place.elsewhere else _base(page)
    show({**answer, "link": where + answer["path"]}, as_json, lambda one: str(one["link"]))
    say(
        f"link {answer['id']} opens {answer['page']} up to and including {answer['expires']}, for whoever has it. It is not shown again.",
        err=True,
    )
    if not where:
        say("put the collector's address before it, such as https://innerloop.example.org", err=True)


def _base(page: str) -> str:
    """The collector that an address names."""
    scheme, there, rest = page.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if there else ""


@links.command("list")
@located
@as_json
def list_links(place: Place, as_json: bool) -> None:
    """List links by their ids."""
    from innerloop_collector.terminal.tables import links as table

    show(call(place, "links.list"), as_json, table)


@links.command("revoke")
@click.argument("link")
@located
def revoke_link(place: Place, link: str) -> None:
    """Refuse a link, named by its id, from now on."""
    answer = call(place, "links.revoke", link=link)
    say(f"link {answer['id']} to {answer['page']} is revoked")
