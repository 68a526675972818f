"""Erasure: whoever has an installation's secret can have it forgotten, and nobody else; what was erased stays away."""

import gzip
import json
import re
import secrets
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.collector.support import KEY, PROJECT, Collector, Owner, project, run_event

OTHER_KEY = "other.0123456789abcdefghijklmn"
OTHER = project(project={"id": "other", "write_key": OTHER_KEY})


@pytest.fixture
def owner() -> Owner:
    """An installation of which the collector knows nothing yet."""
    return Owner()


def _states(answer: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one["state"], one["events"]) for one in answer["ids"]]


def test_the_owner_of_an_id_erases_its_events_and_no_others(collector: Collector, owner: Owner) -> None:
    collector.send(*(run_event(owner.id) for _ in range(3)), run_event(), run_event(owner.id, command="not listed"), owners=[owner])
    answer = collector.forget(owner)

    assert re.fullmatch("[0-9a-f]{32}", answer["receipt"])
    assert {
        "success": True,
        "receipt": answer["receipt"],
        "ids": [{"userId": owner.id, "state": "erased", "events": 4}],
        "destinations": [],
        **collector.erasure_terms,
    } == answer
    assert (1, 0) == (collector.stored, collector.waiting)


def test_a_wrong_secret_deletes_nothing(collector: Collector, owner: Owner) -> None:
    collector.send(run_event(owner.id), owners=[owner])
    thief = Owner()
    thief.id = owner.id

    assert [("refused", 0)] == _states(collector.forget(thief))
    assert (1, 0) == (collector.stored, collector.ask("check")["tombstones"])
    assert [("erased", 1)] == _states(collector.forget(owner))
    assert [("refused", 0)] == _states(collector.forget(thief))


def test_an_id_without_a_registered_secret_is_unknown_whatever_is_stored_of_it(collector: Collector, owner: Owner) -> None:
    collector.send(run_event(owner.id))

    assert [("unknown", 0), ("unknown", 0)] == _states(collector.forget(owner, Owner()))
    assert 1 == collector.stored


def test_the_first_secret_counts_also_within_one_moment_and_after_a_restart(collector: Collector, owner: Owner) -> None:
    collector.send(run_event(owner.id), owners=[owner])
    thieves = [Owner() for _ in range(12)]
    for thief in thieves:
        thief.id = owner.id
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda thief: collector.send(run_event(thief.id), owners=[thief]), thieves))
    collector.kill()
    collector.start()
    collector.send(run_event(owner.id), owners=[thieves[0]])

    assert {("refused", 0)} == {_states(collector.forget(thief))[0] for thief in thieves}
    assert [("erased", 14)] == _states(collector.forget(owner))
    ignored = [json.loads(line) for line in collector.log.splitlines() if "erasure secrets ignored" in line]
    assert 13 == sum(line["secrets"] for line in ignored)


def test_only_one_of_many_that_register_at_once_can_erase(collector: Collector, owner: Owner) -> None:
    rivals = [Owner() for _ in range(16)]
    for rival in rivals:
        rival.id = owner.id
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda rival: collector.send(run_event(rival.id), owners=[rival]), rivals))
    states = [_states(collector.forget(rival))[0] for rival in rivals]

    assert 15 == states.count(("refused", 0))
    assert 1 == states.count(("erased", 16))


def test_a_registration_is_durable_before_its_batch_is_answered_also_if_no_event_of_it_is_kept(collector: Collector, owner: Owner) -> None:
    collector.apply(project(project={"retention_days": 30}))
    collector.send(run_event(owner.id, ago=timedelta(days=40)), owners=[owner])
    collector.kill()
    collector.start()

    assert (0, 0) == (collector.stored, collector.waiting)
    assert [("erased", 0)] == _states(collector.forget(owner))


def test_a_registration_needs_an_event_of_its_id_in_the_same_batch(collector: Collector, owner: Owner) -> None:
    collector.send(owners=[owner])
    collector.send(run_event(), owners=[owner])
    assert [("unknown", 0)] == _states(collector.forget(owner))

    collector.send(run_event(owner.id), owners=[owner])
    assert [("erased", 1)] == _states(collector.forget(owner))


