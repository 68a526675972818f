"""Backup and restore: a store that is lost comes back as it was, without what was erased since; what is erased goes from backups too."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from innerloop_collector.store.keyed import Hasher
from tests.collector.clock import moved
from tests.collector.support import KEY, PROJECT, Collector, Event, Load, Owner, project, run_event

SECOND_KEY = "shop.0123456789abcdefghijklmn"


def _filled(collector: Collector) -> list[Event]:
    """A collector with events of three months, some that wait, two projects, and a report that has figures."""
    collector.start_with()
    collector.apply(PROJECT, "--min-active-weeks", "1")
    events = [run_event(f"user {number}", ago=timedelta(days=days)) for number in range(7) for days in (0, 35, 70)]
    collector.send(*events, run_event(command="waits"))
    return events


def _backup(collector: Collector, name: str = "backup", *words: str) -> Path:
    directory = collector.directory / name
    done = collector.cli("backup", str(directory), *words)
    assert 0 == done.returncode, done.stderr
    return directory


def _restore(collector: Collector, directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return collector.cli("restore", str(directory), *words, "--json")


def _restored(collector: Collector, directory: Path, *words: str) -> dict[str, Any]:
    done = _restore(collector, directory, *words)
    assert 0 == done.returncode, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _lose(collector: Collector) -> None:
    collector.stop()
    shutil.rmtree(collector.data)


def _holds(directory: Path, secret: bytes, *users: str) -> set[str]:
    """Which users' rows are in the files of a backup, looked for as hashes in the decoded columns, since Parquet packs them."""
    hasher = Hasher(secret)
    wanted = {hasher.installation("acme", user).to_bytes(16, "little"): user for user in users}
    found: set[str] = set()
    for path in directory.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found |= {user for trace, user in wanted.items() if trace in content}
        if path.suffix == ".parquet" and "installation" in parquet.read_schema(path).names:
            held = set(parquet.read_table(path, columns=["installation"]).column(0).to_pylist())
            found |= {user for trace, user in wanted.items() if trace in held}
    return found


def test_a_lost_store_comes_back_with_the_same_reports_keys_and_tombstones(idle: Collector) -> None:
    events = _filled(idle)
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
    before = [idle.ask(*words) for words in asked]
    directory = _backup(idle)
    assert 0o700 == directory.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in directory.iterdir() if path.is_file()}
    _lose(idle)
    answer = _restored(idle, directory)
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
    _filled(idle)
    owner = Owner()
    idle.send(*(run_event(owner.id, ago=timedelta(days=days)) for days in (0, 35)), run_event(owner.id, command="waits"), owners=[owner])
    directory = _backup(idle)
    copied = idle.directory / "copy elsewhere"
    shutil.copytree(directory, copied)
    secret = (idle.data / "secret").read_bytes()
    assert {owner.id, "user 1"} == _holds(directory, secret, owner.id, "user 1")

    assert [{"name": "backups", "state": "erased"}] == idle.forget(owner)["destinations"]
    assert {"user 1"} == _holds(directory, secret, owner.id, "user 1")
    for journal in (directory / "erasures.log", idle.data / "erasures.log"):
        assert 1 == len(journal.read_text().splitlines())
    journal = shutil.copy(idle.data / "erasures.log", idle.directory / "kept elsewhere")
    _lose(idle)
    assert 1 == _restored(idle, directory)["erased_again"], "its rows are gone, and its tombstone comes from the journal in the backup"
    idle.start()
    idle.send(run_event(owner.id))
    assert (21, 1) == (idle.stored, idle.waiting)

    _lose(idle)
    answer = _restored(idle, copied, "--erasures", str(journal))
    assert 1 == answer["erased_again"]
    assert owner.id not in _holds(idle.data, secret, owner.id)
    idle.start()
    idle.send(run_event(owner.id))
    assert (21, 1, 0) == (idle.stored, idle.waiting, idle.ask("check")["unfinished_erasures"])


