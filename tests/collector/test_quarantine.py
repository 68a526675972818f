"""What does not fit an applied plan waits, says why without a value, and is released by `projects apply`."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import innerloop
from innerloop.core.plan.agreement import agreement, digest, narrowed
from innerloop.core.plan.project_reader import read
from tests.collector.support import Collector, digest_of, hour, project, run_event

WIDER = project(fields={"arch": False}, names={"allow": ["test", "build", "lint", "docs", "deploy"]})


def test_an_unknown_digest_waits_until_its_plan_is_applied(collector: Collector) -> None:
    narrow = run_event()
    del narrow["properties"]["arch"]
    collector.send(narrow, plan=digest_of(WIDER))
    assert {"unknown plan": 1} == collector.reasons()

    answer = collector.apply(WIDER)

    assert (1, 0) == (answer["released"], answer["still_quarantined"])
    assert (1, 0) == (collector.stored, collector.waiting)
    collector.send(narrow, plan=digest_of(WIDER))
    assert 1 == collector.stored


def test_old_digests_stay_valid_and_no_digest_means_the_newest_plan(collector: Collector) -> None:
    collector.apply(WIDER)
    old, new = run_event(), run_event()
    del new["properties"]["arch"]
    collector.send(old, plan=digest_of(project()))
    collector.send(new)
    collector.send(run_event())

    assert 2 == collector.stored
    assert {"violates the plan: unknown property: properties": 1} == collector.reasons()


def test_the_names_of_every_version_with_the_digest_are_accepted(collector: Collector) -> None:
    renamed = project(names={"allow": ["deploy"]})
    plan = digest_of(project())
    assert plan == digest_of(renamed)
    collector.send(run_event(command="deploy"), plan=plan)
    assert 1 == collector.apply(renamed)["released"]

    collector.send(run_event(command="test"), run_event(command="deploy"), plan=plan)

    assert 3 == collector.stored


def test_nothing_is_kept_of_the_body_of_what_can_never_be_released(collector: Collector) -> None:
    nameless = {name: value for name, value in run_event(command="canary").items() if name != "userId"}
    long_ago, large = run_event(command="test", start_time="2001-01-01T00:00:00+00:00"), run_event(padding="x" * 40_000)
    collector.send(nameless, {**run_event(), "type": 3}, large, long_ago, {"type": "identify", "userId": "u"})
    assert 5 == collector.waiting
    answer = collector.apply(project(names={"allow": ["test", "deploy"]}))
    assert (0, 5) == (answer["released"], answer["still_quarantined"])
    reasons = collector.reasons()
    collector.stop()

    assert [["{}"]] * 5 == collector.rows("SELECT JSONExtractRaw(body, 'body') FROM quarantine")
    assert 5 == len(reasons)


def test_an_event_that_was_stored_meanwhile_is_not_counted_as_released(collector: Collector) -> None:
    collector.send(run_event(message="twice"), plan=digest_of(WIDER))
    collector.send(run_event(message="twice"))
    again = project(project={"retention_days": 300})
    collector.send(run_event(message="thrice"), plan=digest_of(again))
    collector.send(run_event(message="thrice"))
    answer = collector.apply(again)

    assert (0, 1) == (answer["released"], answer["still_quarantined"])
    assert (2, 1) == (collector.stored, collector.waiting)


def test_what_waits_for_a_reason_can_be_discarded_from_the_files_as_well_and_is_counted(collector: Collector) -> None:
    unknown = run_event()
    del unknown["properties"]["arch"]
    collector.send(unknown, plan=digest_of(WIDER))
    collector.send(run_event(command="canary"), run_event(command="canary"))
    done = collector.operate("quarantine.discard", project="acme", reason="violates the plan").json()
    collector.send(run_event(command="canary"))
    again = collector.operate("quarantine.discard", project="acme", reason="violates the plan").json()

    assert (2, 1) == (done["discarded"], again["discarded"])
    assert {"unknown plan": 1} == collector.reasons()
    wrong = collector.cli("quarantine", "discard", "acme", "nothing")
    assert (1, 1) == (wrong.returncode, len(wrong.stderr.splitlines()))
    assert "see the reasons with: innerloop-collector quarantine list" in wrong.stderr
    ever = collector.operate("quarantine.violations").json()["violations"]
    assert 3 == sum(one["events"] for one in ever if (one["reason"], one["field"]) == ("violates the plan", ""))
    assert 1 == collector.apply(WIDER)["released"], "what waited for another reason is there"
    collector.stop()
    assert [["discarded", 3]] == collector.rows("SELECT what, sum(rows) FROM expired FINAL GROUP BY what")
    assert b"canary" not in collector.bytes_on_disk()


def test_violations_name_the_field_and_never_the_value(collector: Collector) -> None:
    missing = run_event()
    del missing["properties"]["exit_status"]
    collector.send(
        run_event(command="canary-value"),
        run_event(duration_ms=12345),
        run_event(canary_field=1),
        missing,
        run_event(start_time="2026-11-23T10:11:12Z"),
    )
    listed = collector.cli("quarantine", "list").stdout + collector.cli("quarantine", "list", "--json").stdout + collector.log

    assert {
        "violates the plan: not allowed: command": 1,
        "violates the plan: not allowed: duration_ms": 1,
        "violates the plan: not allowed: start_time": 1,
        "violates the plan: unknown property: properties": 1,
        "violates the plan: missing: exit_status": 1,
    } == collector.reasons()
    assert "canary" not in listed


def test_a_time_that_cannot_be_is_set_aside(collector: Collector) -> None:
    collector.send(
        run_event(ago=timedelta(days=367)),
        run_event(ago=timedelta(days=-2)),
        run_event(ago=timedelta(days=360)),
        run_event(ago=timedelta(hours=-20)),
    )

    assert 2 == collector.stored
    assert {"time out of range: time": 2} == collector.reasons()


def test_what_should_be_gone_already_is_acknowledged_and_not_kept(idle: Collector) -> None:
    idle.start_with(project(project={"retention_days": 30}))
    idle.send(run_event(ago=timedelta(days=40)), run_event(ago=timedelta(days=20)))

    assert (1, 0) == (idle.stored, idle.waiting)


def test_quarantine_survives_a_kill(collector: Collector) -> None:
    collector.send(run_event(command="secret"), plan=None)
    collector.kill()
    collector.start()

    assert 1 == collector.waiting


def test_seed_mode_keeps_its_names_and_its_exact_times(idle: Collector) -> None:
    document = project(
        events={"run": "devstack.command.run", "opt_in": "devstack.command.run", "opt_out": "devstack.command.run"},
        fields={
            "start_time": "exact", "duration_ms": "exact", "git_commit_time": "exact", "choice": True, "previous_consent": True,
            "attempt": False, "checkout_age": False, "os": False, "arch": False, "actor": False, "suspended": False, "in_container": False, "client": False,
        },
    )  # fmt: skip
    idle.start_with(document)
    start = hour().replace(":00:00+", ":12:13.456789+")
    common = {"command_type": "make", "start_time": start, "is_test": "no"}
    run = {
        **common,
        "command": "test",
        "duration_ms": 12345,
        "exit_status": -2,
        "git_checked_out_master": True,
        "git_commit_time": "2026-11-20T09:08:07+01:00",
    }
    for number, properties in enumerate(
        (
            run,
            {**common, "command": "metrics-opt-in", "choice": "accept"},
            {**common, "command": "metrics-opt-out", "previous_consent": "yes"},
        )
    ):
        event = {"event": "devstack.command.run", "userId": "u", "messageId": str(number), "properties": properties, "sentAt": hour()}
        assert 200 == idle.post("/v1/track", event).status_code
    assert {} == idle.reasons()
    idle.stop()

    rows = idle.rows(
        "SELECT kind, command, duration_ms, exit_status, toString(start_time), choice, previous_consent FROM events ORDER BY kind"
    )
    stored = start[:10] + " " + start[11:23]
    assert [
        ["opt_in", "metrics-opt-in", None, None, stored, "accept", ""],
        ["opt_out", "metrics-opt-out", None, None, stored, "", "yes"],
        ["run", "test", 12345, -2, stored, "", ""],
    ] == rows


def test_a_commit_of_no_year_waits_and_costs_its_neighbours_nothing(idle: Collector) -> None:
    document = project(fields={"git_commit_time": "exact"})
    idle.start_with(document)
    times = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T09:08:07+01:00"]
    idle.send(*(run_event(git_commit_time=time) for time in times), plan=digest_of(document))

    assert (1, 2) == (idle.stored, idle.waiting)


def test_an_event_may_name_a_cohort_that_the_project_offers_and_no_other(collector: Collector) -> None:
    offering = project(project={"cohorts": ["employee", "community"]})
    collector.apply(offering)
    plan = digest_of(offering)
    collector.send(run_event(cohort="employee"), run_event(), plan=plan)
    collector.send(run_event(cohort="canary"), run_event(cohort=["employee"]), run_event(cohort=""), plan=plan)
    collector.send(run_event(cohort="employee"), plan=digest_of(project()))

    assert 2 == collector.stored
    assert {"violates the plan: not allowed: cohort": 3, "violates the plan: unknown property: properties": 1} == collector.reasons()
    assert "canary" not in collector.cli("quarantine", "list", "--json").stdout + collector.log
    collector.stop()
    assert [["", 1], ["employee", 1]] == collector.rows("SELECT cohort, count() FROM events GROUP BY cohort ORDER BY cohort")


def test_a_longer_list_of_cohorts_releases_what_waited_for_it_also_after_a_restart(collector: Collector) -> None:
    collector.apply(project(project={"cohorts": ["employee"]}))
    longer = project(project={"cohorts": ["employee", "student"]})
    collector.send(run_event(cohort="student"), plan=digest_of(longer))
    assert 1 == collector.waiting
    assert 1 == collector.apply(longer)["released"]
    collector.kill()
    collector.start()
    collector.send(run_event(cohort="student"), plan=digest_of(longer))

    assert (2, 0) == (collector.stored, collector.waiting)


def test_a_field_that_expires_leaves_clients_before_and_after_it_accepted(idle: Collector) -> None:
    """Nobody has to apply anything on the day: the digest that a client names from then on is known beforehand."""
    package = Path(innerloop.__file__).parent
    shutil.copytree(package, idle.directory / "lib" / "innerloop")
    plan_file = idle.directory / "lib" / "innerloop" / "core" / "plan" / "plan.json"
    document = json.loads(plan_file.read_text())
    next(field for field in document["fields"] if field["name"] == "arch")["expires"] = "2027-01-31"
    plan_file.write_text(json.dumps(document))
    idle.environment["PYTHONPATH"] = str(idle.directory / "lib")
    idle.start_with()
    terms = agreement(read(project()))
    later = digest(narrowed(terms, {name: exact for name, exact in terms["fields"].items() if name != "arch"}))
    after = run_event()
    del after["properties"]["arch"]
    idle.send(after, plan=later)
    idle.send(run_event(), plan=digest(terms))
    idle.send(run_event(), plan=later)

    assert 2 == idle.stored
    assert {"violates the plan: unknown property: properties": 1} == idle.reasons()


def test_what_is_released_days_later_keeps_the_day_on_which_it_came(idle: Collector) -> None:
    idle.start_with()
    idle.send(run_event(command="new"))
    day = datetime.now(UTC).date().isoformat()
    idle.stop()
    idle.move_clock(timedelta(days=3))
    idle.start_with(project(names={"allow": ["new"]}))
    assert (1, 0) == (idle.stored, idle.waiting)
    idle.stop()

    assert [[day]] == idle.rows("SELECT received_day FROM events")
