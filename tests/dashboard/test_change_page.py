"""A change's page says what the terminal says: the sentence with its interval, what it rests on, and before the first verdict when it comes."""

from datetime import date

from innerloop_collector.analysis.impact.estimates import Warned
from innerloop_collector.dashboard.change_page import change
from innerloop_collector.dashboard.changes import changes
from innerloop_collector.query import Finding, Impact, People, Percent, Programme, Verdict
from innerloop_collector.query.published import seal
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport

DAY = date(2026, 9, 7)
FASTER = Finding(
    "duration", "by date", "as felt", "effect", "faster", seal(Percent, -18.0), seal(Percent, -26.0), seal(Percent, -9.0), 0.95, seal(Percent, 7.0),
    warnings=(Warned.FEW_EFFECTIVE_USERS.value,),
)  # fmt: skip
UNTOLD = Finding("failures", "by date", "as felt", "effect", "too early", reason="there are too few runs")
LOOK = Verdict(
    1, "acme", "verdict/cache/1", "cache", "The cache", DAY, "duration", 1, 2, 4, DAY, DAY, date(2026, 10, 8), 5, (("acme", "build"),), (),
    developers=seal(People, (10, 14)), findings=(FASTER, UNTOLD), expected=-10.0,
)  # fmt: skip
SAID = "build became 18 % faster (95 % interval 9 to 26 %)"
NEXT = "next verdict: Thursday 3 December 2026"
LISTED = {
    "project": "acme", "name": "cache", "title": "The cache", "date": "2026-09-07", "kind": "code", "projects": ["acme"], "affects": ["build"],
    "controls": [], "control_projects": [], "metric": "duration", "looks": [4], "expect": "-10 %", "link": "", "withdrawn": "", "first_look": "",
}  # fmt: skip


def report(*verdicts: Verdict, sentence: str = SAID, following: str = NEXT) -> ChangeReport:
    return ChangeReport(sentence, following, Impact("acme", "cache", "The cache", DAY, -10.0, (("acme", "build"),), verdicts, None, None))


def together(*told: ChangeReport) -> ProgrammeReport:
    return ProgrammeReport("", told, Programme("acme", tuple(one.impact for one in told), 1, None, None, None, None))


def test_the_page_has_the_numbers_of_each_comparison_and_what_is_to_be_known_with_them() -> None:
    page = change(report(LOOK))
    faster, untold = page.figures["findings"].json()["rows"]
    shown = [cell.text for cell in page.figures["findings"].rows[0].cells]

    assert (f"{SAID[0].upper()}{SAID[1:]}.", "Next verdict: Thursday 3 December 2026.") == (page.about["sentence"], page.about["next"])
    assert (-18.0, -26.0, -9.0, 7.0, "faster") == tuple(faster[key] for key in ("change", "at_least", "at_most", "detectable", "verdict"))
    assert ["duration, as felt", "\u221218 %", "\u221226 to \u22129", "7 %", "faster"] == shown
    assert ("too early", "there are too few runs", None) == (untold["verdict"], untold["reason"], untold["change"])
    assert "Look 1 of 2, on 2026-10-08: 4 weeks after, 10 to 14 developers." in page.about["notes"]
    assert "Its author expected -10 %." in page.about["notes"]


def test_without_a_verdict_there_is_no_number_and_the_day_of_the_first_is_named() -> None:
    none = report(sentence="cache: no verdict yet", following="first verdict: Thursday 8 October 2026")
    cell = changes([LISTED], "acme", "Acme", together(none), registers=False).figures["changes"].rows[0].cells[2]

    assert {} == change(none).figures
    assert ("First verdict: Thursday 8 October 2026.", "", "/p/acme/changes/cache") == (cell.text, cell.detail, cell.link)


def test_the_list_says_each_verdict_with_its_interval_and_nothing_of_changes_of_other_projects() -> None:
    told = together(report(LOOK))
    page = changes([LISTED], "acme", "Acme", told, registers=False)
    ours = page.figures["changes"].rows[0].cells[2]
    offered = changes([{**LISTED, "project": "other"}], "acme", "Acme", told, registers=True)
    others = offered.figures["changes"].rows[0].cells[2]

    assert "18 % faster (95 % interval 9 to 26 %)." in ours.text
    assert "Next verdict: Thursday 3 December 2026." == ours.detail
    assert (None, None) == others.values
    assert ("", "/p/acme/register") == (page.about["register"], offered.about["register"]), "the form is offered to who may register"