def test_nobody_takes_over_an_id_that_can_be_guessed(collector: Collector) -> None:
    thief = Owner()
    for thief.id in ("alice@example.com", "alice", "4711", "0" * 32, f"{uuid.uuid4()}\n"):
        collector.send(run_event(thief.id))
        collector.send(run_event(thief.id), owners=[thief])
        seen = json.loads(collector.post("/v1/access", {"ids": [thief.claim]}).text.splitlines()[0])

        assert ("unknown", False) == (seen["state"], seen["secretRegistered"]), thief.id
        assert [("unknown", 0)] == _states(collector.forget(thief))
    assert 10 == collector.stored


def test_a_batch_that_is_repeated_registers_its_ids_once_and_late_ones_too(collector: Collector, owner: Owner) -> None:
    event = run_event(owner.id)
    collector.send(event)  # from a client that made no secret
    collector.send(event, owners=[owner])
    collector.send(event, owners=[owner])

    assert 1 == collector.stored
    assert [("erased", 1)] == _states(collector.forget(owner))


MALFORMED: dict[str, Callable[[dict[str, str]], Any]] = {
    "list": lambda good: list(good.items()),
    "short": lambda good: {**good, "other": "abc"},
    "null": lambda good: {**good, "other": None},
    "empty id": lambda good: {**good, "": secrets.token_hex(32)},
    "too many": lambda good: {**good, **{str(number): secrets.token_hex(32) for number in range(20)}},
    "line": lambda good: {name: value.upper() + "\n" for name, value in good.items()},
    "text": json.dumps,
}


def test_a_malformed_registration_costs_no_event_and_registers_nothing(collector: Collector) -> None:
    for number, (name, malformed) in enumerate(MALFORMED.items(), 1):
        owner = Owner()
        body = {"batch": [run_event(owner.id)], "context": {"erasure": malformed(dict([owner.registration]))}}
        assert 200 == collector.post("/v1/batch", body).status_code, name

        assert (number, 0) == (collector.stored, collector.waiting), name
        assert [("unknown", 0)] == _states(collector.forget(owner)), name


def test_twenty_ids_are_registered_by_one_batch_and_a_hundred_are_erased_by_one_request(collector: Collector) -> None:
    owners = [Owner() for _ in range(100)]
    for first in range(0, 100, 20):
        some = owners[first : first + 20]
        collector.send(*(run_event(owner.id) for owner in some), run_event(), owners=some)

    assert [("erased", 1)] * 100 == _states(collector.forget(*owners))
    assert 5 == collector.stored


def test_one_request_may_hold_every_kind_of_id_and_is_answered_in_its_order(collector: Collector) -> None:
    first, second, thief = Owner(), Owner(), Owner()
    collector.send(run_event(first.id), run_event(second.id), run_event(second.id), owners=[first, second])
    thief.id = first.id
    answer = collector.forget(thief, second, Owner(), first, second)

    assert [("refused", 0), ("erased", 2), ("unknown", 0), ("erased", 1), ("erased", 0)] == _states(answer)
    assert [second.id, first.id] == [answer["ids"][1]["userId"], answer["ids"][3]["userId"]]


def test_erasing_again_is_answered_as_erased_with_no_events(collector: Collector, owner: Owner) -> None:
    collector.send(run_event(owner.id), owners=[owner])
    first, second = collector.forget(owner), collector.forget(owner)
    collector.kill()
    collector.start()

    assert [("erased", 1)] == _states(first)
    assert [("erased", 0)] == _states(second)
    assert [("erased", 0)] == _states(collector.forget(owner))
    assert first["receipt"] != second["receipt"]


def test_what_arrives_after_the_erasure_is_acknowledged_and_not_kept(collector: Collector, owner: Owner) -> None:
    collector.send(run_event(owner.id), owners=[owner])
    collector.forget(owner)
    late = [run_event(owner.id), run_event(owner.id, command="not listed"), run_event(owner.id, ago=timedelta(days=40))]
    collector.send(*late, run_event())
    assert (1, 0) == (collector.stored, collector.waiting)
    collector.kill()
    collector.start()
    collector.send(*late, owners=[owner])

    assert (1, 0) == (collector.stored, collector.waiting)
    dropped = [json.loads(line) for line in collector.log.splitlines() if "events dropped" in line]
    assert [("id was erased", 3), ("id was erased", 3)] == [(line["reason"], line["events"]) for line in dropped]


