"""What changes came to: a forest of intervals, a card for each verdict, and all of them together. Claims are those of the verdicts, and no others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from innerloop_collector.analysis.impact.verdict import CLAIMS
from innerloop_collector.analysis.impact.verdict import Verdict as Word
from innerloop_collector.dashboard import figure, words
from innerloop_collector.dashboard.figure import Cell, Chart, Column, Figure, Row
from innerloop_collector.dashboard.page_tables import home
from innerloop_collector.query import Finding, Percent, Programme, Saved, Verdict
from innerloop_collector.reports import impact_table
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport

_IN_PERCENT = ("duration", "usage")  # what else can be altered is told in points
_DRAWN = 40  # rows of a chart
_MOST_CARDS = 6
_TONES = {Word.FASTER: "better", Word.FAILS_LESS: "better", Word.SLOWER: "worse", Word.FAILS_MORE: "worse"}
_COLUMNS = (
    Column("Change", ("change", "date"), numeric=False),
    Column("Compared", ("metric", "by", "work"), numeric=False),
    Column("Expected", ("expected",)),
    Column("Came", ("came", "at_least", "at_most")),
    Column("Would be found", ("detectable",)),
    Column("Developers", ("developers_at_least", "developers_at_most")),
    Column("Verdict", ("verdict", "reason"), numeric=False),
)
_NOTE = (
    "Filled: 0 lies outside the interval. Hollow: no effect is claimed. Diamond: what its author expected. As felt: whatever was to be done; same work: among runs of as many targets; "
    "exposed: where the checkout held the change."
)


@dataclass(frozen=True, slots=True)
class Card:
    """A verdict in short."""

    title: str
    day: str
    tone: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    link: str
    told: str  # the day of the verdict, as programs read it
    word: str  # the verdict


def tone_of(verdict: str) -> str:
    """Whether a verdict says that something became better or worse. A use that moved is neither."""
    word = Word(verdict)
    return _TONES.get(word, "moved" if word in CLAIMS else "unclear")


def newest(report: ChangeReport) -> Verdict | None:
    """The verdict that counts: the newest one that says something."""
    return next((one for one in report.impact.verdicts if one.findings), None)


def headline(report: ProgrammeReport) -> str:
    """How many helped, in a sentence."""
    tones = [tone_of(one.findings[0].verdict) if (one := newest(change)) else "unclear" for change in report.changes]
    if not tones:
        return ""
    told = [(tones.count(tone), said) for tone, said in (("better", "helped"), ("worse", "hurt"), ("moved", "altered how much is used"))]
    said = [f"{count} {word}" for count, word in told if count]
    unclear = tones.count("unclear")
    if not said:
        return f"Of {len(tones)} changes none shows an effect yet." if len(tones) > 1 else "The one change shows no effect yet."
    rest = [f"{unclear} {'shows' if unclear == 1 else 'show'} no effect or cannot be judged"] if unclear else []
    return f"Of {len(tones)} {'change' if len(tones) == 1 else 'changes'} {words.listed([*said, *rest])}."


def forests(report: ProgrammeReport, metrics: Mapping[str, str]) -> tuple[Figure, ...]:
    """The figures of all changes: percent and points have an axis each. `metrics`: what each change is to alter."""
    shown = [(one, _findings(one)) for one in report.changes]
    percent = [row for change, found in shown for row in _rows(change, found, metrics, percent=True)]
    points = [row for change, found in shown for row in _rows(change, found, metrics, percent=False)]
    made = (
        _forest(
            "effects",
            "What each change came to",
            "Duration and use: percent, 95 % interval or wider, on a scale of ratios",
            "percent",
            percent,
        ),
        _forest(
            "points",
            "Failures and adoption",
            "Points: so many more or fewer of 100 runs or developers, with their intervals",
            "points",
            points,
        ),
    )
    return tuple(one for one in made if one.rows)


def together(found: Programme) -> Figure:
    """What all changes come to: drawn towards each other as far as they are uncertain."""
    columns = (
        Column("Changes", ("changes",)),
        Column("With an effect, however unsure", ("told",)),
        Column("On average", ("mean", "mean_at_least", "mean_at_most")),
        Column("All together in a month", ("minutes", "minutes_at_least", "minutes_at_most")),
    )
    mean, minutes = found.mean, (found.minutes, found.minutes_low, found.minutes_high)
    average = _number(mean.percent, mean.low, mean.high, "%") if mean else Cell("not told", (None, None, None))
    row = Row((_count(len(found.changes)), _count(found.told), average, _saved(*minutes)))
    return Figure(
        "together",
        "All changes together",
        "Effects on durations, by date and as felt. A minus is less time; a month of all developers",
        columns,
        (row,) if found.changes else (),
        note="A mean that is drawn towards nothing as far as it is uncertain, never a sum of those that went well. Three effects are needed; changes of which nothing can be told are counted, and add nothing.",
    )


def cards(changes: tuple[ChangeReport, ...]) -> tuple[Card, ...]:
    """The newest verdicts, in short."""
    told = [(change, one) for change in changes if (one := newest(change))]
    return tuple(_card(*one) for one in sorted(told, key=lambda one: one[1].made, reverse=True)[:_MOST_CARDS])


def link_of(project: str, name: str) -> str:
    """Where the page of a change is."""
    return f"{home(project)}/changes/{quote(name, safe='')}"


def _card(change: ChangeReport, verdict: Verdict) -> Card:
    first = verdict.findings[0]
    facts = [
        ("Developers", words.people(verdict.developers) if verdict.developers else ""),
        ("Would be found", f"{_told(impact_table.amount(first.detectable, first.metric))} or more" if first.detectable else ""),
        ("By size among placebos", f"{places.rank} of {places.dates + 1}" if (places := verdict.placebos) else ""),
        ("Expected", _expected(change, first.metric) if change.impact.expected is not None else ""),
    ]
    return Card(
        change.impact.title,
        words.day(change.impact.day),
        tone_of(first.verdict),
        words.sentence(change.sentence),
        tuple((label, said) for label, said in facts if said),
        link_of(change.impact.project, change.impact.change),
        verdict.made.isoformat(),
        impact_table.verdict(first),
    )


def _findings(change: ChangeReport) -> tuple[Finding, ...]:
    """Of the newest verdict the comparison that was registered, and beside it those that have a number."""
    found = newest(change)
    if found is None:
        return ()
    first, *others = found.findings
    return (first, *(one for one in others if one.percent is not None))


def _rows(change: ChangeReport, found: tuple[Finding, ...], metrics: Mapping[str, str], *, percent: bool) -> Iterable[Row]:
    """A row for each comparison that has a unit; a change without a verdict has one where its verdict will be."""
    metric = metrics.get(change.impact.change, "duration")
    if not found and (metric in _IN_PERCENT) == percent:
        yield _waiting(change, metric)
    for place, one in enumerate(found):
        if (one.metric in _IN_PERCENT) == percent:
            yield _compared(change, one, is_registered=not place)


def _waiting(change: ChangeReport, metric: str) -> Row:
    """A change without a verdict, and why."""
    refused = next((one.refused for one in change.impact.verdicts), "")
    word = "refused" if refused else "no verdict yet"
    why = refused or change.next
    what = Cell(metric.replace("_", " "), (metric, None, None))
    return Row((_name(change), what, _author(change, metric), _absent(3), _absent(1), _absent(2), Cell(word, (word, why or None), why)))


def _compared(change: ChangeReport, of: Finding, *, is_registered: bool) -> Row:
    verdict = newest(change)
    return Row(
        (
            _name(change),
            Cell(impact_table.name(of), (of.metric, of.by, of.work)),
            _author(change, of.metric) if is_registered else _absent(1),
            _number(of.percent, of.low, of.high, _unit(of.metric)),
            Cell(_told(impact_table.amount(of.detectable, of.metric)), (of.detectable.value if of.detectable else None,)),
            figure.people(verdict.developers if verdict and is_registered else None),
            Cell(impact_table.verdict(of), (of.verdict, of.reason or None)),
        )
    )


def _name(change: ChangeReport) -> Cell:
    of = change.impact
    return Cell(of.title, (of.change, of.day.isoformat()), words.day(of.day), link_of(of.project, of.change))


def _forest(name: str, title: str, subtitle: str, unit: str, rows: list[Row]) -> Figure:
    more = f" Drawn are the first {_DRAWN}." if len(rows) > _DRAWN else ""
    chart = Chart(
        "came", "", unit, x="change", low="at_least", high="at_most", second="expected", kind="forest", rows=min(len(rows), _DRAWN)
    )
    drawn = any(row.cells[3].values[0] is not None for row in rows)
    return Figure(name, title, subtitle, _COLUMNS, tuple(rows), _NOTE + more, chart if drawn else None)


def _number(value: Percent | None, low: Percent | None, high: Percent | None, unit: str) -> Cell:
    if value is None or low is None or high is None:
        return _absent(3)
    said = f"{value.value:+g}{words.THIN}{unit}".replace("-", words.MINUS)
    between = f"({low.value:+g} to {high.value:+g})".replace("-", words.MINUS)
    return Cell(said, (value.value, low.value, high.value), between)


def _saved(value: Saved | None, low: Saved | None, high: Saved | None) -> Cell:
    """What is saved has a plus: it is minutes that nobody waits any more."""
    if value is None or low is None or high is None:
        return Cell("not told", (None, None, None))
    word = "saved" if value.value >= 0 else "lost"
    said = f"{words.duration(abs(value.value) * 60_000)} {word}"
    ends = " to ".join(f"{words.MINUS if end.value < 0 else ''}{words.duration(abs(end.value) * 60_000)}" for end in (low, high))
    return Cell(said, (value.value, low.value, high.value), f"({ends})")


def _author(change: ChangeReport, metric: str) -> Cell:
    expected = change.impact.expected
    return _absent(1) if expected is None else Cell(_expected(change, metric), (expected,))


def _expected(change: ChangeReport, metric: str) -> str:
    return f"{change.impact.expected:+g}{words.THIN}{_unit(metric)}".replace("-", words.MINUS)


def _unit(metric: str) -> str:
    return "%" if metric in _IN_PERCENT else "points"


def _told(said: str) -> str:
    return words.ABSENT if said == "-" else said


def _absent(fields: int) -> Cell:
    return Cell(words.ABSENT, (None,) * fields)


def _count(number: int) -> Cell:
    return Cell(words.number(number), (number,))
