"""Attackers who also see verdicts and alerts.

They know what attackers of figures know, which changes are registered, when something became slower, and of everybody but the target who was there, whose
checkout holds a change, and who has which version.
"""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from innerloop_collector.query.alerts.alert_documents import Day, Fate, Told
from innerloop_collector.query.releases.disclosure import K
from innerloop_collector.query.verdicts.verdict_views import Detectable, Finding, Verdict
from tests.releases.attackers import Attacker, Knowledge

AFFECTED = "build"
_A_MONTH = 365.25 / 12 / 7  # weeks
_SUCCEED = 0.8  # of the runs, most likely
_MINUTE_MS = 60_000


@dataclass
class Seen(Knowledge):
    """What such an attacker knows."""

    verdicts: tuple[Verdict, ...] = ()
    days: tuple[Day, ...] = ()
    foreseen: tuple[Detectable, ...] = ()  # what could be seen, in the block of the change and in the second one after it
    others: int = 0  # whose checkouts hold the change, who have the new version or who were there in the week, without the target
    slowed: float = 1.0  # by how much the affected command truly became slower

    def look(self, number: int) -> Verdict | None:
        """A verdict with numbers."""
        return next((one for one in self.verdicts if one.look == number and one.has_numbers), None)

    def told(self) -> list[Told]:
        """All that was told of the affected command."""
        return [one for day in self.days for one in day.told if one.subject.name == AFFECTED]

    def minutes(self, number: int) -> float | None:
        """What successful runs took since the change up to a look, of all: it is known how many developers there are."""
        found = self.look(number)
        if found is None or found.waited is None or found.minutes_of is None:
            return None
        low, high = found.minutes_of.value
        developers = min(max(len(self.people), low), high)
        return found.waited.value * developers * found.weeks / _A_MONTH

    def published_minutes(self) -> float | None:
        """What was published of the affected command in the block of the change."""
        atoms = self.cells(self.blocks[1], "command").get(AFFECTED, [])
        known = [one.waited_ms for one in atoms if one.waited_ms is not None]
        return sum(known) / _MINUTE_MS if known and len(known) == len(atoms) else None


def _headline(of: Verdict | None) -> Finding | None:
    return of.findings[0] if of and of.findings[0].percent is not None else None


def _people_of_two_looks(of: Seen) -> bool | None:
    first, second = of.look(1), of.look(2)
    if first is None or second is None or first.developers is None or second.developers is None:
        return None
    return second.developers.value >= first.developers.value


def _waiting_between_looks(of: Seen) -> bool | None:
    """What the second look has more, beside what the first one has: without somebody less of it."""
    first, second = of.minutes(1), of.minutes(2)
    if first is None or second is None:
        return None
    return second / 9 > first / 4 * (1 - of.usual_share / 2)


def _looks_apart(of: Seen) -> bool | None:
    first, second = _headline(of.look(1)), _headline(of.look(2))
    if first is None or second is None or first.percent is None or second.percent is None:
        return None
    return abs(first.percent.value - second.percent.value) < 4


def _widths(of: Seen) -> bool | None:
    """An interval that has not become as much narrower as five more weeks make it."""
    wide = []
    for one in (_headline(of.look(1)), _headline(of.look(2))):
        if one is None or one.low is None or one.high is None:
            return None
        wide.append(one.high.value - one.low.value)
    return wide[1] < 0.95 * wide[0]


def _foreseen(of: Seen) -> bool | None:
    """What could be seen has not become more."""
    found = [one.percent.value for one in of.foreseen if one.percent is not None]
    return found[1] <= found[0] if len(found) > 1 else None


def _waiting_of_a_verdict(of: Seen) -> bool | None:
    """What all waited since, beside what was published of the weeks before."""
    since = of.minutes(1)
    before = [one.waited_ms for one in of.cells(of.blocks[0], "command").get(AFFECTED, []) if one.waited_ms is not None]
    if since is None or not before:
        return None
    return since / of.slowed > _SUCCEED * sum(before) / _MINUTE_MS * (1 - of.usual_share / 2)


def _share_of_waiting(of: Seen) -> float | None:
    since = of.minutes(1)
    return None if since is None else since * of.usual_share