def test_a_journal_that_cannot_be_read_stops_a_restore_and_nobody_comes_back(idle: Collector) -> None:
    idle.start_with()
    idle.send(run_event("user 1"), run_event("user 2"))
    idle.stop()
    directory = _backup(idle)
    copied = shutil.copytree(directory, idle.directory / "copy elsewhere")
    idle.ask("erase", "acme", "--id", "user 1")
    kept = (idle.data / "erasures.log").rename(idle.directory / "kept elsewhere")
    (idle.data / "erasures.log").mkdir()
    done = idle.cli("check")
    assert (1, f"innerloop-collector: cannot read {idle.data / 'erasures.log'}: Is a directory; ") == (
        done.returncode, done.stderr.partition("without it")[0],
    )  # fmt: skip
    shutil.rmtree(idle.data)
    other, mount = idle.directory / "other.log", idle.directory / "mount" / "erasures.log"
    other.write_text("no journal\n")

    def refused(said: str, *words: str) -> None:
        done = _restore(idle, copied, *words)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"{said}, and whom it names would come back; " in done.stderr
        assert {"lock", "scratch"} == {path.name for path in idle.data.iterdir() if path.name != "erasures.log"}

    typo = idle.directory / "erasure.log"
    refused(f"the journal {typo} cannot be read (No such file or directory)", "--erasures", str(typo))
    refused(f"the journal {idle.directory} cannot be read (Is a directory)", "--erasures", str(idle.directory))
    refused(f"the journal {other} cannot be read (no erasure is in it)", "--erasures", str(kept), "--erasures", str(other))
    (idle.data / "erasures.log").mkdir()
    refused(f"the journal {idle.data / 'erasures.log'} cannot be read (Is a directory)")
    (idle.data / "erasures.log").rmdir()
    idle.environment["INNERLOOP_COLLECTOR_BACKUP_JOURNALS"] = str(mount)
    refused(f"the journal {mount} cannot be read (No such file or directory)")
    assert "mount its disk" in _restore(idle, copied).stderr
    assert f"{typo} is no journal that would be read" in _restore(idle, copied, "--without-journal", str(typo)).stderr

    refused(f"the journal {typo} cannot be read (No such file or directory)", "--without-journal", str(mount), "--erasures", str(typo))

    mount.parent.mkdir()
    shutil.copy(kept, mount)
    assert 1 == _restored(idle, copied, "--without-journal", str(copied / "erasures.log"))["erased_again"]
    assert 1 == idle.stored


def test_the_journal_in_a_backup_is_checked_as_far_as_the_manifest_knows_it(idle: Collector) -> None:
    idle.start_with()
    idle.send(*(run_event(f"user {number}") for number in range(3)))
    idle.stop()
    idle.ask("erase", "acme", "--id", "user 0")
    directory = _backup(idle)
    idle.ask("erase", "acme", "--id", "user 1")
    journal = directory / "erasures.log"
    good = journal.read_bytes()
    assert 2 == len(good.splitlines())
    shutil.rmtree(idle.data)

    for damaged in (None, b"", good.splitlines(keepends=True)[0], good.replace(b"acme", b"amce", 1)):
        journal.unlink()
        if damaged is not None:
            journal.write_bytes(damaged)
        done = _restore(idle, directory)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"the journal {journal} cannot be read (" in done.stderr
        assert "and whom it names would come back; use another backup" in done.stderr
        assert {"lock", "scratch"} == {path.name for path in idle.data.iterdir()}
        journal.write_bytes(good)
    with journal.open("ab") as file:
        file.write(b"2026-11-24 acme 0123")  # a process was killed here: what is added is in the manifest afterwards
    _restored(idle, directory)
    idle.ask("erase", "acme", "--id", "user 2")
    assert 4 == len(journal.read_text().splitlines())
    journal.write_bytes(journal.read_bytes()[:-1])
    shutil.rmtree(idle.data)
    assert f"{journal} cannot be read (it is not what manifest.json says)" in _restore(idle, directory).stderr


def test_a_restored_store_knows_its_backups_and_erases_from_them(idle: Collector) -> None:
    idle.start_with()
    owner, later = Owner(), Owner()
    idle.send(run_event(owner.id), run_event(later.id), run_event("user 1"), owners=[owner, later])
    first, second = _backup(idle, "first"), _backup(idle, "second")
    secret = (idle.data / "secret").read_bytes()
    _lose(idle)
    _restored(idle, first)
    idle.start()
    assert [str(first), str(second)] == [one["directory"] for one in idle.ask("backups", "list")["backups"]], "also one made later"

    assert [{"name": "backups", "state": "erased"}] == idle.forget(owner)["destinations"]
    assert [set()] * 2 == [_holds(directory, secret, owner.id) for directory in (first, second)]
    copied = shutil.copytree(second, idle.directory / "copied")
    idle.forget(later)
    journal = shutil.copy(idle.data / "erasures.log", idle.directory / "kept elsewhere")
    shutil.rmtree(first)
    assert 1 == len(idle.ask("backups", "gone", str(first))["backups"])
    _lose(idle)
    assert 2 == _restored(idle, copied, "--erasures", str(journal))["erased_again"]
    assert {"user 1"} == _holds(copied, secret, owner.id, later.id, "user 1"), (
        "what a newer journal names goes from the backup that was read"
    )
    assert 1 == idle.stored


