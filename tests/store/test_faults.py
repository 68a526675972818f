"""HTTP driver test: whatever goes wrong between collector and server, what is acknowledged is stored, and once."""

import contextlib
import random
import re
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from tests.collector.support import KEY, Event, Owner, run_event
from tests.store.servers import FrontServer, UrlCollector

BEFORE = [0, 0]
EVENTS = r"INSERT INTO \S*events"
STORED = "SELECT count(), uniqExact(message_key) FROM events"


@pytest.fixture
def collector(shared: UrlCollector) -> UrlCollector:
    """One collector for all; each test counts what came while it ran."""
    if isinstance(shared.server, FrontServer):
        shared.server.fail()
    BEFORE[:] = shared.rows(STORED)[0]
    return shared


def post(collector: UrlCollector, *events: Event) -> httpx2.Response:
    """Send a batch once."""
    return collector.post("/v1/batch", {"batch": list(events)})


def deliver(collector: UrlCollector, *events: Event, patience: float = 60) -> int:
    """Send a batch until it is acknowledged, as a client does. Returns how often it was refused."""
    deadline = time.monotonic() + patience
    refused = 0
    while (response := post(collector, *events)).status_code != 200:
        assert 503 == response.status_code, response.text
        assert time.monotonic() < deadline, response.text
        refused += 1
        time.sleep(0.1)
    return refused


def stored(collector: UrlCollector) -> list[int]:
    """How many rows came, and how many different events they are."""
    return [now - before for now, before in zip(collector.rows(STORED)[0], BEFORE, strict=True)]


def health(collector: UrlCollector, path: str) -> int:
    """What a health check is answered, on a connection of its own."""
    return httpx2.get(collector.url + path, trust_env=False, timeout=30).status_code


def until(true: Callable[[], bool]) -> None:
    """Wait for something that comes soon."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextlib.contextmanager
def away(front: FrontServer) -> Iterator[None]:
    """A server that nobody can connect to."""
    front.kill()
    try:
        yield
    finally:
        front.start()


@pytest.mark.parametrize(("fault", "refused"), [("cut before", 1), ("cut after", 1), ("error", 1), ("busy", 1), ("slow", 0)], ids=str)
def test_an_insert_that_fails_is_refused_and_stored_once_when_it_is_sent_again(
    collector: UrlCollector, front: FrontServer, fault: str, refused: int
) -> None:
    front.fail({"do": fault, "match": EVENTS})
    batch = [run_event() for _ in range(5)]

    assert refused == deliver(collector, *batch)

    assert 1 == front.struck
    assert [5, 5] == stored(collector)
    deliver(collector, *batch)
    assert [5, 5] == stored(collector)


def test_rows_are_never_sent_twice_for_one_batch(collector: UrlCollector, front: FrontServer) -> None:
    """The driver would send them again by itself."""
    front.fail({"do": "cut after", "match": EVENTS})
    before = sum(bool(re.match(EVENTS, sql)) for sql in front.statements)

    assert 503 == post(collector, run_event()).status_code

    assert 1 == sum(bool(re.match(EVENTS, sql)) for sql in front.statements) - before


def test_a_look_up_that_fails_doubles_nothing(collector: UrlCollector, front: FrontServer) -> None:
    batch = [run_event() for _ in range(5)]
    deliver(collector, *batch)
    front.fail({"do": "error", "match": "mergeTreeProjection"})

    assert 1 == deliver(collector, *batch)
    assert [5, 5] == stored(collector)


def test_with_a_server_that_is_away_the_answer_is_503_and_when_it_is_back_all_is_well(collector: UrlCollector, front: FrontServer) -> None:
    event = run_event()
    with away(front):
        response = post(collector, event)
        assert 503 == response.status_code
        until(lambda: "cannot be reached: Connection refused" in collector.log)
        assert (503, 200) == (health(collector, "/readyz"), health(collector, "/livez"))

    deliver(collector, event)
    assert [1, 1] == stored(collector)
    until(lambda: health(collector, "/readyz") == 200)


def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(collector: UrlCollector, front: FrontServer) -> None:
    acknowledged: list[Event] = []
    for _ in range(3):
        batch = [run_event() for _ in range(10)]
        deliver(collector, *batch)
        acknowledged += batch
        front.kill()
        front.start()

    deliver(collector, *acknowledged)
    assert [30, 30] == stored(collector)


def test_an_erasure_is_answered_as_done_only_when_it_is(collector: UrlCollector, front: FrontServer) -> None:
    owner = Owner()
    collector.send(*(run_event(owner.id) for _ in range(5)), run_event(), owners=[owner])
    front.fail({"do": "error", "match": "ALTER TABLE events DELETE"}, {"do": "cut after", "match": r"INSERT INTO \S*receipts"})

    assert 503 == collector.post("/v1/forget", {"ids": [owner.claim]}).status_code
    answer = collector.forget(owner)
    assert ("erased", "server") == (answer["ids"][0]["state"], answer["files"]), "of the server's files only the server knows"
    assert "server" == collector.check()["store"]
    assert [1, 1] == stored(collector)


def test_no_key_of_an_event_and_no_address_is_in_the_log(collector: UrlCollector, front: FrontServer) -> None:
    front.fail(
        *({"do": fault, "match": "INSERT|SELECT|ALTER", "times": 3, "chance": 0.5} for fault in ("cut before", "cut after", "error"))
    )
    owner = Owner()
    for _ in range(4):
        deliver(collector, run_event(owner.id))
    with away(front):
        post(collector, run_event(owner.id))

    assert "127.0.0.1:" + front.url.split(":")[2].split("/")[0] not in collector.log
    assert owner.id not in collector.log
    assert "param_" not in collector.log


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_by_seed_with_every_fault_at_once_the_stored_set_is_the_sent_set(collector: UrlCollector, front: FrontServer, seed: int) -> None:
    actions = ("cut before", "cut after", "error", "busy", "slow")
    front.fail(
        *(
            {"do": action, "match": "events|probes", "times": 200, "chance": 0.08, "seed": seed * 10 + n, "seconds": 0.2}
            for n, action in enumerate(actions)
        )
    )
    chance = random.Random(seed)
    sent: list[Event] = []
    refused = 0
    for _ in range(60):
        batch = [run_event() for _ in range(chance.randint(1, 30))] + chance.sample(sent, min(len(sent), 5))
        refused += deliver(collector, *batch, patience=100)
        sent += batch[: len(batch) - min(len(sent), 5)]
    assert refused > 5
    front.fail()

    assert [len(sent), len(sent)] == stored(collector)
    assert KEY not in collector.log
