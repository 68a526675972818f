"""Who the simulated developers are, and when they are there: joiners, leavers, holidays, a laptop that is replaced, a clock that is wrong.

The spreads are those that were used to choose the estimators: developers differ by 0.4 (log), by another 0.25 for each command.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from innerloop_collector.demo.team.planted import PLANTED
from innerloop_collector.demo.team.projects import PROJECTS, Project

_JOIN, _LEAVE, _AGENTS, _WRONG_CLOCKS, _NEW_LAPTOPS, _WEEKENDS = 0.25, 0.20, 0.35, 0.05, 0.15, 0.06  # shares of the developers
_SECOND_PROJECT = 3  # every third works in two projects
HOLIDAYS = ((12, 22, 12, 31, 0.12), (1, 1, 1, 3, 0.12), (8, 1, 8, 24, 0.55))  # from month and day, to, share of the usual work
_MACHINES = (("linux", "x86_64", 0.45), ("macos", "arm64", 0.40), ("wsl", "x86_64", 0.10), ("linux", "arm64", 0.05))
_RUNS_A_DAY = 16.5  # of the median developer
NEW_CLIENT = 0.55  # of the time is over when developers begin to update to the next version


@dataclass(frozen=True, slots=True)
class Team:
    """What a simulation is made of. The same values make the same events, to the byte."""

    seed: int
    developers: int
    weeks: int
    begin: date  # a Monday

    @property
    def end(self) -> date:
        """The Monday after the last week."""
        return self.begin + timedelta(weeks=self.weeks)

    def days(self) -> Iterator[date]:
        """Every day, also those without work."""
        for number in range(self.weeks * 7):
            yield self.begin + timedelta(days=number)

    def part(self, share: float) -> date:
        """The day on which so much of the time is over."""
        return self.begin + timedelta(days=int(share * self.weeks * 7))


class Person(NamedTuple):
    """A simulated developer."""

    joins: date
    leaves: date  # the first day without them
    away: tuple[tuple[date, date], ...]  # holidays of their own
    offset: int  # hours of their time zone
    os: str
    arch: str
    runs_a_day: float
    speed: float  # log
    new_laptop: tuple[date, float] | None  # and how much faster or slower it is
    agent_from: date | None  # some of their runs are a coding agent's
    clock_minutes: int  # how far their clock is ahead
    weekends: bool
    updates: date  # to the next version of the client

    def works(self, day: date, chance: float) -> bool:
        """Whether they work on a day. `chance` is between 0 and 1."""
        if not self.joins <= day < self.leaves or any(first <= day < end for first, end in self.away):
            return False
        return day.weekday() < 5 or (self.weekends and chance < 0.35)


@dataclass(slots=True)
class Installation:
    """A developer in a project: an id of its own, habits, and what is true of the moment."""

    person: Person
    project: Project
    random: Random
    id: str
    share: float  # of the person's work
    mix: dict[str, float]  # how often each command is typed
    speeds: dict[str, float]  # log
    cold: float  # the share of runs that begin cold
    fails: float  # log odds, beside the command's
    pulls: float  # the chance of a pull on a working day
    taste: dict[str, float]  # by how much an effect is stronger or weaker here
    chance: float  # decides whether an adoption reaches them
    pulled: date
    slow: float = 0.0  # of the week, log
    busy: float = 1.0  # of the week
    week: int = -1
    moods: dict[str, float] = field(default_factory=dict)  # of the week, by command, log
    attempts: dict[str, int] = field(default_factory=dict)  # failures in a row, by command


def people(team: Team) -> list[Installation]:
    """The developers of a team, once for each project in which they work."""
    found = []
    for number, project in enumerate(_main_projects(team.developers)):
        random = Random(f"{team.seed} person {number}")
        person = _person(team, random)
        second = number % _SECOND_PROJECT == 0
        found.append(_installation(team, person, project, random, 0.7 if second else 1.0))
        if second:
            found.append(_installation(team, person, PROJECTS[(PROJECTS.index(project) + 1) % len(PROJECTS)], random, 0.3))
    return found


def holiday(day: date) -> float:
    """Which share of the usual work is done on a day of the year."""
    for month, first, last_month, last, share in HOLIDAYS:
        if (month, first) <= (day.month, day.day) <= (last_month, last):
            return share
    return 1.0


def uuid4(random: Random) -> str:
    """A random id in the form of the client's."""
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def _main_projects(developers: int) -> list[Project]:
    """The main project of each developer, by the projects' shares."""
    found: list[Project] = []
    taken = dict.fromkeys(PROJECTS, 0)
    for _ in range(developers):
        chosen = max(PROJECTS, key=lambda project: project.share / (taken[project] + 0.5))
        taken[chosen] += 1
        found.append(chosen)
    return found


def _person(team: Team, random: Random) -> Person:
    joining, leaving, agent, laptop = random.random(), random.random(), random.random(), random.random()
    joins = team.part(random.uniform(0.05, 0.9)) if joining < _JOIN else team.begin
    leaves = team.part(random.uniform(0.3, 0.95)) if leaving < _LEAVE else team.end
    system, arch, _ = random.choices(_MACHINES, [share for _, _, share in _MACHINES])[0]
    return Person(
        joins=joins,
        leaves=max(leaves, joins + timedelta(weeks=3)),
        away=tuple(_away(team, random) for _ in range(3)),
        offset=random.choice((0, 1, 1, 1, 2, -5)),
        os=system,
        arch=arch,
        runs_a_day=_RUNS_A_DAY * math.exp(random.gauss(0, 0.5)),
        speed=random.gauss(0, 0.4) + (0.2 if joining < _JOIN else 0.0),
        new_laptop=(team.part(random.random()), random.gauss(-0.1, 0.3)) if laptop < _NEW_LAPTOPS else None,
        agent_from=team.part(random.uniform(0.1, 0.9)) if agent < _AGENTS else None,
        clock_minutes=random.choice((-185, -47, 26, 130)) if random.random() < _WRONG_CLOCKS else 0,
        weekends=random.random() < _WEEKENDS,
        updates=team.part(NEW_CLIENT + random.random() * 0.3),
    )


def _away(team: Team, random: Random) -> tuple[date, date]:
    """A holiday of a week or two."""
    first = team.part(random.random())
    return first, first + timedelta(days=random.choice((5, 9, 14)))


def _installation(team: Team, person: Person, project: Project, random: Random, share: float) -> Installation:
    own = Random(random.getrandbits(64))
    return Installation(
        person=person,
        project=project,
        random=own,
        id=uuid4(own),
        share=share,
        mix={one.name: one.weight * math.exp(own.gauss(0, 0.4)) for one in project.commands},
        speeds={one.name: own.gauss(0, 0.25) for one in project.commands},
        cold=own.betavariate(2, 6),
        fails=own.gauss(0, 0.4),
        pulls=own.uniform(0.15, 0.9),
        taste={one.name: own.gauss(1, 0.25) for one in PLANTED if one.project == project.id},
        chance=own.random(),
        pulled=team.begin - timedelta(days=int(own.expovariate(0.1))),
    )