def test_a_restore_revives_no_token_and_says_which_keys_are_accepted(idle: Collector) -> None:
    idle.start_with()
    made = idle.ask_text("tokens", "create", "--role", "admin", "--label", "leaked")
    token = next(word for word in made.split() if word.startswith("ilt_"))
    directory = _backup(idle)
    idle.ask_text("tokens", "revoke", idle.ask("tokens", "list")["tokens"][0]["id"])
    key = idle.ask("keys", "list")["keys"][0]["id"]
    _lose(idle)
    answer = _restored(idle, directory)
    assert (1, [{"project": "acme", "kind": "write", "id": key}]) == (answer["tokens_revoked"], answer["keys_accepted"])
    idle.start()

    body = {"operation": "keys.list", "arguments": {}}
    asked = idle.http.post(f"{idle.url}/admin/v1/call", json=body, headers={"Authorization": f"Bearer {token}"})
    assert 401 == asked.status_code
    idle.send(run_event())
    _lose(idle)
    told = idle.cli("restore", str(directory)).stdout
    assert "revoked: all tokens, 1 of them good until now" in told
    assert f"accepted again: keys {key} (acme, write); revoke again what was revoked since the backup" in told


@pytest.mark.slow
def test_a_backup_that_is_not_in_reach_is_not_proven_and_is_cleaned_when_it_is_back(idle: Collector) -> None:
    _filled(idle)
    owner = Owner()
    idle.send(run_event(owner.id), owners=[owner])
    directory, away = _backup(idle), idle.directory / "away"
    directory.rename(away)
    receipt = idle.forget(owner)
    assert [{"name": "backups", "state": "not provable"}] == receipt["destinations"]
    secret = (idle.data / "secret").read_bytes()
    away.rename(directory)
    idle.ask("retain")

    assert set() == _holds(directory, secret, owner.id)
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
    directory = _backup(idle)
    idle.apply(project(project={"retention_days": 30}))
    idle.ask("retain")

    idle.stop()
    secret = (idle.data / "secret").read_bytes()
    assert {"young"} == _holds(directory, secret, "old", "young")
    shutil.rmtree(idle.data)
    assert 2 == _restored(idle, directory)["events"], "the other project promised no less"


@pytest.mark.slow
def test_what_is_past_its_time_goes_from_backups_too(idle: Collector) -> None:
    idle.start_with(project(project={"retention_days": 20}))
    idle.send(run_event("old", ago=timedelta(days=19)), run_event("young"))
    directory = _backup(idle)
    idle.stop()
    secret = (idle.data / "secret").read_bytes()
    assert {"old", "young"} == _holds(directory, secret, "old", "young")
    moved(idle, 3).ask("retain")

    assert {"young"} == _holds(directory, secret, "old", "young")
    shutil.rmtree(idle.data)
    assert 1 == _restored(idle, directory)["events"]


@pytest.mark.slow
def test_a_backup_while_events_come_in_holds_all_that_were_acknowledged_before_it(idle: Collector) -> None:
    idle.start_with()
    with Load(idle) as load:
        while len(load.acknowledged) < 100:
            pass
        before = list(load.acknowledged)
        directory = _backup(idle)
    _lose(idle)
    _restored(idle, directory)
    idle.start()
    restored = idle.stored
    assert len(before) <= restored <= len(load.sent)
    for first in range(0, len(before), 400):
        idle.send(*before[first : first + 400])
    assert restored == idle.stored
    for first in range(0, len(load.sent), 400):
        idle.send(*load.sent[first : first + 400])  # the clients' spools have the rest
    assert len(load.sent) == idle.stored


@pytest.mark.slow
def test_a_damaged_or_foreign_backup_is_refused_in_one_line_and_leaves_nothing(
    idle: Collector, new_collector: Callable[[], Collector]
) -> None:
    _filled(idle)
    directory = _backup(idle)
    file = next(iter(sorted(directory.glob("events-*.parquet"))))
    content = file.read_bytes()
    other = new_collector()
    for damaged in (content[:-1], content[:100] + bytes([content[100] ^ 1]) + content[101:]):
        file.write_bytes(damaged)
        done = _restore(other, directory)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
        assert "is damaged: it is not what manifest.json says" in done.stderr
        assert {"lock", "scratch"} == {path.name for path in other.data.iterdir()}
    file.write_bytes(content)
    assert "no backup" in _restore(other, idle.directory).stderr
    assert "holds" in _restore(idle, directory).stderr or "use" in _restore(idle, directory).stderr
    idle.stop()
    assert "has a store already" in _restore(idle, directory).stderr
    assert 0 == _restore(other, directory).returncode
    assert 21 == other.stored


