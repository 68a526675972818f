"""The guard of the sockets: how many connections there may be, how long a header may take, how slowly a body may come.

uvicorn bounds none of these. All connections are looked at once a second, so that a request costs no timer of its own.
Addresses are never asked for.
"""

import asyncio
import http
import json
import resource
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from innerloop_collector.config.configuration import Limits

_LOOK_SECONDS = 1.0
_GRACE_SECONDS = 5.0  # of a body, before its rate counts
_LINGER_SECONDS = 2.0  # how long is listened to a sender who was refused, so that it reads our answer instead of a reset
_STUCK_SECONDS = 30.0  # how long an answer may wait for its reader
_TOLD_SECONDS = 60.0  # between two lines of the log
_OTHER_FILES = 512  # that the store may have open beside the connections
_log = structlog.get_logger()

_ANSWERS = {  # code -> status, title, detail
    "invalid_request": (400, "Bad request", "this is not HTTP"),
    "too_large": (431, "Request header fields too large", "the header of a request is too large"),
    "too_slow": (503, "Too slow", "the request came too slowly; send it again"),
    "overloaded": (503, "Service unavailable", "there are too many connections; try again later"),
}
_CLOSE = (b"connection", b"close")


class Guard:
    """What all connections of a service share."""

    def __init__(self, limits: Limits, count: Callable[[str], None]) -> None:
        """`count` is told what was exceeded, each time."""
        self.limits = limits
        self._count = count
        self._exceeded: Counter[str] = Counter()
        self.held: dict[GuardedProtocol, None] = {}
        self.strangers: dict[GuardedProtocol, float] = {}  # that have not asked for anything yet, since when; the longest first
        self.resting: dict[GuardedProtocol, float] = {}  # that may ask for more, since when; the longest first
        self.sending: set[GuardedProtocol] = set()  # the body is under way
        self.leaving: dict[GuardedProtocol, float] = {}  # refused, since when
        self._looking = False
        self._told: Counter[str] = Counter()
        self._told_at = 0.0

    def protocol(self) -> "type[GuardedProtocol]":
        """The protocol that uvicorn is to use."""
        return type("Guarded", (GuardedProtocol,), {"guard": self})

    def turn_away(self, why: str) -> None:
        """Note that a connection went beyond a limit."""
        self._exceeded[why] += 1
        self._count(why)

    def admit(self, new: "GuardedProtocol") -> bool:
        """Take a connection in. Where there is no room, one that has asked for nothing makes some: strangers first."""
        self._keep_looking(new.loop)
        if len(self.held) >= self.limits.connections:
            oldest = next(iter(self.strangers or self.resting), None)
            if oldest is None:
                self.turn_away("connections")
                return False
            self.turn_away("idle")
            oldest.leave()
        self.held[new] = None
        self.strangers[new] = new.loop.time()
        return True

    def sort(self, one: "GuardedProtocol", now: float) -> None:
        """Put a connection where its state says that it belongs."""
        state = one.conn.their_state
        if state is not h11.IDLE:
            self.strangers.pop(one, None)
            self.resting.pop(one, None)
        elif one not in self.strangers:
            self.resting.setdefault(one, now)
        if state is h11.SEND_BODY:
            self.sending.add(one)
        else:
            self.sending.discard(one)

    def forget(self, one: "GuardedProtocol") -> None:
        """A connection ended."""
        self.held.pop(one, None)
        self.strangers.pop(one, None)
        self.resting.pop(one, None)
        self.sending.discard(one)
        self.leaving.pop(one, None)

    def _keep_looking(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._looking:
            self._looking = True
            loop.call_later(_LOOK_SECONDS, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at every connection once."""
        now = loop.time()
        for one, since in [*self.strangers.items(), *self.resting.items()]:
            self._look_at_header(one, since, now)
        for one in list(self.sending):
            if one.too_slow(now):
                self._refuse(one, "body rate")
        for one, since in list(self.leaving.items()):
            if now - since > _LINGER_SECONDS:
                one.transport.abort()
        for one in list(self.held):
            if one.stuck(now):
                self.turn_away("unread answer")
                one.transport.abort()
        self._tell(now)
        self._looking = False
        if self.held or self.leaving:
            self._keep_looking(loop)

    def _look_at_header(self, one: "GuardedProtocol", since: float, now: float) -> None:
        begun = one.header_begun(now)
        if begun is not None and now - begun > self.limits.header_seconds:
            self._refuse(one, "header time")
        elif begun is None and now - since > self.limits.idle_seconds:
            one.leave()

    def _refuse(self, one: "GuardedProtocol", why: str) -> None:
        self.turn_away(why)
        one.refuse("too_slow")

    def _tell(self, now: float) -> None:
        """Say in the log, at most once a minute, how often what was exceeded."""
        new = self._exceeded - self._told
        if new and now - self._told_at >= _TOLD_SECONDS:
            self._told, self._told_at = self._exceeded.copy(), now
            _log.warning("connections turned away", **{why.replace(" ", "_"): count for why, count in new.items()})


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, within the guard's bounds."""

    guard: Guard

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._header_since: float | None = None
        self._header_bytes = 0
        self._body_since = 0.0
        self._body_bytes = 0
        self._unread_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say that there are too many."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        if not self.guard.admit(self):
            transport.write(_answer("overloaded"))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.guard.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Give what came to the parser. Of a header never more at once than one may have: the parser bounds only what is incomplete."""
        if self in self.guard.leaving or self.transport.is_closing():
            return
        now = self.loop.time()
        if self.conn.their_state is h11.IDLE and self._header_since is None:
            self._header_since = now
        rest = memoryview(data)
        while rest and not self.transport.is_closing() and self not in self.guard.leaving:
            size = self._size_of_next(len(rest))
            super().data_received(bytes(rest[:size]))
            rest = rest[size:]
        self._note(len(data), now)

    def _size_of_next(self, available: int) -> int:
        """How many bytes the parser may get now: of a header one more than it may have, so that it complains."""
        if self.conn.their_state is not h11.IDLE:
            return available
        size = min(available, max(self.guard.limits.header_bytes + 1 - self._header_bytes, 1))
        self._header_bytes += size
        return size

    def on_response_complete(self) -> None:
        """An answer was written: the next request may begin."""
        super().on_response_complete()
        self._note(0, self.loop.time())

    def _note(self, size: int, now: float) -> None:
        """Remember how far the request is."""
        state = self.conn.their_state
        if state is not h11.IDLE:
            self._header_since, self._header_bytes = None, 0
        if state is h11.SEND_BODY and self in self.guard.sending:
            self._body_bytes += size
        elif state is h11.SEND_BODY:
            self._body_since, self._body_bytes = now, size
        if self in self.guard.held and self not in self.guard.leaving:
            self.guard.sort(self, now)
        self._close_where_lengths_differ()

    def _close_where_lengths_differ(self) -> None:
        """End with this request where it names two lengths: a proxy may believe the other one, and what follows would be somebody else's.

        RFC 9112, 6.1. The parser goes by Transfer-Encoding.
        """
        names = {name for name, _ in self.headers or ()}
        if {b"content-length", b"transfer-encoding"} <= names and _CLOSE not in self.headers:
            self.headers.append(_CLOSE)

    def header_begun(self, now: float) -> float | None:
        """When the header that is not complete yet began to come. None: nothing of it has come."""
        if self._header_since is None and self.conn.trailing_data[0]:  # left over from the request before
            self._header_since = now
        return self._header_since

    def too_slow(self, now: float) -> bool:
        """Tell whether a body comes more slowly than it must. While we do not read, that is not the sender's fault."""
        if self.flow.read_paused:
            self._body_since, self._body_bytes = now, 0
        seconds = now - self._body_since
        return seconds > _GRACE_SECONDS and self._body_bytes < seconds * self.guard.limits.bytes_per_second

    def stuck(self, now: float) -> bool:
        """Tell whether an answer is not read."""
        if not self.transport.get_write_buffer_size():
            self._unread_since = None
            return False
        self._unread_since = self._unread_since or now
        return now - self._unread_since > _STUCK_SECONDS

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text; ours says more
        """Refuse what the parser cannot read."""
        error = sys.exception()
        large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431
        self.guard.turn_away("header size" if large else "not HTTP")
        self.refuse("too_large" if large else "invalid_request")

    def refuse(self, code: str) -> None:
        """Answer instead of the application, and read on for a moment so that the answer arrives."""
        if self.transport.is_closing() or self in self.guard.leaving:
            return
        cycle: RequestResponseCycle | None = self.cycle
        if (cycle and cycle.response_started and not cycle.response_complete) or not self.transport.can_write_eof():
            self.transport.abort()
            return
        self.transport.write(_answer(code))
        self.transport.write_eof()
        self.transport.resume_reading()
        self.guard.forget(self)
        self.guard.leaving[self] = self.loop.time()
        self._disconnect()

    def leave(self) -> None:
        """Close a connection on which nothing is under way."""
        self.guard.forget(self)
        self.transport.close()

    def _disconnect(self) -> None:
        """Tell the application that nobody waits for its answer."""
        self._unset_keepalive_if_required()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()


def _answer(code: str) -> bytes:
    status, title, detail = _ANSWERS[code]
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "success": False, "code": code, "message": detail}
    content = json.dumps(body).encode()
    retry = "Retry-After: 5\r\nX-RateLimit-Reset: 5\r\n" if status == http.HTTPStatus.SERVICE_UNAVAILABLE else ""
    head = f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(content)}\r\n{retry}Connection: close\r\n\r\n"
    return head.encode() + content


def raise_file_limit(connections: int) -> None:
    """Raise the number of files that this process may have open, as far as it is allowed to. Says so where that is too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        _log.warning("too few files may be open for so many connections", connections=connections, files=hard)
        wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
