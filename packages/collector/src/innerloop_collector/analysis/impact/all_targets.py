"""All targets at once: one test each, and of the claims together at most a tenth false (Benjamini and Hochberg 1995)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from innerloop_collector.analysis.impact.detectable import answer_of
from innerloop_collector.analysis.impact.estimates import Answer, Estimate, Label, Reason, Refusal
from innerloop_collector.analysis.impact.panel import Numbers, Panel
from innerloop_collector.analysis.impact.question import Group, Invalid, Question

FALSE_SHARE = 0.10


@dataclass(frozen=True)
class Scanned:
    """A target's answer among all that were tested."""

    target: int
    answer: Answer
    q: float | None  # the least share of false claims at which it would be one
    claimed: bool


def scan(panel: Panel, question: Question, targets: Sequence[int]) -> tuple[Scanned, ...]:
    """Ask about each target alone, against the question's controls, or where it names none against all other targets. Refused ones are not tested.

    Without controls a target that changed would make all others look changed: the strongest claim serves no more as a control, and all are asked again,
    until nothing new is claimed or half of the targets are.
    """
    if len(set(targets)) != len(targets):
        raise Invalid("a target is named twice")
    changed: set[int] = set()
    while True:
        found = _asked(panel, question, targets, frozenset(changed))
        new = [one for one in found if one.claimed and one.target not in changed and one.q is not None]
        if question.control is not None or not new or 2 * (len(changed) + 1) > len(targets):
            return found
        changed.add(min(new, key=_strength).target)


def _strength(one: Scanned) -> float:
    return one.answer.p if isinstance(one.answer, Estimate) else 1.0


def _asked(panel: Panel, question: Question, targets: Sequence[int], changed: frozenset[int]) -> tuple[Scanned, ...]:
    answers = [_answer(panel, question, one, _others(question, one, targets, changed)) for one in targets]
    tested = [place for place, answer in enumerate(answers) if isinstance(answer, Estimate)]
    values = adjusted([answer.p for answer in answers if isinstance(answer, Estimate)])
    q = dict(zip(tested, values.tolist(), strict=True))
    return tuple(Scanned(one, answers[at], q.get(at), q.get(at, 1.0) <= FALSE_SHARE) for at, one in enumerate(targets))


def _answer(panel: Panel, question: Question, target: int, control: Group | None) -> Answer:
    if control is None:
        return Refusal(question.metric, Label.EFFECT, question.exposure, Reason.NO_CONTROL_RUNS)
    return answer_of(panel, replace(question, treated=Group(frozenset({target}), question.treated.projects), control=control))


def _others(question: Question, target: int, targets: Sequence[int], changed: frozenset[int]) -> Group | None:
    """What a target is compared with. None: nothing but itself."""
    if question.control is None:
        named, projects = frozenset(targets) - changed, question.treated.projects
    elif question.control.targets is None:
        return question.control
    else:
        named, projects = question.control.targets, question.control.projects
    return Group(named - {target}, projects) if named - {target} else None


def adjusted(p: Sequence[float]) -> Numbers:
    """The q values of p values: sorted, each is p times their number by its rank, and no smaller one's is larger."""
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    ranked = given[order] * len(given) / np.arange(1, len(given) + 1)
    least = np.minimum.accumulate(ranked[::-1])[::-1]
    out = np.empty_like(given)
    out[order] = np.minimum(least, 1.0)
    return out
