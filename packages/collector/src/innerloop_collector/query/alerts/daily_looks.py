"""Looks at every command and target of a project on one day: what stands out, what became of what stood out before, and what crept up."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from math import ceil, exp, floor
from typing import Protocol

from msgspec.structs import replace

from innerloop_collector.analysis.alerts import detection, thresholds
from innerloop_collector.analysis.alerts.daily import Daily, Measure
from innerloop_collector.analysis.alerts.detection import Alert, Rise, Thresholds
from innerloop_collector.query.alerts.alert_archive import AlertArchive
from innerloop_collector.query.alerts.alert_documents import VERSION, Appeared, Day, Fate, Size, Subject, Told, looks_of, unit_of
from innerloop_collector.query.alerts.daily_rows import Span
from innerloop_collector.query.alerts.known_projects import Expected, Figures, KnownProjects
from innerloop_collector.query.population import Population, Settings
from innerloop_collector.query.releases.calendar import block_of
from innerloop_collector.query.releases.document import at_least

_ONE_DAY = timedelta(days=1)
_WINDOW = timedelta(days=detection.BEFORE + detection.AFTER)
_BASELINE = timedelta(days=detection.BASELINE)
_LAST = timedelta(days=detection.LAST_DAYS)
_REMEMBERED = timedelta(days=detection.QUIET) + _LAST
_HALF_A_YEAR = timedelta(days=2 * 91)
_MONTH = timedelta(days=28)
_SHARES = {Measure.DURATION: 0.75, Measure.FAILURES: 0.25}  # of the false alarms
_CREEP_SHARE = 0.1
_STEPS = {Measure.DURATION: 5, Measure.FAILURES: 2}  # percent, and percentage points
_MEASURES = {one.word: one for one in Measure}


class Source(Protocol):
    """What is known of a project's days."""

    def daily(self, of: Population, span: Span) -> Mapping[Subject, Daily]:
        """Each target's days."""

    def appeared(self, of: Population, span: Span, since: date, k: int) -> Iterable[Appeared]:
        """What k people had within a week of a day, and nobody long before."""


