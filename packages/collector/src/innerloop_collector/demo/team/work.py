"""A day's work of the simulated developers and of CI. Durations are log-normal with what developers, weeks, commands and cold starts add.

What is planted is added on the same scale, so that its true effect is known.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import NamedTuple

from innerloop_collector.demo.team import runs
from innerloop_collector.demo.team.people import Installation, Team, holiday, people, uuid4
from innerloop_collector.demo.team.planted import Planted, Truth, in_checkouts
from innerloop_collector.demo.team.projects import PROJECTS, Command, Project
from innerloop_collector.demo.team.runs import Event, Run

_WEEKDAYS = (1.0, 1.08, 1.06, 1.02, 0.84, 0.3, 0.3)
_AGES = ((1, "<1d"), (4, "1-3d"), (8, "4-7d"), (15, "8-14d"), (31, "15-30d"), (91, "31-90d"))
_TREND = 0.06  # by which everything gets slower in a year, log


class _Now(NamedTuple):
    """What holds for an installation on a day."""

    day: date
    week: int
    weights: list[float]  # of the project's commands
    reached: dict[str, bool]  # whether a planted thing that has begun is there
    planted: dict[str, list[Planted]]  # what has begun, by the commands that it is about


class Work:
    """A team at work, one day after the other."""

    def __init__(self, team: Team, truth: Truth, planted: Sequence[Planted]) -> None:
        self._team = team
        self._truth = truth
        self._installations = people(team)
        self._random = Random(f"{team.seed} weeks")
        self._ci = {project.id: Random(f"{team.seed} ci {project.id}") for project in PROJECTS}
        self._week = -1
        self._shocks: dict[str, tuple[float, float]] = {}  # of the week, by project: slower, failing
        self._planted = {project.id: [one for one in planted if one.project == project.id] for project in PROJECTS}
        self._begins = {one.name: one.first_day(team.begin, team.weeks) for one in planted}
        self._first_weeks = {one.name: one.week(team.weeks) for one in planted}

    def day(self, day: date) -> Iterator[tuple[Installation | None, str, list[Event]]]:
        """What each developer, and CI, did on a day."""
        week = (day - self._team.begin).days // 7
        if week != self._week:
            self._week = week
            self._shocks = {project.id: (self._random.gauss(0, 0.03), self._random.gauss(0, 0.1)) for project in PROJECTS}
        usual = holiday(day) * _WEEKDAYS[day.weekday()]
        for worker in self._installations:
            if worker.person.works(day, worker.random.random()):
                events = self._work(worker, day, week, usual)
                if events:
                    yield worker, worker.project.id, events
        for project in PROJECTS:
            events = self._of_ci(project, day, week, usual if day.weekday() < 5 else 0.0)
            if events:
                yield None, project.id, events

    def _work(self, worker: Installation, day: date, week: int, usual: float) -> list[Event]:
        """A developer's day in a project."""
        random = worker.random
        if week != worker.week:
            self._new_week(worker, week, day)
        if random.random() < worker.pulls:
            worker.pulled = day
        now = self._now(worker, day, week)
        rate = worker.person.runs_a_day * worker.share * worker.busy * usual * sum(now.weights) / sum(worker.mix.values())
        events: list[Event] = []
        again: Command | None = None
        count = _poisson(random, rate)
        for number in range(count):
            command = again or random.choices(worker.project.commands, now.weights)[0]
            hour = 8 + int(9 * (number + random.random()) / count) - worker.person.offset
            failed = self._run(worker, now, command, hour, events)
            again = command if failed and random.random() < 0.6 else None
        return events

    def _new_week(self, worker: Installation, week: int, day: date) -> None:
        random = worker.random
        worker.week = week
        worker.slow = 0.6 * worker.slow + random.gauss(0, 0.12 * 0.8)
        worker.busy = random.gammavariate(4, 0.25)
        worker.moods = {one.name: random.gauss(0, 0.08) for one in worker.project.commands}
        for one in self._planted[worker.project.id]:
            if one.metric == "adoption" and day >= self._begins[one.name]:
                self._truth.tallies[one.name].add(week - self._first_weeks[one.name], float(worker.chance < one.effect), reached=True)

    def _now(self, worker: Installation, day: date, week: int) -> _Now:
        reached: dict[str, bool] = {}
        planted: dict[str, list[Planted]] = {}
        for one in self._planted[worker.project.id]:
            if day >= self._begins[one.name]:
                reached[one.name] = worker.pulled >= self._begins[one.name] if one.by_checkout else True
                for name in one.commands:
                    planted.setdefault(name, []).append(one)
        return _Now(day, week, [self._weight(worker, one, planted.get(one.name, ())) for one in worker.project.commands], reached, planted)

    def _weight(self, worker: Installation, command: Command, planted: Sequence[Planted]) -> float:
        """How often a developer types a command now."""
        adopted = next((one.effect for one in planted if one.metric == "adoption"), command.adopted)
        if worker.chance >= adopted:
            return 0.0
        return worker.mix[command.name] * math.exp(sum(one.effect for one in planted if one.metric == "usage"))

    def _run(self, worker: Installation, now: _Now, command: Command, hour: int, events: list[Event]) -> bool:
        """One run, which is added to the events. Returns whether it failed."""
        random, person = worker.random, worker.person
        agent = person.agent_from is not None and now.day >= person.agent_from and random.random() < 0.2
        run = Run(command, "agent" if agent else "human", now.day, hour)
        if command.session:
            runs.use(random, run)
        else:
            self._wait(worker, now, run)
        failures = worker.attempts.get(command.name, 0)
        worker.attempts[command.name] = failures + 1 if run.failed else 0
        shared = {
            "attempt": ("1", "2", "3", "4+")[min(failures, 3)],
            "checkout_age": _age((now.day - worker.pulled).days),
            "git_checked_out_master": random.random() < 0.3,
            "os": person.os,
            "arch": person.arch,
            "in_container": worker.project.in_container,
            "client": "0.2" if now.day >= person.updates else "0.1",
        }
        own = (
            {"changes": [name for name in in_checkouts(worker.project.id) if now.reached.get(name)]}
            if in_checkouts(worker.project.id)
            else {}
        )
        targets = runs.write(random, run, {**shared, **own}, {"userId": worker.id}, person.clock_minutes, events)
        self._add_up(run, worker.project, targets)
        return run.failed

    def _wait(self, worker: Installation, now: _Now, run: Run) -> None:
        """Decide how a command ends that somebody waits for, and how long it takes."""
        random, person, name = worker.random, worker.person, run.command.name
        slower, failing = self._effects(worker, now, run)
        shock, trouble = self._shocks[worker.project.id]
        usual = runs.log_odds(run.command.fails) + worker.fails + trouble
        fails = runs.share(usual + failing)
        run.cold = random.random() < worker.cold
        level = math.log(run.command.seconds) + person.speed + worker.speeds[name] + worker.slow + worker.moods[name] + shock + slower
        level += _TREND * (now.day - self._team.begin).days / 365 + (random.gauss(0.9, 0.5) if run.cold else random.gauss(0, 0.35))
        if person.new_laptop and now.day >= person.new_laptop[0]:
            level += person.new_laptop[1]
        runs.end(random, run, fails)
        runs.take_time(random, run, level)
        if run.actor == "human":
            self._count(now, run, (slower, fails - runs.share(usual)))

    def _effects(self, worker: Installation, now: _Now, run: Run) -> tuple[float, float]:
        """What is planted in a run: by how much it takes longer (log), and fails more often (log odds)."""
        slower = failing = 0.0
        for one in now.planted.get(run.command.name, ()):
            if not now.reached[one.name]:
                continue
            shift = one.shift(now.week - self._first_weeks[one.name]) * worker.taste[one.name]
            if one.metric == "failure":
                failing += shift
            elif one.metric == "duration" and one.targets:
                run.scaled.update(dict.fromkeys(one.targets, shift))
                slower += math.log(1 + sum(part * math.expm1(run.scaled.get(name, 0.0)) for name, part in run.command.targets))
            elif one.metric == "duration":
                slower += shift
        return slower, failing

    def _count(self, now: _Now, run: Run, effects: tuple[float, float]) -> None:
        """Add a run of a person to what was truly planted."""
        for one in now.planted.get(run.command.name, ()):
            since, reached = now.week - self._first_weeks[one.name], now.reached[one.name]
            if one.metric == "duration" and run.exit_status == 0:
                self._truth.tallies[one.name].add(since, effects[0], reached=reached)
            elif one.metric == "failure" and run.ended:
                self._truth.tallies[one.name].add(since, effects[1], reached=reached)
            elif one.metric == "usage":
                self._truth.tallies[one.name].add(since, one.effect, reached=reached)

    def _of_ci(self, project: Project, day: date, week: int, usual: float) -> list[Event]:
        """What CI did: nobody's id, everything from nothing, and what is planted is there at once."""
        random = self._ci[project.id]
        events: list[Event] = []
        for _ in range(_poisson(random, project.ci_runs * usual)):
            run = Run(project.command(random.choice(("build", "test"))), "ci", day, random.randrange(6, 20), cold=True)
            slower = sum(
                one.shift(week - self._first_weeks[one.name])
                for one in self._planted[project.id]
                if one.metric == "duration" and not one.targets and run.command.name in one.commands and day >= self._begins[one.name]
            )
            runs.end(random, run, run.command.fails * 0.6)
            runs.take_time(random, run, math.log(run.command.seconds) + 0.9 + slower + random.gauss(0, 0.3))
            shared = {
                "attempt": "1", "checkout_age": "<1d", "git_checked_out_master": random.random() < 0.5, "os": "linux", "arch": "x86_64",
                "in_container": True, "client": "0.2",
            }  # fmt: skip
            targets = runs.write(random, run, shared, {"anonymousId": uuid4(random)}, 0, events)
            self._add_up(run, project, targets)
        return events

    def _add_up(self, run: Run, project: Project, targets: int) -> None:
        self._truth.events[project.id, "run", run.actor] += 1
        if targets:
            self._truth.events[project.id, "target", run.actor] += targets


def _age(days: int) -> str:
    """The class of a checkout's age, as the client names it."""
    return next((name for limit, name in _AGES if days < limit), ">90d")


def _poisson(random: Random, mean: float) -> int:
    """A number of things that happen independently of each other."""
    if mean > 60:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, number, product = math.exp(-mean), 0, random.random()
    while product > limit:
        number += 1
        product *= random.random()
    return number