def test_nothing_of_an_erased_id_comes_out_of_quarantine(collector: Collector, owner: Owner) -> None:
    wider = project(names={"allow": ["test", "deploy"]})
    collector.send(run_event(owner.id, command="deploy"), run_event(command="deploy"), owners=[owner])
    assert 2 == collector.waiting

    assert [("erased", 1)] == _states(collector.forget(owner))
    assert (1, 0) == (collector.apply(wider)["released"], collector.waiting)
    collector.send(run_event(owner.id, command="deploy"))
    assert 1 == collector.stored


def test_two_projects_with_one_id_are_erased_apart(collector: Collector, owner: Owner) -> None:
    collector.apply(OTHER)
    made = collector.cli("keys", "create", "other", "--secret-from", "-", stdin=OTHER_KEY)
    assert 0 == made.returncode
    collector.send(run_event(owner.id), owners=[owner])
    collector.send(run_event(owner.id), key=OTHER_KEY)

    assert [("unknown", 0)] == _states(collector.forget(owner, key=OTHER_KEY))
    answer = collector.forget(owner)
    assert [("erased", 1)] == _states(answer)
    collector.send(run_event(owner.id), key=OTHER_KEY)
    collector.send(run_event(owner.id))
    assert 2 == collector.stored
    path = f"/v1/forget/{answer['receipt']}"
    assert [200, 404] == [collector.http.get(collector.url + path, auth=(key, "")).status_code for key in (KEY, OTHER_KEY)]


def test_any_write_key_of_the_project_will_do(collector: Collector, owner: Owner) -> None:
    collector.send(run_event(owner.id), owners=[owner])
    key = collector.cli("keys", "create", "acme").stdout.strip()

    assert [("erased", 1)] == _states(collector.forget(owner, key=key))


@pytest.mark.parametrize("end", ["keys revoke", "keys rotate"])
def test_a_write_key_that_is_no_longer_accepted_still_says_which_project_a_secret_is_for(
    new_collector: Any, owner: Owner, end: str
) -> None:
    """It is the one that lies in a checkout from before; the secret is what opens."""
    collector = new_collector()
    if end == "keys rotate":
        collector.move_clock(-timedelta(days=3))
    collector.start_with()
    collector.send(run_event(owner.id), owners=[owner])
    if end == "keys rotate":
        collector.cli("keys", "rotate", "acme", "--overlap", "1")
        collector.stop()
        collector.move_clock(timedelta())
        collector.start()
    else:
        collector.cli("keys", "revoke", collector.ask("keys", "list")["keys"][0]["id"])
    assert 401 == collector.post("/v1/batch", {"batch": [run_event(owner.id)]}).status_code
    seen = collector.post("/v1/access", {"ids": [owner.claim]})
    assert 200 == seen.status_code
    thief = Owner()
    thief.id = owner.id

    assert (200, "known", 1) == (seen.status_code, *(json.loads(seen.text.splitlines()[0])[name] for name in ("state", "events")))
    assert [("refused", 0)] == _states(collector.forget(thief))
    answer = collector.forget(owner)
    assert [("erased", 1)] == _states(answer)
    assert 200 == collector.http.get(f"{collector.url}/v1/forget/{answer['receipt']}", auth=(KEY, "")).status_code


def test_a_receipt_can_be_checked_later_and_holds_no_id_and_only_the_day(collector: Collector) -> None:
    owners = [Owner(), Owner()]
    collector.send(*(run_event(owner.id) for owner in owners for _ in range(6)), owners=owners)
    answer = collector.forget(*owners, Owner())
    collector.stop()
    assert [["acme", datetime.now(UTC).date().isoformat(), 2, 12]] == collector.rows(
        "SELECT * EXCEPT (receipt, destinations) FROM receipts"
    )
    collector.start()
    found = collector.http.get(f"{collector.url}/v1/forget/{answer['receipt']}", auth=(KEY, ""))

    assert (200, "application/json") == (found.status_code, found.headers["content-type"])
    assert {
        "success": True,
        "receipt": answer["receipt"],
        "day": datetime.now(UTC).date().isoformat(),
        "ids": 2,
        "events": 12,
        "destinations": [],
        **collector.erasure_terms,
    } == found.json()


