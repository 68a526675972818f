"""All changes of a project together: what came beside what was expected, those of which nothing can be told among them, and no claim that an interval does not carry."""

import itertools

import pytest

from innerloop_collector.dashboard import effects
from innerloop_collector.dashboard.figure import Figure
from innerloop_collector.query import Finding, Impact, People, Percent, Programme, Saved, Verdict
from innerloop_collector.query.published import seal
from innerloop_collector.query.verdicts.verdict_views import Span
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport
from tests.collector.asking import asked
from tests.dashboard import evidence
from tests.dashboard.conftest import Site
from tests.dashboard.evidence import FASTER, PLANNED, REFUSED, SLOWER, UNSURE


def told(change: str, *verdicts: Verdict, following: str = "") -> ChangeReport:
    impact = Impact(evidence.PROJECT, change, evidence.TITLES[change], evidence.DAYS[change], -15.0, (), verdicts, None, None)
    return ChangeReport(f"{change}: said", following, impact)


def together(*changes: ChangeReport, mean: Span | None = None, minutes: float | None = None) -> ProgrammeReport:
    saved = (None,) * 3 if minutes is None else tuple(seal(Saved, one) for one in (minutes, -30.0, 2 * minutes))
    return ProgrammeReport("", changes, Programme(evidence.PROJECT, tuple(one.impact for one in changes), 3, mean, *saved))


ALL = together(*(told(one.change, one) for one in evidence.VERDICTS), told(PLANNED, following="first verdict: Wednesday 21 May 2031"))


def rows(figure: Figure) -> list[tuple[object, ...]]:
    return [tuple(row[key] for key in ("change", "metric", "work", "by", "expected", "came", "verdict")) for row in figure.json()["rows"]]


def test_each_change_has_its_row_also_where_nothing_can_be_told_with_what_was_expected_beside_what_came() -> None:
    percent, points = effects.forests(ALL, {})

    assert [
        (FASTER, "duration", "as felt", "by date", -15.0, -18.0, "faster"),
        (FASTER, "duration", "same work", "by date", None, -15.0, "faster"),
        (FASTER, "duration", "as felt", "by exposure", None, -9.0, "cannot tell"),
        (SLOWER, "duration", "as felt", "by date", -15.0, 14.0, "slower"),
        (UNSURE, "duration", "as felt", "by date", -15.0, -11.0, "cannot tell"),
        (REFUSED, "duration", None, None, -15.0, None, "refused"),
        (PLANNED, "duration", None, None, -15.0, None, "no verdict yet"),
    ] == rows(percent)
    assert [(FASTER, -1.0, "cannot tell"), (SLOWER, 3.0, "fails more")] == [(row[0], row[5], row[6]) for row in rows(points)]
    assert "another look at the same command lies in the same block" == percent.json()["rows"][5]["reason"]


def test_percent_and_points_never_share_an_axis() -> None:
    for figure, metrics in zip(effects.forests(ALL, {}), ({"duration", "usage"}, {"failures", "failed_checks", "adoption"}), strict=True):
        assert figure.chart
        assert {row[1] for row in rows(figure)} <= metrics

    planned = effects.forests(together(told(PLANNED)), {PLANNED: "failures"})
    assert ["points"] == [one.id for one in planned], "it waits where its verdict will be"
    assert planned[0].chart is None, "nothing is drawn where there is no number"


def test_the_title_counts_what_the_registered_comparisons_claim() -> None:
    assert "Of 5 changes 1 helped, 1 hurt and 3 show no effect or cannot be judged." == effects.headline(ALL)
    assert "Of 2 changes none shows an effect yet." == effects.headline(together(told(REFUSED, evidence.VERDICTS[3]), told(PLANNED)))
    assert "" == effects.headline(together())


@pytest.mark.parametrize(("low", "high"), list(itertools.combinations_with_replacement((-20.0, -1.0, 0.0, 1.0, 20.0), 2)))
def test_no_title_card_or_mark_claims_with_zero_inside_the_interval(low: float, high: float) -> None:
    """The verdict is a word of the interval; what pages make of it is a word of the verdict."""
    word = "faster" if high < 0 else "slower" if low > 0 else "cannot tell"
    found = Finding("duration", "by date", "as felt", "effect", word, *(seal(Percent, one) for one in ((low + high) / 2, low, high)))
    change = told(FASTER, evidence.verdict(FASTER, found, developers=seal(People, (10, 14))))
    (card,) = effects.cards((change,))

    assert (card.tone in ("better", "worse")) == (low > 0 or high < 0)
    assert ("helped" in effects.headline(together(change)) or "hurt" in effects.headline(together(change))) == (low > 0 or high < 0)


def test_all_together_is_the_shrunken_mean_with_its_interval_or_that_it_is_not_told() -> None:
    mean = Span(*(seal(Percent, one) for one in (-6.0, -12.0, 1.0)))
    (row,) = effects.together(together(told(PLANNED), mean=mean, minutes=90.0).programme).rows
    (untold,) = effects.together(together(told(PLANNED)).programme).rows

    assert ["1", "3", "\u22126\u202f%", "1\u202fh 30\u202fmin saved"] == [cell.text for cell in row.cells]
    assert ["(\u221212 to +1)", "(\u221230\u202fmin to 3\u202fh)"] == [cell.detail for cell in row.cells[2:]]
    assert ["not told", "not told"] == [cell.text for cell in untold.cells[2:]]


def test_the_page_has_what_the_terminal_has(site: Site) -> None:
    report = asked(site.collector, "impact.all", project="other").json()
    percent = site.get("/p/other/changes.json?figure=effects").json()["rows"]
    points = site.get("/p/other/changes.json?figure=points").json()["rows"]
    (total,) = site.get("/p/other/changes.json?figure=together").json()["rows"]
    page = site.get("/p/other/changes").text

    assert {one["impact"]["change"] for one in report["changes"]} == {row["change"] for row in percent + points} >= set(evidence.DAYS)
    for one in report["changes"]:
        for verdict in one["impact"]["verdicts"]:
            for finding in verdict["findings"]:
                key = (one["impact"]["change"], finding["metric"], finding["by"], finding["work"])
                found = [row for row in percent + points if key == (row["change"], row["metric"], row["by"], row["work"])]
                assert not found or (finding["percent"], finding["low"], finding["high"]) == tuple(
                    found[0][name] for name in ("came", "at_least", "at_most")
                )
    programme = report["programme"]
    assert (len(report["changes"]), programme["told"], programme["mean"]["percent"]) == (total["changes"], total["told"], total["mean"])
    assert "Image cache on the build hosts" in page
    assert "A new guide &lt;i&gt;" in page
    assert 'href="/p/other/register"' in site.get("/p/other/changes", token=site.admin).text