@pytest.mark.slow
def test_a_backup_without_the_secret_needs_it_to_be_put_back(idle: Collector) -> None:
    events = _filled(idle)
    kept = shutil.copy(idle.data / "secret", idle.directory / "kept")
    directory = _backup(idle, "backup", "--without-secret")
    key = (idle.data / "secret").read_bytes()
    assert not [path for path in directory.iterdir() if key in path.read_bytes()]
    _lose(idle)

    assert "--secret-from" in _restore(idle, directory).stderr
    _restored(idle, directory, "--secret-from", str(kept))
    idle.start()
    assert 200 == idle.post("/v1/batch", {"batch": events}, key=KEY).status_code
    assert 21 == idle.stored


def test_a_backup_is_put_back_with_its_own_secret_only(idle: Collector) -> None:
    idle.start_with()
    idle.send(run_event())
    directory = _backup(idle, "backup", "--without-secret")
    kept = Path(shutil.copy(idle.data / "secret", idle.directory / "kept"))
    assert kept.read_bytes() not in (directory / "manifest.json").read_bytes()
    _lose(idle)
    another, cut = idle.directory / "another", idle.directory / "cut"
    another.write_bytes(bytes(32))
    cut.write_bytes(kept.read_bytes()[:31])

    for given, why in ((another, "is not the secret that this backup goes with"), (cut, "is no secret of a collector (31 bytes")):
        done = _restore(idle, directory, "--secret-from", str(given))
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"{given} {why}" in done.stderr
        assert {"lock", "scratch"} == {path.name for path in idle.data.iterdir()}, "nothing is made"
    assert _restored(idle, directory, "--secret-from", str(kept))["secret_checked"]

    found = json.loads((directory / "manifest.json").read_text())
    del found["fingerprint"]
    (directory / "manifest.json").write_text(json.dumps(found))
    shutil.rmtree(idle.data)
    told = idle.cli("restore", str(directory), "--secret-from", str(kept)).stdout
    assert "not checked: whether the secret is that of this backup" in told, "a backup from before says nothing of its secret"


def test_a_backup_that_fails_or_is_cut_off_forgets_no_earlier_one_at_its_place(idle: Collector) -> None:
    idle.start_with()
    owner = Owner()
    idle.send(run_event(owner.id), owners=[owner])
    directory, away = _backup(idle), idle.directory / "away"
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
    assert set() == _holds(directory, (idle.data / "secret").read_bytes(), owner.id)


def test_a_damaged_list_of_backups_is_said_and_no_erasure_takes_it_for_an_empty_one(idle: Collector) -> None:
    idle.start_with()
    owners = [Owner() for _ in range(3)]
    idle.send(*(run_event(owner.id) for owner in owners), owners=owners)
    directory = _backup(idle)
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
    assert {owner.id for owner in owners} == _holds(directory, secret, *(owner.id for owner in owners))

    shutil.copy(directory / "backups.json", path)
    idle.ask("retain")
    assert set() == _holds(directory, secret, *(owner.id for owner in owners))


def test_a_backup_and_its_data_directory_never_lie_in_one_another(idle: Collector, new_collector: Callable[[], Collector]) -> None:
    idle.start_with()
    (idle.directory / "link").symlink_to(idle.data)
    for place in (idle.data / "backup", idle.data / "store" / "backup", idle.directory / "link" / "backup", idle.data):
        done = idle.cli("backup", str(place))
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"{place} lies in the data directory" in done.stderr
    assert ([], []) == (idle.ask("backups", "list")["backups"], list(idle.data.rglob("backup*/")))
    directory = _backup(idle)

    other = new_collector()
    other.data.mkdir()
    (other.directory / "link").symlink_to(other.data)
    for name in ("backup", "restoring"):
        inside = shutil.copytree(directory, other.data / name)
        for place in (inside, other.directory / "link" / name):
            assert "lie in one another; move the backup elsewhere" in _restore(other, place).stderr
        assert (inside / "manifest.json").exists()
    done = _restore(other, directory, "--data", str(directory / "data"))
    assert "lie in one another" in done.stderr


def _with_keys_of_destinations(collector: Collector) -> Path:
    """A backup with two events and two keys of destinations. Its data directory is lost."""
    collector.start_with()
    collector.send(run_event("user 1"), run_event("user 2"))
    (collector.data / "destinations").mkdir(exist_ok=True)
    for name in ("one", "two"):
        (collector.data / "destinations" / f"{name}.key").write_bytes(name.encode() * 8)
    directory = _backup(collector)
    _lose(collector)
    return directory


