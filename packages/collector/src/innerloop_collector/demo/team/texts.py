"""What the demo of a team says, and the project files that it writes."""

from collections.abc import Sequence
from typing import Any

from innerloop_collector.demo.team import alerted, plan_file
from innerloop_collector.demo.team.alerted import Alerted
from innerloop_collector.demo.team.people import Team
from innerloop_collector.demo.team.planted import PLANTED, Planted, Truth, in_checkouts
from innerloop_collector.demo.team.projects import PROJECTS, Project
from innerloop_collector.demo.team.registered import ENDS_WITH


def introduction(team: Team) -> str:
    """What is about to happen."""
    return f"""\
innerloop, a SIMULATED team: {team.developers} developers in {len(PROJECTS)} projects, {team.begin} to {team.end}, seed {team.seed}.
Nobody of them exists. What they do is delivered to a real collector over HTTP,
under a simulated clock, into a store that is thrown away. No account, no network."""


def after(keep: str | None) -> str:
    """What to do with it."""
    if keep is None:
        return """\
  make demo-team DEMO="--keep DIRECTORY"
                          this again, keeping the store and the plan of what was planted
  make demo               real builds, and what one developer sees"""
    return f"""\
  innerloop-collector trends simulated-shop --data {keep}/collector
  innerloop-collector serve --data {keep}/collector
                          the simulated clock stands where it was left"""


def project_file(project: Project, endpoint: str, write_key: str) -> str:
    """Write the innerloop.toml of a simulated project."""
    return f"""\
# SIMULATED: nobody works here.
[project]
id = "{project.id}"
name = "{project.name}"
organisation = "A simulated team"
endpoint = "{endpoint}"
write_key = "{write_key}"
region = "this machine"
contact = "nobody: this team is simulated"
retention_days = 400
ci = {"true" if project.ci_runs else "false"}

[names]
allow = [{_listed(project.names)}]
sessions = [{_listed(project.sessions)}]
checks = [{_listed(project.checks)}]
{_open(in_checkouts(project.id))}"""


def _open(changes: Sequence[str]) -> str:
    """The part of a project file that has runs say which of the open changes their checkout held."""
    return f"changes = [{_listed(changes)}]\n\n[fields]\nchanges = true\n" if changes else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def contents(team: Team, truth: Truth) -> str:
    """A table of what was delivered."""
    rows = [("project", "developers", "runs", "by agents", "by CI", "targets")]
    for one in plan_file.document(team, truth)["projects"]:
        runs, targets = one["events"]["run"], one["events"]["target"]
        rows.append(
            (one["id"], str(one["installations"]), f"{runs.total():,}", f"{runs['agent']:,}", f"{runs['ci']:,}", f"{targets.total():,}")
        )
    return _table(rows, numbers=True)


def planted(team: Team) -> str:
    """A table of what was planted."""
    rows = [("from", "what", "kind", "of", "true effect")]
    for one in PLANTED:
        day = str(one.first_day(team.begin, team.weeks))
        rows.append((day, one.name, one.kind, f"{one.metric} of {', '.join(one.commands)}", plan_file.effect_in_words(one)))
    return _table(sorted(rows[1:], key=lambda row: row[0]), head=rows[0])


Found = Sequence[tuple[Planted, dict[str, Any]]]  # what was planted, and what `impact` answers of it


def verdicts(found: Found) -> str:
    """A table of what was planted beside what was told."""
    rows = [(one.name, plan_file.effect_in_words(one), *_row(answer)) for one, answer in found]
    return _table(rows, head=("what", "true effect", "told", "interval", "verdict"))


def alerts(told: Alerted, team: Team) -> str:
    """A table of slow-downs that were planted beside what alerts told, and how much else was told."""
    shown = _table(list(alerted.rows(told, team)), head=("what", "from", "told of", "told", "since", "alert"))
    others = told.others(team)
    confirmed = sum(one["fate"] == "confirmed" for one in others)
    months = team.weeks * 7 / (365 / 12) * len(PROJECTS)
    return (
        f"{shown}\n\n  of anything else {len(others)} alerts in the whole time, {confirmed} of them confirmed; by the settings "
        f"about {told.expected * months:.0f} are expected to be false alarms"
    )


def sentences(found: Found) -> str:
    """Three verdicts as they are told."""
    by_name = {one.name: answer for one, answer in found}
    return "\n".join(f"  {name}: {by_name[name]['sentence']}." for name in ENDS_WITH if name in by_name)


def told(answer: dict[str, Any]) -> dict[str, Any] | None:
    """The registered comparison of the newest verdict. None: there is none yet."""
    return next((one["findings"][0] for one in answer["impact"]["verdicts"] if one["findings"]), None)


def _row(answer: dict[str, Any]) -> tuple[str, str, str]:
    found = told(answer)
    if found is None:
        return "-", "-", "no verdict yet"
    if found["percent"] is None:
        return "-", "-", f"{found['verdict']}: {found['reason']}"
    unit = "%" if found["metric"] in ("duration", "usage") else "points"
    return f"{found['percent']:+g} {unit}", f"{found['low']:+g} to {found['high']:+g}", found["verdict"]


def _table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...] | None = None, *, numbers: bool = False) -> str:
    every = [head, *rows] if head else rows
    widths = [max(len(row[column]) for row in every) for column in range(len(every[0]))]
    lines = []
    for row in every:
        cells = [
            cell.rjust(width) if numbers and number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)
