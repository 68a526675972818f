"""What a restore refuses, what it keeps, and that it can be cut off anywhere."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collector.asking import asked
from tests.collector.backups import backed_up, filled, lose, restore, restored
from tests.collector.support import KEY, Collector, run_event

SECOND_KEY = "shop.0123456789abcdefghijklmn"


@pytest.mark.slow
def test_a_journal_that_cannot_be_read_stops_a_restore_and_nobody_comes_back(idle: Collector) -> None:
    idle.start_with()
    idle.send(run_event("user 1"), run_event("user 2"))
    idle.stop()
    directory = backed_up(idle)
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
        done = restore(idle, copied, *words)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"{said}, and whom it names would come back; " in done.stderr
        assert not idle.data.exists() or {path.name for path in idle.data.iterdir()} <= {"erasures.log"}

    typo = idle.directory / "erasure.log"
    refused(f"the journal {typo} cannot be read (No such file or directory)", "--erasures", str(typo))
    refused(f"the journal {idle.directory} cannot be read (Is a directory)", "--erasures", str(idle.directory))
    refused(f"the journal {other} cannot be read (no erasure is in it)", "--erasures", str(kept), "--erasures", str(other))
    (idle.data / "erasures.log").mkdir(parents=True)
    refused(f"the journal {idle.data / 'erasures.log'} cannot be read (Is a directory)")
    (idle.data / "erasures.log").rmdir()
    idle.environment["INNERLOOP_COLLECTOR_BACKUP_JOURNALS"] = str(mount)
    refused(f"the journal {mount} cannot be read (No such file or directory)")
    assert "mount its disk" in restore(idle, copied).stderr
    assert f"{typo} is no journal that would be read" in restore(idle, copied, "--without-journal", str(typo)).stderr

    refused(f"the journal {typo} cannot be read (No such file or directory)", "--without-journal", str(mount), "--erasures", str(typo))

    mount.parent.mkdir()
    shutil.copy(kept, mount)
    assert 1 == restored(idle, copied, "--without-journal", str(copied / "erasures.log"))["erased_again"]
    assert 1 == idle.stored


@pytest.mark.slow
def test_the_journal_in_a_backup_is_checked_as_far_as_the_manifest_knows_it(idle: Collector) -> None:
    idle.start_with()
    idle.send(*(run_event(f"user {number}") for number in range(3)))
    idle.stop()
    idle.ask("erase", "acme", "--id", "user 0")
    directory = backed_up(idle)
    idle.ask("erase", "acme", "--id", "user 1")
    journal = directory / "erasures.log"
    good = journal.read_bytes()
    assert 2 == len(good.splitlines())
    shutil.rmtree(idle.data)

    for damaged in (None, b"", good.splitlines(keepends=True)[0], good.replace(b"acme", b"amce", 1)):
        journal.unlink()
        if damaged is not None:
            journal.write_bytes(damaged)
        done = restore(idle, directory)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"the journal {journal} cannot be read (" in done.stderr
        assert "and whom it names would come back; use another backup" in done.stderr
        assert not idle.data.exists()
        journal.write_bytes(good)
    with journal.open("ab") as file:
        file.write(b"2026-11-24 acme 0123")  # a process was killed here: what is added is in the manifest afterwards
    restored(idle, directory)
    idle.ask("erase", "acme", "--id", "user 2")
    assert 4 == len(journal.read_text().splitlines())
    journal.write_bytes(journal.read_bytes()[:-1])
    shutil.rmtree(idle.data)
    assert f"{journal} cannot be read (it is not what manifest.json says)" in restore(idle, directory).stderr


def test_a_restore_revives_no_token_and_says_which_keys_are_accepted(idle: Collector) -> None:
    idle.start_with()
    made = idle.ask_text("tokens", "create", "--role", "admin", "--label", "leaked")
    token = next(word for word in made.split() if word.startswith("ilt_"))
    link = asked(idle, "links.create", page="/p/acme").json()["path"]
    directory = backed_up(idle)
    idle.ask_text("tokens", "revoke", idle.ask("tokens", "list")["tokens"][0]["id"])
    key = idle.ask("keys", "list")["keys"][0]["id"]
    lose(idle)
    answer = restored(idle, directory)
    assert (1, [{"project": "acme", "kind": "write", "id": key}]) == (answer["tokens_revoked"], answer["keys_accepted"])
    idle.start()

    body = {"operation": "keys.list", "arguments": {}}
    refused = idle.http.post(f"{idle.url}/admin/v1/call", json=body, headers={"Authorization": f"Bearer {token}"})
    assert 401 == refused.status_code
    assert 410 == idle.http.get(idle.url + link).status_code
    idle.send(run_event())
    lose(idle)
    told = idle.cli("restore", str(directory)).stdout
    assert "revoked: all tokens, 1 of them good until now" in told
    assert f"accepted again: keys {key} (acme, write); revoke again what was revoked since the backup" in told


@pytest.mark.slow
def test_a_damaged_or_foreign_backup_is_refused_in_one_line_and_leaves_nothing(
    idle: Collector, new_collector: Callable[[], Collector]
) -> None:
    filled(idle)
    directory = backed_up(idle)
    file = next(iter(sorted(directory.glob("events-*.parquet"))))
    content = file.read_bytes()
    other = new_collector()
    for damaged in (content[:-1], content[:100] + bytes([content[100] ^ 1]) + content[101:]):
        file.write_bytes(damaged)
        done = restore(other, directory)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
        assert "is damaged: it is not what manifest.json says" in done.stderr
        assert not other.data.exists()
    file.write_bytes(content)
    assert "no backup" in restore(other, idle.directory).stderr
    assert "holds" in restore(idle, directory).stderr or "use" in restore(idle, directory).stderr
    idle.stop()
    assert "has a store already" in restore(idle, directory).stderr
    assert 0 == restore(other, directory).returncode
    assert 21 == other.stored


@pytest.mark.slow
def test_a_backup_without_the_secret_needs_it_to_be_put_back(idle: Collector) -> None:
    events = filled(idle)
    kept = shutil.copy(idle.data / "secret", idle.directory / "kept")
    directory = backed_up(idle, "backup", "--without-secret")
    key = (idle.data / "secret").read_bytes()
    assert not [path for path in directory.iterdir() if key in path.read_bytes()]
    lose(idle)

    assert "--secret-from" in restore(idle, directory).stderr
    restored(idle, directory, "--secret-from", str(kept))
    idle.start()
    assert 200 == idle.post("/v1/batch", {"batch": events}, key=KEY).status_code
    assert 21 == idle.stored


def test_a_backup_is_put_back_with_its_own_secret_only(idle: Collector) -> None:
    idle.start_with()
    idle.send(run_event())
    directory = backed_up(idle, "backup", "--without-secret")
    kept = Path(shutil.copy(idle.data / "secret", idle.directory / "kept"))
    assert kept.read_bytes() not in (directory / "manifest.json").read_bytes()
    lose(idle)
    another, cut = idle.directory / "another", idle.directory / "cut"
    another.write_bytes(bytes(32))
    cut.write_bytes(kept.read_bytes()[:31])

    for given, why in ((another, "is not the secret that this backup goes with"), (cut, "is no secret of a collector (31 bytes")):
        done = restore(idle, directory, "--secret-from", str(given))
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert f"{given} {why}" in done.stderr
        assert not idle.data.exists(), "nothing is made"
    assert restored(idle, directory, "--secret-from", str(kept))["secret_checked"]

    found = json.loads((directory / "manifest.json").read_text())
    del found["fingerprint"]
    (directory / "manifest.json").write_text(json.dumps(found))
    shutil.rmtree(idle.data)
    told = idle.cli("restore", str(directory), "--secret-from", str(kept)).stdout
    assert "not checked: whether the secret is that of this backup" in told, "a backup from before says nothing of its secret"


def _with_keys_of_destinations(collector: Collector) -> Path:
    """A backup with two events and two keys of destinations. Its data directory is lost."""
    collector.start_with()
    collector.send(run_event("user 1"), run_event("user 2"))
    (collector.data / "destinations").mkdir(exist_ok=True)
    for name in ("one", "two"):
        (collector.data / "destinations" / f"{name}.key").write_bytes(name.encode() * 8)
    directory = backed_up(collector)
    lose(collector)
    return directory


def test_a_restore_keeps_the_surviving_key_of_a_destination_that_the_backup_does_not_have(idle: Collector) -> None:
    idle.start_with()
    earlier = backed_up(idle, "earlier than the destination")
    idle.stop()
    (idle.directory / "key").write_text("secret")
    (idle.directory / "collector.toml").write_text(
        f'[destinations.tempo]\nkind = "otlp"\nrecipient = "r"\nendpoint = "http://127.0.0.1:9"\nkey_file = "{idle.directory}/key"\n'
    )
    idle.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(idle.directory / "collector.toml")
    idle.start()
    bare = backed_up(idle, "bare", "--without-secret")
    idle.stop()
    kept = Path(shutil.copy(idle.data / "secret", idle.directory / "kept"))
    path = idle.data / "destinations" / "tempo.key"
    key = path.read_bytes()

    for directory in (earlier, bare):
        shutil.rmtree(idle.data / "store")
        restored(idle, directory, "--secret-from", str(kept))
        assert key == path.read_bytes(), "with another, the destination would see new names for old events"


def test_a_restore_refuses_to_choose_between_two_keys_of_a_destination(idle: Collector) -> None:
    directory = _with_keys_of_destinations(idle)
    path = idle.data / "destinations" / "two.key"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"another")
    done = restore(idle, directory)

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert f"{path} is not the key in the backup" in done.stderr
    assert (b"another", {"destinations"}) == (path.read_bytes(), {one.name for one in idle.data.iterdir()})


def _killed_while_restoring(collector: Collector, directory: Path, step: int) -> bool:
    script = Path(__file__).with_name("die_while_restoring.py")
    words = [sys.executable, str(script), str(collector.data), str(directory), str(step)]
    done = subprocess.run(words, env=collector.environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def test_a_restore_that_was_cut_off_is_run_again_and_no_service_starts_before(idle: Collector) -> None:
    directory = _with_keys_of_destinations(idle)
    for place in (idle.data, idle.data / "destinations"):
        place.mkdir(mode=0o700)
    (idle.data / "destinations" / "newer.key").write_bytes(b"newer")
    assert _killed_while_restoring(idle, directory, 6)

    for words in (("serve", "--port", "0"), ("check",)):
        done = idle.cli(*words)
        assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
        assert "was cut off; run it again" in done.stderr
    assert 2 == restored(idle, directory)["events"]
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
        done = restore(idle, directory)
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
