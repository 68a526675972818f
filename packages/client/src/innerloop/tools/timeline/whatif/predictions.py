"""What a run would have taken otherwise: with more jobs, or if one target took no time.

Each prediction is the recorded time, less what the simulation gains on a simulation of the run as it was. Where that differs too much from what was
recorded, the record does not explain the run, and nothing is predicted.
"""

from typing import NamedTuple, Optional

from innerloop.core.targets.tree import RUNNING, UNKNOWN
from innerloop.tools.timeline.runs import ENDED, GOING_ON, KILLED, Known
from innerloop.tools.timeline.whatif.graph import Graph, Work
from innerloop.tools.timeline.whatif.simulation import Simulation

JOBS = (2, 4, 8, 16, 32)
TARGETS = 12  # that are tried without
STEPS = 400_000  # simulated jobs in all, with what they need: some seconds
BELIEVED, LEAST = 0.1, 50e6  # by how much the simulated run may differ from the recorded: a share, or ns


class Range(NamedTuple):
    """What a run would take (ns): two bounds, which differ where the record leaves something open."""

    low: float
    high: float


class Prediction(NamedTuple):
    """A run otherwise."""

    length: Range
    jobs: Optional[int] = None  # with so many jobs
    target: Optional[int] = None  # or without the own time of this target


class Predictions(NamedTuple):
    """What a record tells of its run otherwise."""

    recorded: int  # ns
    jobs: "tuple[Prediction, ...]" = ()  # by their number
    targets: "tuple[Prediction, ...]" = ()  # what gains most first
    refused: str = ""  # why there are none
    unknown: "tuple[str, ...]" = ()  # names without a recipe that leave something open


def refusal(run: Known, of: Work) -> str:
    """Why a record tells nothing of its run otherwise."""
    if run.state == GOING_ON:
        return "the run goes on"
    if run.state == KILLED or any(one.outcome in (UNKNOWN, RUNNING) for one in of.log.targets):
        return "not all targets ended"
    if run.state != ENDED:
        return "how the run ended is not known"
    if of.log.cut or of.log.damaged:
        return "the target log is not complete"
    return "the machine slept meanwhile" if run.suspended else ""


class _Model:
    """One way to understand a run, as its graph and slots."""

    def __init__(self, of: Work, cautious: bool) -> None:
        self.of, self.cautious = of, cautious
        self.graph = Graph(of, cautious)
        self.slots = of.most
        self.base = self.run(self.graph, self.slots)

    def run(self, graph: Graph, slots: int, instant: "tuple[int, ...]" = ()) -> float:
        return Simulation(graph, slots, self.of.processors, instant).length()


def predict(run: Known, of: Work, steps: int = STEPS) -> Predictions:
    """Run it again: with jobs, and without each of the targets that took longest, as often as `steps` allow, four times at least."""
    root = of.pieces.all[0]
    recorded = max(one.end for one in of.pieces.all) - root.start
    refused = refusal(run, of)
    if refused:
        return Predictions(recorded, refused=refused)
    near = max(BELIEVED * recorded, LEAST)
    models = [_Model(of, cautious) for cautious in ((False, True) if of.unknown else (False,))]
    models = [one for one in models if abs(one.base - recorded) <= near]
    if not models:
        return Predictions(recorded, refused="a simulation of the run as it was takes another time than the run did")
    budget = steps // len(models)
    jobs = _with_jobs(models, recorded, budget // 2)
    targets = _without_targets(models, recorded, budget // 2)
    names = dict.fromkeys(name for names in of.unknown.values() for name in names)
    return Predictions(recorded, tuple(jobs), tuple(targets), unknown=tuple(names) if len(models) > 1 else ())


def _range(recorded: float, gained: "list[float]") -> Range:
    lengths = [max(recorded - one, 0.0) for one in gained]
    return Range(min(lengths), max(lengths))


def _with_jobs(models: "list[_Model]", recorded: int, budget: int) -> "list[Prediction]":
    of = models[0].of
    if of.mixed:  # with jobs for the whole run, those of the makes below would be part of them
        return []
    free = [Graph(of, one.cautious, free=True) for one in models]
    numbers = [number for number in JOBS if number > (1 if of.serial else of.most)]
    most = max(budget // free[-1].effort, 2)
    if len(numbers) > most:
        numbers = numbers[:: -(-len(numbers) // most)]
    return [
        Prediction(_range(recorded, [one.base - one.run(graph, number) for one, graph in zip(models, free)]), jobs=number)
        for number in numbers
    ]


def _without_targets(models: "list[_Model]", recorded: int, budget: int) -> "list[Prediction]":
    log = models[0].of.log
    longest = sorted(range(len(log.targets)), key=lambda place: -log.targets[place].own_ns)
    tried = sorted(log.critical, key=lambda place: -log.targets[place].own_ns)[: TARGETS // 2]
    tried = list(dict.fromkeys([*tried, *longest[:TARGETS]]))[: min(TARGETS, max(budget // models[-1].graph.effort, 2))]
    found = [
        Prediction(_range(recorded, [one.base - one.run(one.graph, one.slots, (place,)) for one in models]), target=place)
        for place in tried
    ]
    return sorted(found, key=lambda one: (one.length.high, one.target))
