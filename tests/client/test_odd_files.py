"""Whatever stands where a file of ours should be: it is not opened, nothing waits for it, the rest goes on, and leaving removes it."""

import json
import os
import resource
import shutil
import signal
import socket
import stat
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from innerloop.core.spool import entries, history, journals
from innerloop.tools.diagnosis import ledger
from tests.client.people import DAY, PATIENCE, Developer, eventually
from tests.client.recorder import Recorder, Reply
from tests.pairs import pairs
from tests.requirements.support import in_time

MARK = "canary-of-a-run"
READERS = (
    ["flush"],
    ["report"],
    ["show", "pending"],
    ["show", "sent"],
    ["show", "next"],
    ["status"],
    ["doctor"],
    ["timeline", "--list"],
    ["describe"],
)


def fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        before = Path.cwd()
        os.chdir(path.parent)  # such a path may have 108 bytes
        try:
            one.bind(path.name)
        finally:
            os.chdir(before)


def device(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: no device can be made")
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 7))  # /dev/full


def foreign(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: a file of somebody else's cannot be made here")
    path.write_bytes(b"x")
    os.chown(path, 4242, 4242)


def hard_link(path: Path) -> None:
    base = next(directory for directory in path.parents if directory.name == "home").parent
    other = base / f"other-{path.name}"
    other.write_bytes(b'{"a": 1}')
    os.link(other, path)


def deep(path: Path) -> None:
    path.write_bytes(b'{"release": 1, "serial": ' + b"[" * 100_000 + b"\n{}\n")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 34)  # 16 GB, all holes


ODD: dict[str, Callable[[Path], None]] = {
    "pipe": fifo, "socket": unix_socket, "device": device, "directory": Path.mkdir, "link": lambda path: path.symlink_to("/etc/passwd"),
    "dangling link": lambda path: path.symlink_to("/nonexistent"), "loop": lambda path: path.symlink_to(path.name), "foreign": foreign, "hard link": hard_link,
    "deep": deep, "huge": huge, "not text": lambda path: path.write_bytes(b"\xff\xfe\x00" * 1000), "NaN": lambda path: path.write_bytes(b'{"release": NaN}\n{}\n'),
    "huge number": lambda path: path.write_bytes(b'{"release": 1' + b"0" * 5000 + b"}\n{}\n"), "empty": lambda path: path.write_bytes(b""),
}  # fmt: skip
OWN = (
    "recorded", "acknowledged", "local", "history", "roots", "known-ids", "about.json", "delivery.json", "held.json", "totals.json",
    "unrecorded", "ballast", "next",
)  # fmt: skip
OPENED_BY_NOBODY = ("pipe", "socket", "device", "directory", "link", "dangling link", "loop", "foreign", "hard link")
SOME_ODD = (*OPENED_BY_NOBODY, "deep", "huge", "not text")


@pytest.fixture
def busy(agreed: Developer) -> Developer:
    """Somebody with two runs that wait and one that is finished."""
    for target in ("test", "build"):
        agreed.run("make", target)
    agreed.pending()
    agreed.run("make", "fail")
    return agreed


def replace(path: Path, kind: str) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    ODD[kind](path)


def everything_works(developer: Developer) -> None:
    """No reader waits, none ends with a traceback, and a measured command is as without us."""
    for words in READERS:
        done = in_time(partial(developer.innerloop, *words, timeout=15))
        assert "Traceback" not in done.err, (words, done.err[-600:])
    assert developer.run("make", "fail", timeout=15) == developer.execute("make", "fail")


@pytest.mark.parametrize(("place", "kind"), pairs(["new", "run", "sealed", "sent"], ODD))
def test_one_odd_entry_holds_up_nothing_else(busy: Developer, server: Recorder, place: str, kind: str) -> None:
    odd = busy.spool / place / "00000000-0000-4000-8000-000000000000"
    ODD[kind](odd)
    if place == "run" and not odd.is_symlink():
        os.utime(odd, (1, 1))
    everything_works(busy)

    assert 3 <= len(server.events), "everything that can leave left"
    counts = busy.ledger()
    assert 3 == counts["acknowledged"]
    if place != "sent":
        assert 1 == counts["quarantined"]
        assert "00000000-0000-4000-8000-000000000000" in busy.innerloop("doctor").out


