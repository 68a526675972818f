"""How a cell's durations are spread: the published parts, of which each begins where the one before ends, and nothing where none is told apart."""

from datetime import date

from innerloop_collector.dashboard import cell_figures
from innerloop_collector.dashboard.words import THIN
from innerloop_collector.query import Archive
from innerloop_collector.query.releases.document import Atom, Durations, Release
from tests.dashboard.test_kept_reports import reader_of

PARTS = (Durations((0, 1, 2, 3), 40), Durations((4, 5), 25), Durations((*range(6, 17), 17), 35))


def test_the_published_parts_of_the_durations_are_told_as_they_are_and_nothing_where_there_is_one() -> None:
    reader, shelf = reader_of()
    cells = (Atom("command", "build", 100, durations=PARTS), Atom("command", "test", 100, durations=(Durations((5, 17), 100),)))
    Archive(shelf).add(Release(1, "acme", "2026-B11", date(2026, 12, 2), 7, 5, 3, (Atom("", "", 200), *cells)))
    build, test = (cell_figures.distribution(reader.distribution("acme", "2026-B11", "command", name), 5) for name in ("build", "test"))

    assert [
        ("up to 1.0 s", 0, 1_000, "no", 0.4, 40), ("1.0 s to 5.0 s", 1_000, 5_000, "no", 0.25, 25),
        ("over 5.0 s", 5_000, None, "yes", 0.35, 35),
    ] == [(row.cells[0].text.replace(THIN, " "), *build.record(row).values()) for row in build.rows]  # fmt: skip
    assert [100.0, 62.5, 87.5] == [row.cells[1].bar for row in build.rows]
    assert "(and without a duration)" == build.rows[2].cells[0].detail
    assert () == test.rows
    assert "may not be told apart: fewer than 5 developers" in test.empty
    assert () == reader.distribution("acme", "2026-B11", "command", "no-such-name").bins
