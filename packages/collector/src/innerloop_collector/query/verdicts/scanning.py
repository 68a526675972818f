"""From sums to what a scan says: a question for each command and target, and their answers, rounded. Pure."""

import dataclasses
from collections.abc import Collection

from msgspec.structs import replace

from innerloop_collector.analysis.impact.all_targets import scan
from innerloop_collector.analysis.impact.codes import within as among
from innerloop_collector.analysis.impact.estimates import Estimate
from innerloop_collector.analysis.impact.panel import Panel
from innerloop_collector.analysis.impact.question import Group, Limits, Metric, Question
from innerloop_collector.analysis.impact.verdict import CLAIMS
from innerloop_collector.analysis.impact.verdict import Verdict as Word
from innerloop_collector.query.verdicts import presence, rounding
from innerloop_collector.query.verdicts.judgement import DEVELOPERS
from innerloop_collector.query.verdicts.looks import Change, Look, Name
from innerloop_collector.query.verdicts.scan_views import Scan, Scanned
from innerloop_collector.query.verdicts.statistics import Sums, week_number
from innerloop_collector.query.verdicts.verdict_views import AS_FELT

MOST = 100  # names that are tested: those that are run most
_FEWEST = 2
_EARLY = "too early: less than a fifth of the project's runs are in checkouts that hold the change, or these are of too few developers"


def scanned(blank: Scan, sums: Sums, change: Change, look: Look, checks: Collection[Name], held: Sums | None) -> Scan:
    """Fill a scan in: whatever is run in a change's project by k developers on each side, each against all others, but for what is left out.

    `held`: the project's commands, with whether checkouts held the change. None: it does not come with them.
    """
    names = {code: one.name for one, code in sums.targets.items() if one.project == change.project and one.name not in blank.left_out}
    panel = sums.panel.unexposed()
    panel = panel.where(among(panel.target, sorted(names)))
    question = Question(
        week=week_number(change.week),
        treated=Group(),
        metric=Metric(change.metric),
        checks=sums.codes(checks),
        dropped=frozenset() if change.day == change.week else frozenset({week_number(change.week) - 1}),
        weeks_after=look.weeks,
        looks=max(len(change.looks), 1),
        limits=Limits(users=DEVELOPERS, effective_users=float(DEVELOPERS), users_a_week=blank.k),
    )
    tested = _tested(panel, question, list(names), blank.k)
    if len(tested) < _FEWEST:
        return replace(blank, refused="fewer than two other commands or targets are run by enough developers before and since")
    if held is not None and presence.hardly_exposed(held.panel, question, blank.k):
        return replace(blank, refused=_EARLY)
    found = sorted(scan(panel, question, tested), key=lambda one: (one.q is None, one.q or 0.0, names[one.target]))
    out = []
    for one in found:
        answer = presence.told(panel, _alone(question, one.target, tested), one.answer, blank.k)
        finding = rounding.finding(answer, AS_FELT, question.limits, blank.k)
        claims = Word(finding.verdict) in CLAIMS
        stands_out = one.claimed and claims and isinstance(answer, Estimate)
        if claims and not stands_out:
            finding = replace(finding, verdict=Word.CANNOT_TELL.value)
        out.append(Scanned(names[one.target], finding, stands_out))
    return replace(blank, names=tuple(out))


def _tested(panel: Panel, question: Question, codes: list[int], k: int) -> list[int]:
    """Of what enough developers ran on each side. What fewer ran is not named: that it is there would tell that somebody ran it."""
    enough = [one for one in codes if len(codes) > 1 and presence.enough(panel, _alone(question, one, codes), question.metric, k)]
    runs = {one: float(panel.runs[panel.target == one].sum()) for one in enough}
    return sorted(sorted(enough, key=lambda one: -runs[one])[:MOST])


def _alone(question: Question, code: int, codes: Collection[int]) -> Question:
    others = frozenset(codes) - {code}
    return dataclasses.replace(question, treated=Group(frozenset({code})), control=Group(others) if others else None)