@pytest.mark.parametrize(("name", "kind"), pairs(OWN, SOME_ODD))
def test_an_odd_file_of_the_spools_own_holds_up_nothing(busy: Developer, server: Recorder, name: str, kind: str) -> None:
    replace(busy.spool / name, kind)
    everything_works(busy)

    assert 3 <= len(server.events)
    assert 3 <= busy.ledger()["acknowledged"]
    if kind in OPENED_BY_NOBODY:
        assert f"{busy.spool}/{name}" in busy.innerloop("doctor").out, "it is named"


@pytest.mark.parametrize(
    ("name", "kind"), pairs(["lock", "seal.lock", "new", "run", "sealed", "sent", "quarantine", "targets"], [*OPENED_BY_NOBODY, "huge"])
)
def test_odd_locks_and_places_hold_up_nothing(busy: Developer, server: Recorder, name: str, kind: str) -> None:
    replace(busy.spool / name, kind)
    busy.flush(timeout=15)
    busy.run("make", "test")
    everything_works(busy)

    assert server.events
    assert f"{busy.spool}/{name}" in busy.innerloop("doctor").out or kind in ("huge", "directory")


@pytest.mark.parametrize(("name", "kind"), pairs(["enabled", "asked", "receipts", "attach.mk"], SOME_ODD))
def test_an_odd_file_beside_the_spools_holds_up_nothing(busy: Developer, server: Recorder, name: str, kind: str) -> None:
    replace(busy.state / name, kind)
    everything_works(busy)

    assert 3 <= len(server.events)


@pytest.mark.parametrize("kind", SOME_ODD)
def test_an_odd_hot_file_is_as_good_as_none(busy: Developer, kind: str) -> None:
    replace(busy.hot_file, kind)
    everything_works(busy)

    assert 4 <= busy.recorded()


@pytest.mark.parametrize("kind", SOME_ODD)
def test_an_odd_answer_is_none(busy: Developer, server: Recorder, kind: str) -> None:
    path = busy.consent_file
    replace(path, kind)
    everything_works(busy)
    assert not server.events
    assert 0 == busy.opt_out(timeout=15).status
    assert "no" == busy.status()["mode"]


@pytest.mark.parametrize("kind", SOME_ODD)
def test_an_odd_wish_for_erasure_holds_up_nothing(busy: Developer, server: Recorder, kind: str) -> None:
    (busy.state / "forget").mkdir()
    odd = busy.state / "forget" / f"{busy.spool.name}.json"
    replace(odd, kind)
    if not odd.is_symlink():
        os.utime(odd, (0, 0))
    everything_works(busy)

    assert busy.innerloop("deliver", timeout=15).status == 0
    assert 3 <= len(server.events)


@pytest.mark.parametrize(
    ("command", "kind"),
    pairs(
        ["status", "doctor", "flush", "report", "opt-out", "describe", "run -- true"],
        ["pipe", "socket", "device", "directory", "dangling link", "huge"],
    ),
)
def test_an_odd_project_file_hangs_no_command(busy: Developer, command: str, kind: str) -> None:
    replace(busy.project_file, kind)
    done = busy.innerloop(*command.split(), timeout=15)

    assert "Traceback" not in done.err


@pytest.mark.parametrize("kind", ["pipe", "socket", "directory", "dangling link", "huge"])
def test_another_clones_odd_project_file_holds_up_nothing(busy: Developer, server: Recorder, kind: str) -> None:
    here = busy.directory
    busy.project(directory="clone")
    busy.run("make", "test")
    busy.pending()
    busy.run("make", "test")
    replace(busy.project_file, kind)
    busy.directory = here

    assert 0 == busy.flush(timeout=15).status
    assert 5 == busy.ledger()["acknowledged"]


