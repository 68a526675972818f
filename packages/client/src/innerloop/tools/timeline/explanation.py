"""What would have helped a run, and where its time was lost: in sentences, and as a document."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from innerloop.core.shared.printable import clean
from innerloop.core.targets.target_log import Log
from innerloop.tools.timeline import words
from innerloop.tools.timeline.findings import SHORTEST, WORTH, Finding, findings, name
from innerloop.tools.timeline.runs import Known
from innerloop.tools.timeline.whatif.graph import Work, work
from innerloop.tools.timeline.whatif.predictions import Prediction, Predictions, Range, predict

SHOWN = 3  # targets that are named
ENOUGH = 1.05  # as long as with any number of jobs
SHORT = 100_000_000  # ns: of a shorter run nobody asks why it was slow


class Explanation(NamedTuple):
    """What a record explains."""

    of: Optional[Work] = None  # None: there are no targets
    predictions: Predictions = Predictions(0)
    findings: "tuple[Finding, ...]" = ()


def explain(run: Known, log: Log, processors: int, before: Optional[Log] = None, complete: bool = True) -> Explanation:
    """Explain a run. `complete`: whether its log was small enough to name all prerequisites; `before`: the log of the last run of the same name."""
    if not log.targets:
        return Explanation()
    of = work(run, log, processors, complete=complete)
    predicted = predict(run, of)
    found = [*_with_jobs(of, predicted), *_without_targets(of, predicted), *findings(of, predicted.recorded, before)]
    if predicted.refused:
        found.append(Finding("refused", f"What would have helped is not computed: {predicted.refused}.", 0))
    return Explanation(of, predicted, tuple(found))


def sentences(what: Explanation) -> "list[str]":
    """What a person reads."""
    return [] if what.predictions.recorded < SHORT else [one.text for one in what.findings]


def as_json(what: Explanation) -> "dict[str, Any]":
    """What a program reads; times in ms, targets by their places in the list."""
    if what.of is None:
        return {"refused": "there are no targets", "findings": [], "jobs": [], "instant": []}
    jobs = {"processors": what.of.processors, "side_by_side": what.of.most, "without_jobs": what.of.serial}
    said = what.predictions
    return {
        **jobs,
        "refused": said.refused,
        "unknown_prerequisites": list(said.unknown),
        "jobs": [{"jobs": one.jobs, **_bounds(one.length)} for one in said.jobs],
        "instant": [{"target": one.target, **_bounds(one.length)} for one in said.targets],
        "findings": [
            {"kind": one.kind, "text": one.text, "lost_ms": round(one.lost / 1e6, 3), "targets": list(one.targets)} for one in what.findings
        ],
    }


def _bounds(length: Range) -> "dict[str, float]":
    return {"low_ms": round(length.low / 1e6, 3), "high_ms": round(length.high / 1e6, 3)}


def _worth(said: Predictions) -> float:
    return max(WORTH * said.recorded / 2, SHORTEST / 2)


def _with_jobs(of: Work, said: Predictions) -> "Iterator[Finding]":
    """How many jobs would do, and what they would gain."""
    if of.mixed and not said.refused:
        text = "What more jobs (-j) would do is not computed: the first make ran without, and one that it ran had some of its own."
        yield Finding("jobs", text, 0)
    if not said.jobs or len(of.log.targets) < 2:
        return
    least = min(one.length.high for one in said.jobs)
    best = next(one for one in said.jobs if one.length.high <= ENOUGH * least)
    gained = said.recorded - best.length.high
    row = (
        f"make ran without jobs, so its {len(of.log.targets):,} targets ran one after another. "
        if of.serial
        else f"At most {words.count(of.most, 'job')} ran at once, and how many make had is not recorded. "
    )
    if gained >= 2 * _worth(said):
        more = "; more jobs gain next to nothing" if best is not said.jobs[-1] else ""
        text = f"{row}With -j{best.jobs}: {_about(best, said)} instead of {words.duration(said.recorded)}{more}."
        yield Finding("jobs", text, int(gained))
    elif gained < 2 * _worth(said) <= said.recorded - min(one.length.low for one in said.jobs):
        text = f"{row}Whether more jobs (-j) would help is open{_open(said)}."
        yield Finding("jobs", text, 0)
    else:
        limit = f"there {'is' if of.processors == 1 else 'are'} {words.count(of.processors, 'processor')}, and targets need each other"
        yield Finding("jobs", f"More jobs (-j) would not help: {limit}.", 0)


def _about(one: Prediction, said: Predictions) -> str:
    """How long it would take."""
    low, high = (words.duration(length) for length in one.length)
    if one.length.high - one.length.low <= 0.05 * said.recorded:
        return f"about {high}"
    return f"{low} to {high} ({_open(said).lstrip(': ')})"


def _open(said: Predictions) -> str:
    """What the record leaves open."""
    if not said.unknown:
        return ": the record does not hold all prerequisites"
    some = ", ".join(words.cut(clean(one), 30, "...") for one in said.unknown[:2]) + (" and more" if len(said.unknown) > 2 else "")
    return f": what {some} needs is not in the record"


def _without_targets(of: Work, said: Predictions) -> "Iterator[Finding]":
    """What would be gained if a target took no time."""
    if said.refused or len(of.log.targets) < 2:
        return
    gains = [(said.recorded - one.length.high, said.recorded - one.length.low, one.target or 0) for one in said.targets]
    some = [one for one in gains if one[0] >= _worth(said)][:SHOWN]
    if some:
        parts = [(name(of, place), _less(least, most, said)) for least, most, place in some]
        text = (
            f"If one of these were instant: {', '.join(' '.join(part) for part in parts)}."
            if len(some) > 1
            else f"If {' were instant: '.join(parts[0])}."
        )
        yield Finding("instant", text, int(some[0][0]), tuple(place for _, _, place in some))
    elif said.recorded >= 2 * SHORTEST:
        yield Finding("instant", "No single target would make it much faster, however fast it were.", 0)


def _less(least: float, most: float, said: Predictions) -> str:
    """By how much a run would be shorter."""
    return f"-{words.duration(least)}" + (f" to -{words.duration(most)}" if most - least > WORTH * said.recorded else "")
