"""What a request and a connection may be: large, deep, slow and many. What goes beyond is refused with a reason, and nobody else notices."""

import contextlib
import gzip
import http.client
import json
import resource
import socket
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.collector.support import KEY, Collector, run_event

# Bodies


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector whose limits of time are short, for tests that leave nothing behind in it."""
    collector = Collector(tmp_path_factory.mktemp("limits"))
    collector.environment |= {
        "INNERLOOP_COLLECTOR_LIMITS_HEADER_SECONDS": "1.5",
        "INNERLOOP_COLLECTOR_LIMITS_IDLE_SECONDS": "3",
        "INNERLOOP_COLLECTOR_LIMITS_CONNECTIONS": "200",
    }
    try:
        yield collector.start_with()
    finally:
        collector.close()


def test_a_gzip_bomb_is_refused_and_costs_little_memory(limits: Collector) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(300)) + packer.flush()  # 300 KB of 300 MB
    before = peak_memory(limits)
    refused = limits.post("/v1/batch", bomb, headers={"Content-Encoding": "gzip"})
    twice = limits.post("/v1/batch", gzip.compress(bomb), headers={"Content-Encoding": "gzip, gzip"})

    assert (413, 415) == (refused.status_code, twice.status_code)
    assert peak_memory(limits) - before < 20_000_000
    limits.send(run_event())


def peak_memory(collector: Collector) -> int:
    """The most memory that the service has had, in bytes."""
    assert collector.process is not None
    with open(f"/proc/{collector.process.pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


@pytest.mark.parametrize("depth", [40, 500, 900, 950, 960, 970, 980, 990, 1_000, 1_010, 20_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_what_lies_deep_is_refused_and_crashes_nothing(limits: Collector, depth: int, opening: str, closing: str) -> None:
    deep = opening * depth + "1" + closing * depth
    event = json.dumps(run_event(properties=0)).replace('"type"', f'"deep": {deep[:400_000] if len(deep) > 400_000 else deep}, "type"', 1)
    for path, body in (("/v1/batch", f'{{"batch": [{event}]}}'), ("/v1/track", event), ("/v1/forget", f'{{"ids": [{deep}]}}')):
        refused = limits.post(path, body.encode())
        assert refused.status_code in (400, 413), refused.text


def test_what_lies_as_deep_as_an_event_of_today_is_fine(limits: Collector) -> None:
    event = run_event()
    event["context"] = {"library": {"name": "x"}, "page": {"a": [{"b": [1]}]}}
    limits.send(event)


@pytest.mark.parametrize(("path", "most"), [("/session", 4_096), ("/admin/v1/call", 2_000_000), ("/v1/batch", 512_000)])
def test_a_length_that_is_not_the_bodys_lets_no_more_in(limits: Collector, path: str, most: int) -> None:
    """Beside `chunked` a length says nothing, and whoever sends may say any."""
    operator = (limits.data / "admin-token").read_text().strip()
    authorization = f"Basic {b64encode(f'{KEY}:'.encode()).decode()}" if path == "/v1/batch" else f"Bearer {operator}"
    lines = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"%x\r\n%b\r\n" % (100_000, b" " * 100_000)
    before = peak_memory(limits)
    with connect(limits) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(lines.encode())
        connection.sendall(piece * 600)
        connection.sendall(b"0\r\n\r\n")
    assert peak_memory(limits) - before < 20_000_000
    with connect(limits) as connection:
        connection.sendall(lines.encode() + b"%x\r\n%b\r\n" % (most + 1, b" " * (most + 1)) + b"0\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


# Connections


def connect(collector: Collector) -> socket.socket:
    host, _, port = collector.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def head(length: int, more: str = "") -> bytes:
    key = b64encode(f"{KEY}:".encode()).decode()
    return f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def answer(connection: socket.socket) -> bytes:
    """What comes until the other side closes. An answer that ends in a reset is none: many clients never see it."""
    got = b""
    while part := connection.recv(65_536):
        got += part
    return got


def test_a_megabyte_of_headers_is_refused_and_its_sender_can_read_that(limits: Collector) -> None:
    for lines in (b"X: " + b"x" * 1_000_000 + b"\r\n", b"X: y\r\n" * 170_000):
        with connect(limits) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")
            try:
                said = answer(connection)
            except ConnectionResetError:
                said = b"a reset"
        assert said.startswith(b"HTTP/1.1 431 "), said
        assert b'"code": "too_large"' in said


def test_a_header_that_arrives_in_one_piece_is_bounded_too(limits: Collector) -> None:
    """The parser bounds only what is incomplete, and a whole header of 20 KB arrives in one read, or in two."""
    with connect(limits) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 431 ")
    with connect(limits) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 10_000)
        time.sleep(0.2)
        connection.sendall(b"x" * 10_000 + b"\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 431 ")


def test_a_request_of_two_lengths_is_the_last_of_its_connection(limits: Collector) -> None:
    """A proxy that goes by the other length would take what follows for somebody else's request."""
    hidden = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(limits) as connection:
        connection.sendall(head(5 + len(hidden), "Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n" + hidden)
        said = answer(connection)
    assert said.startswith(b"HTTP/1.1 400 "), said
    assert 1 == said.count(b"HTTP/1.1 ")
    assert b"connection: close" in said.lower()


def test_a_header_of_a_usual_size_is_fine_however_it_is_cut(limits: Collector) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"x" * 8_000 + b"\r\n\r\n"
    with connect(limits) as connection:
        for start in range(0, len(request), 1_000):
            connection.sendall(request[start : start + 1_000])
            time.sleep(0.01)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")


def test_what_is_not_http_is_told_so_in_our_own_words(limits: Collector) -> None:
    with connect(limits) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert b'"code": "invalid_request"' in answer(connection)


def test_a_header_that_comes_slowly_ends_and_others_do_not_wait_for_it(limits: Collector) -> None:
    began = time.monotonic()
    with connect(limits) as slow, connect(limits) as silent:
        slow.settimeout(0.2)
        said = b""
        while time.monotonic() - began < 8 and not said:
            slow.sendall(b"G" if not said and time.monotonic() - began < 0.1 else b"E")
            limits.send(run_event())
            with contextlib.suppress(TimeoutError):
                said = slow.recv(65_536)
        took = time.monotonic() - began
        assert said.startswith(b"HTTP/1.1 503 "), said
        assert b"Retry-After: " in said
        assert 1.5 <= took < 6
        try:
            ended: bytes | None = answer(silent)
        except TimeoutError:
            ended = None
        assert b"" == ended, "who says nothing is closed without a word"
        assert 3 <= time.monotonic() - began < 9


def test_a_body_that_comes_too_slowly_ends(limits: Collector) -> None:
    began = time.monotonic()
    with connect(limits) as slow, connect(limits) as steady:
        slow.sendall(head(100_000))
        body = json.dumps({"batch": [run_event()]}).encode()
        body += b" " * (12_000 - len(body))
        steady.sendall(head(len(body)))
        slow.settimeout(0.1)
        said, sent = b"", 0
        while time.monotonic() - began < 20 and not said:
            slow.sendall(b"x" * 10)  # some 100 bytes a second
            steady.sendall(body[sent : sent + 150])  # some 1,500
            sent += 150
            with contextlib.suppress(TimeoutError):
                said = slow.recv(65_536)
        assert said.startswith(b"HTTP/1.1 503 "), said
        assert 5 <= time.monotonic() - began < 15
        steady.sendall(body[sent:])
        steady.settimeout(10)
        assert steady.recv(65_536).startswith(b"HTTP/1.1 200 "), "slow is not too slow"


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192) if hard != resource.RLIM_INFINITY else 8_192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("begun", [b"", b"POST /v1/batch HTTP/1.1\r\nHost:"], ids=["idle", "half a header"])
def test_two_thousand_connections_keep_nobody_out(limits: Collector, many_files: None, begun: bytes) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(2_000):
            one = stack.enter_context(connect(limits))
            with contextlib.suppress(ConnectionError):
                one.sendall(begun)
            if number % 500 == 0:
                limits.send(run_event())
        limits.send(run_event())
        assert connections(limits) <= 201
    assert 'innerloop_connections_turned_away_total{reason="idle"} 0.0' not in limits.http.get(limits.url + "/metrics").text
    limits.send(run_event())


