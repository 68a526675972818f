"""What a hostile reader of the client found: directories that lead elsewhere, answers and records that are none of ours, one spool before others."""

import json
import os
import re
import signal
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from innerloop.core.outbound import target_events
from innerloop.core.shared import untrusted
from innerloop.core.spool import facts
from tests.client.people import DAY, PATIENCE, Developer, eventually
from tests.client.recorder import HOLD, Recorder, Reply, Request

KEY, DIGEST = "0123456789abcdef01234567", "0123456789ab"


def precious(developer: Developer) -> Path:
    """Somebody's own directory, with files and a directory that are called as ours are."""
    directory = developer.base / "precious"
    (directory / DIGEST).mkdir(parents=True)
    for name in ("thesis.txt", "settings.json", f"{KEY}.json", "1-2", f"{DIGEST}/file"):
        (directory / name).write_text("mine")
    for path in (*directory.rglob("*"), directory):
        os.utime(path, (time.time() - 100 * DAY,) * 2)
    return directory


def contents(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() if path.is_file() else "" for path in directory.rglob("*")}


# directories that lead elsewhere


@pytest.mark.parametrize("place", ["hot", "forget", "probe", "spool"])
def test_where_a_directory_of_ours_is_a_link_nothing_behind_it_changes(agreed: Developer, place: str) -> None:
    mine = precious(agreed)
    before = contents(mine)
    agreed.run("true")
    if (agreed.state / place).exists():
        (agreed.state / place).rename(agreed.base / "old")
    (agreed.state / place).symlink_to(mine)
    for words in (["deliver"], ["status"], ["doctor"], ["run", "--", "true"], ["deliver"], ["opt-out"]):
        assert "Traceback" not in agreed.innerloop(*words).err
    agreed.opt_in("yes")
    for words in (["run", "--", "true"], ["deliver"], ["opt-out", "--all"], ["uninstall"]):
        assert "Traceback" not in agreed.innerloop(*words).err

    assert before == contents(mine)


def test_a_link_in_the_place_of_the_erasures_is_moved_aside_and_an_erasure_waits_in_a_directory_of_ours(
    agreed: Developer, server: Recorder
) -> None:
    mine = precious(agreed)
    before = contents(mine)
    agreed.run("true")
    (agreed.state / "forget").symlink_to(mine)
    server.always(Reply(503))
    agreed.at_terminal(agreed.command, "forget", types=[("Type yes: ", "yes")])

    assert before == contents(mine)
    assert not (agreed.state / "forget").is_symlink()
    assert 1 == len(list((agreed.state / "forget").iterdir()))
    assert 1 == len(list(agreed.state.glob("forget.odd-*")))


@pytest.mark.parametrize("words", [["opt-out", "--all"], ["deliver"]], ids=" ".join)
def test_what_has_no_name_of_ours_in_a_directory_of_ours_stays(agreed: Developer, words: list[str]) -> None:
    agreed.run("true")
    (agreed.state / "forget").mkdir(exist_ok=True)
    strangers = [
        agreed.state / place / name for place in ("hot", "forget") for name in ("thesis.txt", "2026-11 notes.txt", "settings.json")
    ]
    for path in strangers:
        path.write_text("mine")
    assert 0 == agreed.innerloop(*words).status

    assert [] == [path for path in strangers if not path.exists()]


# answers


def test_a_collector_that_wants_to_be_asked_again_at_once_is_asked_a_few_times(agreed: Developer, server: Recorder) -> None:
    agreed.run("true")
    server.always(Reply(503, headers={"Retry-After": "0"}))
    started = time.monotonic()
    agreed.at_terminal(agreed.command, "forget", types=[("Type yes: ", "yes")])
    times = [request for request in server.requests if "POST /v1/forget" in request.line]

    assert 2 <= len(times) <= 7
    assert time.monotonic() - started > len(times) - 1


ID = {"state": "known", "events": 1, "quarantined": 0, "first_day": "2026-11-01", "last_day": "2026-11-02", "gone_after": "2027-11-02"}
ROW = {"table": "events", "row": {"event_time": "2026-11-01T10:00:00+00:00", "command": "test"}}
END = {"end": True}
NOT_OURS: dict[str, list[Any]] = {
    "no counts": [{"state": "known"}, END], "no days": [{"state": "known", "events": 1, "quarantined": 0}, END],
    "a count that is text": [{**ID, "events": "1"}, END], "fewer than none": [{**ID, "events": -1}, END], "an endless day": [{**ID, "last_day": "9" * 5000}, END],
    "a row that is a number": [ID, {**ROW, "row": 5}, END], "no table": [ID, {"row": {}}, END], "a time that is a list": [ID, {**ROW, "row": {"event_time": [1]}}, END],
    "somebody else's row": [ID, {**ROW, "userId": "x"}, END], "an id that is a list": [{**ID, "userId": []}, END], "an unknown state": [{"state": ["known"]}, END],
    "an id twice": [ID, ID, END], "no object": [5, END], "more after the end": [ID, END, END], "a long line": [ID, {**ROW, "row": {"x": "y" * 140_000}}, END],
}  # fmt: skip


def lines(request: Request, documents: list[Any]) -> Reply:
    user = request.document["ids"][0]["userId"]
    body = "\n".join(json.dumps({"userId": user, **one} if isinstance(one, dict) and one != END else one) for one in documents)
    return Reply(headers={"Content-Type": "application/x-ndjson"}, body=body.encode() + b"\n")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_what_a_collector_keeps_is_shown(agreed: Developer, server: Recorder, form: list[str]) -> None:
    agreed.run("true")
    server.always(lambda request: lines(request, [ID, ROW, ROW, END]))
    shown = agreed.innerloop("show", "stored", *form)

    assert 0 == shown.status
    assert 2 == shown.out.count('"command": "test"')
    assert form == [] or (["known"], 2) == ([one["state"] for one in shown.json["ids"]], len(shown.json["rows"]))


