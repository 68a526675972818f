"""What alerts told in the simulated time, held against what was planted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from innerloop_collector.demo.team.people import Team
from innerloop_collector.demo.team.planted import PLANTED, Planted
from innerloop_collector.demo.team.projects import PROJECTS

_NEAR = timedelta(weeks=3)  # from the day on which something began to the day that is told
_ROLLS_OUT = timedelta(weeks=4)  # with checkouts
_REMEMBERED = timedelta(weeks=26)  # after a creep has ended, this month is compared with months in it
Alert = Mapping[str, Any]


@dataclass
class Alerted:
    """Every alert of the simulated time, with what became of it. A collector shows those of the last quarter, so it is asked now and then."""

    alerts: dict[tuple[object, ...], Alert] = field(default_factory=dict)
    expected: float = 0.0  # false alarms of a project in a month

    def note(self, answer: Mapping[str, Any]) -> None:
        """What `alerts` answers."""
        for project in answer["projects"]:
            self.expected = project["expected"]
            for one in project["alerts"]:
                self.alerts[one["project"], one["by"], one["name"], one["measure"], one["seen"], one["fate"] == "creep"] = one

    def of(self, planted: Planted, team: Team) -> list[Alert]:
        """What was told of something that was planted, the first one first."""
        found = [one for one in self.alerts.values() if _is_of(one, planted, team)]
        return sorted(found, key=lambda one: (one["seen"], one["by"], one["name"]))

    def others(self, team: Team) -> list[Alert]:
        """What was told of nothing that was planted."""
        return [one for one in self.alerts.values() if not any(_is_of(one, planted, team) for planted in slower(team))]


def slower(team: Team) -> list[Planted]:
    """What was planted that alerts are for: what makes people wait longer, and began within the simulated time."""
    return [one for one in PLANTED if one.metric == "duration" and one.effect > 0 and one.first_day(team.begin, team.weeks) < team.end]


def rows(alerted: Alerted, team: Team) -> Iterator[tuple[str, str, str, str, str, str]]:
    """For each slow-down that was planted: what, from when on, of what was told, by how much, since about when, and what became of it."""
    for one in slower(team):
        found = alerted.of(one, team)
        told = max(found, key=lambda alert: _RANK.index(alert["fate"])) if found else None
        first = str(one.first_day(team.begin, team.weeks))
        if told is None:
            yield one.name, first, "-", "-", "-", "nothing was told"
        else:
            yield one.name, first, told["name"], f"about {100 * told['size']:+.0f} %", told["since"], told["fate"]


def document(alerted: Alerted, team: Team) -> dict[str, Any]:
    """All of it, as JSON."""
    return {
        "expected": alerted.expected,
        "planted": {one.name: alerted.of(one, team) for one in slower(team)},
        "others": alerted.others(team),
    }


_RANK = ("gone", "open", "confirmed", "creep")  # the last one says most


def _is_of(alert: Alert, planted: Planted, team: Team) -> bool:
    if alert["project"] != planted.project or alert["measure"] != "duration" or alert["name"] not in _names(planted):
        return False
    first, seen, since = planted.first_day(team.begin, team.weeks), date.fromisoformat(alert["seen"]), date.fromisoformat(alert["since"])
    if planted.per_week:
        return first < seen <= first + timedelta(weeks=planted.weeks) + _REMEMBERED
    return first - _NEAR <= since <= first + _NEAR + (_ROLLS_OUT if planted.by_checkout else timedelta()) and seen >= first


def _names(planted: Planted) -> set[str]:
    """Its commands and the targets inside them."""
    project = next(one for one in PROJECTS if one.id == planted.project)
    return {*planted.commands, *_targets(project.command(name).targets for name in planted.commands)}


def _targets(of: Iterable[tuple[tuple[str, float], ...]]) -> Iterator[str]:
    return (name for some in of for name, _ in some)
