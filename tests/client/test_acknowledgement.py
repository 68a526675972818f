"""Delivered is what a collector said, and nobody in between: a portal's, a block page's or a proxy's answer empties no queue."""

import gzip
import json

import pytest

from innerloop.core.outbound import answers
from innerloop.core.outbound.answers import Answer
from tests.client.people import Developer
from tests.client.recorder import CUT, Recorder, Reply

PAGE = b"<html><form action=/login>accept the terms</form></html>"
SUCCESS = b'{"success": true}'
FOREIGN = "of-another-service"


def html(status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "text/html"}, PAGE)


NOBODYS: dict[str, Reply] = {
    "a portal's page": html(),
    "a page that says it is JSON": Reply(body=PAGE),
    "a page without a type": Reply(200, {"Content-Type": None}, PAGE),
    "nothing": Reply(body=b""),
    "204": Reply(204, body=b""),
    "201": Reply(201),
    "202": Reply(202),
    "206": Reply(206),
    "success is false": Reply(body=b'{"success": false, "message": "no such source"}'),
    "success is a word": Reply(body=b'{"success": "true"}'),
    "success is one": Reply(body=b'{"success": 1}'),
    "success is somewhere": Reply(body=b'{"result": {"success": true}}'),
    "success is there twice": Reply(body=b'{"success": false, "success": true}'),
    "success in a list": Reply(body=b'[{"success": true}]'),
    "success as a text": Reply(body=b'"{\\"success\\": true}"'),
    "success as a page": Reply(200, {"Content-Type": "text/html"}, SUCCESS),
    "success as plain text": Reply(200, {"Content-Type": "text/plain"}, SUCCESS),
    "success as a problem": Reply(200, {"Content-Type": "application/problem+json"}, b'{"success": false}'),
    "success and more": Reply(body=SUCCESS + b"<script>"),
    "OK": Reply(200, {"Content-Type": "text/plain; charset=utf-8"}, b"OK"),
    "ok is true": Reply(body=b'{"ok": true, "receivedEvents": 3, "okEvents": 3}'),
    "not UTF-8": Reply(body=b'{"success": true, "x": "\xff"}'),
    "deep": Reply(body=b'{"success": true, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "NaN": Reply(body=b'{"success": true, "x": NaN}'),
    "a number of a million digits": Reply(body=b'{"success": true, "x": ' + b"9" * 200_000 + b"}"),
    "huge": Reply(body=b'{"success": true, "x": "' + b"x" * 1_000_000 + b'"}'),
    "cut off": Reply(200, {"Content-Length": "1000"}),
    "packed in another way": Reply(200, {"Content-Encoding": "br"}),
    "packed, but not as it says": Reply(200, {"Content-Encoding": "gzip"}),
    "packed and cut off": Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(SUCCESS)[:-4]),
    "a bomb": Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"success": true, "x": "' + bytes(20_000_000) + b'"}')),
    "a redirection to a portal": Reply(302, {"Location": "http://portal.example/login"}, b""),
    "303": Reply(303, {"Location": "/"}),
    "511": html(511),
    "a page as 400": html(400),
    "a page as 403": html(403),
    "a page as 404": html(404),
    "a page as 503": html(503),
}


@pytest.fixture
def queued(agreed: Developer) -> Developer:
    for target in ("test", "build", "fail"):
        agreed.run("make", target)
    return agreed


@pytest.mark.parametrize("kind", NOBODYS)
def test_what_no_collector_says_acknowledges_nothing_and_doctor_names_it(queued: Developer, server: Recorder, kind: str) -> None:
    server.always(NOBODYS[kind])
    done = queued.flush()
    ledger = queued.ledger()

    assert (1, "Traceback" in done.err, "Nothing is lost" in done.err) == (done.status, False, True), done
    assert (0, 3, 0, {}) == (ledger["acknowledged"], ledger["queued"], ledger["quarantined"], ledger["dropped"])
    (line,) = [line for line in queued.innerloop("doctor").out.splitlines() if "delivery" in line]
    assert str(NOBODYS[kind].status) in line
    assert line.isprintable()
    server.always(Reply())
    assert 0 == queued.flush().status
    assert 3 == queued.ledger()["acknowledged"]


@pytest.mark.parametrize("status", [200, 403, 404])
def test_behind_a_portal_delivery_is_tried_again_within_minutes(queued: Developer, server: Recorder, status: int) -> None:
    """A page that answers 403 is not the collector that does not know us, which is left alone for a day."""
    server.always(html(status))
    queued.flush()
    state = json.loads((queued.spool / "delivery.json").read_text())

    assert state["until"] - state["last_error_at"] < 120
    assert "web page" in state["last_error"]


