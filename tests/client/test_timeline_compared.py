"""`innerloop timeline --compare`: what became slower, what is new, and what ran in one of two runs only."""

import re
from pathlib import Path

import pytest

from innerloop.tools.timeline import comparison, words
from innerloop.tools.timeline.bars import Look
from innerloop.tools.timeline.comparison import Comparison, Side
from innerloop.tools.timeline.runs import ENDED, GOING_ON, KILLED, Known
from tests.client.people import Developer
from tests.client.target_logs import BASE, HandMade, understand
from tests.client.test_timeline import remember

TITLES = ["run aaaa, done", "run bbbb, done"]


def side(book: HandMade, name: str = "make all", length: int | None = None) -> Side:
    return Side(Known("0f3c", name, 0.0, ENDED, 0, length, BASE), understand(book.data, 0))


def build(*lengths: tuple[str, int], directory: str = "/shop") -> HandMade:
    book, moment = HandMade(), 0
    for name, length in lengths:
        book.line(name, moment, moment + length, directory=directory)
        moment += length
    return book


def compared(before: HandMade, now: HandMade, seen: set[tuple[str, str]] | None = None) -> Comparison:
    return comparison.compare(side(before), side(now), seen or set())


def drawn(what: Comparison, look: Look = Look()) -> str:  # noqa: B008 (nobody changes it)
    return comparison.draw(what, TITLES, look)


def test_two_runs_side_by_side() -> None:
    before = build(("a.o", 1000), ("b.o", 1000), ("c.o", 1000), ("old", 100), ("d.o", 500))
    now = build(("a.o", 3000), ("b.o", 1020), ("c.o", 400), ("gen", 200), ("extra", 50), ("d.o", 500))

    assert """\
make all: 1.57 s slower, 5.17 s instead of 3.60 s
before: run aaaa, done
now: run bbbb, done

slower               before       now     change
a.o                  1.00 s    3.00 s    +2.00 s

faster               before       now     change
c.o                  1.00 s    400 ms    -600 ms

New, in no run before: 1 target, 200 ms: gen 200 ms.
Only now: 1 target, 50 ms: extra 50 ms.
Only before: 1 target, 100 ms: old 100 ms.

2 targets in both took about the same time. These are two single runs: small
differences are chance.""" == drawn(compared(before, now, {(".", "extra"), (".", "a.o")}))


