"""Why a run was slow and what would have helped, as `innerloop timeline` says it of target logs made by hand."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innerloop.core.targets.target_log import Log
from innerloop.tools.timeline import drawing, words
from innerloop.tools.timeline.bars import Look
from innerloop.tools.timeline.explanation import Explanation, as_json, explain, sentences
from innerloop.tools.timeline.runs import ENDED, FORGOTTEN, GOING_ON, KILLED, Known
from innerloop.tools.timeline.whatif.graph import Graph, work
from innerloop.tools.timeline.whatif.load import Span, queued
from innerloop.tools.timeline.whatif.predictions import STEPS, Predictions, predict
from innerloop.tools.timeline.whatif.simulation import Simulation
from tests.client.target_logs import BASE, MS, HandMade, books, understand

MANY = 64  # processors: none of them is ever missing


def known(status: int | None = 0, state: str = ENDED, **more: Any) -> Known:
    return Known("0f3c", "make all", 0.0, state, status, awake_ns=BASE, **more)


def explained(book: HandMade, processors: int = MANY, run: Known | None = None, **more: Any) -> Explanation:
    return explain(run or known(), understand(book.data, (run or known()).status), processors, **more)


def said(book: HandMade, kind: str, **more: Any) -> list[str]:
    return [one.text for one in explained(book, **more).findings if one.kind == kind]


def predictions(book: HandMade, processors: int = MANY, files: tuple[str, ...] = ()) -> tuple[Predictions, Log]:
    log = understand(book.data, 0)
    return predict(known(), work(known(), log, processors, stood=lambda path: path in files)), log


def with_jobs(book: HandMade, jobs: int, **more: Any) -> tuple[float, float]:
    """The bounds in ms."""
    found, _ = predictions(book, **more)
    return next((one.length.low / MS, one.length.high / MS) for one in found.jobs if one.jobs == jobs)


def without(book: HandMade, target: str, **more: Any) -> tuple[float, float]:
    """The bounds in ms."""
    found, log = predictions(book, **more)
    return next(
        (one.length.low / MS, one.length.high / MS)
        for one in found.targets
        if one.target is not None and log.targets[one.target].name == target
    )


def row(flags: str = "", width: int = 1, computing: int = 0) -> HandMade:
    """Eight targets of 100 ms, so many at once, and one of 200 ms that needs them all."""
    book = HandMade()
    for number in range(8):
        start = number // width * 100
        book.line(f"o{number}", start, start + 100, flags=flags)
    end = 800 // width
    book.line("app", end, end + 200, needs=" ".join(f"o{number}" for number in range(8)), flags=flags)
    if computing:
        book.records = [re.sub(r"\t4000\t1000\t", f"\t{computing * 1000}\t0\t", record) for record in book.records]
    return book


# more jobs


@pytest.mark.parametrize(("jobs", "length"), [(2, 600), (4, 400), (8, 300), (16, 300)])
def test_jobs_run_what_does_not_need_each_other_side_by_side(jobs: int, length: int) -> None:
    assert with_jobs(row(), jobs) == (length, length)
    assert with_jobs(row("j", 1), jobs) == (length, length), "a make with one job"


def test_what_computes_shares_the_processors_there_are() -> None:
    computing = row(computing=100)

    assert with_jobs(computing, 8, processors=MANY) == pytest.approx((300, 300))
    assert with_jobs(computing, 8, processors=2) == pytest.approx((600, 600)), "8 x 100 ms on two of them, and what needs them all"
    assert said(computing, "jobs", processors=1) == ["More jobs (-j) would not help: there is 1 processor, and targets need each other."]


def test_targets_that_queued_for_a_processor_would_not_run_faster_with_more_jobs() -> None:
    """Four at once on two processors: each computed half of its time and queued for the rest."""
    book = HandMade()
    for number in range(16):
        book.line(f"o{number}", number // 4 * 100, number // 4 * 100 + 100, flags="j")
    book.records = [record.replace("\t4000\t1000\t", "\t50000\t0\t") for record in book.records]

    assert with_jobs(book, 16, processors=2) == pytest.approx((400, 400))
    assert "Waiting for one of 2 processors: 50% of the targets' 1.60 s." in sentences(explained(book, 2))
    assert not said(book, "waiting", processors=2)


def test_a_chain_takes_as_long_with_any_number_of_jobs() -> None:
    book = HandMade()
    for number in range(6):
        book.line(f"o{number}", number * 100, number * 100 + 100, needs=f"o{number - 1}" if number else "")

    assert with_jobs(book, 32) == (600, 600)
    assert [text.partition(":")[0] for text in said(book, "jobs")] == ["More jobs (-j) would not help"]


def test_the_least_number_of_jobs_that_does_is_named() -> None:
    assert said(row(), "jobs") == [
        "make ran without jobs, so its 9 targets ran one after another. With -j8: about 300 ms instead of 1.00 s; more jobs gain next to nothing."
    ]


def test_makes_below_makes_share_the_slots() -> None:
    book = HandMade()
    for number in range(4):
        above = book.line(f"lib{number}", number * 250, number * 250 + 250)
        for part in range(2):
            start = number * 250 + 50 + part * 100
            book.line(f"part{part}", start, start + 100, under=above, make=20 + number, directory=f"/shop/lib{number}")

    assert with_jobs(book, 8) == pytest.approx((150, 150)), "each make's own 50 ms, then both parts"
    assert with_jobs(book, 2) == pytest.approx((500, 500))


def test_a_make_below_that_has_no_jobs_in_a_run_with_jobs_stays_a_row() -> None:
    book = HandMade()
    above = book.line("deps", 0, 410, flags="j")
    for number in range(4):
        start = 10 + number * 100
        book.line(f"l{number}", start, start + 100, under=above, make=20, directory="/shop/deps")
    book.line("main.o", 0, 110, flags="j")

    assert with_jobs(book, 8) == (410, 410)
    (text,) = said(book, "row")
    assert text == "These 3 targets ran one after another, for 300 ms: l1, l2, l3; the make in deps ran without jobs (-j)."


def test_the_time_of_a_make_itself_is_not_divided_by_its_jobs() -> None:
    """It is one process: what it does before each target it does one after another."""
    book = HandMade()
    for number in range(8):
        book.line(f"o{number}", number * 150 + 50, number * 150 + 150)

    run = known(duration_ms=1200)
    found = predict(run, work(run, understand(book.data, 0), MANY))
    assert {one.jobs: one.length.high / MS for one in found.jobs} == pytest.approx({2: 650, 4: 500, 8: 500, 16: 500, 32: 500})


def test_makes_side_by_side_do_their_own_work_at_the_same_time() -> None:
    book = HandMade()
    for number in range(2):
        above = book.line(f"lib{number}", number * 500, number * 500 + 500)
        for part in range(4):
            start = number * 500 + 50 + part * 110
            book.line(f"part{part}", start, start + 60, under=above, make=20 + number, directory=f"/shop/lib{number}")

    assert with_jobs(book, 32)[1] == pytest.approx(50 + 3 * 50 + 60 + 60, abs=1)


def test_a_make_below_with_jobs_of_its_own_makes_a_run_without_jobs_no_row() -> None:
    """Four ran side by side, so `make` did not run without jobs, and what -j at the top would do depends on what happens to theirs."""
    book = HandMade()
    above = book.line("deps", 0, 200)
    for number in range(4):
        book.line(f"l{number}", 50, 150, under=above, make=20, directory="/shop/deps", flags="j")
    book.line("app", 200, 400)

    what = explained(book)
    assert said(book, "jobs") == [
        "What more jobs (-j) would do is not computed: the first make ran without, and one that it ran had some of its own."
    ]
    assert (as_json(what)["without_jobs"], as_json(what)["jobs"], what.predictions.refused) == (False, [], "")
    assert without(book, "app") == (200, 200), "the rest is"


# what the record does not hold


def hidden(libraries: int = 4) -> HandMade:
    book = HandMade()
    for number in range(libraries):
        book.line(f"l{number}", number * 100, number * 100 + 100)
    book.line("app", libraries * 100, libraries * 100 + 100, needs="libs main.c")
    return book


def test_a_name_without_a_recipe_leaves_two_bounds() -> None:
    assert with_jobs(hidden(), 8, files=("/shop/main.c",)) == (100, 200), "libs may need nothing, or all of it"
    assert with_jobs(hidden(), 8, files=("/shop/main.c", "/shop/libs")) == (100, 100), "a file"
    assert with_jobs(hidden(), 2, files=("/shop/main.c",)) == (300, 300), "two jobs need no order for that"


def test_the_sentence_says_what_is_left_open() -> None:
    text = "With -j8: 100 ms to 200 ms (what libs, main.c needs is not in the record) instead of 700 ms; more jobs gain next to nothing."

    assert said(hidden(6), "jobs")[0].endswith(text)


def test_a_list_that_was_cut_leaves_two_bounds() -> None:
    book = HandMade()
    for number in range(70):
        book.line(f"l{number}", number * 10, number * 10 + 10)
    book.line("app", 700, 800, needs=" ".join(f"l{number}" for number in range(64)))
    book.line("late", 800, 900)

    assert with_jobs(book, 32) == (120, 130), "app may need the six that were left out"
    assert explain(known(), understand(book.data, 0), MANY, complete=False).predictions.jobs[-1].length.high == 230 * MS


def test_a_file_that_is_not_older_than_the_run_may_have_been_made_in_it(tmp_path: Path) -> None:
    """A recipe can make two files, and its target is one of them."""
    book = HandMade()
    book.line("gen.c", 0, 100, directory=str(tmp_path))
    book.line("other", 100, 200, directory=str(tmp_path))
    book.line("gen.o", 200, 300, needs="gen.h", order="made", directory=str(tmp_path))
    (tmp_path / "gen.h").touch()
    (tmp_path / "made").mkdir()
    changed = (tmp_path / "gen.h").stat().st_mtime
    unknown = [work(known()._replace(start=start), understand(book.data, 0), MANY).unknown for start in (changed + 1, changed, changed - 1)]

    assert [{}, {2: ("gen.h",)}, {2: ("gen.h",)}] == unknown, "a directory is as young as what is in it, which says nothing"


def test_a_place_that_does_not_answer_is_not_waited_for() -> None:
    hanging = threading.Event()

    def stood(path: str) -> bool:
        return "network" not in path or hanging.wait(60)

    book = HandMade()
    book.line("app", 0, 100, needs="main.c /network/lib.a late.c")
    began = time.monotonic()
    of = work(known(), understand(book.data, 0), MANY, stood)
    took = time.monotonic() - began
    hanging.set()

    assert of.unknown == {0: ("/network/lib.a", "late.c")}
    assert took < 30


def test_force_needs_nothing() -> None:
    book = HandMade()
    for number in range(4):
        book.line(f"l{number}", number * 100, number * 100 + 100, needs="FORCE")

    assert with_jobs(book, 8) == (100, 100)


# one target less


def test_a_target_that_is_instant_saves_what_the_run_waited_for_it() -> None:
    book = HandMade()
    book.line("long", 0, 500, flags="j")
    book.line("short", 0, 300, flags="j")
    book.line("app", 500, 600, needs="long short", flags="j")

    assert (without(book, "long"), without(book, "short"), without(book, "app")) == ((400, 400), (600, 600), (500, 500))
    assert said(book, "instant") == ["If one of these were instant: long -200 ms, app -100 ms."]
    assert said(row(), "instant")[0].startswith("If one of these were instant: app -200 ms, o0 -100 ms")


def test_a_name_is_told_as_it_is_in_whatever_sentence() -> None:
    book = HandMade()
    book.line("a -b", 0, 500)
    book.line("c", 500, 520)

    assert said(book, "instant") == ["If a -b were instant: -500 ms."]


def test_of_a_target_that_ran_a_make_its_own_time_counts() -> None:
    book = HandMade()
    above = book.line("deps", 0, 500)
    book.line("inner", 100, 300, under=above, make=20)

    assert without(book, "deps") == (200, 200)
    assert without(book, "inner") == (300, 300)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": GOING_ON}, "the run goes on"), ({"state": KILLED}, "not all targets ended"),
        ({"state": FORGOTTEN}, "how the run ended is not known"), ({"suspended": True}, "the machine slept meanwhile"),
    ],
)  # fmt: skip
def test_where_the_record_cannot_say_it_that_is_said(change: dict[str, Any], why: str) -> None:
    texts = sentences(explain(known()._replace(**change), understand(row().data, 0), MANY))

    assert f"What would have helped is not computed: {why}." in texts
    assert not [text for text in texts if "instant" in text or "-j" in text]


def test_a_log_that_is_not_whole_predicts_nothing() -> None:
    for rubbish in (b"rubbish\n", b"c\n"):
        log = understand(row().data + rubbish, 0)
        assert explain(known(), log, MANY).predictions.refused == "the target log is not complete"
    assert explain(known(), understand(b"", 0), MANY).of is None


def test_a_run_that_the_record_does_not_explain_predicts_nothing() -> None:
    """Nothing that is recorded says why the second one waited."""
    book = HandMade()
    book.line("a", 0, 500, flags="j")
    book.line("b", 0, 100, flags="j")
    book.line("c", 500, 1000, flags="j")

    assert predictions(book)[0].refused.startswith("a simulation of the run as it was takes another time")


# where time was lost


def test_targets_in_a_row_say_why() -> None:
    book = HandMade()
    for number in range(5):
        book.line(f"o{number}", number * 100, number * 100 + 100, needs=f"o{number - 1}" if number else "", flags="j")

    assert said(book, "row") == ["These 5 targets ran one after another, for 500 ms: o0, o1, o2 and 2 more; each needs the one before it."]
    assert not said(row(), "row"), "a make without jobs has a sentence of its own"


def test_a_target_that_others_waited_for_is_named() -> None:
    book = HandMade()
    book.line("gen.h", 0, 400, flags="j")
    for number in range(4):
        book.line(f"o{number}", 400, 500, needs="gen.h", flags="j")
    book.line("app", 500, 510, needs="o0 o1 o2 o3", flags="j")

    assert said(book, "alone") == ["gen.h ran alone for 400 ms; 5 targets that need it waited."]
    book.line("o4", 400, 505, needs="gen.h", flags="j")
    book.line("pack", 510, 900, flags="j")
    assert said(book, "alone")[1] == "pack ran alone for 390 ms.", "what ended a moment after all others did not"


def test_waiting_is_told_from_computing_where_that_is_recorded() -> None:
    assert said(row(), "waiting") == [
        "Waiting, not computing, for 96% of the targets' 1.00 s (network, disk, locks, sleep, or other programs on the processors), most in app (195 ms)."
    ]
    assert said(row(computing=100), "waiting") == []
    bare = row()
    bare.records = [record.replace("\t4000\t1000\t", "\t0\t0\t") for record in bare.records]
    assert said(bare, "waiting") == ["How much of the time was computing is not recorded."]


def test_time_outside_of_targets_says_where_it_was() -> None:
    book = HandMade()
    book.line("a", 400, 500)
    book.line("b", 700, 800)

    assert said(book, "outside", run=known(duration_ms=1000)) == [
        "Outside of any target: 800 ms (80% of the run): 400 ms before the first one, 200 ms between them, 200 ms after the last one."
    ]
    assert not said(row(), "outside")


def again(*, app: bool = True, before: bool = False) -> HandMade:
    book = HandMade()
    book.line("version.h", 0, 100)
    if before:
        book.line("other.o", 100, 200, needs="other.c")
    if app:
        book.line("app", 200, 400, needs="version.h app.c")
    return book


def test_what_was_made_again_though_it_needs_nothing_is_told_with_what_that_made_again() -> None:
    before = understand(again(before=True).data, 0)

    assert said(again(), "again", before=before) == [
        "Made again, as in the run before, though it needs nothing: version.h, with 1 target that needs it: 300 ms. It is phony, or a file was gone."
    ]
    assert said(again(), "again") == [], "nothing is known of a run before"
    assert said(again(app=False), "again", before=before) == [], "nobody needs it: it is what was typed"
    assert said(again(before=True), "again", before=before) == [], "everything was made again: somebody cleaned up"


# bounds


@settings(deadline=None, max_examples=30)
@given(books(), st.integers(1, 8))
def test_any_log_is_explained_within_bounds(book: HandMade, processors: int) -> None:
    log = understand(book.data, 0)
    of = work(known(), log, processors, stood=lambda _: False)
    for cautious in (False, True):
        graph = Graph(of, cautious)
        length = Simulation(graph, of.most, processors).length()
        assert 0 <= length <= sum(job.lead + job.compute * max(job.demand, 1) + job.wait for job in graph.jobs) + 1
    what = explain(known(), log, processors)
    for one in (*what.predictions.jobs, *what.predictions.targets):
        assert 0 <= one.length.low <= one.length.high
    assert as_json(what)["findings"] is not None


@settings(deadline=None, max_examples=30)
@given(books(), st.integers(0, 2000), st.one_of(st.none(), st.integers(0, 2**62)), st.one_of(st.none(), st.integers(0, 2**40)))
def test_a_log_cut_anywhere_and_clocks_that_jump_are_sentences_at_most(
    book: HandMade, cut: int, awake: int | None, took: int | None
) -> None:
    log = understand(book.data[:-cut] if cut else book.data, 0)
    run = known(duration_ms=took)._replace(awake_ns=awake)
    what = explain(run, log, 2)

    assert log.damaged == 0 or what.of is None or what.predictions.refused
    assert all(one.length.low >= 0 for one in (*what.predictions.jobs, *what.predictions.targets))
    assert all(len(text) < 1000 and "\n" not in text for text in sentences(what))
    assert drawing.draw(run, log, Look(), True, sentences(what))


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 3000)), max_size=30), st.integers(1, 4))
def test_nobody_queues_longer_than_it_waited(some: list[tuple[int, int, int]], processors: int) -> None:
    spans = [Span(start, start + length, cpu) for start, length, cpu in some]

    for one, held in zip(spans, queued(spans, processors), strict=True):
        assert 0 <= held <= max(one.end - one.start - one.cpu, 0) + 1e-6


def test_what_is_tried_shrinks_as_builds_grow() -> None:
    book = HandMade()
    for number in range(100):
        book.line(f"o{number}", number, number + 1)
    of = work(known(), understand(book.data, 0), MANY)
    tried = [len(found.jobs) + len(found.targets) for steps in (0, 1000, STEPS) if (found := predict(known(), of, steps))]

    assert [4, 7, 17] == tried
    for number in range(100, 300):
        book.line(f"o{number}", number, number + 1, needs=" ".join(f"o{other}" for other in range(number - 60, number)))
    of = work(known(), understand(book.data, 0), MANY)
    assert Graph(of).effort > 3 * len(Graph(of).jobs), "what they need counts as well"


def test_what_explains_a_run_takes_a_quarter_of_a_screen() -> None:
    texts = [f"Sentence {number} is about as long as sentences here are, which is to say that it takes two lines." for number in range(9)]
    for height in (24, 50):
        text = drawing.draw(known(), understand(row().data, 0), Look(80, height), False, texts)
        assert len(text.splitlines()) <= height
        assert "Why, and what would help:\n- Sentence 0 is" in text
        assert text.count("- Sentence") == max(height // 4, 6) // 2
    assert drawing.draw(known(), understand(row().data, 0), Look(), True, texts).count("- Sentence") == 9
    assert max(words.cells(line) for line in text.splitlines()) <= 80


def test_nothing_in_a_name_gets_into_a_sentence_that_steers_the_terminal() -> None:
    book = HandMade()
    book.line("a\x1b[31mred\r\n\u202e", 0, 500, needs="libs\x1b[2J")
    book.line("b", 500, 900)

    assert set("\x1b\r\n\u202e").isdisjoint("".join(sentences(explained(book))))