class DailyLooks:
    """Looks."""

    def __init__(self, source: Source, archive: AlertArchive, figures: Figures, known: KnownProjects, expected: Expected) -> None:
        self._rows = source
        self._archive = archive
        self._figures = figures
        self._known = known
        self._expected = expected

    def look(self, project: str, settings: Settings, day: date, today: date) -> Day:
        """What stands out of a project's commands and targets on a day."""
        block = block_of(day)
        creeping = day + _ONE_DAY == block.end
        before = self._last_told(project, day)
        followed = [one.since - _BASELINE for one in before.values() if one.fate is Fate.OPEN]
        first = min([day + _ONE_DAY - (_HALF_A_YEAR + _MONTH if creeping else _WINDOW), *followed])
        span = Span(first, day, self._known.committed())
        of = self._population(project, settings, block.first, today)
        daily = self._looked_at(project, self._rows.daily(of, span), settings.k, span)
        told = [*self._stepped(daily, before, span), *(self._crept(daily, self._known_to_rise(project, day), span) if creeping else ())]
        shown = [one for one in told if one.fate is Fate.GONE or one.people >= at_least(settings.k)]
        named = [self._with_what_appeared(one, of, span, settings.k) for one in sorted(shown, key=lambda one: (one.subject, one.seen))]
        return Day(VERSION, project, unit_of(day), day, today, span.upto, settings.k, looks_of(len(daily)), tuple(named))

    def _population(self, project: str, settings: Settings, began: date, today: date) -> Population:
        name = block_of(began - _ONE_DAY).name
        return Population.in_block(project, settings, began, self._figures.read(project, [name]).get(name), today)

    def _last_told(self, project: str, day: date) -> dict[Subject, Told]:
        """What was last told of each target, in so far as it matters still."""
        days = self._archive.days(project, day - _REMEMBERED)
        return {one.subject: one for of in days for one in of.told if one.fate is not Fate.CREEP}

    def _known_to_rise(self, project: str, day: date) -> set[Subject]:
        """What was told of in the last half a year: that it is slower than then is no news."""
        days = self._archive.days(project, day - _HALF_A_YEAR)
        return {one.subject for of in days for one in of.told if one.fate is not Fate.GONE}

    def _looked_at(self, project: str, daily: Mapping[Subject, Daily], k: int, span: Span) -> dict[Subject, Daily]:
        """The targets of which anything may be told: enough people, and of checks not that they fail."""
        enough = {subject: of for subject, of in daily.items() if detection.enough(of, k, span.days - 1)}
        checks = set(self._known.checks(project, {subject.name for subject in enough}))
        failures = Measure.FAILURES.word
        return {subject: of for subject, of in enough.items() if not (subject.measure == failures and subject.name in checks)}

    def _stepped(self, daily: Mapping[Subject, Daily], before: Mapping[Subject, Told], span: Span) -> Iterable[Told]:
        confirmation = thresholds.of_confirmation(min(self._expected.paged / self._expected.told, 1.0))
        for subject, of in daily.items():
            measure, last = _MEASURES[subject.measure], before.get(subject)
            at = Thresholds(thresholds.of_a_look(self._rate(daily, measure, (1 - _CREEP_SHARE) * _SHARES[measure])), confirmation)
            found = detection.step(of, measure, at, _read(last, span) if last else None, span.days - 1)
            if found is None:
                continue
            if last and found.fate is detection.Fate.GONE:
                yield replace(last, fate=Fate.GONE, appeared=())
            else:
                yield _told(subject, measure, found, span)
        for subject, last in before.items():
            if subject not in daily and last.fate is Fate.OPEN and span.last >= last.seen + _LAST:  # too few run it now
                yield replace(last, fate=Fate.GONE, appeared=())

    def _crept(self, daily: Mapping[Subject, Daily], known: Collection[Subject], span: Span) -> Iterable[Told]:
        for subject, of in daily.items():
            measure = _MEASURES[subject.measure]
            threshold = thresholds.of_creep(self._rate(daily, measure, _CREEP_SHARE * _SHARES[measure]))
            rise = None if subject in known else detection.creep(of, measure, threshold, span.days - 1)
            if rise is not None:
                yield Told(subject, span.last, span.last - _HALF_A_YEAR, Fate.CREEP, size_of(measure, rise), people_of(rise))

    def _rate(self, daily: Mapping[Subject, Daily], measure: Measure, share: float) -> float:
        """The false alarms that one target may have."""
        return share * self._expected.told / sum(subject.measure == measure.word for subject in daily)

    def _with_what_appeared(self, one: Told, of: Population, span: Span, k: int) -> Told:
        """An alert that is new, or dated again, with what came about then."""
        if one.fate not in (Fate.OPEN, Fate.CONFIRMED):
            return one
        year = span._replace(first=one.since - timedelta(days=365))
        return replace(one, appeared=tuple(self._rows.appeared(of, year, one.since, k)))


def _read(told: Told, span: Span) -> Alert:
    """An alert as detection knows it: by its days. How large it was decides nothing."""
    return Alert(span.place(told.seen), span.place(told.since), detection.Rise(0.0, 0.0, 0.0, 0), detection.Fate(told.fate.value))


def _told(subject: Subject, measure: Measure, found: Alert, span: Span) -> Told:
    return Told(
        subject, span.day(found.seen), span.day(found.since), Fate(found.fate.value), size_of(measure, found.rise), people_of(found.rise)
    )


def size_of(measure: Measure, rise: Rise) -> Size:
    """A rise, rounded; its interval outwards. Less than nothing is told as nothing."""
    step = _STEPS[measure]
    value, low, high = ((exp(one) - 1) * 100 if measure is Measure.DURATION else one * 100 for one in (rise.value, rise.low, rise.high))
    return Size(max(round(value / step), 1) * step, max(floor(low / step), 0) * step, ceil(high / step) * step)


def people_of(rise: Rise) -> int:
    """How many people are behind a rise, as the lower end of a range."""
    return at_least(rise.people)
