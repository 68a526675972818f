"""Plays of the attackers: how much more often they are right than where the target's rows were redrawn.

The redrawn target works as somebody else of the group would, on the same machine, under the same circumstances, and where a number is asked for, no
less than enough. What is asked is always what the real target did.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from random import Random
from statistics import fmean, median, stdev

from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.query.releases.contribution import FAILED, RUNS, WAITED_MS
from innerloop_collector.query.releases.shown import Key
from tests.releases.attackers import LIBRARY, Attacker, Knowledge, added
from tests.releases.simulated_team import FIRST, WEEK, Delivery, Events, Shelf, Team, person, publish, work

WEEKS = 9  # the blocks of four and of five weeks
SCENARIOS = ("quiet", "joins", "leaves", "erased", "late", "holiday", "away", "minted")
TOLERANCE = 0.1
ENOUGH = 5
_COLUMNS = {"runs": (RUNS, 1), "failed": (FAILED, 1), "minutes": (WAITED_MS, 60_000)}


@dataclass
class Tally:
    """How often attackers were right, in one world after another."""

    real: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    redrawn: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    by_world: list[list[int]] = field(default_factory=list)  # of each play: right, less right where redrawn

    def advantage(self, name: str) -> tuple[float, float, int]:
        """Of one attacker: the mean in points, the upper 95 % bound, and how many plays."""
        return _bound([a - b for a, b in zip(self.real[name], self.redrawn[name], strict=True)])

    @property
    def overall(self) -> tuple[float, float, int]:
        """Of all plays. Those in one world are not independent: the worlds are."""
        worlds = [sum(one) for one in self.by_world if one]
        plays = sum(map(len, self.by_world))
        mean = sum(worlds) / plays
        off = [sum(one) - mean * len(one) for one in self.by_world if one]
        error = sqrt(sum(one * one for one in off)) / plays
        return 100 * mean, 100 * (mean + 1.645 * error), plays


def play(size: int, worlds: int, seed: int = 1, headcount: bool = True) -> Tally:
    """Let every attacker play in every world that has something for it."""
    out = Tally()
    for number in range(worlds):
        one = _World(size, seed * 1_000_003 + number, SCENARIOS[number % len(SCENARIOS)], headcount)
        out.by_world.append(one.played(out))
    return out


class _World:
    """A team, something that happens to it, and its target."""

    def __init__(self, size: int, seed: int, scenario: str, headcount: bool) -> None:
        draw = Random(seed)
        self.scenario, self.size, self.seed = scenario, size, seed
        self.people = {number: person(seed, number) for number in range(1, size + 1)}
        order = sorted(self.people, key=lambda number: -self.people[number].activity)
        self.dominant = draw.random() < 0.5
        self.target = order[0] if self.dominant else draw.choice(order)
        others = [number for number in order if number != self.target]
        self.insiders = tuple(draw.choice([others[:2], draw.sample(others, 2)]))
        self.first = block_of(FIRST)
        self.second = block_of(self.first.end)
        place = {"joins": 0, "erased": 0, "leaves": 3}.get(scenario, draw.randrange(1, len(self.second.weeks) - 1))
        self.week = (self.first if scenario == "leaves" else self.second).weeks[place]
        self.headcount = size if headcount else None
        self.away = {number for number in others if draw.random() < 0.3}
        self.real = self._team({}, draw.random() < 0.5)
        other = seed + 500_000_003
        while not 5 * (added(self.real, self.target, self.week, self.week + WEEK, RUNS) >= ENOUGH) <= self._would_do(other):
            other += 1
        self.redrawn = self._team({self.target: other}, draw.random() < 0.5)

    def _would_do(self, seed: int) -> float:
        found = work(seed, person(seed, self.target), self.week)
        return next(iter(found[key][RUNS] for key in found if key[0] == ""), 0)

    def _team(self, others: Mapping[int, int], present: bool) -> Team:
        events, target = Events(), self.target
        if self.scenario == "joins":
            events.joins[target] = self.second.first - 4 * WEEK
        elif self.scenario == "leaves":
            events.leaves[target] = self.second.first
        elif self.scenario == "erased":
            events.erased[target] = self.second.first + 2 * WEEK + (self.second.due - self.second.end) + (WEEK / 7)
        elif self.scenario == "late":
            events.late[target, self.week] = self.week + 2 * WEEK
        elif self.scenario == "holiday":
            events.away = {number: frozenset([self.week]) for number in (*self.away, *([] if present else [target]))}
        elif self.scenario == "away" and not present:
            events.away[target] = frozenset(self.second.weeks)
        team = Team(self.seed, self.size, WEEKS, events, others=others)
        if self.scenario == "minted":
            team.add(self._invented(team))
        return team

    def _invented(self, team: Team) -> list[Delivery]:
        """Four people who run each command as often as a usual person, every week."""
        vectors = work(self.seed, person(self.seed, self.insiders[0]), FIRST)
        return [Delivery(1_000 + number, week, week + WEEK * 5 / 7, vectors) for number in range(4) for week in team.weeks if vectors]

    def played(self, tally: Tally) -> list[int]:
        shelves = [publish(team, headcount=self.headcount) for team in (self.real, self.redrawn)]
        out = []
        for attacker in LIBRARY:
            if attacker.scenarios and self.scenario not in attacker.scenarios:
                continue
            truth = self._truth(attacker, self.real, self.target)
            if not attacker.asks.startswith("present") and truth < ENOUGH:
                continue
            guesses = [attacker.guess(self._knowledge(shelf)) for shelf in shelves]
            if guesses[0] is None:
                continue
            right = [self._right(self._usual(attacker) if guess is None else guess, truth) for guess in guesses]
            tally.real[attacker.name].append(right[0])
            tally.redrawn[attacker.name].append(right[1])
            out.append(right[0] - right[1])
        return out

    def _knowledge(self, shelf: Shelf) -> Knowledge:
        invented: dict[Key, float] = defaultdict(float)
        for one in self.real.rows:
            if one.person >= 1_000 and self.second.first <= one.week < self.second.end:
                for key, vector in one.cells.items():
                    invented[key] += vector[RUNS]
        blocks = (self.first, self.second)
        return Knowledge(shelf.documents, self.people, self.target, self.insiders, self.real, self.week, blocks, self.dominant, invented)

    def _truth(self, attacker: Attacker, team: Team, number: int) -> float:
        what, _, where = attacker.asks.partition(" in the ")
        first, end = (self.week, self.week + WEEK) if where == "week" else (self.second.first, self.second.end)
        if what == "present":
            return added(team, number, first, end, RUNS) > 0
        column, unit = _COLUMNS[what]
        return added(team, number, first, end, column) / unit

    def _usual(self, attacker: Attacker) -> float:
        return median(self._truth(attacker, self.real, number) for number in self.people if number != self.target)

    def _right(self, guess: float, truth: float) -> bool:
        return guess == truth if isinstance(truth, bool) else abs(guess - truth) <= TOLERANCE * truth


def _bound(differences: list[int]) -> tuple[float, float, int]:
    number = len(differences)
    error = stdev(differences) / sqrt(number) if number > 1 else float("inf")
    mean = fmean(differences) if differences else 0.0
    return 100 * mean, 100 * (mean + 1.645 * error), number
