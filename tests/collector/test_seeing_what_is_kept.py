"""Access: everything that is kept of an id, for whoever holds its secret and nobody else."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from innerloop_collector.config.configuration import Limits
from innerloop_collector.ingest.subject_access_routes import Stored, SubjectAccessRoutes
from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.tombstones import Proofs
from tests.client.people import Developer
from tests.collector.support import KEY, Collector, Owner, run_event
from tests.collector.test_forget_by_its_developer import joined
from tests.conftest import Installed


def _access(collector: Collector, *owners: Owner) -> list[dict[str, Any]]:
    response = collector.post("/v1/access", {"ids": [owner.claim for owner in owners]})
    assert (200, "application/x-ndjson") == (response.status_code, response.headers["content-type"].partition(";")[0])
    lines: list[dict[str, Any]] = [json.loads(line) for line in response.text.splitlines()]
    assert {"end": True} == lines.pop()
    return lines


def test_the_holder_of_an_id_sees_every_row_of_it_and_none_of_others(collector: Collector) -> None:
    owner, other = Owner(), Owner()
    collector.send(
        *(run_event(owner.id, duration_ms=duration) for duration in (1110, 2220)), run_event(owner.id, command="waits"), owners=[owner]
    )
    collector.send(run_event(other.id, duration_ms=3330), owners=[other])
    told, *rows = _access(collector, owner)

    assert ("known", True, 2, 1) == (told["state"], told["secretRegistered"], told["events"], told["quarantined"])
    assert told["first_day"] == told["last_day"] < told["gone_after"]
    assert {1110, 2220} == {line["row"]["duration_ms"] for line in rows if line["table"] == "events"}
    (waiting,) = [line["row"] for line in rows if line["table"] == "quarantine"]
    assert "waits" in waiting["body"]
    assert {owner.id} == {line["userId"] for line in rows}


def test_a_wrong_secret_an_unknown_id_and_an_erased_one_show_nothing(collector: Collector) -> None:
    owner, thief, erased = Owner(), Owner(), Owner()
    collector.send(run_event(owner.id), run_event(erased.id), owners=[owner, erased])
    collector.forget(erased)
    thief.id = owner.id

    assert ["refused", "unknown", "known"] == [line.get("state", "a row") for line in _access(collector, thief, Owner(), erased)]
    assert 0 == _access(collector, erased)[0]["events"]


def test_the_holder_of_an_id_that_is_not_let_in_yet_sees_what_waits(new_collector: Callable[[], Collector]) -> None:
    collector, owner, thief = new_collector(), Owner(), Owner()
    thief.id = owner.id
    collector.environment["INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY"] = "1"
    collector.start_with()
    collector.send(run_event("a"), run_event(owner.id, duration_ms=1110), run_event(owner.id, command="waits"), owners=[owner])
    told, *rows = _access(collector, owner)

    assert ("known", True, 0, 2) == (told["state"], told["secretRegistered"], told["events"], told["quarantined"])
    assert ["quarantine", "quarantine"] == [line["table"] for line in rows]
    assert ["refused"] == [line["state"] for line in _access(collector, thief)]


def test_access_needs_a_write_key_and_a_body_that_fits(shared: Collector) -> None:
    assert 401 == shared.post("/v1/access", {"ids": [Owner().claim]}, key="acme.wrong").status_code
    assert 400 == shared.post("/v1/access", {"ids": []}).status_code
    assert 413 == shared.post("/v1/access", {"ids": [Owner().claim] * 101}).status_code


def test_however_many_ask_one_reader_answers_them_with_one_question_each() -> None:
    """The other reader is there for health, metrics and operators."""
    asked: list[int] = []
    at_work = Counter[str]()

    class Known:
        def known_by(self, marks: dict[int, int]) -> Proofs:
            at_work["now"] += 1
            at_work["most"] = max(at_work["most"], at_work["now"])
            asked.append(len(marks))
            time.sleep(0.01)
            at_work["now"] -= 1
            return Proofs({}, {})

    class Admitted:
        project = "acme"

        def asker(self, _: str) -> "Admitted":
            return self

        def ask(self, _: Any, __: int) -> None:
            pass

    async def ask_many(readers: ThreadPoolExecutor) -> list[int]:
        stored: Any = Stored(Known(), None, Hasher(b"x" * 32))  # type: ignore[arg-type]
        admitted: Any = Admitted()
        application = Starlette(routes=SubjectAccessRoutes(admitted, stored, Limits(), readers).routes())
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(application), base_url="http://here") as client:
            body = {"ids": [Owner().claim for _ in range(100)]}
            return [one.status_code for one in await asyncio.gather(*(client.post("/v1/access", json=body) for _ in range(10)))]

    with ThreadPoolExecutor(2) as readers:
        assert [200] * 10 == asyncio.run(ask_many(readers))
    assert ([100] * 10, 1) == (asked, at_work["most"])


@pytest.mark.slow
def test_more_rows_than_a_page_come_whole(collector: Collector) -> None:
    owner = Owner()
    for _ in range(7):
        collector.send(*(run_event(owner.id) for _ in range(800)), owners=[owner])
    told, *rows = _access(collector, owner)

    assert 5_600 == told["events"] == len({line["row"]["message_key"] for line in rows})
    assert KEY not in collector.log
    assert owner.id not in collector.log


def test_a_developer_sees_what_is_kept_under_all_of_their_ids(collector: Collector, installed: Installed, tmp_path: Path) -> None:
    developer: Developer = joined(installed, collector, tmp_path / "developer")
    developer.run("make", "test")
    assert developer.flush().status == 0
    developer.innerloop("reset-id")
    developer.run("make", "build")
    assert developer.flush().status == 0
    shown = developer.innerloop("show", "stored", "--json").json

    assert {"test", "build"} == {line["row"]["command"] for line in shown["rows"]}
    assert [("known", 1), ("known", 1)] == [(one["state"], one["events"]) for one in shown["ids"]]
    text = developer.innerloop("show", "stored")
    assert 0 == text.status
    assert 2 == text.out.count('"command":')
    collector.stop()
    refused = developer.innerloop("show", "stored")
    assert (1, 1) == (refused.status, len(refused.err.splitlines()))
