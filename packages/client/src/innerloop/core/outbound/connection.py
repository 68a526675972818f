"""Open a connection: every address of a host gets its turn, through the proxy where there is one, with TLS where that is asked for.

The addresses are tried as RFC 8305 says: the next one starts a quarter of a second after the one before, or when that has failed, and
whichever answers first is taken. So an address that swallows everything costs a quarter of a second and not the whole deadline.
"""

import errno
import http.client
import os
import selectors
import socket
import ssl
import time
from typing import NamedTuple, Optional

from innerloop.core.outbound.proxies import Proxy
from innerloop.core.shared.deadline import TooLate, in_time

FAILURES = (OSError, http.client.HTTPException)  # what a network does
Response = http.client.HTTPResponse
TURN = 0.25  # s until the next address is tried as well
UNDER_WAY = (0, errno.EINPROGRESS, errno.EINTR)


class Address(NamedTuple):
    """One of a host's, as getaddrinfo(3) has it."""

    family: int
    kind: int
    protocol: int
    name: str
    place: "tuple[object, ...]"


class Refused(OSError):
    """The proxy did not let us through."""


class Connection(http.client.HTTPConnection):
    """A connection to one host, for one request."""

    def __init__(self, host: str, port: int, secure: bool, proxy: Optional[Proxy], seconds: float) -> None:
        """`seconds` bound each single step; whoever needs a bound for all of them sets an alarm."""
        super().__init__(host, port, timeout=seconds)
        self.default_port = 443 if secure else 80
        self._secure, self._proxy, self._seconds = secure, proxy, seconds

    def connect(self) -> None:
        """Connect, by the proxy and with TLS where wanted. Raises OSError."""
        to = (self._proxy.host, self._proxy.port) if self._proxy else (self.host, self.port)
        self.sock = reach(*to, self._seconds)
        self.sock.settimeout(self._seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._secure:
            if self._proxy:
                self._pass(self._proxy)
            context = ssl.create_default_context()
            context.set_alpn_protocols(["http/1.1"])
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)

    def _pass(self, proxy: Proxy) -> None:
        """Have the proxy connect us to the host itself (RFC 9110, 9.3.6)."""
        target = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        lines += [f"Proxy-Authorization: {proxy.authorization}"] if proxy.authorization else []
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        answer = http.client.HTTPResponse(self.sock, method="CONNECT")
        answer.begin()
        answer.close()
        if answer.status != http.client.OK:
            wants = ": it wants a name and a password" if answer.status == http.client.PROXY_AUTHENTICATION_REQUIRED else ""
            raise Refused(f"the proxy answered {answer.status}{wants}")


def reach(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to whichever of a host's addresses answers first. Raises OSError."""
    until = time.monotonic() + seconds
    return race(_in_turns(look_up(host, port, seconds)), until)


def look_up(host: str, port: int, seconds: float) -> "list[Address]":
    """A host's addresses. A look-up cannot be interrupted, but it can be left behind. Raises OSError."""
    try:
        return [Address(*one) for one in in_time(seconds, socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)]
    except UnicodeError as error:
        raise OSError(f"{host} is no name of a host") from error
    except TooLate:
        raise TimeoutError(f"the name {host} was not found within {seconds:.0f} s") from None


def _in_turns(addresses: "list[Address]") -> "list[Address]":
    """Addresses in the system's order of preference, but of two families one after the other."""
    first = [one for one in addresses if one.family == addresses[0].family]
    others = [one for one in addresses if one.family != addresses[0].family]
    mixed = [one for pair in zip(first, others) for one in pair]
    return mixed + first[len(others) :] + others[len(first) :]


def race(addresses: "list[Address]", until: float) -> socket.socket:
    """Connect to the first of some addresses that answers, before a moment of the monotonic clock. Raises OSError."""
    problem: OSError = TimeoutError("no address answered in time")
    waiting, turn = list(addresses), 0.0
    begun: "list[socket.socket]" = []
    with selectors.DefaultSelector() as running:
        try:
            while (waiting or running.get_map()) and time.monotonic() < until:
                if waiting and (time.monotonic() >= turn or not running.get_map()):
                    try:
                        begun.append(_begin(waiting.pop(0)))
                    except OSError as error:
                        problem = error
                        continue
                    running.register(begun[-1], selectors.EVENT_WRITE)
                    turn = time.monotonic() + TURN
                for key, _ in running.select(max(min(until, turn if waiting else until) - time.monotonic(), 0)):
                    one: socket.socket = key.fileobj  # type: ignore[assignment]
                    running.unregister(one)
                    code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        begun.remove(one)
                        return one
                    problem, turn = OSError(code, os.strerror(code)), 0.0
        finally:
            for one in begun:
                one.close()
    raise problem


def _begin(address: Address) -> socket.socket:
    one = socket.socket(address.family, address.kind, address.protocol)
    one.setblocking(False)
    code = one.connect_ex(address.place)
    if code not in UNDER_WAY:
        one.close()
        raise OSError(code, os.strerror(code))
    return one
