"""A name that was another before: its figures are sums of what was published under both, and nobody is counted twice."""

from datetime import date

from innerloop_collector.query.releases.document import Atom, Release
from innerloop_collector.query.releases.renaming import renamed
from innerloop_collector.query.values import cell


def release(unit: str, *atoms: Atom, **people: int) -> Release:
    return Release(1, "acme", unit, date(2026, 12, 2), 7, 5, 3, atoms, people={"command": people})


def test_atoms_of_both_names_are_one_series_under_the_new_one() -> None:
    old, new = Atom("command", "compile", 40), Atom("command", "build", 25)
    releases = [release("2026-W45", old), release("2026-B11", old, new, compile=5, build=5), release("2026-B12", new, build=10)]
    one = cell(renamed(releases, {"compile": "build"}), ("command", "build"))

    assert one is not None
    assert 130 == one.runs.value
    assert one.developers is not None
    assert (10, 14) == one.developers.value
    assert None is cell(renamed(releases, {"compile": "build"}), ("command", "compile"))


def test_how_many_people_two_names_have_together_is_not_said() -> None:
    both = release("2026-B11", Atom("command", "compile", 40), Atom("command", "build", 25), compile=5, build=5)
    only = release("2026-B11", Atom("command", "compile", 40), compile=5)

    assert {} == renamed([both], {"compile": "build"})[0].people["command"]
    assert {"build": 5} == renamed([only], {"compile": "build"})[0].people["command"]


def test_what_is_no_name_of_the_project_file_keeps_its_own() -> None:
    one = release("2026-B11", Atom("os", "compile", 40), Atom("target", "compile", 20))

    assert [("os", "compile"), ("target", "build")] == [
        (atom.breakdown, atom.name) for atom in renamed([one], {"compile": "build"})[0].atoms
    ]
    assert [one] == renamed([one], {})
