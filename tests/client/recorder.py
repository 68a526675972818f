"""A small HTTP server that keeps the bytes of every request, and answers or fails as a test wants it to."""

import contextlib
import gzip
import json
import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

LONGEST_HOLD = 60  # s that a connection is held that is never answered
ANSWER, CUT, HOLD, DRIP = "answer", "cut", "hold", "drip"


class Reply(NamedTuple):
    """How a request is answered: with a status, by cutting the connection, not at all, or a byte at a time."""

    status: int = 200
    headers: dict[str, str | None] = {}  # noqa: RUF012 (nobody changes it); None takes the usual Content-Type away
    body: bytes = b'{"success":true}'
    how: str = ANSWER
    wait: float = 0  # s before anything is sent back


class Request(NamedTuple):
    """One request, as it came."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.partition(b"\r\n")[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}

    @property
    def key(self) -> str:
        """The write key: the user name of Basic authentication."""
        return b64decode(self.headers["authorization"].removeprefix("Basic ")).decode().removesuffix(":")

    @property
    def content(self) -> bytes:
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.content)
        return document

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.document["batch"]) if "/v1/batch" in self.line else []


class Recorder:
    """The server. It listens from its creation until `close`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.replies: list[Reply] = []  # for the next requests, in this order; then `usually`
        self.usually: Callable[[Request], Reply] = lambda _: Reply()
        self.closing = threading.Event()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event of every request, refused ones too."""
        return [event for request in self.requests for event in request.events]

    @property
    def bytes(self) -> bytes:
        """Everything that ever arrived, unpacked."""
        return b"\n".join(request.head + b"\n" + request.content for request in self.requests)

    def will(self, *replies: Reply) -> Self:
        """Answer the next requests like this, in this order."""
        self.replies.extend(replies)
        return self

    def always(self, reply: Reply | Callable[[Request], Reply]) -> Self:
        """Answer like this from now on."""
        self.usually = reply if callable(reply) else lambda _: reply
        return self

    def speak_tls(self, certificate: Path) -> None:
        """Speak TLS from now on, with a certificate and its key out of one file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        accept = self._server.get_request

        def get_request() -> Any:
            connection, address = accept()
            return context.wrap_socket(connection, server_side=True), address

        self._server.get_request = get_request  # type: ignore[method-assign]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                recorder.connections += 1
                with contextlib.suppress(OSError):
                    request = read(self.rfile)
                    if request is not None:
                        recorder.requests.append(request)
                        recorder._answer(request, self.wfile)

        return Handler

    def _answer(self, request: Request, out: Any) -> None:
        reply = self.replies.pop(0) if self.replies else self.usually(request)
        self.closing.wait(reply.wait)
        if reply.how == CUT:
            return
        if reply.how == HOLD:
            self.closing.wait(LONGEST_HOLD)
            return
        usual = {"Content-Length": str(len(reply.body)), "Connection": "close", "Content-Type": "application/json"}
        headers = {name: value for name, value in {**usual, **reply.headers}.items() if value is not None}
        lines = [f"HTTP/1.1 {reply.status} Status", *(f"{name}: {value}" for name, value in headers.items())]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode() + reply.body
        if reply.how == DRIP:
            for at in range(len(data)):
                out.write(data[at : at + 1])
                if self.closing.wait(0.5):
                    return
        out.write(data)


def read(stream: Any) -> Request | None:
    """Read one request; None where the other side hung up before it was complete."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    request = Request(head.removesuffix(b"\r\n\r\n"), b"")
    length = int(request.headers.get("content-length", "0"))
    body = stream.read(length)
    return request._replace(body=body) if len(body) == length else None
