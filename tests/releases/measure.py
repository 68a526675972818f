"""What teams of some sizes see, and what audits and games found: `python -m tests.releases.measure [seen|game|audit|evidence] SIZE...`."""

import sys
import time
from collections import Counter
from collections.abc import Callable

from innerloop_collector.query.releases.calendar import unit_named, week
from innerloop_collector.query.releases.shown import Key
from tests.releases import evidence_game
from tests.releases.game import Tally, play
from tests.releases.simulated_team import Team, blocks, by_target, publish
from tests.releases.test_audit import audited


def seen(size: int, teams: int = 4, weeks: int = 26) -> None:
    """The share of cells in which anything ran that are published by the week, and in the block at all; the whole, in the same way."""
    found: Counter[tuple[str, str]] = Counter()
    took = units = 0.0
    for seed in range(1, teams + 1):
        team = Team(seed, size, weeks)
        team.add([type(one)(one.person, one.week, one.received, by_target(one.cells)) for one in _taken(team)])
        started = time.perf_counter()
        documents = publish(team).documents
        took += time.perf_counter() - started
        units += len(documents)
        for name in blocks(team):
            block = unit_named(name)
            if name in documents:
                ran = {monday: _cells(team, monday) for monday in block.weeks}
                shown = {monday: {(one.breakdown, one.name) for one in documents[week(monday).name].atoms} for monday in block.weeks}
                whole = {(one.breakdown, one.name) for one in documents[name].atoms}.union(*shown.values())
                for kind in ("", "command", "target"):
                    found[kind, "week"] += sum(key in shown[monday] for monday in ran for key in ran[monday] if key[0] == kind)
                    found[kind, "weeks"] += sum(key[0] == kind for monday in ran for key in ran[monday])
                    every = {key for keys in ran.values() for key in keys if key[0] == kind}
                    found[kind, "block"] += len(every & whole)
                    found[kind, "blocks"] += len(every)
    shares = ", ".join(
        f"{kind or 'whole'} {100 * found[kind, 'week'] / found[kind, 'weeks']:.0f} / {100 * found[kind, 'block'] / found[kind, 'blocks']:.0f} %"
        for kind in ("", "command", "target")
    )
    print(f"{size} people: by the week / by the block: {shares}; {1000 * took / units:.0f} ms a document", flush=True)


def game(size: int, worlds: int = 320, played: Callable[[int, int], Tally] = play) -> None:
    """Of each attacker: right, right where the target was redrawn, the difference, its upper bound, plays."""
    started = time.perf_counter()
    tally = played(size, worlds)
    mean, bound, plays = tally.overall
    print(f"{size} people: {mean:+.1f} points, at most {bound:.1f}, {plays} plays, {time.perf_counter() - started:.0f} s")
    for name, real in sorted(tally.real.items()):
        mean, bound, plays = tally.advantage(name)
        right, redrawn = (100 * sum(one) / plays for one in (real, tally.redrawn[name]))
        print(f"    {name:<45} {right:3.0f} % {redrawn:3.0f} % {mean:+6.1f} {bound:6.1f} {plays:5}", flush=True)


def evidence(size: int, worlds: int = 560) -> None:
    """The same of attackers who also see verdicts and alerts."""
    game(size, worlds, evidence_game.play)


def audit(size: int) -> None:
    """How many people were audited how often, and what was found."""
    started = time.perf_counter()
    found = list(audited(size, size + 1, weeks=48, people=4 if size < 20 else 2, pairs=1))
    print(f"{size} people: {len(found)} findings, {time.perf_counter() - started:.0f} s", *found[:5], sep="\n    ", flush=True)


def _taken(team: Team) -> list:  # type: ignore[type-arg]
    rows, team.rows = team.rows, []
    return rows


def _cells(team: Team, monday: object) -> set[Key]:
    return {key for one in team.rows if one.week == monday for key in one.cells}


if __name__ == "__main__":
    for number in map(int, sys.argv[2:]):
        {"seen": seen, "game": game, "audit": audit, "evidence": evidence}[sys.argv[1]](number)
