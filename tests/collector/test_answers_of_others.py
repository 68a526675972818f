"""Whoever answers in a collector's place, or in that of another service, takes no more of ours than a bound of time and bytes."""

import resource
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from innerloop_collector.cli.connection import call_remote
from innerloop_collector.cli.remote import Remote
from innerloop_collector.errors import CollectorError
from innerloop_collector.http.bounded_client import Bounds
from tests.collector.support import COMMAND, Collector

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n"
_MEMORY = 2 << 30  # bytes of addresses: less than what is sent, more than a command takes


@pytest.fixture
def answering() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Makes services that answer whatever they are asked in a way of their own; their addresses."""
    servers: list[socket.socket] = []

    def make(answer: Callable[[socket.socket], None]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def work() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.recv(1 << 20)
                        answer(connection)

        threading.Thread(target=work, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield make
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def without_end(connection: socket.socket) -> None:
    """A body of 4 GB."""
    connection.sendall(_HEAD)
    for _ in range(4096):
        connection.sendall(b"x" * (1 << 20))


def a_byte_at_a_time(connection: socket.socket) -> None:
    """A body that takes 30 seconds, and never pauses for long."""
    connection.sendall(_HEAD)
    _drip(connection)


def headers_a_byte_at_a_time(connection: socket.socket) -> None:
    """Headers of that kind."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _drip(connection)


def _drip(connection: socket.socket) -> None:
    for _ in range(300):
        connection.sendall(b"x")
        time.sleep(0.1)


def test_an_answer_without_an_end_is_one_clear_error_and_takes_no_memory(idle: Collector, answering: Callable[..., str]) -> None:
    url = answering(without_end)
    done = subprocess.run(
        [*COMMAND, "check", "--url", url],
        env={**idle.environment, "INNERLOOP_COLLECTOR_TOKEN": "t" * 40},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    said = f"innerloop-collector: {url} answers, but its answer has more than 67108864 bytes; check the address\n"
    assert (1, "", said) == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("answer", [a_byte_at_a_time, headers_a_byte_at_a_time])
def test_an_answer_may_take_its_time_as_a_whole_and_no_longer(answering: Callable[..., str], answer: Callable[..., None]) -> None:
    url = answering(answer)
    began = time.monotonic()
    with pytest.raises(CollectorError) as found:
        call_remote(Remote(url, "t" * 40), "check", {}, Bounds(seconds=1, most=1000))

    assert f"{url} does not answer: no whole answer within 1 s; check the address" == str(found.value)
    assert time.monotonic() - began < 5