def test_no_answer_about_what_is_kept_that_is_none_of_ours_is_believed(agreed: Developer, server: Recorder) -> None:
    agreed.run("true")
    for what, documents in NOT_OURS.items():
        server.always(lambda request, documents=documents: lines(request, documents))  # type: ignore[misc]
        for form in ([], ["--json"]):
            shown = agreed.innerloop("show", "stored", *form)
            assert (1, "", 1) == (shown.status, shown.out, len(shown.err.splitlines())), (what, shown)
            assert "not as innerloop's collector does" in shown.err


@pytest.mark.parametrize("filling", [b'"x', b'""', b"\\\\", b"x"], ids=["texts", "quotes", "backslashes", "letters"])
def test_reading_what_may_be_anybodys_takes_little_memory(filling: bytes) -> None:
    """Two megabytes of it, behind enough brackets to be looked at closely."""
    data = b'["' + b"[" * 40 + b'",' + (b'"' if filling in (b"x", b"\\\\") else b"") + filling * ((2 << 20) // len(filling))
    tracemalloc.start()
    with pytest.raises(ValueError):
        untrusted.parse(data)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert most < 16 << 20


@pytest.mark.parametrize(
    ("text", "deep"),
    [('["' + "[" * 40 + '"]', False), ('["\\"' + "[" * 40 + '"]', False), ('["\\\\"' + "," + "[" * 40, True), ("[" * 33, True)],
)
def test_only_brackets_outside_of_texts_lie_in_each_other(text: str, deep: bool) -> None:
    if not deep:
        assert json.loads(text) == untrusted.parse(text.encode())
        return
    with pytest.raises(ValueError, match="deep"):
        untrusted.parse(text.encode())


# records


@pytest.mark.parametrize("root", ["innerloop.toml", "/", "//x/innerloop.toml", "/a/../innerloop.toml", "a/innerloop.toml", ""])
def test_a_record_whose_project_file_has_no_plain_path_is_none_of_ours(agreed: Developer, server: Recorder, root: str) -> None:
    agreed.run("make", "test")
    (record,) = agreed.place("new")
    text = record.read_text()
    record.write_text(text.replace(f"root {agreed.project_file}", f"root {root}"))
    assert text != record.read_text()
    agreed.flush(timeout=15)

    assert [] == server.events
    assert (agreed.spool / "quarantine" / f"{record.name}.reason").read_text() == "unreadable"


@pytest.mark.parametrize("seconds", [-50_000_000_000, -1, 4_102_444_800, 250_000_000_000, 10**30])
def test_a_run_under_a_commit_of_an_impossible_time_leaves_without_it(agreed: Developer, server: Recorder, seconds: int) -> None:
    assert facts.parse_git("commit 1764460800 +0000\nhead refs/heads/main\ndefault \n") is not None
    agreed.git("init", "-q")
    agreed.git("add", ".")
    agreed.git("commit", "-qm", "x")
    agreed.run("make", "test")
    (record,) = agreed.place("new")
    sidecar = agreed.spool / "run" / f"{record.name}.git"
    assert eventually(lambda: sidecar.exists() and "default" in sidecar.read_text())
    sidecar.write_text(f"commit {seconds} +0000\nhead refs/heads/main\ndefault \n")
    assert facts.parse_git(sidecar.read_text()) is None
    assert 0 == agreed.flush().status

    assert server.events
    assert 1 == agreed.ledger()["acknowledged"]


# one spool before others


def test_a_spool_whose_delivery_was_killed_comes_after_the_others(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.project(directory="other", project={"id": "other", "name": "other", "write_key": "other.first"})
    agreed.opt_in("yes")
    agreed.run("make", "test")
    agreed.innerloop("show", "pending")
    spools = list((agreed.state / "spool").iterdir())
    assert 2 == len(spools)
    server.always(Reply(how=HOLD))
    server.requests.clear()
    seen = []
    for number in range(1, 5):
        for spool in spools:
            (spool / "delivery.json").unlink(missing_ok=True)
            for run in (spool / "sealed").iterdir():
                run.write_bytes(re.sub(rb'"release": [0-9.]+', b'"release": 1.0', run.read_bytes(), count=1))
            os.utime(spool / "next", (0, 0))
        sending = agreed.start(agreed.command, "deliver")
        assert eventually(lambda number=number: len(server.requests) >= number)  # type: ignore[misc]
        sending.send_signal(signal.SIGKILL)
        sending.wait(PATIENCE)
        seen.append(server.requests[-1].key)

    assert {"shop.first", "other.first"} == set(seen[:2]) == set(seen[2:])


def test_a_spool_that_leads_elsewhere_holds_up_no_other(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.let_releases_pass()
    agreed.make_delivery_due()
    far = agreed.base / "far"
    far.mkdir()
    (far / "next").touch()
    os.utime(far / "next", (0, 0))
    (agreed.state / "spool" / ("0" * 24)).symlink_to(far)
    agreed.innerloop("deliver")

    assert server.events
    assert [far / "next"] == list(far.iterdir())


@pytest.mark.parametrize(("directory", "root"), [("/", ""), ("/", "//"), ("", "/a"), ("a", "/a"), ("/srv", "//srv")])
@pytest.mark.timeout(5)
def test_a_directory_that_is_not_below_a_project_is_looked_at_once(directory: str, root: str) -> None:
    assert not target_events._belongs(directory, root)
