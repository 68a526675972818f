# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for numpy to be imported
"""`impact`: whether a dated change helped, as it was published, or out of a file."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import click

from innerloop_collector.cli.shared import Place, as_json, as_text, call, say, show, sometimes_located
from innerloop_collector.errors import UsageError

_METRICS = ("duration", "failures", "failed_checks", "usage", "adoption")


class _Asked(NamedTuple):
    """What the options say."""

    date: str | None
    week: int | None
    treated: tuple[str, ...]
    controls: tuple[str, ...]
    treated_projects: tuple[str, ...]
    control_projects: tuple[str, ...]
    checks: tuple[str, ...]
    dropped: tuple[int, ...]
    weeks_before: int | None
    weeks_after: int | None
    metric: str
    by_exposure: bool
    same_work: bool
    by_project: bool
    looks: int
    alpha: float


@click.command()
@click.argument("project", required=False)
@click.argument("change", required=False)
@sometimes_located
@click.option("--all", "every", is_flag=True, help="Every change of PROJECT, and what they come to together.")
@click.option("--scan", is_flag=True, help="Everything else in PROJECT at the looks of CHANGE: what stands out.")
@click.option(
    "--from",
    "file",
    metavar="FILE",
    help="Instead: read runs from FILE, Parquet with the documented columns. No store is needed, and all that follows is about it.",
)
@click.option("--date", metavar="YYYY-MM-DD", help="The first day of the change, from midnight UTC; weeks begin on its weekday.")
@click.option("--week", type=int, metavar="N", help="Instead: the first week of the change, by the numbers in the file's column week.")
@click.option("--treated", multiple=True, metavar="TARGET", help="A target that the change affects; repeatable.")
@click.option("--control", "controls", multiple=True, metavar="TARGET", help="A target that it does not affect; repeatable.")
@click.option(
    "--treated-project", "treated_projects", multiple=True, metavar="PROJECT", help="A project that the change affects; repeatable."
)
@click.option(
    "--control-project", "control_projects", multiple=True, metavar="PROJECT", help="A project that it does not affect; repeatable."
)
@click.option(
    "--check", "checks", multiple=True, metavar="TARGET", help="A target whose failure is information, such as a test; repeatable."
)
@click.option(
    "--drop-week",
    "dropped",
    type=int,
    multiple=True,
    metavar="N",
    help="Leave out this week; with --date 0 is the first week of the change.",
)
@click.option("--weeks-before", type=click.IntRange(1, 520), metavar="N", help="Look at so many weeks before the change (default: all).")
@click.option("--weeks-after", type=click.IntRange(1, 520), metavar="N", help="Look at so many weeks since the change (default: all).")
@click.option("--metric", type=click.Choice(_METRICS), default="duration", show_default=True, help="What the verdict is about.")
@click.option("--by-exposure", is_flag=True, help="The verdict is about runs in checkouts that held the change (column exposed).")
@click.option("--same-work", is_flag=True, help="The verdict compares runs of the same class of targets made (column work).")
@click.option("--by-project", is_flag=True, help="Projects, not developers, got the change or not.")
@click.option(
    "--looks", type=click.IntRange(1, 100), default=1, show_default=True, metavar="N", help="How often the answer is looked at, all told."
)
@click.option(
    "--alpha",
    type=click.FloatRange(0.001, 0.2),
    default=0.05,
    show_default=True,
    metavar="P",
    help="The chance of a false claim, for all looks together.",
)
@click.option("--beforehand", is_flag=True, help="Say how large a change would have to be to show, from the weeks before it.")
@as_json
def impact(
    place: Callable[[], Place],
    project: str | None,
    change: str | None,
    every: bool,
    scan: bool,
    file: str | None,
    beforehand: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say whether CHANGE of PROJECT helped, how surely, and what that rests on. A registered look is published once, when it is due."""
    if file is not None:
        if project or every or scan:
            raise click.UsageError("--from reads a file, and no project of a collector")
        _of_a_file(file, beforehand=beforehand, as_json=as_json, options=options)
        return
    if beforehand or any(options[name] != value for name, value in _FILE_OPTIONS.items()):
        raise click.UsageError("a change's record says what is compared; these options go with --from FILE")
    if project is None or (change is None) != every or (every and scan):
        raise click.UsageError("say which change: PROJECT CHANGE, or PROJECT --all")
    from innerloop_collector.terminal.impact import render, render_all

    if scan:
        from innerloop_collector.terminal.scan import render_scan

        show(call(place(), "impact.scan", project=project, change=change), as_json, render_scan)
    elif every:
        show(call(place(), "impact.all", project=project), as_json, render_all)
    else:
        show(call(place(), "impact", project=project, change=change), as_json, render)