def test_targets_are_the_same_where_their_directories_are_seen_from_the_first_one() -> None:
    what = compared(build(("a.o", 100), directory="/home/me/shop"), build(("a.o", 300), directory="/src"))

    assert [("a.o", 200)] == [(one.key[1], one.more // 1_000_000) for one in what.slower]
    assert [] == [*what.new, *what.only_newer, *what.only_older]


def test_small_differences_are_not_told() -> None:
    assert "about as long as the run before" in drawn(compared(build(("a", 1000)), build(("a", 1004))))
    assert compared(build(("a", 1000)), build(("a", 1090))).alike == 1, "below a tenth"
    assert compared(build(("a", 10), ("b", 1000)), build(("a", 25), ("b", 1000))).alike == 2, "below 20 ms"


def test_a_log_that_is_not_whole_is_named() -> None:
    torn = HandMade()
    torn.records.append("rubbish")

    assert "The target log of before is not complete" in drawn(compared(torn, build(("a", 100))))


def test_a_document_says_how_whole_both_logs_are() -> None:
    torn = build(("a", 100))
    torn.records += ["rubbish", "c"]
    document = comparison.as_json(compared(torn, build(("a", 100))))

    whole = {"problem": "", "unreadable_records": 0, "lines_without_room": 0}
    assert whole.items() <= document["newer"].items()
    assert {**whole, "unreadable_records": 1, "lines_without_room": 1}.items() <= document["older"].items()


@pytest.mark.parametrize(
    ("state", "status", "says"),
    [
        (GOING_ON, None, "still running, so far 300 ms"), (ENDED, 2, "failed with exit status 2 after 300 ms"),
        (ENDED, 130, "stopped by SIGINT after 300 ms"), (KILLED, None, "killed after 300 ms or more"),
        (ENDED, None, "its exit status could not be read"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("older", [False, True])
def test_a_run_that_was_not_done_is_called_neither_slower_nor_faster(state: str, status: int | None, says: str, older: bool) -> None:
    odd = side(build(("a", 300)))
    odd = odd._replace(run=odd.run._replace(state=state, status=status))
    done = side(build(("a", 1000)))
    text = comparison.draw(comparison.compare(*((odd, done) if older else (done, odd)), set()), TITLES, Look(400))
    first = text.splitlines()[0]

    assert says in first
    assert "make all: done in 1.00 s" in first
    assert first.endswith("Which is faster cannot be said, since not both were done.")
    assert not re.search("slower|about as long", first)


def test_no_line_is_wider_than_the_terminal_and_no_name_steers_it() -> None:
    long = "deep/" * 30 + "\x1b[31mred\r\u202e.o"
    text = drawn(compared(build((long, 1000), *((f"{number}{long}", 100) for number in range(20))), build((long, 3000), ("x" * 300, 500))))

    assert max(map(words.cells, text.splitlines())) <= 80
    assert set("\x1b\r\u202e").isdisjoint(text)


def test_many_slower_targets_are_added_up() -> None:
    text = drawn(compared(build(*((f"o{n}", 100) for n in range(30))), build(*((f"o{n}", 200) for n in range(30)))))

    assert "and 20 targets more, 2.00 s together" in text


def test_the_last_run_is_compared_with_the_one_of_its_name_before(agreed: Developer) -> None:
    first = remember(agreed, "make", "test", book=build(("a", 100)))
    remember(agreed, "make", "fail")
    second = remember(agreed, "make", "test", book=build(("a", 400)))
    said = agreed.innerloop("timeline", "--compare", "last")
    named = agreed.innerloop("timeline", "--compare", first[:8], second[:8])

    assert (0, "") == (said.status, said.err)
    assert re.search(rf"^before: run {first[:8]}, .*\nnow: run {second[:8]}, ", said.out, re.MULTILINE)
    assert said.out == named.out == agreed.innerloop("timeline", "--compare", first[:8], "last").out
    document = agreed.innerloop("timeline", "--compare", "last", "--json").json
    assert [{"name": "a", "directory": ".", "before_ms": 100, "now_ms": 400}] == document["slower"]
    assert (first, second) == (document["older"]["run"], document["newer"]["run"])


def test_the_one_before_is_the_last_that_was_done(agreed: Developer) -> None:
    (agreed.directory / "Makefile").write_text("test:\n\t@test ! -e broken\n")
    first = remember(agreed, "make", "test", book=build(("a", 100)))
    (agreed.directory / "broken").touch()
    broken = remember(agreed, "make", "test", book=build(("a", 50)))
    (agreed.directory / "broken").unlink()
    remember(agreed, "make", "test", book=build(("a", 400)))

    assert first == agreed.innerloop("timeline", "--compare", "last", "--json").json["older"]["run"]
    assert agreed.innerloop("timeline", "--compare", broken[:8], "--json").json["older"]["run"] == first


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["last"], "there is no run of make test before that one"), (["zz", "last"], "begins with zz"), (["last", "last"], "the same run"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_one_sentence(agreed: Developer, given: list[str], says: str) -> None:
    remember(agreed, "make", "test")
    said = agreed.innerloop("timeline", "--compare", *given)

    assert (1, "", 1) == (said.status, said.out, said.err.count("\n"))
    assert says in said.err


@pytest.mark.parametrize("given", [["a", "b", "c"], ["last", "--format", "html"], ["last", "--format", "perfetto", "--json"]])
def test_what_is_no_comparison_is_wrong_usage(developer: Developer, given: list[str]) -> None:
    said = developer.innerloop("timeline", "--compare", *given)

    assert (2, "") == (said.status, said.out)
    assert said.err.startswith("usage: innerloop timeline")
    assert "--compare wants two runs, or `last`, and prints text or JSON" in said.err


def test_without_any_run_one_sentence_says_so(agreed: Developer, tmp_path: Path) -> None:
    said = agreed.innerloop("timeline", "--compare", "last")

    assert (1, "", 1) == (said.status, said.out, said.err.count("\n"))
    assert not list(tmp_path.glob("*.html"))
