"""What does not fit an applied plan waits, says why without a value, and is released by `projects apply`."""

from datetime import timedelta

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
