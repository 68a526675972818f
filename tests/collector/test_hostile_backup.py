"""A backup may come from anywhere: it is looked at whole before anything is made of it, and chooses no name and no path."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from innerloop_collector.composition.restored import restored as put_back
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.paths import Paths
from innerloop_collector.errors import StoreError, UsageError
from innerloop_collector.lifecycle import backup_manifest
from innerloop_collector.lifecycle.restore import RestoreOptions
from tests.collector.backups import backed_up, restore, restored
from tests.collector.support import Collector, run_event

Tampering = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A backup of three events of which one was erased, and of which two wait."""
    collector = Collector(tmp_path_factory.mktemp("made"))
    try:
        collector.start_with()
        collector.send(*(run_event(f"user {number}") for number in range(3)), run_event(command="waits"), run_event(command="waits"))
        collector.stop()
        collector.ask("erase", "acme", "--id", "user 0")
        yield backed_up(collector)
    finally:
        collector.close()


@pytest.fixture
def backup(made: Path, idle: Collector) -> Path:
    """A copy that may be damaged."""
    return shutil.copytree(made, idle.directory / "backup")


def _refused(collector: Collector, backup: Path, said: str) -> None:
    """A restore says in one printable line why not, before it makes anything."""
    collector.data.mkdir(mode=0o700, exist_ok=True)
    with pytest.raises((UsageError, StoreError)) as refusal:
        put_back(Paths(collector.data), Configuration(), backup, RestoreOptions())
    assert UsageError is refusal.type, "it was not noticed before something was made"
    assert said in str(refusal.value)
    assert str(refusal.value).isprintable()
    assert [] == list(collector.data.iterdir())


def _fails(collector: Collector, backup: Path, said: str) -> None:
    """The command says so too, and leaves nothing."""
    done = restore(collector, backup)
    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines())), done.stderr
    assert said in done.stderr
    assert not collector.data.exists()


def _first(document: dict[str, Any]) -> dict[str, Any]:
    return next(file for file in document["files"] if file["table"] == "events")


PASSWORDS = "file('/etc/passwd', 'LineAsString', 'line String')"
COLUMN = "project`) SELECT * FROM file('/etc/passwd') --"
TAMPERED: dict[str, tuple[Tampering, str]] = {
    "a table function in the place of a table": (
        lambda one: one["columns"].update({PASSWORDS: {}}),
        "a table that no store of this version has",
    ),
    "a table of the engine": (lambda one: one["columns"].update({"system.users": {}}), "a table that no store of this version has"),
    "a table that belongs to a place": (lambda one: one["columns"].update({"leases": {}}), "a table that no store of this version has"),
    "SQL in the place of a column": (
        lambda one: one["columns"]["events"].update({COLUMN: "String"}),
        "a column that no store of this version",
    ),
    "a file of a table that is not described": (
        lambda one: _first(one).update(table=PASSWORDS),
        "a file of a table that it does not describe",
    ),
    "a path that leads out": (lambda one: _first(one).update(path="../events-0.parquet"), "it names a file that no backup has"),
    "an absolute path": (lambda one: _first(one).update(path="/etc/passwd"), "it names a file that no backup has"),
    "a path with a new line": (lambda one: _first(one).update(path="events-0.parquet\n"), "it names a file that no backup has"),
    "a path of the manifest itself": (lambda one: _first(one).update(path="manifest.json"), "it names a file that no backup has"),
    "a file twice": (lambda one: one["files"].append(_first(one)), "it names a file twice"),
    "rows below nothing": (lambda one: _first(one).update(rows=-1), "is damaged"),
    "other rows than there are": (lambda one: _first(one).update(rows=1), "its rows and columns are not those"),
    "more bytes than an integer has": (lambda one: _first(one).update(bytes=2**70), "is damaged"),
    "more bytes than a machine has": (lambda one: _first(one).update(bytes=2**61), "is damaged: it is not what manifest.json says"),
    "a position beyond all numbers": (lambda one: one.update(position=2**64), "is damaged"),
    "no hash": (lambda one: _first(one).update(sha256=""), "is damaged"),
    "an instant that is none": (lambda one: one.update(made="yesterday"), "is damaged"),
    "a version that clears the screen": (lambda one: one.update(collector="1.0\x1b[2J"), "is damaged"),
    "a version of tomorrow": (lambda one: one.update(format=2, files="elsewhere"), "has format 2, and this version knows 1"),
    "a fingerprint that is none": (lambda one: one.update(fingerprint="' OR 1"), "is damaged"),
    "no files": (lambda one: one.pop("files"), "is damaged"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_manifest_chooses_no_name_no_path_and_no_number(idle: Collector, backup: Path, how: str) -> None:
    tamper, said = TAMPERED[how]
    document = json.loads((backup / "manifest.json").read_text())
    tamper(document)
    (backup / "manifest.json").write_text(json.dumps(document))

    _refused(idle, backup, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"[" * 1_000_000, "is damaged"), (b"{}", "is damaged"), (b"\xff", "is damaged"), (b" " * 20_000_000, "cannot be read")],
)
def test_a_manifest_that_is_none_is_one_line(idle: Collector, backup: Path, text: bytes, said: str) -> None:
    (backup / "manifest.json").write_bytes(text)

    _refused(idle, backup, said)