@pytest.mark.parametrize("name", entries.PLACES)
def test_a_place_that_is_somebody_elses_directory_holds_up_nothing(busy: Developer, server: Recorder, name: str, root: None) -> None:
    shutil.rmtree(busy.spool / name)
    (busy.spool / name).mkdir()
    os.chown(busy.spool / name, 4242, 4242)
    everything_works(busy)

    assert server.events
    assert os.geteuid() == (busy.spool / name).stat().st_uid
    assert f"{busy.spool}/{name}.odd-" in busy.innerloop("doctor").out


def test_an_odd_entry_is_named_with_what_it_is(busy: Developer) -> None:
    os.mkfifo(busy.spool / "new" / "00000000-0000-4000-8000-000000000000")
    replace(busy.spool / "seal.lock", "directory")
    busy.flush()
    said = busy.innerloop("doctor").out

    assert "it is not a regular file but a pipe" in said or "unreadable" in said
    assert "a directory; it was not opened" in said


# leftovers


def planted(developer: Developer) -> list[Path]:
    """What commands that were killed, other versions and other programs may leave in a spool."""
    names = [
        "sealed/00000000-0000-4000-8000-000000000000.4242-0a0b0c0d.tmp", "quarantine/00000000-0000-4000-8000-000000000000.reason.1-0a0b0c0d.tmp", "history.4242-0a0b0c0d.tmp",
        "sealed/notes", "new/00000000-0000-4000-8000-00000000000", "run/ABCDEF00-0000-4000-8000-000000000000", "targets/x", "sent/.hidden", "journal-of-the-future",
        "run/00000000-0000-4000-8000-000000000000.git", "dropped-WITH/x",
    ]  # fmt: skip
    for name in names:
        path = developer.spool / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(MARK)
    (developer.spool / "a directory" / "deep").mkdir(parents=True)
    (developer.spool / "a directory" / "deep" / "file").write_text(MARK)
    os.mkfifo(developer.spool / "sealed" / "pipe")
    return [developer.spool / name for name in names]


def marked(developer: Developer) -> list[str]:
    return [name for name, data in developer.files().items() if MARK.encode() in data]


def test_leaving_removes_everything_that_has_no_name_of_ours(busy: Developer) -> None:
    planted(busy)
    assert 0 == busy.opt_out().status

    assert [] == marked(busy)
    known = {
        "recorded",
        "history",
        "roots",
        "about.json",
        "unrecorded",
        "ballast",
        "next",
        "lock",
        "seal.lock",
        "dropped-withdrawn",
        *entries.PLACES,
    }
    assert {path.name for path in busy.spool.iterdir()} <= known
    assert [] == [path for place in ("run", "new", "sealed", "targets") for path in (busy.spool / place).iterdir()]
    assert 3 == busy.ledger()["dropped"]["withdrawn"]


def test_a_delivery_removes_what_killed_commands_left(busy: Developer) -> None:
    for path in planted(busy):
        os.utime(path, (time.time() - DAY,) * 2)
    for path in (busy.spool / "a directory", busy.spool / "sealed" / "pipe", busy.spool / "dropped-WITH"):
        os.utime(path, (time.time() - DAY,) * 2)
    assert 0 == busy.flush().status

    assert [] == marked(busy)
    assert 3 == busy.ledger()["acknowledged"]


def test_a_delivery_leaves_alone_what_somebody_may_just_be_writing(busy: Developer) -> None:
    fresh = busy.spool / "history.4242-0a0b0c0d.tmp"
    fresh.write_text(MARK)
    busy.flush()

    assert fresh.exists()


