"""What is planted and would have been written down, as the records of changes that somebody registers."""

from typing import Any

from innerloop_collector.demo.team.people import Team
from innerloop_collector.demo.team.planted import PLANTED, Planted
from innerloop_collector.demo.team.projects import PROJECTS

LOOK = 8  # weeks after a change
ENDS_WITH = ("shop-compiler-cache", "mobile-ui-kit", "platform-image-base")  # one that helped, one that hurt, and nothing
_RELEASE = ("shop-release", "A release", "simulated-shop", 0.45)  # only drawn on charts


def begun(team: Team) -> list[Planted]:
    """What is planted within the simulated time and would have been written down."""
    return [one for one in PLANTED if one.registered and one.first_day(team.begin, team.weeks) < team.end]


def records(team: Team) -> list[dict[str, Any]]:
    """The arguments of `changes.add`, in the order of their dates."""
    found = [_record(one, team) for one in begun(team)]
    name, title, project, at = _RELEASE
    found.append({"name": name, "title": title, "projects": [project], "date": str(team.part(at)), "kind": "annotation"})
    return sorted(found, key=lambda one: (one["date"], one["name"]))


def metric(one: Planted) -> str:
    """The metric of its record: failures of checks are another one."""
    checks = next(project.checks for project in PROJECTS if project.id == one.project)
    failing = "failed_checks" if one.commands[0] in checks else "failures"
    return failing if one.metric == "failure" else one.metric


def _record(one: Planted, team: Team) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "projects": [one.project],
        "date": str(one.first_day(team.begin, team.weeks)),
        "kind": "code" if one.by_checkout else "server",
        "affects": list(one.targets or one.commands),
        "controls": list(one.controls),
        "metric": metric(one),
        "looks": [LOOK],
    }
