"""Everything else in a project at a change's looks: what stands out among all of it, published once, and of few nothing."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from innerloop_collector.errors import CollectorError
from innerloop_collector.query.verdicts.looks import Change, Name, looks_at
from innerloop_collector.query.verdicts.scan_publisher import ScanPublisher
from innerloop_collector.query.verdicts.scan_views import Scan
from innerloop_collector.query.verdicts.verdict_archive import Verdicts
from innerloop_collector.query.verdicts.verdict_publisher import VerdictPublisher
from innerloop_collector.reports.planned_looks import refused_looks
from innerloop_collector.reports.verdicts import WHY
from innerloop_collector.store.change_record import Change as Record
from innerloop_collector.store.change_record import WrongRecordError
from innerloop_collector.terminal.scan import render_scan
from tests.evidence.test_alert_looks import Shelf
from tests.evidence.test_verdicts_published import answer
from tests.releases.evidence_game import CHANGED, change
from tests.releases.simulated_team import COMMANDS, PROJECT, Events, Slower, Team
from tests.releases.told_of_changes import Checkouts, NoFigures, TeamRows, known_of, told_of

SIZE = 40
TEST = Name(PROJECT, "test")


def scans(team: Team, *changes: Change, k: int = 5, holds: Mapping[int, date] | None = None) -> dict[str, Scan]:
    """The last scan of each change."""
    told = told_of(team, changes, Checkouts(holds or {}), k=k, headcount=SIZE)
    return {one.name: found[-1] for one in changes if (found := told.scans(PROJECT, one.name))}


@pytest.fixture(scope="module")
def slower() -> Team:
    """A team in which `lint` takes twice as long since the change of `build`, and nobody knows."""
    return Team(3, SIZE, 13, Events(slower=Slower("lint", CHANGED, 2.0)))


def test_what_a_change_is_not_known_to_affect_stands_out_and_what_it_affects_is_its_verdicts(slower: Team) -> None:
    found = scans(slower, change(looks=(4,), controls=(TEST,), scan=True))["cache"]
    assert {"lint"} == {one.name for one in found.names if one.stands_out}
    assert ("lint", "slower") == (found.names[0].name, found.names[0].finding.verdict), "the surest first"
    assert ("build", "test") == found.left_out
    assert {"build", "test"}.isdisjoint(one.name for one in found.names)


def test_what_does_not_stand_out_among_all_is_no_claim() -> None:
    """In 8 teams in which nothing happened at most one claim in ten scans or so; whatever one interval alone would say."""
    claims, alone = 0, 0
    for seed in range(8):
        for one in scans(Team(100 + seed, SIZE, 9), change(looks=(4,), controls=(), scan=True))["cache"].names:
            low, high = one.finding.low, one.finding.high
            alone += low is not None and high is not None and (low.value > 0 or high.value < 0)
            claims += one.stands_out
            assert one.stands_out or one.finding.verdict not in ("faster", "slower")
    assert claims <= 2
    assert claims <= alone


def test_what_fewer_than_k_run_is_not_named(slower: Team) -> None:
    asked = change(looks=(4,), controls=(), scan=True)
    assert {one.name for one in scans(slower, asked, k=5)["cache"].names} <= set(COMMANDS) - {"build"}
    nobody = scans(slower, asked, k=SIZE)["cache"]
    assert ((), True) == (nobody.names, "fewer than two other commands" in nobody.refused)
    for one in scans(slower, asked, k=20)["cache"].names:
        assert (one.finding.percent is None) == (one.finding.reason in {str(reason) for reason in WHY})


def test_two_scans_and_a_verdict_in_a_block_tell_of_each_name_once(slower: Team) -> None:
    first = change("first", looks=(4,), controls=(TEST,), scan=True)
    second = change("second", day=CHANGED - timedelta(days=1), looks=(4,), controls=(), affected="docs", scan=True)
    told = told_of(slower, [first, second], Checkouts(), k=5, headcount=SIZE)
    names = [name for one in told.telling(PROJECT) for _, name in (*one.affected, *one.controls)]
    assert len(names) == len(set(names)) > 3


def test_what_is_left_out_says_nothing_of_who_ran_it(slower: Team) -> None:
    """By the records alone: what nobody ran is left out as what one person or everybody ran."""
    first = change("first", looks=(4,), controls=(TEST, Name(PROJECT, "gone")), scan=True)
    narrow = change("narrow", looks=(4,), affected="docs", controls=(Name(PROJECT, "bench"), Name(PROJECT, "never")))
    told = told_of(slower, [first, narrow], Checkouts(), k=5, headcount=SIZE)
    assert [True, True] == [told.of(PROJECT, one.name)[0].has_numbers for one in (first, narrow)]
    assert ("bench", "build", "docs", "gone", "never", "test") == told.scans(PROJECT, "first")[0].left_out


def test_where_a_verdict_tells_of_everything_a_scan_says_so(slower: Team) -> None:
    wide, asked = change("a-wide", looks=(4,), affected="", controls=()), change(looks=(4,), controls=(), scan=True)
    found = scans(slower, wide, asked)["cache"]
    assert (("everything",), (), True) == (found.left_out, found.names, "tell of everything in devstack" in found.refused)


def test_a_passing_error_costs_no_look_its_names(slower: Team) -> None:
    """A scan leaves to a verdict that failed what it is to tell of when it is tried again."""
    asked, other = change(looks=(4,), controls=(TEST,), scan=True), change("other", looks=(4,), affected="docs", controls=())
    (look,) = looks_at(other)
    fails = [True]

    def beside(of: Change) -> tuple[str, ...]:
        if of.name == "other" and fails.pop():
            raise CollectorError("the disk is full")
        return ()

    known = known_of(slower, [asked, other], 5, SIZE)._replace(beside=beside)
    verdicts, rows = Verdicts(Shelf()), TeamRows(slower, Checkouts())
    makers = [one(lambda: rows, verdicts, NoFigures(), known) for one in (VerdictPublisher, ScanPublisher)]
    slower.now = look.due
    assert [["verdict/cache/1"], ["scan/cache/1"]] == [[unit for _, unit in one.publish(look.due)] for one in makers]
    (scan,) = verdicts.scans(PROJECT, "cache")
    assert (("build", "docs", "test"), True) == (scan.left_out, scan.has_numbers)
    fails.append(False)
    assert [(PROJECT, "verdict/other/1")] == makers[0].publish(look.due + timedelta(days=1))
    assert verdicts.of(PROJECT, "other")[0].has_numbers


@pytest.mark.parametrize(("holders", "early"), [(SIZE, False), (4, True), (1, True), (0, True)])
def test_of_a_change_that_hardly_arrived_a_scan_says_nothing(slower: Team, holders: int, early: bool) -> None:
    """Below a fifth of the runs, and where those are of fewer than k people: one reason for all, also where nobody holds it."""
    holds = dict.fromkeys(range(1, holders + 1), CHANGED)
    found = scans(slower, change(looks=(4,), controls=(), in_checkout=True, scan=True), holds=holds)["cache"]
    assert (early, early) == (found.refused.startswith("too early: "), not found.names)
    assert early or "lint" == found.names[0].name


def test_registering_says_whose_scan_may_have_its_looks_refused() -> None:
    docs = change("docs", day=CHANGED + timedelta(weeks=1), looks=(4,), affected="docs", controls=())
    asked = change(looks=(4,), controls=(), scan=True)
    (said,) = refused_looks(docs, [asked])
    (before,), (look,) = looks_at(asked), looks_at(docs)
    assert said.startswith(
        f"the look at it on {look.due} may be refused: cache asks for a scan on {before.due}, which tells of everything in devstack"
    )
    assert [] == refused_looks(docs, [change(looks=(4,), controls=())])
    assert [] == refused_looks(change("docs", looks=(4,), affected="docs", controls=()), [asked]), "on one day the look comes first"
    assert [] == refused_looks(change("docs", day=CHANGED + timedelta(weeks=9), looks=(4,), affected="docs", controls=()), [asked])
    assert [] == refused_looks(asked, [docs]), "its record's own note tells of it"
    elsewhere = Change("other", "wide", "wide", CHANGED, (Name("other", "build"), Name(PROJECT, "bench")), (), (4,), scan=True)
    assert [] == refused_looks(docs, [elsewhere]), "a scan is of the first project alone"


def test_a_record_asks_for_it_before_its_first_look() -> None:
    says = {"date": "2026-11-02", "projects": ["acme"], "affects": ["build"], "scan": True}
    assert Record.of("cache", says).scan
    for wrong, message in (
        ({"scan": "yes"}, "scan must be true or false"),
        ({"affects": []}, "nothing is left to scan"),
        ({"kind": "annotation"}, "only drawn on charts"),
    ):
        with pytest.raises(WrongRecordError, match=message):
            Record.of("cache", {**says, **wrong})


def test_a_scan_of_a_real_store_is_published_once_with_its_targets_and_without_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answer("scanned", tmp_path)
    assert (["verdict/cache/1", "scan/cache/1", "verdict/later/1"], []) == (found["units"], found["again"])
    report = found["report"]
    assert {"link", "lint", "test"} == {one["name"] for one in report["found"]["scans"][0]["names"]}
    assert report["sentence"] == "of 3 other commands and targets none stands out"
    assert found["refused"][0].startswith("the scan of look 1 at cache told of the same command or control on 2030-04-17")
    assert not any(one in found["journal"] or f"{int(one):x}" in found["journal"] for one in found["ids"])
    monkeypatch.setenv("COLUMNS", "60")
    shown = render_scan(report)
    assert "Of 3 other commands and targets none stands out." in shown
    assert max(map(len, shown.splitlines())) <= 60
