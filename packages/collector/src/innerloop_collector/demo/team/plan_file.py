"""The file that says what was planted: what verdicts and alerts are held against. docs/reference/demo-team.md explains it.

It names no developer and no id. Everything in it follows from the seed and the team's size.
"""

import json
import math
from collections import Counter
from datetime import date, timedelta
from typing import Any

from innerloop_collector.demo.team.people import HOLIDAYS, Installation, Team, people
from innerloop_collector.demo.team.planted import PLANTED, Planted, Tally, Truth
from innerloop_collector.demo.team.projects import PROJECTS, Project
from innerloop_collector.demo.team.simulate import LATE

FORMAT = 1
_ABOUT = "Nothing in this file or in its store happened: all of it is simulated."
_UNITS = {"duration": "log", "failure": "share", "usage": "log", "adoption": "share"}
_HEADCOUNT = 1.25  # as many work in a project for each developer who takes part


def text(team: Team, truth: Truth) -> str:
    """The file of a simulation that has run."""
    return json.dumps(document(team, truth), indent=1, ensure_ascii=False) + "\n"


def document(team: Team, truth: Truth) -> dict[str, Any]:
    """Everything that is known of a simulation."""
    installations = people(team)
    return {
        "simulated": True,
        "about": _ABOUT,
        "format": FORMAT,
        "team": _team(team, installations),
        "projects": [_project(one, installations, truth) for one in PROJECTS],
        "planted": [_planted(one, team, truth.tallies[one.name]) for one in PLANTED],
    }


def effect_in_words(one: Planted) -> str:
    """A planted effect as a person reads it."""
    if one.effect == 0:
        return "none"
    if one.metric == "adoption":
        return f"{_adopted(one):.0%} -> {one.effect:.0%} of developers"
    if one.metric == "failure":
        return f"odds of failing x{math.exp(one.effect):.2f}"
    percent = f"{math.expm1(one.effect):+.0%}" if not one.per_week else f"{math.expm1(one.effect):+.1%} a week, {one.weeks} weeks"
    return f"{percent} {'runs' if one.metric == 'usage' else 'time'}{' of ' + ', '.join(one.targets) if one.targets else ''}"


def _team(team: Team, installations: list[Installation]) -> dict[str, Any]:
    persons = {id(one.person): one.person for one in installations}.values()
    return {
        "seed": team.seed,
        "developers": team.developers,
        "weeks": team.weeks,
        "first_day": str(team.begin),
        "last_day": str(team.end - timedelta(days=1)),
        "joined_later": sum(one.joins > team.begin for one in persons),
        "left": sum(one.leaves < team.end for one in persons),
        "with_a_coding_agent": sum(one.agent_from is not None for one in persons),
        "with_a_wrong_clock": sum(one.clock_minutes != 0 for one in persons),
        "delivered_late": LATE,
        "holidays": [
            {"from": f"{a:02d}-{b:02d}", "to": f"{c:02d}-{d:02d}", "share_of_the_usual_work": share} for a, b, c, d, share in HOLIDAYS
        ],
    }


def headcount(project: Project, installations: list[Installation]) -> int:
    """How many developers a project has, with those who do not take part."""
    return math.ceil(_HEADCOUNT * sum(one.project is project for one in installations))


def _project(project: Project, installations: list[Installation], truth: Truth) -> dict[str, Any]:
    working = sum(one.project is project for one in installations)
    events: dict[str, Counter[str]] = {"run": Counter(), "target": Counter()}
    for (of, kind, actor), count in sorted(truth.events.items()):
        if of == project.id:
            events[kind][actor] += count
    return {
        "id": project.id,
        "name": project.name,
        "headcount": headcount(project, installations),
        "installations": working,
        "commands": [one.name for one in project.commands if not one.session],
        "sessions": project.sessions,
        "checks": project.checks,
        "targets": {one.name: [name for name, _ in one.targets] for one in project.commands if one.targets},
        "events": events,
    }


def _planted(one: Planted, team: Team, tally: Tally) -> dict[str, Any]:
    first = one.first_day(team.begin, team.weeks)
    return {
        "name": one.name,
        "title": one.title,
        "kind": one.kind,
        "registered": one.registered,
        "project": one.project,
        "metric": one.metric,
        "commands": list(one.commands),
        "targets": list(one.targets),
        "controls": list(one.controls),
        "date": str(first),
        "rollout": "by checkout" if one.by_checkout else "at once",
        "effect": _effect(one),
        "realised": {
            "unit": _UNITS[one.metric],
            "mean": round(tally.mean(), 5),
            "weeks": [_week(first, number, tally) for number in sorted(tally.weeks)],
        },
    }


def _effect(one: Planted) -> dict[str, Any]:
    if one.metric == "adoption":
        return {"share_before": _adopted(one), "share_after": one.effect}
    if one.metric == "failure":
        return {"log_odds": round(one.effect, 5), "odds_ratio": round(math.exp(one.effect), 5)}
    found = {"log": round(one.effect, 5), "percent": round(100 * math.expm1(one.effect), 2)}
    return {**found, "each_week": True, "weeks": one.weeks} if one.per_week else found


def _adopted(one: Planted) -> float:
    project = next(project for project in PROJECTS if project.id == one.project)
    return project.command(one.commands[0]).adopted


def _week(first: date, number: int, tally: Tally) -> dict[str, Any]:
    year, week, _ = (first + timedelta(weeks=number)).isocalendar()
    found = tally.weeks[number]
    return {"week": f"{year}-W{week:02d}", "runs": found.runs, "reached": found.reached, "effect": round(found.effect / found.runs, 5)}
