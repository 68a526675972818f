"""A proxy between an SDK and the collector that does what bad networks and busy gateways do, by seed.

It knows a batch by its first event and hurts each at most twice, since some SDKs give up after three attempts; so whatever is
missing in the end was lost by somebody and not given up.
"""

import gzip
import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

CUTS = ("cut before", "cut within", "cut after", "late", "late answer")
STATUSES = ("429", "500", "503", "500 after")
RETRIED_BY_NEW_SDKS = ("408",)
HURTS_OF_ONE_BATCH = 2
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "host")


class Answer:
    """What the collector, or the proxy in its place, answers."""

    def __init__(self, status: int, body: bytes, headers: "Sequence[tuple[str, str]]" = ()) -> None:
        self.status = status
        self.body = body
        self.headers = headers


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # SDKs for Node send everything at once


class Seen(NamedTuple):
    """A request that came."""

    path: str
    headers: dict[str, str]
    document: Any
    at: float  # seconds of the monotonic clock

    @property
    def first(self) -> Any:
        """Its first event, or whatever it is."""
        return self.document["batch"][0] if isinstance(self.document, dict) and self.document.get("batch") else self.document

    @property
    def number(self) -> int:
        """The number of its first event; -1 where it has none."""
        return int(self.first["properties"]["duration_ms"]) if isinstance(self.first, dict) else -1


class Proxy:
    """Passes requests on to a collector, except where it does something else."""

    def __init__(self, target: str, seed: int = 0, harm: Sequence[str] = (), rate: float = 0.5) -> None:
        self.done: Counter[str] = Counter()
        self.requests: list[Seen] = []
        self.instead: dict[int, Answer] = {}  # by the number of a batch's first event: answered once instead of passing it on
        self.target = target
        self._random = random.Random(seed)
        self._harm = harm
        self._rate = rate
        self._hurt: Counter[str] = Counter()
        self._guard = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                proxy._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("content-length", 0))
        first = request.rfile.read(length // 2)
        body = first + request.rfile.read(length - len(first))
        with self._guard:
            answer, what = self._choose(request, body)
        if answer is not None:
            return self._reply(request, answer)
        if what in ("cut before", "cut within"):
            if what == "cut within":
                self._begin(request, first)
            return self._cut(request)
        if what in ("429", "500", "503", "408"):
            return self._reply(request, _refusal(int(what)))
        if what == "late":
            time.sleep(0.3)
        answer = self._pass_on(request, body)
        if what == "cut after":
            return self._cut(request)
        if what == "late answer":
            time.sleep(0.3)
        return self._reply(request, _refusal(500) if what == "500 after" else answer)

    def _choose(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[Answer | None, str]:
        """What happens to a request: an answer that is set for it, else some harm, else nothing."""
        seen = Seen(request.path, dict(request.headers.items()), _read(request, body), time.monotonic())
        self.requests.append(seen)
        if seen.number in self.instead:
            return self.instead.pop(seen.number), ""
        batch = json.dumps(seen.first)
        if not self._harm or self._hurt[batch] >= HURTS_OF_ONE_BATCH or self._random.random() >= self._rate:
            return None, ""
        self._hurt[batch] += 1
        what = self._random.choice(self._harm)
        self.done[what] += 1
        return None, what

    def _begin(self, request: BaseHTTPRequestHandler, part: bytes) -> None:
        """Send half of a request to the collector and go away."""
        connection = http.client.HTTPConnection(urlsplit(self.target).netloc, timeout=30)
        connection.putrequest("POST", request.path)
        for name, value in request.headers.items():
            if name.lower() != "host":
                connection.putheader(name, value)
        connection.endheaders(part)
        connection.close()

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.target).netloc, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        try:
            connection.request("POST", request.path, body, headers)
            response = connection.getresponse()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP or name.lower() == "date"]
            return Answer(response.status, response.read(), kept)
        except OSError:
            return _refusal(502)
        finally:
            connection.close()

    def _reply(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        request.send_response_only(answer.status)
        for name, value in answer.headers:
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body)

    def _cut(self, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True


def _refusal(status: int) -> Answer:
    """What a gateway answers by itself."""
    headers = [("Content-Type", "text/html")]
    if status in (429, 503):
        headers.append(("Retry-After", "1"))
    return Answer(status, b"<html>not now</html>", headers)


def _read(request: BaseHTTPRequestHandler, body: bytes) -> Any:
    """A request's document; its text where it is none."""
    plain = gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body
    try:
        return json.loads(plain)
    except ValueError:
        return plain.decode("latin-1")