OURS = {
    "as our collector says it": Reply(body=SUCCESS),
    "with a character set": Reply(200, {"Content-Type": "Application/JSON; charset=utf-8"}),
    "without a type": Reply(200, {"Content-Type": None}),
    "with more members": Reply(body=b'{"success": true, "later": {"versions": ["may", "say", "more"]}}'),
    "packed although nobody asked": Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(SUCCESS)),
}


@pytest.mark.parametrize("how", OURS)
def test_what_our_collector_says_acknowledges(queued: Developer, server: Recorder, how: str) -> None:
    server.always(OURS[how])

    assert 0 == queued.flush().status
    assert 3 == queued.ledger()["acknowledged"]


SERVICES = {
    "Segment": Reply(body=b'{\n  "success": true\n}'),
    "RudderStack": Reply(200, {"Content-Type": "text/plain; charset=utf-8"}, b"OK"),
    "Jitsu": Reply(200, {"Content-Type": "application/json; charset=utf-8"}, b'{"ok":true,"receivedEvents":1,"okEvents":1}'),
}


@pytest.mark.parametrize("service", SERVICES)
def test_another_services_answer_acknowledges_where_the_write_key_is_another_services(
    developer: Developer, server: Recorder, service: str
) -> None:
    developer.edit(project={"write_key": FOREIGN})
    developer.opt_in("yes")
    developer.run("make", "test")
    server.always(SERVICES[service])

    assert 0 == developer.flush().status
    assert 1 == developer.ledger()["acknowledged"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"ok":false,"receivedEvents":2,"okEvents":1,"errors":["Message ID: x: no destination"]}',
        b'{"ok":true,"receivedEvents":2,"okEvents":1}', b'{"ok":true}', b'{"ok":"true","receivedEvents":1,"okEvents":1}', b"OK", b"Invalid Write Key",
    ],
)  # fmt: skip
def test_another_services_half_answer_acknowledges_nothing(developer: Developer, server: Recorder, body: bytes) -> None:
    developer.edit(project={"write_key": FOREIGN})
    developer.opt_in("yes")
    developer.run("make", "test")
    server.always(Reply(body=body))

    assert 1 == developer.flush().status
    assert (0, 1) == (developer.ledger()["acknowledged"], developer.ledger()["queued"])


def test_a_refusal_must_be_a_collectors_too(queued: Developer, server: Recorder) -> None:
    """Else a block page that answers 400 sets a good run aside."""
    server.always(lambda request: html(400) if len(request.events) == 1 else Reply(413))
    queued.flush()
    counts = queued.ledger()

    assert (3, 0) == (counts["queued"], counts["quarantined"])


def test_the_reason_that_somebody_gives_steers_no_terminal(queued: Developer, server: Recorder) -> None:
    server.always(Reply(500, body=json.dumps({"message": "\x1b[2J\u202e" + "x" * 10_000}).encode()))
    done = queued.flush()

    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
    assert len(done.err) < 1000


# erasure, and what is kept


@pytest.mark.parametrize("reply", [html(), Reply(body=b""), Reply(body=SUCCESS), Reply(204, body=b""), Reply(how=CUT)], ids=str)
def test_what_is_no_receipt_erases_nothing(agreed: Developer, server: Recorder, reply: Reply) -> None:
    agreed.run("make", "test")
    agreed.flush()
    server.always(reply)
    said = agreed.at_terminal(agreed.command, "forget", types=[(r"Type yes: ", "yes")])

    assert 1 == said.status
    assert "did not confirm" in " ".join(said.text.split())
    assert agreed.status()["erasure_waits"] is True


@pytest.mark.parametrize(
    "reply", [html(), Reply(body=b""), Reply(body=b'{"end": true}'), Reply(200, {"Content-Type": "application/x-ndjson"}, PAGE)], ids=str
)
def test_what_is_no_list_says_nothing_about_what_is_kept(agreed: Developer, server: Recorder, reply: Reply) -> None:
    server.always(reply)
    done = agreed.innerloop("show", "stored")

    assert (1, "", 1) == (done.status, done.out, done.err.count("\n"))


def test_every_known_service_is_in_the_reference() -> None:
    """The list of the code and that of the documentation are one."""
    from tests.conftest import ROOT  # noqa: PLC0415

    text = (ROOT / "docs" / "reference" / "answers.md").read_text()
    for name in ("Segment", "RudderStack", "Jitsu", "innerloop-collector"):
        assert f"| {name}" in text
    assert len(answers.OTHERS) == 3
    assert answers.acknowledges(Answer(200, "text/plain", b"OK"), ours=False)