def _fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("odd", [_fifo, _link, Path.unlink], ids=["a FIFO", "a link", "missing"])
@pytest.mark.parametrize("name", ["manifest.json", "events", "secret", "erasures.log", "backups.json", "destinations/x.key"])
def test_what_is_no_plain_file_is_not_followed_and_nobody_waits_for_it(
    idle: Collector, backup: Path, name: str, odd: Callable[[Path], None]
) -> None:
    if name == "destinations/x.key":
        (backup / "destinations").mkdir(exist_ok=True)
        (backup / name).write_bytes(bytes(32))
    path = next(backup.glob("events-*.parquet")) if name == "events" else backup / name
    odd(path)
    if odd is Path.unlink and name in ("backups.json", "destinations/x.key"):
        restored(idle, backup)  # not every backup has them
        return

    _refused(idle, backup, "read")


def test_a_file_that_is_hashed_right_and_is_no_parquet_is_refused_before_anything_is_made(idle: Collector, backup: Path) -> None:
    document = json.loads((backup / "manifest.json").read_text())
    for content, said in (
        (b"no Parquet at all", "it is no Parquet file"),
        (_parquet({"project": ["acme"]}), "its rows and columns are not those"),
    ):
        (backup / _first(document)["path"]).write_bytes(content)
        made = backup_manifest.file_of("", "", 1, content)
        _first(document).update(bytes=made.bytes, sha256=made.sha256, rows=1)
        (backup / "manifest.json").write_text(json.dumps(document))
        _refused(idle, backup, said)


def _parquet(columns: dict[str, list[Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    "line", [b"2026-11-24 acme 0123456789abcdef0123456789ABCDEF", b"2026-11-24 ../acme " + b"0" * 32, b"\xff\xfe", b"DROP TABLE events"]
)
def test_a_journal_with_a_line_that_is_none_is_refused_whole(idle: Collector, backup: Path, line: bytes) -> None:
    with (backup / "erasures.log").open("ab") as file:
        file.write(line + b"\n2026-11-24 acme " + b"1" * 32 + b"\n")

    _refused(idle, backup, "its line 2 is none of a journal")


def test_a_row_that_no_store_has_written_is_one_line_and_leaves_nothing(idle: Collector, backup: Path) -> None:
    document = json.loads((backup / "manifest.json").read_text())
    file = next(one for one in document["files"] if one["table"] == "projects")
    table = parquet.read_table(backup / file["path"])
    for evil in ("[" * 100_000, "no JSON", "{}"):
        column = pa.array([evil.encode()] * table.num_rows, table.column("document").type)
        sink = pa.BufferOutputStream()
        parquet.write_table(table.set_column(table.column_names.index("document"), "document", column), sink)
        content = bytes(sink.getvalue())
        (backup / file["path"]).write_bytes(content)
        made = backup_manifest.file_of("", "", file["rows"], content)
        file.update(bytes=made.bytes, sha256=made.sha256)
        (backup / "manifest.json").write_text(json.dumps(document))
        _fails(idle, backup, "holds what no store of this version has")


def test_a_list_of_backups_in_a_backup_has_nothing_removed(idle: Collector, backup: Path) -> None:
    """A backup that was begun and is not whole is taken away at the next look: only our own list says which those are."""
    precious = idle.directory / "home.unfinished"
    precious.mkdir()
    (precious / "thesis").write_text("mine")
    begun = {"path": str(idle.directory / "home"), "made": "", "begun": "2026-11-24T00:00:00+00:00"}
    (backup / "backups.json").write_text(json.dumps([begun, begun | {"made": begun["begun"]}]))
    restored(idle, backup)
    idle.ask("erase", "acme", "--id", "user 1")

    assert [precious / "thesis"] == list(idle.directory.glob("home.unfinished/*"))
    assert "mine" == (precious / "thesis").read_text()


def test_what_lies_in_the_place_of_a_file_that_a_restore_writes_is_not_written_to(idle: Collector, backup: Path) -> None:
    restored(idle, backup)
    target = idle.directory / "target"
    target.write_text("mine")
    (backup / "erasures.log").unlink()
    (backup / "erasures.log").symlink_to(target)
    (backup / "manifest.json.new").symlink_to(target)
    (backup / "backups.json.new").symlink_to(target)
    idle.ask("erase", "acme", "--id", "user 1")
    idle.ask("erase", "acme", "--id", "user 2")

    assert "mine" == target.read_text()


def test_a_restore_that_fails_takes_away_what_it_made_and_nothing_else(idle: Collector, backup: Path) -> None:
    (backup / "erasures.log").write_text("")
    idle.data = idle.directory / "some" / "place"
    idle.environment["INNERLOOP_COLLECTOR_DATA"] = str(idle.data)
    _fails(idle, backup, "cannot be read")
    assert not idle.data.parent.exists()
    idle.data.mkdir(parents=True)
    (idle.data / "notes").write_text("mine")
    done = restore(idle, backup)

    assert (1, ["notes"]) == (done.returncode, [path.name for path in idle.data.iterdir()]), done.stderr