@pytest.mark.parametrize("attempt", range(6))
def test_whenever_a_sealer_is_killed_leaving_leaves_no_event(agreed: Developer, attempt: int) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.pretend_sealed(200)
    for _ in range(20):
        agreed.run("true")
    sealing = agreed.start(agreed.command, "show", "pending")
    eventually(lambda: list((agreed.spool / "sealed").glob("*.tmp")) or sealing.poll() is not None, 5)
    time.sleep(0.002 * attempt)
    sealing.send_signal(signal.SIGKILL)
    sealing.wait(PATIENCE)
    agreed.opt_out()

    assert [] == [path for place in ("run", "new", "sealed") for path in (agreed.spool / place).iterdir()]
    assert 221 == agreed.ledger()["dropped"]["withdrawn"]


def test_a_run_under_way_leaves_nothing_when_it_is_killed_after_a_no(agreed: Developer) -> None:
    number = agreed.base / "number"
    running = agreed.start(agreed.command, "run", "--", "sh", "-c", f"echo $$ > {number}; exec sleep 30")
    assert eventually(lambda: agreed.place("run"))
    agreed.opt_out()
    assert [] == list((agreed.spool / "run").iterdir())
    running.send_signal(signal.SIGKILL)
    running.wait(PATIENCE)
    os.kill(int(number.read_text()), signal.SIGTERM)

    assert [] == list((agreed.spool / "run").iterdir())
    assert {"withdrawn": 1} == agreed.ledger()["dropped"]


# bounds


def test_the_history_has_a_bound_in_bytes(agreed: Developer) -> None:
    """Names are the longest there are, and every letter takes twelve bytes."""
    agreed.run("true")
    agreed.innerloop("report")
    line = json.dumps(["x", "\U0001f600" * 200, "command", time.time() - DAY, 1, 0, "human", "1", False, "no"])
    with (agreed.spool / "history").open("a") as file:
        for number in range(6000):
            file.write("\n" + line.replace('"x"', f'"{number}"', 1) + "\n")
    assert (agreed.spool / "history").stat().st_size > 3 * history.MOST
    agreed.run("true")
    assert 0 == agreed.innerloop("report").status

    assert (agreed.spool / "history").stat().st_size <= history.MOST
    assert agreed.innerloop("report", "--json").json["commands"]


def test_the_history_forgets_what_is_older_than_a_year(agreed: Developer) -> None:
    agreed.run("true")
    old = json.dumps(["old", MARK, "command", time.time() - 400 * DAY, 1, 0, "human", "1", False, "no"])
    (agreed.spool / "history").write_text(f"{old}\n")
    agreed.innerloop("report")

    assert [] == marked(agreed)


def peak(developer: Developer, *words: str) -> int:
    """The memory that a command needs at most (bytes)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = developer.execute("python3", "-c", script, developer.command, *words)
    assert before >= 0
    return int(done.out) * 1024


def test_the_journals_are_folded_and_the_ledger_says_the_same(agreed: Developer) -> None:
    """300,000 runs are a busy developer's four years."""
    agreed.run("true")
    agreed.pending()
    many = [b"%032x" % number for number in range(300_000)]
    parts = {"acknowledged": many[:200_000], "local": many[200_000:250_000], "dropped-expired": many[250_000:]}
    (agreed.spool / "recorded").write_bytes((agreed.spool / "recorded").read_bytes() + b"".join(many))
    for journal, some in parts.items():
        (agreed.spool / journal).write_bytes(b"".join(some))
    before = agreed.ledger()
    assert (300_001, 200_000, 50_000, {"expired": 50_000}) == tuple(before[key] for key in ("recorded", "acknowledged", "local", "dropped"))
    agreed.flush()

    size = sum((agreed.spool / journal).stat().st_size for journal in ("recorded", *parts))
    assert size <= journals.FOLD_ABOVE
    assert before | {"acknowledged": 200_001, "queued": 0} == agreed.ledger()
    assert peak(agreed, "status") < 120 << 20


