# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what draws tables to be imported
"""`projects`: the projects whose events are accepted."""

from typing import Any

import click

from innerloop_collector.cli.shared import Place, as_json, call, founding, located, read, say, show

_MOST_NAMED = 10  # unknown keys; the file may be somebody else's


@click.group()
def projects() -> None:
    """Manage the projects whose events are accepted."""


@projects.command("apply")
@click.argument("file")
@founding
@click.option(
    "--min-active-weeks",
    type=click.IntRange(1, 52),
    help="Count developers with at least this many active weeks (default: as before, at first 3).",
)
@click.option(
    "--k",
    type=click.IntRange(5, 1_000),
    help="Publish numbers to which at least this many developers add (default: as before, at first 5).",
)
@click.option(
    "--headcount",
    type=click.IntRange(1, 10_000_000),
    help="How many developers there are: at most so many count and may be new in a day, and reports name the share that takes part.",
)
@as_json
def apply_project(place: Place, file: str, min_active_weeks: int | None, k: int | None, headcount: int | None, as_json: bool) -> None:
    """Register a version of a project file, and release events that waited for it."""
    from innerloop_collector.admin.project_operations import read_project

    text = read(file)
    if place.here is not None:
        read_project(text, file)  # before a store is made for it
    new = place.here is not None and not place.configuration.store.url and not place.here.store.exists()
    answer = call(place, "projects.apply", toml=text, source=file, min_active_weeks=min_active_weeks, k=k, headcount=headcount)
    if new:
        say(f"note: a new store was made in {place.paths.data}", err=True)
    unknown = answer["unknown_keys"]
    for key in unknown[:_MOST_NAMED]:
        say(f"note: {file}: {key[:80]} is not known to this version and counts as off", err=True)
    if len(unknown) > _MOST_NAMED:
        say(f"note: {file}: {len(unknown) - _MOST_NAMED} more keys are not known either", err=True)
    if not answer["write_key_known"]:
        say(f"note: the write key in {file} is not accepted yet; see: innerloop-collector keys create --help", err=True)
    if answer["beyond_headcount"]:
        say(
            f"note: more developers are there than the headcount of {answer['headcount']}, and no more of them count; say how many there are",
            err=True,
        )
    show(answer, as_json, lambda answer: _applied(answer, place))


def _applied(answer: dict[str, Any], place: Place) -> str:
    what = "applied" if answer["changed"] else "unchanged"
    text = f"{answer['project']}: {what}, version {answer['version']}, digest {answer['digest'][:12]}, min_active_weeks {answer['min_active_weeks']}"
    text += f"\nin {place.paths.data if place.here else place.elsewhere.url if place.elsewhere else ''}"
    if not answer["headcount"] and answer["new_ids_per_day"]:
        text += f"\nno headcount, so events of more than {answer['new_ids_per_day']} new developers a day wait in quarantine; are there more? Say --headcount N"
    if answer["released"] or answer["still_quarantined"]:
        text += f"\nquarantine: {answer['released']} released, {answer['still_quarantined']} still wait"
    return text


@projects.command("list")
@located
@as_json
def list_projects(place: Place, as_json: bool) -> None:
    """List projects and their applied versions."""
    from innerloop_collector.terminal.tables import projects as table

    show(call(place, "projects.list"), as_json, table)


@click.group()
def ids() -> None:
    """Manage ids that wait because a write key brought too many new ones in a day."""


@ids.command("release")
@click.argument("project")
@located
@as_json
def release_ids(place: Place, project: str, as_json: bool) -> None:
    """Let in a project's waiting ids, with their events."""
    show(call(place, "ids.release", project=project), as_json, _released)


def _released(answer: dict[str, Any]) -> str:
    return f"{answer['project']}: {answer['released']} events released, {answer['still_quarantined']} still wait"


@click.group()
def quarantine() -> None:
    """Show, or take away, events that were set aside because they do not fit an applied plan."""


@quarantine.command("discard")
@click.argument("project")
@click.argument("reason")
@located
@as_json
def discard_quarantine(place: Place, project: str, reason: str, as_json: bool) -> None:
    """Remove what waits in PROJECT for REASON, as the list names it, before its time. It cannot be had back."""
    answer = call(place, "quarantine.discard", project=project, reason=reason)
    show(answer, as_json, lambda gone: f"{gone['project']}: {gone['discarded']} events discarded ({gone['reason']})")


@quarantine.command("list")
@located
@as_json
def list_quarantine(place: Place, as_json: bool) -> None:
    """Count what waits, by project, reason and field. Values are never shown."""
    from innerloop_collector.terminal.tables import quarantine as table

    show(call(place, "quarantine.list"), as_json, table)


@quarantine.command("violations")
@located
@as_json
def list_violations(place: Place, as_json: bool) -> None:
    """Count everything that ever came into quarantine, by project, reason, field and day, also what has left it."""
    from innerloop_collector.terminal.tables import violations

    show(call(place, "quarantine.violations"), as_json, violations)


@click.command()
@click.argument("project", default="")
@located
@click.option(
    "--period",
    help="A week, block of weeks, quarter or year: 2026-W48, 2026-B12, 2026-Q4, 2026 (default: the last block that is published).",
)
@as_json
def report(place: Place, project: str, period: str | None, as_json: bool) -> None:
    """Show the team's report of a project; without PROJECT the sums of all that you may see."""
    from innerloop_collector.terminal.all_projects import render as render_all
    from innerloop_collector.terminal.report import render

    if project:
        show(call(place, "report", project=project, period=period), as_json, render)
    else:
        show(call(place, "report.all", period=period), as_json, render_all)


@click.command()
@click.argument("project")
@click.argument("name", default="")
@located
@click.option(
    "--by",
    type=click.Choice(["command", "target", "os", "arch", "version", "cohort"]),
    default="command",
    show_default=True,
    help="What NAME is.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json
def trends(place: Place, project: str, name: str, by: str, as_csv: bool, as_json: bool) -> None:
    """Show how the figures of a project went, block by block: of all runs, or of the command NAME."""
    from innerloop_collector.terminal.trends import as_csv as comma_separated
    from innerloop_collector.terminal.trends import render

    show(call(place, "trends", project=project, name=name, by=by), as_json, comma_separated if as_csv else render)


@click.command()
@click.argument("project")
@located
@as_json
def releases(place: Place, project: str, as_json: bool) -> None:
    """Show everything that was published of a project. It stays after its events are removed."""
    from innerloop_collector.terminal.report import releases as table

    show(call(place, "releases", project=project), as_json, table)
