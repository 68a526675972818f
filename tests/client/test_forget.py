"""Another id, and erasure: here at once, on the collector with a receipt, also for earlier ids and however late it answers."""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.client.erasures import RECEIPT, asked, batches, collector, forget, holding, identity
from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder, Reply, Request


@pytest.fixture(autouse=True)
def _answers(server: Recorder) -> None:
    server.always(collector)


# the secret's hash


def test_the_secrets_hash_travels_with_the_first_batch_and_never_again(agreed: Developer, server: Recorder) -> None:
    for _ in range(3):
        agreed.run("make", "test")
        agreed.flush()
    user, secret = identity(agreed)
    contexts = [request.document["context"] for request in batches(server)]

    assert contexts[0]["erasure"] == {user: hashlib.sha256(secret.encode()).hexdigest()}
    assert [set(context) for context in contexts[1:]] == [{"plan"}, {"plan"}]
    assert secret.encode() not in server.bytes


def test_the_hash_travels_again_until_a_batch_is_acknowledged(agreed: Developer, server: Recorder) -> None:
    server.will(Reply(503), Reply(503))
    for _ in range(4):
        agreed.run("make", "test")
        agreed.flush()

    assert ["erasure" in request.document["context"] for request in batches(server)] == [True, True, True, False]


def test_show_next_shows_the_hash_where_it_would_travel(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    shown = agreed.innerloop("show", "next").json["context"]
    agreed.flush()

    assert shown == batches(server)[0].document["context"]


def test_a_foreign_endpoint_is_told_no_hash(hire: Callable[..., Developer], server: Recorder) -> None:
    developer = hire().project(project={"write_key": "of-somebody-else"})
    developer.opt_in("yes")
    developer.run("make", "test")
    developer.flush()

    assert set(batches(server)[0].document["context"]) == {"plan"}


# reset-id


def test_reset_id_makes_a_new_id_and_loses_no_run(agreed: Developer, server: Recorder) -> None:
    old, _ = identity(agreed)
    agreed.run("make", "test")
    agreed.pending()
    agreed.run("make", "build")
    done = agreed.innerloop("reset-id")
    new, _ = identity(agreed)
    agreed.run("make", "test")
    agreed.flush()

    assert done.status == 0
    assert new != old
    assert sorted(event["userId"] for event in server.events) == sorted([old, new, new])
    assert agreed.ledger()["acknowledged"] == 3
    context = batches(server)[0].document["context"]
    assert set(context["erasure"]) == {old, new}


def test_the_hash_travels_with_the_first_batch_that_holds_an_event_of_its_id(agreed: Developer, server: Recorder) -> None:
    """A collector believes no other batch."""
    agreed.innerloop("reset-id")
    agreed.run("make", "test")
    agreed.flush()
    new, _ = identity(agreed)

    assert [{new}] == [set(request.document["context"]["erasure"]) for request in batches(server)]


def test_reset_id_keeps_the_answer_and_the_old_id_as_the_key_to_erasure(agreed: Developer) -> None:
    before, (old, secret) = agreed.consent, identity(agreed)
    agreed.innerloop("reset-id")
    after = agreed.consent

    assert after["serial"] == before["serial"]
    assert [(one["id"], one["secret"]) for one in after["earlier"]] == [(old, secret)]
    assert agreed.status()["mode"] == "on"
    assert agreed.status()["earlier_ids"] == 1


def test_an_old_id_is_kept_no_longer_than_its_records(agreed: Developer) -> None:
    agreed.innerloop("reset-id")
    text = agreed.consent_file.read_text()
    agreed.consent_file.write_text(re.sub(r'"until": "[0-9-]+"', '"until": "2020-01-01"', text))
    agreed.innerloop("reset-id")

    assert len(agreed.consent["earlier"]) == 1
    assert agreed.consent["earlier"][0]["until"] > "2026"


def test_reset_id_before_a_yes_is_one_clear_line(developer: Developer) -> None:
    done = developer.innerloop("reset-id")

    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "no id" in done.err
    assert developer.files() == {}


@pytest.mark.parametrize("command", ["reset-id", "forget"])
def test_a_coding_agent_may_neither_change_nor_erase(command: str, agreed: Developer, server: Recorder) -> None:
    before = agreed.files()
    said = agreed.at_terminal(agreed.command, command, env={"AI_AGENT": "some"})

    assert said.status == 1
    assert "only a person" in said.text
    assert agreed.files() == before
    assert asked(server) == []


# forget


def test_forget_erases_here_and_there_and_gives_a_receipt(agreed: Developer, server: Recorder) -> None:
    for _ in range(2):
        agreed.run("make", "test")
        agreed.flush()
    agreed.run("make", "test")
    user, secret = identity(agreed)
    said = forget(agreed)

    assert said.status == 0, said
    assert f"deleted 3 records, receipt {RECEIPT}" in " ".join(said.text.split())
    assert asked(server) == [{"userId": user, "secret": secret}]
    assert holding(agreed.home, user) == []
    assert holding(agreed.home, secret) == []
    assert list((agreed.state / "spool").iterdir()) == []
    assert agreed.status()["mode"] == "no"
    assert agreed.status()["receipts"] == [RECEIPT]
    agreed.run("make", "test")
    assert agreed.recorded() == 0


def test_forget_reaches_every_id_there_was(agreed: Developer, server: Recorder) -> None:
    known = [identity(agreed)]
    for _ in range(2):
        agreed.run("make", "test")
        agreed.flush()
        agreed.innerloop("reset-id")
        known.append(identity(agreed))
    agreed.opt_out()
    forget(agreed)

    assert [(one["userId"], one["secret"]) for one in asked(server)] == known
    assert [user for user, _ in known if holding(agreed.home, user)] == []


@pytest.mark.parametrize("answer", ["", "y", "no", "yes please", "^C", "^D"])
def test_anything_but_yes_erases_nothing(answer: str, agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.flush()
    before = agreed.files()
    forget(agreed, answer)

    assert agreed.files() == before
    assert asked(server) == []


def test_forget_is_asked_at_a_terminal_only(agreed: Developer, server: Recorder) -> None:
    done = agreed.innerloop("forget", stdin="yes\n")

    assert (done.status, done.err.count("\n")) == (1, 1)
    assert agreed.status()["mode"] == "on"
    assert asked(server) == []


def test_an_offline_forget_erases_here_at_once_and_is_repeated_until_it_is_confirmed(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.flush()
    user, secret = identity(agreed)
    server.always(Reply(503))
    said = forget(agreed)
    assert said.status == 1
    assert "erased here, all but the ids" in " ".join(said.text.split())
    assert list((agreed.state / "spool").iterdir()) == []
    assert [path.parent.name for path in holding(agreed.home, secret)] == ["forget"]
    assert agreed.status()["erasure_waits"] is True
    count = len(asked(server))

    server.always(collector)
    agreed.status()
    assert len(asked(server)) == count, "not before its time"
    (waiting,) = (agreed.state / "forget").iterdir()
    os.utime(waiting, (0, 0))
    agreed.status()
    assert eventually(lambda: not waiting.exists())
    assert asked(server)[-1] == {"userId": user, "secret": secret}
    assert holding(agreed.home, user) == []
    assert agreed.status()["receipts"] == [RECEIPT]


def test_forget_typed_again_repeats_what_waits(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.flush()
    server.always(Reply(503))
    forget(agreed)
    server.always(collector)
    said = agreed.at_terminal(agreed.command, "forget")

    assert said.status == 0
    assert RECEIPT in said.text


def test_a_new_yes_after_forget_is_somebody_new(agreed: Developer, server: Recorder) -> None:
    old = identity(agreed)
    forget(agreed)
    agreed.opt_in("yes")

    assert identity(agreed)[0] != old[0]
    assert identity(agreed)[1] != old[1]
    agreed.run("make", "test")
    agreed.flush()
    assert {event["userId"] for event in server.events} == {identity(agreed)[0]}


def test_what_a_collector_says_of_an_id_is_passed_on(agreed: Developer, server: Recorder) -> None:
    user, _ = identity(agreed)
    answer = {
        "success": True, "receipt": RECEIPT, "ids": [{"userId": user, "state": "refused", "events": 0}],
        "destinations": [{"name": "New Relic", "state": "not provable"}],
    }  # fmt: skip
    server.always(Reply(body=json.dumps(answer).encode()))
    said = forget(agreed)

    assert said.status == 1
    assert "could not confirm" in said.text
    assert "New Relic: not provable" in said.text


@pytest.mark.parametrize("body", [b"", b"{}", b'{"success":true}', b'{"receipt":"\\u001b[2J","ids":[]}', b"[]", b"x" * 100_000])
def test_an_answer_that_is_no_receipt_confirms_nothing(body: bytes, agreed: Developer, server: Recorder) -> None:
    server.always(Reply(body=body))
    said = forget(agreed)

    assert said.status == 1
    assert agreed.status()["erasure_waits"] is True
    assert "\x1b" not in said.text


def test_what_forget_asks_stands_in_columns_and_counts_one_as_one(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    answer = {"success": True, "receipt": RECEIPT, "ids": [{"userId": identity(agreed)[0], "state": "erased", "events": 1}]}
    server.always(Reply(body=json.dumps(answer).encode()))
    said = forget(agreed).text

    columns = [re.match(r" +\w+ +", line) for line in said.splitlines() if line.startswith("  ")]
    assert [len(column[0]) for column in columns if column] == [13, 13, 13], said
    assert "1 record or copy, the report's history" in said
    assert "deleted 1 record, receipt" in said


def test_a_receipt_can_be_checked(agreed: Developer, server: Recorder) -> None:
    done = agreed.innerloop("forget", "--check", RECEIPT)

    assert (done.status, done.out) == (0, "2026-11-24: 3 records of 1 id deleted\n")
    assert agreed.innerloop("forget", "--check", RECEIPT, "--json").json["receipt"] == RECEIPT
    assert server.requests[-1].line == f"GET /v1/forget/{RECEIPT} HTTP/1.1"
    server.always(Reply(404))
    assert agreed.innerloop("forget", "--check", RECEIPT).status == 1
    assert agreed.innerloop("forget", "--check", "../x").status == 1


def test_in_local_mode_forget_asks_no_collector(developer: Developer, server: Recorder) -> None:
    developer.opt_in("local")
    developer.run("make", "test")
    said = forget(developer)

    assert said.status == 0
    assert server.connections == 0
    assert list((developer.state / "spool").iterdir()) == []


def test_forget_waits_for_a_collector_that_is_at_work(agreed: Developer, server: Recorder) -> None:
    server.will(Reply(503, {"Retry-After": "1"}), Reply(503, {"Retry-After": "1"}))
    said = forget(agreed)

    assert said.status == 0
    assert RECEIPT in said.text
    assert len(server.requests) == 3


def test_more_ids_than_a_request_may_have_are_all_erased(agreed: Developer, server: Recorder) -> None:
    document = json.loads(agreed.consent_file.read_text())
    document["consent"]["earlier"] = [{"id": f"id-{number}", "secret": f"{number:064x}", "until": "2099-01-01"} for number in range(120)]
    agreed.consent_file.write_text(json.dumps(document))
    said = forget(agreed)

    assert 0 == said.status
    assert 121 == len({one["userId"] for one in asked(server)}) == len(asked(server))
    assert max(len(request.document["ids"]) for request in server.requests if "POST /v1/forget" in request.line) <= 100
    assert f"deleted {121 * 3} records" in " ".join(said.text.split())


def test_of_many_ids_those_that_were_confirmed_are_not_asked_for_again(agreed: Developer, server: Recorder) -> None:
    document = json.loads(agreed.consent_file.read_text())
    document["consent"]["earlier"] = [{"id": f"id-{number}", "secret": f"{number:064x}", "until": "2099-01-01"} for number in range(60)]
    agreed.consent_file.write_text(json.dumps(document))
    answered: list[Request] = []

    def once(request: Request) -> Reply:
        answered.append(request)
        return collector(request) if len(answered) == 1 else Reply(503)

    server.always(once)
    assert 1 == forget(agreed).status
    server.always(collector)
    assert 0 == agreed.at_terminal(agreed.command, "forget").status
    first, second, third = (request.document["ids"] for request in server.requests)

    assert second == third
    assert not {one["userId"] for one in first} & {one["userId"] for one in third}


@pytest.mark.parametrize(
    ("state", "words"), [("erased", "segment: nothing was ever forwarded there"), ("not provable", "segment: not provable")]
)
def test_what_became_of_records_at_a_destination_is_said_truly(agreed: Developer, server: Recorder, state: str, words: str) -> None:
    """The collector says erased where it never passed anything on."""
    user, _ = identity(agreed)
    rows = [{"userId": user, "state": "erased", "events": 1}]
    others = [{"name": "segment", "state": state}, {"name": "backups", "state": "erased"}]
    server.always(Reply(body=json.dumps({"success": True, "receipt": RECEIPT, "ids": rows, "destinations": others}).encode()))
    said = " ".join(forget(agreed).text.split())

    assert words in said
    assert "segment: erased" not in said
    assert "backups: erased" in said


@pytest.mark.parametrize("change", [{"ids": []}, {"success": False}, {"receipt": 5}, {"receipt": "x"}])
def test_a_receipt_for_something_else_confirms_nothing(agreed: Developer, server: Recorder, change: dict[str, Any]) -> None:
    user, _ = identity(agreed)
    whole = {"success": True, "receipt": RECEIPT, "ids": [{"userId": user, "state": "erased", "events": 1}], "destinations": []}
    server.always(Reply(body=json.dumps({**whole, **change}).encode()))

    assert 1 == forget(agreed).status
    assert agreed.status()["erasure_waits"] is True


@pytest.mark.parametrize("row", [{"userId": "another"}, {"state": "gone"}, {"events": -1}, {"events": "3"}, {"events": 1e300}])
def test_a_receipt_that_names_another_id_or_says_nonsense_confirms_nothing(
    agreed: Developer, server: Recorder, row: dict[str, Any]
) -> None:
    user, _ = identity(agreed)
    ids = [{"userId": user, "state": "erased", "events": 1, **row}]
    server.always(Reply(body=json.dumps({"success": True, "receipt": RECEIPT, "ids": ids, "destinations": []}).encode()))

    assert 1 == forget(agreed).status
    assert agreed.status()["erasure_waits"] is True


@pytest.mark.slow
def test_a_collector_that_wants_to_be_asked_again_at_once_is_asked_a_few_times(agreed: Developer, server: Recorder) -> None:
    agreed.run("true")
    server.always(Reply(503, headers={"Retry-After": "0"}))
    started = time.monotonic()
    agreed.at_terminal(agreed.command, "forget", types=[("Type yes: ", "yes")])
    times = [request for request in server.requests if "POST /v1/forget" in request.line]

    assert 2 <= len(times) <= 7
    assert time.monotonic() - started > len(times) - 1