_FILE_OPTIONS = {
    "date": None, "week": None, "treated": (), "controls": (), "treated_projects": (), "control_projects": (), "checks": (), "dropped": (),
    "weeks_before": None, "weeks_after": None, "metric": "duration", "by_exposure": False, "same_work": False, "by_project": False, "looks": 1, "alpha": 0.05,
}  # fmt: skip


def _of_a_file(file: str, *, beforehand: bool, as_json: bool, options: dict[str, Any]) -> None:
    from innerloop_collector.analysis.impact.detectable import detectable_before
    from innerloop_collector.analysis.impact.question import Invalid
    from innerloop_collector.analysis.impact.whole import impact as answer
    from innerloop_collector.cli.run_file import read_runs
    from innerloop_collector.reports.impact_document import document, verdict_of
    from innerloop_collector.terminal.impact_text import beforehand as beforehand_text
    from innerloop_collector.terminal.impact_text import render

    asked = _Asked(**options)
    runs = read_runs(Path(file), _since(asked), by_exposure=asked.by_exposure)
    try:
        question = _question(asked, runs)
        if beforehand:
            found = detectable_before(runs.panel, question)
            say(as_text({"beforehand": document(found)}) if as_json else beforehand_text(found))
            return
        whole = answer(runs.panel, question)
    except Invalid as error:
        raise UsageError(str(error)) from error
    subject = ", ".join(asked.treated or asked.treated_projects)
    verdict = verdict_of(subject, whole, question)
    say(as_text({"verdict": verdict, **document(whole)}) if as_json else render(verdict, whole))


def _since(asked: _Asked) -> date | int:
    if (asked.date is None) == (asked.week is None):
        raise click.UsageError("say when: either --date YYYY-MM-DD or --week N")
    if asked.date is None:
        assert asked.week is not None
        return asked.week
    try:
        return date.fromisoformat(asked.date)
    except ValueError as error:
        raise click.UsageError(f"--date {asked.date[:40]!r} is no day; write it like 2026-03-01") from error


def _question(asked: _Asked, runs: Any) -> Any:
    from innerloop_collector.analysis.impact.question import Assignment, Exposure, Group, Metric, Question
    from innerloop_collector.cli.run_file import codes_of

    if asked.metric == "failed_checks" and not asked.checks:
        raise click.UsageError("--metric failed_checks: say which targets are checks, with --check TARGET")
    if not (asked.treated or asked.treated_projects):
        raise click.UsageError("say what the change affects: --treated TARGET or --treated-project PROJECT")
    treated = codes_of(asked.treated, runs.targets, "target")
    controls = codes_of(asked.controls, runs.targets, "target")
    projects = codes_of(asked.treated_projects, runs.projects, "project")
    control_projects = codes_of(asked.control_projects, runs.projects, "project")
    control = None
    if controls is not None or control_projects is not None:
        # What is not said of the controls is as of the treated: the same projects, or the same targets.
        control = Group(controls if controls is not None else treated, control_projects if control_projects is not None else projects)
    return Question(
        week=0 if asked.week is None else asked.week,
        treated=Group(treated, projects),
        control=control,
        metric=Metric(asked.metric),
        exposure=Exposure.BY_EXPOSURE if asked.by_exposure else Exposure.BY_DATE,
        assignment=Assignment.PROJECT if asked.by_project else Assignment.USER,
        checks=codes_of(asked.checks, runs.targets, "target") or frozenset(),
        dropped=frozenset(asked.dropped),
        weeks_before=asked.weeks_before,
        weeks_after=asked.weeks_after,
        same_work=asked.same_work,
        alpha=asked.alpha,
        looks=asked.looks,
    )
