"""Why a destination does not answer is said in words: no class of Python's, no address."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from innerloop_collector.config.configuration import Destination
from innerloop_collector.exporters.address import check
from innerloop_collector.exporters.failures import SendError
from innerloop_collector.exporters.record import Record, Sender, Taken
from innerloop_collector.exporters.senders import open_sender
from tests.destinations.receivers import Receiver
from tests.destinations.support import SECRET
from tests.needs import need

KINDS = ("newrelic", "segment", "otlp")
RUN = Record(1, datetime.now(UTC).date(), "shop", "run", "shop.run", datetime.now(UTC), {}, {}, "message", "nobody", None, 1, 2, 0)


def opened(kind: str, endpoint: str, directory: Path) -> Sender:
    """A way to a destination that has half a second to answer."""
    key = directory / "key"
    key.write_text(SECRET)
    settings = Destination(kind=kind, recipient="x", endpoint=endpoint, key_file=str(key), timeout_seconds=0.5)  # type: ignore[arg-type]
    return open_sender(settings, check("x", settings), Taken(), lambda: datetime.now(UTC))


def failure(kind: str, endpoint: str, directory: Path) -> str:
    """Send a run to somewhere that does not take it; what is said of that."""
    sender = opened(kind, endpoint, directory)
    with contextlib.closing(sender), pytest.raises(SendError) as found:
        sender.send([RUN])
    return found.value.reason


@pytest.fixture
def listener() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Makes servers that do something to each connection; their ports."""
    servers: list[socket.socket] = []

    def make(serve: Callable[[socket.socket], None]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def work() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        serve(connection)

        threading.Thread(target=work, daemon=True).start()
        return int(server.getsockname()[1])

    yield make
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_there_and_no_such_name(kind: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert "no answer: connection refused" == failure(kind, f"http://127.0.0.1:{port}", tmp_path)
    assert "no answer: its name was not found" == failure(kind, "https://no-such-host.invalid", tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_does_not_come_in_time(kind: str, tmp_path: Path, receiver: Receiver) -> None:
    receiver.say = receiver.hang

    assert "no answer: timed out after 0.5 s" == failure(kind, receiver.url, tmp_path)


def _answering(status: str, *, pause: float) -> Callable[[socket.socket], None]:
    """Answers a request with a status and a body that never ends."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1_000_000)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 1000000000000\r\n\r\n".encode())
        until = time.monotonic() + 20
        while time.monotonic() < until:
            connection.sendall(b"x" * (1 if pause else 65536))
            time.sleep(pause)

    return serve


@pytest.mark.parametrize("kind", KINDS)
def test_of_an_answer_without_an_end_the_status_counts_and_the_rest_is_left(
    kind: str, tmp_path: Path, listener: Callable[..., int]
) -> None:
    refusing, taking = listener(_answering("401 No", pause=0)), listener(_answering("200 OK", pause=0))
    began = time.monotonic()

    assert "it answered 401; see its key and its address" == failure(kind, f"http://127.0.0.1:{refusing}", tmp_path)
    with contextlib.closing(opened(kind, f"http://127.0.0.1:{taking}", tmp_path)) as sender:
        assert 0 == sender.send([RUN])
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_comes_byte_by_byte_takes_no_longer_than_one_that_does_not_come(
    kind: str, tmp_path: Path, listener: Callable[..., int]
) -> None:
    slow = listener(_answering("200 OK", pause=0.1))

    assert "no answer: timed out after 0.5 s" == failure(kind, f"http://127.0.0.1:{slow}", tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_ends_or_says_something_else(kind: str, tmp_path: Path, listener: Callable[..., int]) -> None:
    ends = listener(lambda it: it.recv(1_000_000))
    mumbles = listener(lambda it: it.sendall(b"what?\r\n\r\n"))

    assert "no answer: it closed the connection without an answer" == failure(kind, f"http://127.0.0.1:{ends}", tmp_path)
    assert failure(kind, f"http://127.0.0.1:{mumbles}", tmp_path) in (
        "no answer: it does not speak HTTP",
        "no answer: it reset the connection",
    )
    assert "no answer: TLS failed" == failure(kind, f"https://127.0.0.1:{mumbles}", tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_nobody(kind: str, tmp_path: Path, listener: Callable[..., int]) -> None:
    openssl = need("openssl")
    made = [tmp_path / "key.pem", tmp_path / "certificate.pem"]
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=nobody", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *words, "-keyout", str(made[0]), "-out", str(made[1])], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made[1], made[0])
    port = listener(lambda it: context.wrap_socket(it, server_side=True).close())

    assert "no answer: its certificate is not trusted here" == failure(kind, f"https://127.0.0.1:{port}", tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_is_not_there(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{gone.getsockname()[1]}")

    assert "no answer: the proxy: connection refused" == failure(kind, "https://otlp.example.com", tmp_path)
