"""What the HTTP API accepts, and how it answers what it does not."""

import gzip
import socket
import zlib
from urllib.parse import urlsplit

import pytest

from tests.collector.support import KEY, Collector, run_event

REFUSED = "application/problem+json"


def test_each_way_to_send_is_answered_with_exactly_200_and_success(collector: Collector) -> None:
    event = run_event()
    batch = {"batch": [run_event()]}
    ways = [
        collector.post("/v1/batch", batch),
        collector.post("/v1/track", event),
        collector.post("/v1/batch", {**batch, "writeKey": KEY}, key=None),
        collector.post("/v1/track", {**event, "writeKey": KEY}, key=None),
        collector.post("/v1/batch", batch, headers={"Content-Type": "text/plain"}),
        collector.post("/v1/batch", gzip.compress(b'{"batch": []}'), headers={"Content-Encoding": "gzip"}),
        collector.post("/v1/batch", {"batch": []}),
    ]

    assert [(200, b'{"success": true}')] * len(ways) == [(way.status_code, way.content) for way in ways]
    assert 2 == collector.stored


def test_calls_outside_the_plan_are_answered_and_set_aside_without_their_traits(collector: Collector) -> None:
    for kind in ("identify", "page", "screen", "group", "alias"):
        response = collector.post(
            f"/v1/{kind}", {"userId": "u", "traits": {"email": "canary@example.org"}, "context": {"ip": "192.0.2.77"}}
        )
        assert 200 == response.status_code

    assert {"outside the plan: type": 5} == collector.reasons()
    collector.stop()
    assert b"canary@example.org" not in collector.bytes_on_disk()
    assert b"192.0.2.77" not in collector.bytes_on_disk()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b'{"batch": {}}', 400),
        (b"{}", 400),
        (b"\xff\xfe", 400),
        (b"[" * 200_000, 400),
        (b'{"batch": [' + b"1," * 300_000 + b"1]}", 413),
        (b'{"batch": [' + b"1," * 2_600 + b"1]}", 413),
        (b" " * 3_000_000, 413),
    ],
    ids=["cut", "empty", "list", "text", "no list", "no batch", "not UTF-8", "deep", "large", "many", "huge"],
)
def test_a_bad_body_is_refused_for_good_with_a_problem_that_sdks_can_read(shared: Collector, body: bytes, status: int) -> None:
    response = shared.post("/v1/batch", body)
    problem = response.json()

    assert status == response.status_code
    assert REFUSED == response.headers["content-type"]
    assert problem["success"] is False
    assert problem["status"] == status
    assert problem["code"]
    assert problem["message"]


def test_a_single_event_over_32_kb_is_refused(shared: Collector) -> None:
    assert 413 == shared.post("/v1/track", run_event(padding="x" * 33_000)).status_code


@pytest.mark.parametrize("key", ["", "acme.wrong", "nobody.secret", None, "acme."])
def test_an_unknown_or_missing_write_key_is_refused(shared: Collector, key: str | None) -> None:
    response = shared.post("/v1/batch", {"batch": [run_event()]}, key=key)

    assert 401 == response.status_code
    assert REFUSED == response.headers["content-type"]
    assert 0 == shared.stored


def test_a_gzip_bomb_costs_no_memory_and_is_refused(collector: Collector) -> None:
    assert collector.process is not None
    engine = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(engine.compress(b" " * 1_000_000) for _ in range(400)) + engine.flush()
    before = _peak_memory(collector.process.pid)

    response = collector.post("/v1/batch", bomb, headers={"Content-Encoding": "gzip"})

    assert 413 == response.status_code
    assert _peak_memory(collector.process.pid) - before < 100_000_000


def _peak_memory(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b'{"batch": []}')[:-9]], ids=["other", "cut"])
def test_a_broken_gzip_body_is_refused(shared: Collector, body: bytes) -> None:
    assert 400 == shared.post("/v1/batch", body, headers={"Content-Encoding": "gzip"}).status_code


def test_a_body_that_ends_early_leaves_the_service_well(collector: Collector) -> None:
    host, port = urlsplit(collector.url).hostname, urlsplit(collector.url).port
    with socket.create_connection((host, port)) as connection:
        connection.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")

    assert 200 == collector.post("/v1/batch", {"batch": [run_event()]}).status_code


def test_unknown_addresses_and_methods_are_problems_and_never_redirects(shared: Collector) -> None:
    answers = [shared.post("/v1/nothing", {}), shared.post("/v1/batch/x", {}), shared.http.get(shared.url + "/v1/batch")]

    assert [404, 404, 405] == [answer.status_code for answer in answers]
    assert {REFUSED} == {answer.headers["content-type"] for answer in answers}


def test_health_says_alive_and_ready(shared: Collector) -> None:
    assert 200 == shared.http.get(shared.url + "/livez").status_code
    assert 200 == shared.http.get(shared.url + "/readyz").status_code


def test_malformed_events_do_not_cost_their_neighbours_anything(collector: Collector) -> None:
    nameless = {name: value for name, value in run_event().items() if name != "userId"}
    typeless = {name: value for name, value in run_event().items() if name != "type"}
    collector.send(run_event(), 7, None, {}, [], nameless, typeless, {"type": 3}, run_event(padding="x" * 40_000), run_event())  # type: ignore[arg-type]

    assert 2 == collector.stored
    assert {
        "malformed: message": 3,
        "malformed: type": 3,
        "neither userId nor anonymousId": 1,
        "larger than 32 KB": 1,
    } == collector.reasons()