def test_who_has_sent_something_keeps_its_connection_while_strangers_crowd_in(limits: Collector, many_files: None) -> None:
    with contextlib.ExitStack() as stack:
        known = http.client.HTTPConnection("127.0.0.1", int(limits.url.rpartition(":")[2]), timeout=20)
        stack.callback(known.close)
        assert asks(known) == 200
        for _ in range(300):
            stack.enter_context(connect(limits))
        limits.send(run_event())  # by now the service has seen them all
        assert asks(known) == 200


def asks(connection: http.client.HTTPConnection) -> int:
    """The status of one more request on a connection, which is opened once only; 0 where it was closed."""
    try:
        connection.request("GET", "/livez")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return 0
    return response.status


def connections(collector: Collector) -> int:
    """How many connections the service has open, by what the kernel says."""
    assert collector.process is not None
    port = f":{int(collector.url.rpartition(':')[2]):04X}"
    with open(f"/proc/{collector.process.pid}/net/tcp") as file:
        rows = [line.split() for line in file][1:]
    return sum(row[1].endswith(port) and row[3] == "01" for row in rows)  # 01: established


def test_where_all_connections_are_at_work_one_more_is_told_to_come_back(limits: Collector) -> None:
    with contextlib.ExitStack() as stack:
        at_work: list[socket.socket] = []
        while len(at_work) < 200:
            at_work.append(one := stack.enter_context(connect(limits)))
            one.sendall(head(1_000, "Expect: 100-continue\r\n"))
            assert one.recv(65_536).startswith(b"HTTP/1.1 100 ")
        with connect(limits) as one_more:
            said = answer(one_more)
        assert said.startswith(b"HTTP/1.1 503 "), said
        assert b"Retry-After: " in said
        for one in at_work:
            one.sendall(b" " * 1_000)
            assert one.recv(65_536).startswith(b"HTTP/1.1 400 ")
    limits.send(run_event())
