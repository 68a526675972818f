"""A developer's own week: sessions are used and not waited for, and a failed check is not like another failure."""

from itertools import count

from innerloop.core.plan.project import Marks
from innerloop.core.spool.history import Entry
from innerloop.tools.own_week import Candidate, Session, Week, is_session, week
from tests.client.people import Developer
from tests.client.test_report import remember

NOW, DAY, SPAN = 1_000_000_000.0, 86400, 7 * 86400
MARKS = Marks(("serve", "docker compose up", "up.*"), ("test", "lint-%"), ("web",))
NUMBERS = count()


def run(name: str, minutes: float, status: int | None = 0, days_ago: float = 1, kind: str = "make", listed: str | None = None) -> Entry:
    duration = None if status is None else int(minutes * 60_000)
    return Entry(
        str(next(NUMBERS)),
        name,
        kind,
        NOW - days_ago * DAY,
        duration,
        status,
        "human",
        "1",
        False,
        "no",
        listed=name if listed is None else listed,
    )


def of(*some: Entry) -> Week:
    return week(list(some), MARKS, NOW, SPAN)


def test_hours_of_a_session_are_waited_for_nowhere() -> None:
    found = of(
        run("serve", 480, -2), run("up.web", 60, 130), run("build", 1), run("docker", 300, -2, kind="command", listed="docker compose up")
    )

    assert [(line.name, line.waited_ms) for line in found.commands] == [("build", 60_000)]
    assert [one.name for one in found.sessions] == ["docker compose up", "serve", "up.web"]


def test_a_session_fails_only_if_it_does_not_start() -> None:
    ends = [(0.1, 1), (1 / 6, 2), (0.18, 1), (300, 1), (0.1, 0), (0.1, -2), (0.1, 130), (0.1, None)]
    (one,) = of(*(run("serve", *end) for end in ends), run("serve", 0.1, 1, days_ago=8)).sessions

    assert one == Session("serve", runs=8, not_started=2, runs_before=1, not_started_before=1)


def test_checks_and_other_commands_are_never_one_sum() -> None:
    found = of(run("test", 1, 2), run("test", 1), run("lint-a", 1, 1, listed="lint-%"), run("build", 1, 2), run("deploy", 1))

    assert {line.name: (line.runs, line.failed) for line in found.checks} == {"test": (2, 1), "lint-a": (1, 1)}
    assert {line.name: (line.runs, line.failed) for line in found.others} == {"build": (1, 1), "deploy": (1, 0)}
    assert len(found.commands) == 4


def test_the_words_of_a_command_tell_its_uses_apart() -> None:
    found = of(run("docker", 5, kind="command", listed="docker compose up"), run("docker", 5, kind="command", listed="docker build"))

    assert ([one.name for one in found.sessions], [line.name for line in found.commands]) == (["docker compose up"], ["docker"])


def test_what_was_recorded_before_names_were_kept_is_known_by_what_was_typed() -> None:
    old = run("serve", 60, -2, listed="")

    assert is_session(old, MARKS)
    assert not is_session(run("serve", 60, listed="other"), MARKS), "what is not listed is not marked"


def test_what_is_mostly_stopped_after_a_long_time_is_named_as_a_candidate() -> None:
    looks = [run("dev", 40, -2), run("dev", 20, 130), run("dev", 60, -15), run("dev", 0.1, 1)]
    not_so = [
        run("one", 40, -2),
        run("one", 40, -2),
        *(run("short", 5, -2) for _ in range(5)),
        run("test", 90, -2),
        run("test", 90),
        run("test", 90),
    ]

    assert of(*looks, *not_so, *(run("serve", 40, -2) for _ in range(9))).candidates == [Candidate("dev", 4, 3, 40 * 60_000)]
    assert of(*looks).others[0].waited_ms > 0, "until the file says so it is waited for"


def test_the_report_tells_two_rates_use_and_candidates(agreed: Developer) -> None:
    agreed.edit(names={"allow": ["test", "build", "serve", "dev"], "sessions": ["serve"], "checks": ["test"]})
    for name, waited, status in (
        ("test", 60, 1), ("test", 60, 0), ("build", 60, 2), ("serve", 9000, -2), ("serve", 1, 1), *(("dev", 1800, -2) for _ in range(3)),
    ):  # fmt: skip
        remember(agreed, name, 1, waited, status=status)
    remember(agreed, "test", 8, 60)
    said = " ".join(agreed.innerloop("report").out.split())
    document = agreed.innerloop("report", "--json").json

    assert (
        "You waited 1.6 h, 1.5 h more than in the 7 days before; 1 of 2 checks failed (before: 0 of 1) and 1 of 4 other runs failed" in said
    )
    assert "Used, not waited for: serve 2 runs (1 failed to start)." in said
    assert "dev: a session? 3 of 3 runs were stopped, after 30.0 min (median)." in said
    assert "all checks 2 1" in said
    assert "all others 4 1" in said
    assert " total " not in said
    assert [line["name"] for line in document["commands"]] == ["dev", "test", "build"]
    assert (document["checks"], [one["name"] for one in document["sessions"]]) == (["test"], ["serve"])


def test_a_run_remembers_the_name_that_it_has_in_the_list(agreed: Developer) -> None:
    agreed.edit(names={"allow": ["sh -c"], "sessions": ["sh -c"]})
    agreed.run("sh", "-c", "true")
    document = agreed.innerloop("report", "--json").json

    assert ([one["name"] for one in document["sessions"]], document["commands"]) == (["sh -c"], [])