@pytest.mark.parametrize("cut", ["folding.json is there", "one journal is written", "the totals are written"])
def test_a_fold_that_is_cut_off_counts_nothing_twice(agreed: Developer, cut: str) -> None:
    agreed.run("true")
    agreed.pending()
    spool = str(agreed.spool)
    many = [f"{number:032x}" for number in range(1000)]
    for journal in ("recorded", "acknowledged"):
        with (agreed.spool / journal).open("a") as file:
            file.write("".join(many))
    before = ledger.count(spool)
    (agreed.spool / "folding.json").write_text(json.dumps({"tag": "t", "runs": {"acknowledged": "".join(many[:600])}}))
    if cut != "folding.json is there":
        (agreed.spool / "acknowledged").write_text("".join(many[600:]))
    if cut == "the totals are written":
        text = (agreed.spool / "recorded").read_text()
        (agreed.spool / "recorded").write_text(
            "".join(one for one in (text[at : at + 32] for at in range(0, len(text), 32)) if one not in many[:600])
        )
        (agreed.spool / "totals.json").write_text(json.dumps({"recorded": 600, "acknowledged": 600, "local": 0, "dropped": {}, "tag": "t"}))

    assert before == ledger.count(spool)
    agreed.flush()
    assert not (agreed.spool / "folding.json").exists()
    assert before._replace(acknowledged=before.acknowledged + 1, queued=0) == ledger.count(spool)


def test_the_queue_and_the_copies_have_a_bound_in_bytes(agreed: Developer, server: Recorder) -> None:
    agreed.run("true")
    agreed.pending()
    server.always(Reply(503))
    (one,) = agreed.place("sealed")
    head, event, _ = one.read_bytes().split(b"\n")
    padded = b"\n".join([head, *[event[:-1] + b',"padding":"' + b"x" * 31_000 + b'"}'] * 51, b""])
    for number in range(60):
        run = f"{number:08x}-0000-4000-8000-000000000000"
        for place in ("sealed", "sent"):
            path = agreed.spool / place / run
            path.write_bytes(padded)
            os.utime(path, (time.time() - 1000 + number,) * 2)
        with (agreed.spool / "recorded").open("a") as journal:
            journal.write(run.replace("-", ""))
    agreed.flush()

    for place in ("sealed", "sent"):
        assert sum(path.stat().st_size for path in agreed.place(place)) <= 64 << 20
    assert agreed.ledger()["dropped"]["expired"] > 10
    assert not (agreed.spool / "sealed" / "00000000-0000-4000-8000-000000000000").exists(), "the oldest went first"


@pytest.mark.parametrize("name", ["asked", "receipts"])
def test_notes_have_a_bound_in_bytes(agreed: Developer, server: Recorder, name: str) -> None:
    (agreed.state / name).write_text("0123456789abcdef 20000\n" * 20_000)
    if name == "asked":
        agreed.opt_out()
        agreed.opt_in("")
    else:
        answer = {"success": True, "receipt": "0123456789abcdef", "ids": [{"userId": "", "state": "erased", "events": 1}]}
        server.always(
            lambda request: Reply(
                body=json.dumps({**answer, "ids": [{**answer["ids"][0], "userId": request.document["ids"][0]["userId"]}]}).encode()
            )
        )  # type: ignore[index,dict-item]
        agreed.at_terminal(agreed.command, "forget", types=[(r"Type yes: ", "yes")])
        assert "0123456789abcdef" in agreed.status()["receipts"]

    assert (agreed.state / name).stat().st_size <= 65536


def test_the_launchers_caches_have_a_bound(agreed: Developer) -> None:
    """Each `git pull` that replaces a project file leaves one behind."""
    agreed.run("true")
    for number in range(300):
        path = agreed.state / "hot" / f"1-{number}"
        path.write_text("old")
        os.utime(path, (number, number))
    assert 0 == agreed.innerloop("deliver").status

    assert 200 == len(list((agreed.state / "hot").iterdir()))
    assert agreed.hot_file.exists()
