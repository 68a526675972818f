"""Backup and restore: a store that is lost comes back as it was, without what was erased since; what is erased goes from backups too."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.collector.backups import backed_up, filled, holds, lose, restore, restored
from tests.collector.clock import moved
from tests.collector.support import Collector, Load, Owner, project, run_event

SECOND_KEY = "shop.0123456789abcdefghijklmn"


def test_a_lost_store_comes_back_with_the_same_reports_keys_and_tombstones(idle: Collector) -> None:
    events = filled(idle)
    owner = Owner()
    idle.send(run_event(owner.id), owners=[owner])
    receipt = idle.forget(owner)["receipt"]
    asked = (
        ("report", "acme"),
        ("projects", "list"),
        ("keys", "list"),
        ("quarantine", "list"),
        ("quarantine", "violations"),
        ("receipt", receipt),
    )
    idle.ask("retain")  # what is due is published
    before = [idle.ask(*words) for words in asked]
    directory = backed_up(idle)
    assert 0o700 == directory.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in directory.iterdir() if path.is_file()}
    lose(idle)
    answer = restored(idle, directory)
    idle.start()

    assert 21 == answer["events"]
    assert before == [idle.ask(*words) for words in asked]
    idle.send(*events, run_event(owner.id))
    assert (21, 1) == (idle.stored, idle.waiting), "sent again they are the same events, and who was erased stays away"
    idle.send(run_event())
    assert 22 == idle.stored
    idle.stop()
    positions = [row[0] for row in idle.rows("SELECT position FROM events ORDER BY position")]
    assert positions == sorted(set(positions)), "positions go on growing"


def test_who_was_erased_after_the_backup_does_not_come_back_and_is_gone_from_the_backup(idle: Collector) -> None:
    filled(idle)
    owner = Owner()
    idle.send(*(run_event(owner.id, ago=timedelta(days=days)) for days in (0, 35)), run_event(owner.id, command="waits"), owners=[owner])
    directory = backed_up(idle)
    copied = idle.directory / "copy elsewhere"
    shutil.copytree(directory, copied)
    secret = (idle.data / "secret").read_bytes()
    assert {owner.id, "user 1"} == holds(directory, secret, owner.id, "user 1")

    assert [{"name": "backups", "state": "erased"}] == idle.forget(owner)["destinations"]
    assert {"user 1"} == holds(directory, secret, owner.id, "user 1")
    for journal in (directory / "erasures.log", idle.data / "erasures.log"):
        assert 1 == len(journal.read_text().splitlines())
    kept = shutil.copy(idle.data / "erasures.log", idle.directory / "kept elsewhere")
    lose(idle)
    assert 1 == restored(idle, directory)["erased_again"], "its rows are gone, and its tombstone comes from the journal in the backup"
    idle.start()
    idle.send(run_event(owner.id))
    assert (21, 1) == (idle.stored, idle.waiting)

    lose(idle)
    answer = restored(idle, copied, "--erasures", str(kept))
    assert 1 == answer["erased_again"]
    assert owner.id not in holds(idle.data, secret, owner.id)
    idle.start()
    idle.send(run_event(owner.id))
    assert (21, 1, 0) == (idle.stored, idle.waiting, idle.check()["unfinished_erasures"])


def test_a_restored_store_knows_its_backups_and_erases_from_them(idle: Collector) -> None:
    idle.start_with()
    owner, later = Owner(), Owner()
    idle.send(run_event(owner.id), run_event(later.id), run_event("user 1"), owners=[owner, later])
    first, second = backed_up(idle, "first"), backed_up(idle, "second")
    secret = (idle.data / "secret").read_bytes()
    lose(idle)
    restored(idle, first)
    idle.start()
    assert [str(first), str(second)] == [one["directory"] for one in idle.ask("backups", "list")["backups"]], "also one made later"

    assert [{"name": "backups", "state": "erased"}] == idle.forget(owner)["destinations"]
    assert [set()] * 2 == [holds(directory, secret, owner.id) for directory in (first, second)]
    copied = shutil.copytree(second, idle.directory / "copied")
    idle.forget(later)
    journal = shutil.copy(idle.data / "erasures.log", idle.directory / "kept elsewhere")
    shutil.rmtree(first)
    assert 1 == len(idle.ask("backups", "gone", str(first))["backups"])
    lose(idle)
    assert 2 == restored(idle, copied, "--erasures", str(journal))["erased_again"]
    assert {"user 1"} == holds(copied, secret, owner.id, later.id, "user 1"), (
        "what a newer journal names goes from the backup that was read"
    )
    assert 1 == idle.stored


@pytest.mark.slow
def test_a_backup_that_is_not_in_reach_is_not_proven_and_is_cleaned_when_it_is_back(idle: Collector) -> None:
    filled(idle)
    owner = Owner()
    idle.send(run_event(owner.id), owners=[owner])
    directory, away = backed_up(idle), idle.directory / "away"
    directory.rename(away)
    receipt = idle.forget(owner)
    assert [{"name": "backups", "state": "not provable"}] == receipt["destinations"]
    secret = (idle.data / "secret").read_bytes()
    away.rename(directory)
    idle.ask("retain")

    assert set() == holds(directory, secret, owner.id)
    assert {"backups": "not provable"} == idle.ask("receipt", receipt["receipt"])["destinations"], "a receipt says what was so on its day"
    assert "still there" in idle.cli("backups", "gone", str(directory)).stderr
    shutil.rmtree(directory)
    assert [] == idle.ask("backups", "gone", str(directory))["backups"]
    assert [] == idle.forget(Owner(), owner)["destinations"]


def test_a_shorter_promise_counts_in_backups_too(idle: Collector) -> None:
    idle.start_with()
    idle.apply(project(project={"id": "shop", "write_key": SECOND_KEY}))
    other_key = idle.ask_text("keys", "create", "shop").strip()
    idle.send(run_event("old", ago=timedelta(days=40)), run_event("young", ago=timedelta(days=20)))
    idle.send(run_event("old", ago=timedelta(days=40)), key=other_key)
    directory = backed_up(idle)
    idle.apply(project(project={"retention_days": 30}))
    idle.ask("retain")

    idle.stop()
    secret = (idle.data / "secret").read_bytes()
    assert {"young"} == holds(directory, secret, "old", "young")
    shutil.rmtree(idle.data)
    assert 2 == restored(idle, directory)["events"], "the other project promised no less"


@pytest.mark.slow
def test_what_is_past_its_time_goes_from_backups_too(idle: Collector) -> None:
    idle.start_with(project(project={"retention_days": 20}))
    idle.send(run_event("old", ago=timedelta(days=19)), run_event("young"))
    directory = backed_up(idle)
    idle.stop()
    secret = (idle.data / "secret").read_bytes()
    assert {"old", "young"} == holds(directory, secret, "old", "young")
    moved(idle, 3).ask("retain")

    assert {"young"} == holds(directory, secret, "old", "young")
    shutil.rmtree(idle.data)
    assert 1 == restored(idle, directory)["events"]


@pytest.mark.slow
def test_a_backup_while_events_come_in_holds_all_that_were_acknowledged_before_it(idle: Collector) -> None:
    idle.start_with()
    with Load(idle) as load:
        while len(load.acknowledged) < 100:
            pass
        before = list(load.acknowledged)
        directory = backed_up(idle)
    lose(idle)
    restored(idle, directory)
    idle.start()
    there = idle.stored
    assert len(before) <= there <= len(load.sent)
    for first in range(0, len(before), 400):
        idle.send(*before[first : first + 400])
    assert there == idle.stored
    for first in range(0, len(load.sent), 400):
        idle.send(*load.sent[first : first + 400])  # the clients' spools have the rest
    assert len(load.sent) == idle.stored


def test_a_backup_that_fails_or_is_cut_off_forgets_no_earlier_one_at_its_place(idle: Collector) -> None:
    idle.start_with()
    owner = Owner()
    idle.send(run_event(owner.id), owners=[owner])
    directory, away = backed_up(idle), idle.directory / "away"
    known = idle.ask("backups", "list")["backups"][0]
    directory.rename(away)
    unfinished = idle.directory / "backup.unfinished"
    (idle.data / "secret").rename(idle.directory / "secret")
    assert "cannot make a backup" in idle.cli("backup", str(directory)).stderr
    (idle.directory / "secret").rename(idle.data / "secret")
    assert [{**known, "within_reach": False}] == idle.ask("backups", "list")["backups"]
    assert not unfinished.exists()

    never = str(idle.directory / "never whole")
    listed = [{"path": str(directory), "made": known["made"], "begun": known["made"]}, {"path": never, "made": "", "begun": known["made"]}]
    (idle.data / "backups.json").write_text(json.dumps(listed))  # as where the process was killed
    for building in (unfinished, idle.directory / "never whole.unfinished"):
        building.mkdir()
        shutil.copy(next(away.glob("events-*.parquet")), building)
    assert [{"name": "backups", "state": "not provable"}] == idle.forget(owner)["destinations"]
    assert [{**known, "within_reach": False}] == idle.ask("backups", "list")["backups"]
    assert [] == list(idle.directory.glob("*.unfinished"))

    away.rename(directory)
    idle.ask("retain")
    assert set() == holds(directory, (idle.data / "secret").read_bytes(), owner.id)


def test_a_damaged_list_of_backups_is_said_and_no_erasure_takes_it_for_an_empty_one(idle: Collector) -> None:
    idle.start_with()
    owners = [Owner() for _ in range(3)]
    idle.send(*(run_event(owner.id) for owner in owners), owners=owners)
    directory = backed_up(idle)
    path = idle.data / "backups.json"
    good = path.read_bytes()
    for owner, damaged in zip(owners, (good[:-5], b'[{"path": "\xff", "made": ""}]', b'[{"path": "/a\\u0000", "made": ""}]'), strict=True):
        path.write_bytes(damaged)
        for words in (("backups", "list"), ("backups", "gone", "/elsewhere"), ("backup", str(idle.directory / "another")), ("check",)):
            done = idle.cli(*words)
            assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
            assert f"{path} is damaged" in done.stderr
            assert "copy the backups.json of the newest backup over it" in done.stderr
        assert [{"name": "backups", "state": "not provable"}] == idle.forget(owner)["destinations"]
        assert (damaged, []) == (path.read_bytes(), list(idle.directory.glob("another*")))
    secret = (idle.data / "secret").read_bytes()
    assert {owner.id for owner in owners} == holds(directory, secret, *(owner.id for owner in owners))

    shutil.copy(directory / "backups.json", path)
    idle.ask("retain")
    assert set() == holds(directory, secret, *(owner.id for owner in owners))


def test_a_backup_and_its_data_directory_never_lie_in_one_another(idle: Collector, new_collector: Callable[[], Collector]) -> None:
    idle.start_with()
    (idle.directory / "link").symlink_to(idle.data)
    for place in (idle.data / "backup", idle.data / "store" / "backup", idle.directory / "link" / "backup", idle.data):
        done = idle.cli("backup", str(place))
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"{place} lies in the data directory" in done.stderr
    assert ([], []) == (idle.ask("backups", "list")["backups"], list(idle.data.rglob("backup*/")))
    directory = backed_up(idle)

    other = new_collector()
    other.data.mkdir()
    (other.directory / "link").symlink_to(other.data)
    for name in ("backup", "restoring"):
        inside = shutil.copytree(directory, other.data / name)
        for place in (inside, other.directory / "link" / name):
            assert "lie in one another; move the backup elsewhere" in restore(other, place).stderr
        assert (inside / "manifest.json").exists()
    done = restore(other, directory, "--data", str(directory / "data"))
    assert "lie in one another" in done.stderr


@pytest.mark.slow
def test_a_backup_goes_into_a_new_directory_only(idle: Collector) -> None:
    filled(idle)
    directory = backed_up(idle)

    assert "is not empty" in idle.cli("backup", str(directory)).stderr
    assert "cannot make a backup" in idle.cli("backup", str(idle.directory / "no" / "such" / "place")).stderr
    assert [str(directory)] == [one["directory"] for one in idle.ask("backups", "list")["backups"]]


@pytest.mark.slow
def test_every_row_of_every_table_comes_back(idle: Collector) -> None:
    """Also rows with nulls in them, and tables that no report shows."""
    idle.start_with(project(project={"retention_days": 40}))
    idle.apply(project(project={"retention_days": 40}), "--min-active-weeks", "1")
    idle.send(*(run_event(f"user {number}", ago=timedelta(days=30), duration_ms=None) for number in range(7)), run_event(command="waits"))
    idle.stop()
    moved(idle, 15).ask("retain")
    left_out = "('probes', 'leases', 'clock')"  # about the place where a store is
    counts = (
        f"SELECT name, total_rows FROM system.tables WHERE database = 'default' AND total_rows > 0 AND name NOT IN {left_out} ORDER BY name"
    )
    before = idle.rows(counts)
    sums = [
        idle.rows(f"SELECT sum(cityHash64(formatRow('RowBinary', *))) FROM {name} FINAL")
        for name, _ in before
        if name in ("releases", "write_keys")
    ]
    directory = backed_up(idle)
    shutil.rmtree(idle.data)
    restored(idle, directory)

    assert {"events", "releases", "write_keys", "expired"} - {"events"} <= {name for name, _ in before}
    assert before == idle.rows(counts)
    assert sums == [
        idle.rows(f"SELECT sum(cityHash64(formatRow('RowBinary', *))) FROM {name} FINAL") for name in ("releases", "write_keys")
    ]
