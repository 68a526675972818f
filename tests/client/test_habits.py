"""What a developer's machine computes of its own exact history and of itself, and sends as classes where a project asks for it."""

from typing import Any

import pytest

from innerloop.core.outbound.event import LIMITS, VALUES, Moment, Probed, in_class
from innerloop.core.plan.agreement import agreement, digest
from innerloop.core.plan.tracking import PLAN
from innerloop.core.spool.facts import RunFacts
from innerloop.core.spool.history import Entry, Past, past_of
from tests.client.people import Developer
from tests.client.test_plan import devstack, project

FIELDS = ("failures_before", "time_to_green", "gave_up_after", "cores", "memory", "jobs", "cpu_share")
NOW, HOUR = 1_000_000_000, 3600
LONG_AGO = 30 * HOUR


def facts(status: int | None = 0, seconds: float = 60, name: str = "test") -> RunFacts:
    wall, length = NOW * 10**9, int(seconds * 10**9)
    return RunFacts(
        "now", "s", "d", "on", name, name, "make", "human", "no", "/shop/innerloop.toml", wall, 0, 0, end=(status, length, length)
    )


def earlier(*runs: tuple[float, int | None], name: str = "test") -> list[Entry]:
    """Runs that ended so many seconds before the present one began, the oldest first."""
    return [
        Entry(f"{name} {ago}", name, "make", NOW - ago - 10, 10_000, status, "human", "1", False, "no")
        for ago, status in sorted(runs, reverse=True)
    ]


HISTORIES: list[tuple[str, list[Entry], RunFacts, tuple[int, float | None]]] = [
    ("nothing before", [], facts(), (0, None)),
    ("a success before", earlier((100, 0)), facts(), (0, None)),
    ("one failure", earlier((100, 1)), facts(), (1, 160.0)),
    ("the first of three counts", earlier((900, 2), (500, 1), (100, 1)), facts(), (3, 960.0)),
    ("a success in between", earlier((900, 2), (500, 0), (100, 1)), facts(), (1, 160.0)),
    ("who stops neither fails nor succeeds", earlier((900, 2), (500, -2), (100, 130), (50, None)), facts(), (1, 960.0)),
    ("a failure of long ago", earlier((LONG_AGO, 1), (100, 1)), facts(), (1, 160.0)),
    ("another command", earlier((100, 1), name="build"), facts(), (0, None)),
    ("it fails again", earlier((100, 1)), facts(status=1), (1, None)),
    ("it is stopped", earlier((100, 1)), facts(status=-2), (1, None)),
]


@pytest.mark.parametrize(("before", "run", "expected"), [one[1:] for one in HISTORIES], ids=[one[0] for one in HISTORIES])
def test_what_a_run_has_behind_it(before: list[Entry], run: RunFacts, expected: tuple[int, float | None]) -> None:
    past = past_of(run, before)
    assert (past.failures, past.green_after) == expected


def value(name: str, run: RunFacts, past: Past = Past(), probed: Probed | None = None) -> Any:  # noqa: B008
    found = VALUES[name](Moment(run, past, probed=probed), "class")
    return found if isinstance(found, str) else None


CLASSES: list[tuple[str, list[tuple[float, str]]]] = [
    ("failures_before", [(0, "0"), (1, "1"), (2, "2"), (3, "3+"), (99, "3+")]),
    (
        "time_to_green",
        [(-5, "<1m"), (59.9, "<1m"), (60, "1-5m"), (300, "5-15m"), (900, "15-60m"), (3600, "1-4h"), (14400, ">4h"), (1e9, ">4h")],
    ),
    ("gave_up_after", [(0, "<10s"), (10, "10-60s"), (60, "1-10m"), (600, "10-60m"), (3600, ">1h")]),
    ("cores", [(1, "<=4"), (4, "<=4"), (5, "5-8"), (8, "5-8"), (9, "9-16"), (16, "9-16"), (17, ">16")]),
    ("memory", [(7.6, "<=8"), (8, "<=8"), (15.5, "9-16"), (31, "17-32"), (62, ">32")]),
    ("jobs", [(0, "1"), (1, "1"), (2, "2-4"), (4, "2-4"), (5, "5-8"), (8, "5-8"), (9, ">8")]),
]


@pytest.mark.parametrize(("name", "values"), CLASSES, ids=[one[0] for one in CLASSES])
def test_values_fall_into_the_classes_of_the_plan(name: str, values: list[tuple[float, str]]) -> None:
    assert [in_class(name, one) for one, _ in values] == [expected for _, expected in values]
    assert {expected for _, expected in values} == set(PLAN.fields[name].values)
    assert len(LIMITS[name]) == len(PLAN.fields[name].values) - 1


def test_what_is_not_so_is_absent() -> None:
    assert value("time_to_green", facts(), Past(failures=1, green_after=70)) == "1-5m"
    assert value("time_to_green", facts()) is None
    assert [value("gave_up_after", facts(status, 20)) for status in (-2, 130, -15, 0, 1, None)] == ["10-60s"] * 3 + [None] * 3
    assert [value(name, facts()) for name in ("jobs", "cpu_share")] == [None, None]


@pytest.mark.parametrize(("cpu_seconds", "expected"), [(0, "waiting"), (29, "waiting"), (30, "busy"), (500, "busy")])
def test_a_run_is_busy_if_its_targets_used_a_processor_for_half_of_it(cpu_seconds: int, expected: str) -> None:
    assert value("cpu_share", facts(seconds=60), probed=Probed("r", 2, 0, 2, cpu_seconds * 10**6)) == expected
    assert value("jobs", facts(), probed=Probed("r", 2, 0, 3)) == "2-4"


def test_all_are_off_unless_a_project_turns_them_on() -> None:
    assert not {*agreement(project())["fields"], *agreement(devstack())["fields"]} & set(FIELDS)
    on = agreement(project(fields=dict.fromkeys(FIELDS, True)))
    assert set(on["fields"]) >= set(FIELDS)
    assert digest(on) != digest(agreement(project()))
    for name in FIELDS:
        assert (PLAN.fields[name].default, PLAN.fields[name].in_seed_mode) == ("off", False)


def test_they_leave_with_a_run_that_is_kept_to_the_plan(developer: Developer) -> None:
    del developer.env["INNERLOOP_PROBE"]
    (developer.directory / "Makefile").write_text("test:\n\t@test -e fixed\n")
    developer.edit(fields=dict.fromkeys(FIELDS, True)).opt_in("yes")
    assert developer.run("make", "test").status == 2
    (developer.directory / "fixed").touch()
    assert developer.run("make", "test").status == 0
    runs = sorted(
        (one["properties"] for one in developer.pending() if one["event"] == "innerloop.run"), key=lambda one: one["failures_before"]
    )

    assert [(one["failures_before"], one.get("time_to_green"), one["exit_status"]) for one in runs] == [("0", None, 2), ("1", "<1m", 0)]
    assert all(one[name] in PLAN.fields[name].values for one in runs for name in ("cores", "memory", "jobs", "cpu_share"))
    assert all("gave_up_after" not in one for one in runs)