def test_a_restore_keeps_the_surviving_key_of_a_destination_that_the_backup_does_not_have(idle: Collector) -> None:
    idle.start_with()
    earlier = _backup(idle, "earlier than the destination")
    idle.stop()
    (idle.directory / "key").write_text("secret")
    (idle.directory / "collector.toml").write_text(
        f'[destinations.tempo]\nkind = "otlp"\nrecipient = "r"\nendpoint = "http://127.0.0.1:9"\nkey_file = "{idle.directory}/key"\n'
    )
    idle.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(idle.directory / "collector.toml")
    idle.start()
    bare = _backup(idle, "bare", "--without-secret")
    idle.stop()
    kept = Path(shutil.copy(idle.data / "secret", idle.directory / "kept"))
    path = idle.data / "destinations" / "tempo.key"
    key = path.read_bytes()

    for directory in (earlier, bare):
        shutil.rmtree(idle.data / "store")
        _restored(idle, directory, "--secret-from", str(kept))
        assert key == path.read_bytes(), "with another, the destination would see new names for old events"


def test_a_restore_refuses_to_choose_between_two_keys_of_a_destination(idle: Collector) -> None:
    directory = _with_keys_of_destinations(idle)
    path = idle.data / "destinations" / "two.key"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"another")
    done = _restore(idle, directory)

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert f"{path} is not the key in the backup" in done.stderr
    assert (b"another", {"lock", "scratch", "destinations"}) == (path.read_bytes(), {one.name for one in idle.data.iterdir()})


def _killed_while_restoring(collector: Collector, directory: Path, step: int) -> bool:
    script = Path(__file__).with_name("die_while_restoring.py")
    words = [sys.executable, str(script), str(collector.data), str(directory), str(step)]
    done = subprocess.run(words, env=collector.environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def test_a_restore_that_was_cut_off_is_run_again_and_no_service_starts_before(idle: Collector) -> None:
    directory = _with_keys_of_destinations(idle)
    (idle.data / "destinations").mkdir(parents=True)
    (idle.data / "destinations" / "newer.key").write_bytes(b"newer")
    assert _killed_while_restoring(idle, directory, 6)

    for words in (("serve", "--port", "0"), ("check",)):
        done = idle.cli(*words)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert "was cut off; run it again" in done.stderr
    assert 2 == _restored(idle, directory)["events"]
    assert 2 == idle.stored
    keys = {path.name: path.read_bytes() for path in (idle.data / "destinations").iterdir()}
    assert {"one.key": b"one" * 8, "two.key": b"two" * 8, "newer.key": b"newer"} == keys
    assert not (idle.data / "restoring").exists()


@pytest.mark.slow
def test_killed_before_any_of_its_steps_a_restore_can_be_run_again(idle: Collector) -> None:
    directory = _with_keys_of_destinations(idle)
    secret = (directory / "secret").read_bytes()
    step, whole = 0, 0
    while _killed_while_restoring(idle, directory, step := step + 1):
        done = _restore(idle, directory)
        if done.returncode:
            assert "has its store back: a restore was cut off after that; remove" in done.stderr
            (idle.data / "restoring").rmdir()
            whole += 1
        assert (secret, 2) == ((idle.data / "secret").read_bytes(), idle.stored)
        assert {"one.key", "two.key"} == {path.name for path in (idle.data / "destinations").iterdir()}
        assert not (idle.data / "restoring").exists()
        shutil.rmtree(idle.data)
    assert 1 == whole, "after the store has its place"
    assert step > 6


@pytest.mark.slow
def test_a_backup_goes_into_a_new_directory_only(idle: Collector) -> None:
    _filled(idle)
    directory = _backup(idle)

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
    counts = "SELECT name, total_rows FROM system.tables WHERE database = 'default' AND total_rows > 0 AND name NOT IN ('probes', 'leases') ORDER BY name"
    before = idle.rows(counts)
    sums = [
        idle.rows(f"SELECT sum(cityHash64(formatRow('RowBinary', *))) FROM {name} FINAL")
        for name, _ in before
        if name in ("weekly_totals", "write_keys")
    ]
    directory = _backup(idle)
    shutil.rmtree(idle.data)
    _restored(idle, directory)

    assert {"events", "weekly_totals", "write_keys", "expired"} - {"events"} <= {name for name, _ in before}
    assert before == idle.rows(counts)
    assert sums == [
        idle.rows(f"SELECT sum(cityHash64(formatRow('RowBinary', *))) FROM {name} FINAL") for name in ("weekly_totals", "write_keys")
    ]
