# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`changes`: dated interventions whose impact is asked for."""

from pathlib import PurePath
from typing import Any

import click

from innerloop_collector.cli.shared import Place, as_json, call, located, read, say, show
from innerloop_collector.errors import UsageError

_ENDING = ".toml"


@click.group()
def changes() -> None:
    """Register changes and see them: what came when, and what it affects."""


@changes.command("apply")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@located
@as_json
def apply_changes(place: Place, files: tuple[str, ...], as_json: bool) -> None:
    """Register the changes that files say, each named like its file: innerloop-changes/NAME.toml."""
    from innerloop_collector.admin.change_operations import read_change

    records = [(file, _name_of(file), read(file)) for file in files]
    for file, name, text in records:
        read_change(text, name, file)  # all of them, before the first one is registered
    answers = [call(place, "changes.apply", toml=text, name=name, source=file) for file, name, text in records]
    _registered({"changes": answers}, as_json)


def _name_of(file: str) -> str:
    name = PurePath(file).name
    if not name.endswith(_ENDING):
        raise UsageError(f"{file} is no record of a change; it is called NAME{_ENDING}, by the change's name")
    return name.removesuffix(_ENDING)


@changes.command("add")
@located
@click.option(
    "--project",
    "projects",
    multiple=True,
    required=True,
    metavar="ID",
    help="A project that it affects; repeatable, the first keeps the record.",
)
@click.option("--name", required=True, help="Its name: 1 to 40 characters of a-z 0-9 -.")
@click.option("--date", required=True, metavar="DAY", help="The day on which it came, or is to come: 2026-12-01.")
@click.option("--title", default="", metavar="TEXT", help="What it is, in a line (default: its name).")
@click.option("--kind", type=click.Choice(["docs", "course", "server", "code"]), help="What kind of change it is (default: code).")
@click.option(
    "--affects", multiple=True, metavar="NAME", help="A command or target that it affects; repeatable (default: all of these projects)."
)
@click.option("--controls", multiple=True, metavar="NAME", help="A command or target that it leaves as it was; repeatable.")
@click.option("--control-project", "control_projects", multiple=True, metavar="ID", help="A project that it did not reach; repeatable.")
@click.option(
    "--metric",
    type=click.Choice(["duration", "failures", "failed_checks", "usage", "adoption"]),
    help="What it is to alter (default: duration).",
)
@click.option(
    "--look",
    "looks",
    multiple=True,
    type=click.IntRange(1, 52),
    metavar="WEEKS",
    help="When to decide, in weeks after it; repeatable (default: 4).",
)
@click.option("--expect", default="", metavar="NUMBER", help='What its author expects: "-15 %", or "-5 pp" of failures and adoption.')
@click.option("--link", default="", metavar="URL", help="Where more is said.")
@click.option("--scan", is_flag=True, help="At each look, ask about everything else that is run in the first project as well.")
@click.option("--annotation", is_flag=True, help="Only draw it on charts.")
@as_json
def add_change(place: Place, as_json: bool, kind: str | None, annotation: bool, **says: Any) -> None:
    """Register a change in one line, such as in a deployment job."""
    if annotation and kind:
        raise UsageError("--annotation is a kind of its own; leave out --kind")
    given = {
        key: list(value) if isinstance(value, tuple) else value if isinstance(value, bool) else value or "" for key, value in says.items()
    }
    answer = call(place, "changes.add", kind="annotation" if annotation else kind or "", **given)
    _registered({"changes": [answer]}, as_json)


def _registered(answer: dict[str, Any], as_json: bool) -> None:
    from innerloop_collector.terminal.changes import registered

    show(answer, as_json, registered)
    for one in answer["changes"]:
        for note in (*one["notes"], *_at_once(one)):
            say(f"note: {one['name']}: {note}", err=True)


def _at_once(one: dict[str, Any]) -> list[str]:
    others = ", ".join(one["at_once"])
    return (
        [
            f"{others} came to the same commands in the weeks that are compared: what one did cannot be told from the other, and both verdicts say so"
        ]
        if others
        else []
    )


@changes.command("list")
@click.argument("project", required=False)
@located
@as_json
def list_changes(place: Place, project: str | None, as_json: bool) -> None:
    """List changes, the newest first."""
    from innerloop_collector.terminal.changes import table_of

    show(call(place, "changes.list", project=project), as_json, table_of)


@changes.command("show")
@click.argument("project")
@click.argument("name")
@located
@as_json
def show_change(place: Place, project: str, name: str, as_json: bool) -> None:
    """Show one change."""
    from innerloop_collector.terminal.changes import details

    show(call(place, "changes.show", project=project, name=name), as_json, details)


@changes.command("withdraw")
@click.argument("project")
@click.argument("name")
@located
@as_json
def withdraw_change(place: Place, project: str, name: str, as_json: bool) -> None:
    """Take a change back before anybody looked at what it did. It stays in the list, and its name is not used again."""
    show(call(place, "changes.withdraw", project=project, name=name), as_json, lambda one: f"{one['project']}/{one['name']} is withdrawn")
