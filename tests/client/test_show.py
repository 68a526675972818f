"""`innerloop show`: the very bytes that wait, leave next or left, and what the collector keeps, which is shown only if it is its own answer."""

import json
import os
import re
import time
from typing import Any

import pytest

from tests.client.people import DAY, Developer
from tests.client.recorder import Recorder, Reply, Request


def test_show_next_shows_only_what_would_leave(agreed: Developer) -> None:
    agreed.run("make", "test")
    assert agreed.innerloop("show", "next").json["batch"]
    local = agreed.innerloop("show", "next", env={"INNERLOOP_MODE": "local"})
    assert (local.out, "nothing leaves" in local.err) == ("", True)
    agreed.edit(fields={"os": False})
    assert agreed.innerloop("show", "next").out == ""


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


def test_what_is_shown_is_what_leaves_byte_for_byte(queued: Developer, server: Recorder) -> None:
    pending = queued.innerloop("show", "pending")
    lines = [line for line in pending.out.splitlines() if line]
    following = queued.innerloop("show", "next").out.rstrip("\n")
    assert queued.flush().status == 0
    (request,) = server.requests
    body = request.content.decode()
    assert body.startswith('{"batch":[' + ",".join(lines) + '],"context":')
    clock = re.compile(r'("sentAt":")[^"]*(")')
    assert clock.sub(r"\1\2", following) == clock.sub(r"\1\2", body)
    sent = queued.innerloop("show", "sent").out.splitlines()
    assert sorted(sent) == sorted(lines)
    assert queued.innerloop("show", "pending").out == queued.innerloop("show", "next").out == ""
    for what in ("sent", "pending"):
        assert queued.innerloop("show", what, "--json").json == ([] if what == "pending" else [json.loads(line) for line in sent])


def test_looking_twice_shows_the_same_bytes(queued: Developer) -> None:
    assert queued.innerloop("show", "pending").out == queued.innerloop("show", "pending").out


def test_what_left_is_shown_for_a_month(queued: Developer) -> None:
    queued.flush()
    old, *_ = queued.place("sent")
    os.utime(old, (time.time() - 31 * DAY,) * 2)
    queued.run("make", "test")
    queued.flush()
    assert len(queued.innerloop("show", "sent", "--json").json) == 3
    assert queued.ledger()["acknowledged"] == 4


def test_a_reader_that_hangs_up_is_no_error(queued: Developer) -> None:
    queued.pretend_sealed(400)
    done = queued.execute("sh", "-c", "innerloop show pending 2>err | head -n 1; cat err | grep -v '^#'")
    assert "Traceback" not in done.out
    assert "Broken pipe" not in done.out


def test_show_next_shows_no_more_than_one_batch_by_size_too(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.pretend_sealed(499)
    for path in agreed.place("sealed"):
        head, event, _ = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join([head, event.replace(b'"properties":{', b'"properties":{' + b" " * 1000), b""]))
    shown = agreed.innerloop("show", "next").out
    assert 400_000 < len(shown) <= 451_000
    assert len(json.loads(shown)["batch"]) < 500
