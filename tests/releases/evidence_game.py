"""Plays of attackers who also see verdicts and alerts, as `game` has those who see figures.

In each world something happens to a team; whether the target was there, holds a change or has a version is drawn anew where it is redrawn, and so are its
rows where a number is asked for. Presence right at a threshold is not played.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from random import Random
from typing import Any

import numpy as np

from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.query.releases.disclosure import K
from innerloop_collector.query.releases.document import Release
from innerloop_collector.query.verdicts.looks import Change, Name
from innerloop_collector.query.verdicts.verdict_views import Verdict
from tests.releases.attackers import Attacker
from tests.releases.evidence_attackers import AFFECTED, EVIDENCE, Seen
from tests.releases.game import ENOUGH, TOLERANCE, Tally
from tests.releases.simulated_team import COMMANDS, FIRST, PROJECT, WEEK, Events, Slower, Team, person, publish
from tests.releases.told_of_changes import Checkouts, alerts_of, foreseen_of, verdicts_of

SCENARIOS = ("changed", "erased", "held", "slower", "joins", "appears", "holiday")
LOOKS = (4, 9)  # weeks after the change, so that both are told
WEEKS = 4 + max(LOOKS)  # from the second block of the year on; the change comes with the third
CHANGED = FIRST + 4 * WEEK
_ALERTS = ("slower", "joins", "appears")
_MINUTE_MS = 60_000


def play(size: int, worlds: int, seed: int = 1) -> Tally:
    """Let every attacker play in every world that has something for it."""
    out = Tally()
    for number in range(worlds):
        out.by_world.append(_World(size, seed * 1_000_003 + number, SCENARIOS[number % len(SCENARIOS)]).played(out))
    return out


def change(name: str = "cache", *, affected: str = AFFECTED, **more: Any) -> Change:
    """The change that is registered."""
    given = {"controls": (Name(PROJECT, "test"), Name(PROJECT, "lint")), "looks": LOOKS, "day": CHANGED, **more}
    return Change(PROJECT, name, name, affected=(Name(PROJECT, affected),), **given)


class _Later(Mapping[str, Release]):
    """Documents that are published when somebody reads them."""

    def __init__(self, published: Callable[[], Mapping[str, Release]]) -> None:
        self._published = published
        self._found: Mapping[str, Release] | None = None

    @property
    def _all(self) -> Mapping[str, Release]:
        if self._found is None:
            self._found = self._published()
        return self._found

    def __getitem__(self, unit: str) -> Release:
        return self._all[unit]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class _World:
    """A team, something that happens to it, and its target."""

    def __init__(self, size: int, seed: int, scenario: str) -> None:
        draw = Random(seed)
        self.scenario, self.size, self.seed = scenario, size, seed
        self.people = {number: person(seed, number) for number in range(1, size + 1)}
        order = sorted(self.people, key=lambda number: -self.people[number].activity)
        self.dominant = draw.random() < 0.5
        self.target = order[0] if self.dominant else draw.choice(order)
        self.insiders = tuple(draw.sample([one for one in order if one != self.target], 2))
        self.blocks = (block_of(FIRST), block_of(CHANGED))
        self._has_figures = seed % 5 == 0  # a fifth of the worlds: those of large teams take long
        self.week = CHANGED + draw.randrange(4) * WEEK
        self.slowed = draw.choice((1.2, 1.35, 1.5)) if scenario in _ALERTS else draw.choice((0.75, 1.0, 1.3))
        self.others = self._other_people(draw)
        numbers = draw.random() < 0.5 and scenario in ("changed", "slower")  # what is asked is a number, so the target is there
        self.asks_numbers = numbers
        self.truth, redrawn = numbers or draw.random() < 0.5, numbers or draw.random() < 0.5
        self.real = self._team(self.truth, {})
        self.redrawn = self._team(redrawn, {self.target: seed + 500_000_003} if numbers else {})
        self._checkouts = tuple(self._which(one) for one in (self.truth, redrawn))

    def _other_people(self, draw: Random) -> frozenset[int]:
        """Whose checkouts hold the change, who have the version or who were there in the week. So many that the target would be the k-th are not played."""
        while True:
            share = draw.choice((0.1, 0.3, 0.6, 0.9))
            found = frozenset(one for one in self.people if one != self.target and draw.random() < share)
            if len(found) != K - 1 and self.size - 1 - len(found) != K - 1:
                return found

    def _which(self, mine: bool) -> Checkouts:
        """Who holds the change, or has the version: the others one after the other."""
        theirs = self.others | ({self.target} if mine else frozenset())
        since = {one: CHANGED + one % 2 * WEEK for one in theirs}
        if self.scenario == "held":
            return Checkouts(holds=since)
        return Checkouts(versions=dict.fromkeys(theirs, CHANGED)) if self.scenario == "appears" else Checkouts()

    def _team(self, there: bool, others: Mapping[int, int]) -> Team:
        events, target = Events(slower=Slower(AFFECTED, CHANGED, self.slowed)), self.target
        weeks = [FIRST + number * WEEK for number in range(WEEKS)]
        if self.scenario == "erased" and not there:
            events.erased[target] = CHANGED + 6 * WEEK
        elif self.scenario == "joins":
            events.joins[target] = CHANGED - 4 * WEEK if there else date.max
        elif self.scenario == "holiday":
            away = [one for one in self.people if one not in self.others and (one != target or not there)]
            events.away = {number: frozenset([self.week]) for number in away}
        elif self.scenario in ("changed", "slower") and not there:
            events.away[target] = frozenset(week for week in weeks if week >= CHANGED)
        return Team(self.seed, self.size, WEEKS, events, others=others)

    def played(self, tally: Tally) -> list[int]:
        seen = [self._seen(team, checkouts) for team, checkouts in zip((self.real, self.redrawn), self._checkouts, strict=True)]
        out = []
        for attacker in EVIDENCE:
            if self.scenario not in attacker.scenarios or (attacker.asks == "minutes") != self.asks_numbers or self._at_a_threshold:
                continue
            truth = self._minutes(self.target) if self.asks_numbers else self.truth
            guesses = [attacker.guess(one) for one in seen]
            if guesses[0] is None or (self.asks_numbers and truth < ENOUGH):
                continue
            right = [self._right(attacker, guess, truth) for guess in guesses]
            tally.real[attacker.name].append(right[0])
            tally.redrawn[attacker.name].append(right[1])
            out.append(right[0] - right[1])
        return out

    @property
    def _at_a_threshold(self) -> bool:
        """Whether the target would be the k-th of those who ran something."""
        affected, controls = frozenset({AFFECTED}), frozenset({"test", "lint"})
        since = frozenset(CHANGED + number * WEEK for number in range(4))
        without = frozenset(self.people) - self.others - {self.target}
        counts = {
            "holiday": [self._ran(self.others, frozenset({self.week}), names) for names in (affected, controls)],
            "held": [self._ran(some, since, affected) for some in (self.others, without)],
        }
        return K - 1 in counts.get(self.scenario, ())

    def _ran(self, some: frozenset[int], weeks: frozenset[date], names: frozenset[str]) -> int:
        """How many of some people had a run of some commands that succeeded."""
        codes = [COMMANDS.index(one) for one in names]
        return len(
            {
                one.person
                for one in self.real.rows
                if one.person in some and one.week in weeks and one.runs is not None
                if (np.isin(one.runs.command, codes) & ~one.runs.failed & ~one.runs.unfinished & ~one.runs.asleep).any()
            }
        )

    def _seen(self, team: Team, checkouts: Checkouts) -> Seen:
        registered = [change(in_checkout=self.scenario == "held")]
        verdicts: tuple[Verdict, ...] = verdicts_of(team, registered, checkouts, k=K, headcount=self.size)
        days = alerts_of(team, CHANGED, 5, checkouts, k=K, headcount=self.size) if self.scenario in _ALERTS else ()
        days_of_asking = (CHANGED + 2 * WEEK, CHANGED + 10 * WEEK) if self.scenario == "erased" else ()
        foreseen = foreseen_of(team, registered[0], days_of_asking, k=K, headcount=self.size)
        return Seen(
            _Later(lambda: publish(team, headcount=self.size, weeks=14).documents if self._has_figures else {}), self.people, self.target, self.insiders, self.real,
            self.week, self.blocks, self.dominant, {}, verdicts, days, foreseen, len(self.others), self.slowed,
        )  # fmt: skip

    def _minutes(self, number: int) -> float:
        """What somebody's successful runs of the affected command took in the four weeks since the change."""
        mine = [one.runs for one in self.real.rows if one.person == number and CHANGED <= one.week < CHANGED + 4 * WEEK and one.runs]
        chosen = [(one.command == COMMANDS.index(AFFECTED)) & ~one.failed & ~one.unfinished & ~one.asleep for one in mine]
        return float(sum(np.sum(one.duration[some]) for one, some in zip(mine, chosen, strict=True))) / _MINUTE_MS

    def _right(self, attacker: Attacker, guess: float | bool | None, truth: float | bool) -> bool:
        if attacker.asks != "minutes":
            return bool(guess) == truth
        usual = float(np.median([self._minutes(one) for one in self.people if one != self.target]))
        return abs((usual if guess is None else guess) - truth) <= TOLERANCE * truth
