"""Receivers of ours: they record the wire, and answer as a test wants."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WIRES: dict[str, Any] = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Answer(NamedTuple):
    """What a receiver says."""

    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 (nobody changes it)
    body: bytes = b""


class Request(NamedTuple):
    """What a receiver was sent."""

    at: float  # on the monotonic clock
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body of New Relic's and Segment's requests."""
        return json.loads(self.body)

    @property
    def message(self) -> Any:
        """The body of OTLP's requests."""
        return WIRES[self.path].FromString(self.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in it, whatever the kind: flat events, messages, or spans and metrics as JSON says them."""
        if self.path not in WIRES:
            return list(self.json["batch"] if isinstance(self.json, dict) else self.json)
        found = MessageToDict(self.message)
        return [span for resource in found.get("resourceSpans", ()) for scope in resource["scopeSpans"] for span in scope["spans"]]


class Receiver:
    """A server on the loopback interface."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.say: Callable[[Request], Answer] = lambda _: Answer()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Everything that was taken, in order; not what was answered with an error."""
        return [event for request in list(self.requests) for event in request.events]

    def hang(self, _: Request) -> Answer:
        """Never answer, until the test ends."""
        self.released.wait(60)
        return Answer(503)

    def wait_for(self, enough: Callable[["Receiver"], bool], timeout: float = 20.0) -> "Receiver":
        """Wait until something is true of it."""
        wait_until(lambda: enough(self), timeout)
        return self

    def close(self) -> None:
        """End it."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                if len(body) < length:  # its sender was killed: nobody takes half a request
                    self.close_connection = True
                    return
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                request = Request(time.monotonic(), self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                answer = receiver.say(request)
                if answer.status < 300:
                    receiver.requests.append(request)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def wait_until(true: Callable[[], Any], timeout: float = 20.0) -> None:
    """Wait until something is true. Raises AssertionError where it does not become so."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@contextmanager
def receivers(count: int) -> Iterator[list[Receiver]]:
    """Some receivers, for a while."""
    made = [Receiver() for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.close()