def test_receipts_need_a_write_key_and_cannot_be_guessed_at(shared: Collector) -> None:
    address = f"{shared.url}/v1/forget/"

    assert 401 == shared.http.get(address + secrets.token_hex(16)).status_code
    assert 401 == shared.http.get(address + secrets.token_hex(16), auth=("acme.wrong", "")).status_code
    for receipt in (secrets.token_hex(16), "%", "' OR 1=1", "%25"):
        response = shared.http.get(address + receipt, auth=(KEY, ""))
        assert (404, "application/problem+json") == (response.status_code, response.headers["content-type"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        ({}, 400),
        ({"ids": []}, 400),
        ({"ids": {}}, 400),
        ({"ids": [{"userId": "u"}]}, 400),
        ({"ids": [{"userId": "", "secret": "0" * 64}]}, 400),
        ({"ids": [{"userId": 7, "secret": "0" * 64}]}, 400),
        ({"ids": [{"userId": "u", "secret": "0" * 63}]}, 400),
        ({"ids": [{"userId": "u", "secret": "0" * 64 + "\n"}]}, 400),
        ({"ids": [{"userId": "u", "secret": "é" * 64}]}, 400),
        ({"ids": [Owner().claim] * 101}, 413),
        (b" " * 600_000, 413),
    ],
    ids=["cut", "list", "no ids", "none", "object", "no secret", "empty id", "number", "short", "line", "letters", "101 ids", "large"],
)
def test_a_bad_request_for_erasure_is_refused_for_good(shared: Collector, body: Any, status: int) -> None:
    response = shared.post("/v1/forget", body)
    problem = response.json()

    assert (status, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert (False, status) == (problem["success"], problem["status"])


@pytest.mark.parametrize("key", ["", "acme.wrong", None])
def test_erasure_needs_a_write_key(shared: Collector, key: str | None) -> None:
    assert 401 == shared.post("/v1/forget", {"ids": [Owner().claim]}, key=key).status_code


def test_a_request_for_erasure_may_be_compressed(collector: Collector, owner: Owner) -> None:
    collector.send(run_event(owner.id), owners=[owner])
    body = gzip.compress(json.dumps({"ids": [owner.claim]}).encode())
    response = collector.post("/v1/forget", body, headers={"Content-Encoding": "gzip"})

    assert [("erased", 1)] == _states(response.json())


def test_neither_ids_nor_secrets_are_logged_or_stored(collector: Collector, owner: Owner) -> None:
    thief = Owner()
    thief.id = owner.id
    collector.send(run_event(owner.id), owners=[owner])
    collector.send(run_event(owner.id), owners=[thief])
    collector.forget(thief)
    receipt = collector.forget(owner)["receipt"]
    collector.send(run_event(owner.id))
    collector.stop()
    everything = collector.bytes_on_disk() + collector.log.encode()

    for text in (owner.id, owner.secret, thief.secret, *owner.registration, *thief.registration):
        assert text.encode() not in everything
        assert bytes.fromhex(text.replace("-", "")) not in everything
        assert bytes.fromhex(text.replace("-", ""))[::-1] not in everything
    assert receipt not in collector.log


def test_check_counts_tombstones_and_receipts(collector: Collector) -> None:
    owners = [Owner(), Owner()]
    collector.send(*(run_event(owner.id) for owner in owners), owners=owners)
    collector.forget(*owners)
    collector.forget(Owner())

    checked = collector.ask("check")
    assert (2, 0, 2) == (checked["tombstones"], checked["unfinished_erasures"], checked["receipts"])
    assert re.search(r"erased ids +2\b", collector.cli("check").stdout)


def test_the_report_is_as_if_the_erased_had_never_taken_part(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_STORE_THROW_AWAY"] = "true"  # reports of it show the running week
    idle.start_with()
    idle.apply(PROJECT, "--min-active-weeks", "1")
    owner = Owner()
    others = [run_event() for _ in range(12)]
    idle.send(*others)
    without = idle.ask("report", "acme")
    idle.send(*(run_event(owner.id, duration_ms=900000, exit_status=2) for _ in range(6)), owners=[owner])
    with_them = idle.ask("report", "acme")

    assert [("erased", 6)] == _states(idle.forget(owner))
    assert without != with_them
    assert without == idle.ask("report", "acme")