def _waiting_less_capped(of: Seen) -> float | None:
    """Figures count nobody for more than twice the median person, a verdict counts everybody: what one has more is of those who work most."""
    since, capped = of.minutes(1), of.published_minutes()
    if since is None or capped is None or not of.dominant:
        return None
    weeks = 4 / len(of.blocks[1].weeks)
    more = max(since - _SUCCEED * capped * weeks, 0)
    return more + 2 * _SUCCEED * capped * weeks / len(of.people)


def _is_early(of: Seen) -> bool | None:
    """Not called too early: enough hold it."""
    found = [one.findings[0] for one in of.verdicts if one.look == 1 and one.findings]
    return found[0].reason != "hardly exposed" if found else None


def _has_reached_all(of: Seen) -> bool | None:
    found = _headline(of.look(1))
    return "exposed in part" not in found.warnings if found else None


def _exposed_share(of: Seen) -> bool | None:
    found = of.look(1)
    return None if found is None or found.exposed is None else found.exposed.value > of.others / (len(of.people) - 1)


def _is_compared_by_exposure(of: Seen) -> bool | None:
    found = [one for one in of.verdicts if one.look == 1 and one.findings]
    return any(one.by == "by exposure" for one in found[0].findings) if found else None


def _people_of_an_alert(of: Seen) -> bool | None:
    told, found = of.told(), of.look(1)
    return None if not told or found is None or found.developers is None else told[0].people >= found.developers.value[0]


def _size_of_an_alert(of: Seen) -> bool | None:
    told = of.told()
    return None if not told else told[0].size.value >= 100 * (of.slowed - 1)


def _fate_of_an_alert(of: Seen) -> bool | None:
    told = of.told()
    return None if not told else told[-1].fate is Fate.CONFIRMED


def _day_of_an_alert(of: Seen) -> bool | None:
    told = of.told()
    return None if not told else abs(told[0].since - of.blocks[1].first) < timedelta(days=3)


def _whether_there_is_an_alert(of: Seen) -> bool | None:
    return bool(of.told()) if len(of.people) > 2 * K else None


def _what_appeared(of: Seen) -> bool | None:
    told = of.told()
    return None if not told else any(one.appeared for one in told)


def _week_is_told(of: Seen) -> bool | None:
    found = [gap for one in of.verdicts for gap in one.gaps if gap.week == of.week]
    return found[0].gap is not None if found else None


def _size_of_a_gap(of: Seen) -> bool | None:
    gaps = [gap for one in of.verdicts for gap in one.gaps if gap.gap is not None]
    mine = [abs(gap.gap.value) for gap in gaps if gap.week == of.week and gap.gap]
    return mine[0] <= median(abs(gap.gap.value) for gap in gaps if gap.gap) if mine else None


EVIDENCE = (
    Attacker("developers of two looks", "present", _people_of_two_looks, ("erased",)),
    Attacker("waiting between two looks", "present", _waiting_between_looks, ("erased",)),
    Attacker("two looks apart", "present", _looks_apart, ("erased",)),
    Attacker("widths of two looks", "present", _widths, ("erased",)),
    Attacker("what could be seen, asked twice", "present", _foreseen, ("erased",)),
    Attacker("waiting of a verdict", "present", _waiting_of_a_verdict, ("changed",)),
    Attacker("usual share of a verdict's waiting", "minutes", _share_of_waiting, ("changed", "slower")),
    Attacker("waiting of a verdict less capped minutes", "minutes", _waiting_less_capped, ("changed",)),
    Attacker("called too early", "holds", _is_early, ("held",)),
    Attacker("arrived everywhere", "holds", _has_reached_all, ("held",)),
    Attacker("share that is exposed", "holds", _exposed_share, ("held",)),
    Attacker("compared by exposure", "holds", _is_compared_by_exposure, ("held",)),
    Attacker("developers of an alert", "present", _people_of_an_alert, ("slower", "joins")),
    Attacker("size of an alert", "present", _size_of_an_alert, ("slower", "joins")),
    Attacker("fate of an alert", "present", _fate_of_an_alert, ("slower", "joins")),
    Attacker("day of an alert", "present", _day_of_an_alert, ("slower", "joins")),
    Attacker("an alert at all", "present", _whether_there_is_an_alert, ("slower", "joins")),
    Attacker("what appeared with an alert", "holds", _what_appeared, ("appears",)),
    Attacker("a week of a verdict that is hidden", "present", _week_is_told, ("holiday",)),
    Attacker("size of a week's gap", "present", _size_of_a_gap, ("holiday",)),
)
