"""A client of SMTP whose server may be anybody: its replies have a bound of time and one of bytes, as a whole."""

import errno
import os
import smtplib
import socket
import ssl
import time
from typing import Any

from innerloop_collector.http.name_lookups import addresses

_MOST_BYTES = 65_536  # of all replies together


class _Limits:
    """What is left to a server."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._bytes = _MOST_BYTES

    def seconds(self) -> float:
        """Seconds until it must be done. Raises TimeoutError where there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return left

    def take(self, count: int) -> None:
        """Count what it said. Raises OSError where that is too much."""
        self._bytes -= count
        if self._bytes < 0:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))


class _Replies:
    """Reads lines of replies. What smtplib takes for the socket's file."""

    def __init__(self, sock: socket.socket, limits: _Limits) -> None:
        self._sock = sock
        self._limits = limits
        self._read = b""

    def readline(self, most: int) -> bytes:
        """The next line, or the beginning of one that is longer. Empty: the server left."""
        while b"\n" not in self._read[:most] and len(self._read) < most:
            self._sock.settimeout(self._limits.seconds())
            piece = self._sock.recv(4_096)
            if not piece:
                break
            self._limits.take(len(piece))
            self._read += piece
        end = self._read.find(b"\n", 0, most) + 1 or most
        line, self._read = self._read[:end], self._read[end:]
        return line

    def close(self) -> None:
        """The socket is closed by who opened it."""


class BoundedSmtp(smtplib.SMTP):
    """A connection that ends in time, by STARTTLS or without TLS."""

    def __init__(self, host: str, port: int, seconds: float, **options: Any) -> None:
        self._limits = _Limits(seconds)
        super().__init__(host, port, _own_name(), timeout=seconds, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:  # noqa: ARG002 (smtplib's: of each address; ours is of all)
        """Connect to the first address of the host that can be reached. Raises OSError."""
        failed: OSError | None = None
        for address in addresses(host, port, self._limits.seconds()):
            try:
                return super()._get_socket(address, port, self._limits.seconds())  # type: ignore[misc]
            except TimeoutError:
                raise
            except OSError as error:
                failed = error
        raise failed or OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply within the bounds."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock, self._limits)
        return super().getreply()

    def send(self, s: Any) -> None:
        """Send within the time that is left."""
        if self.sock is not None:
            self.sock.settimeout(self._limits.seconds())
        super().send(s)


class BoundedSmtpByTls(BoundedSmtp, smtplib.SMTP_SSL):
    """The same by TLS from the first byte."""


def connect(host: str, port: int, tls: str, seconds: float) -> BoundedSmtp:
    """Open a connection to a mail server, whose certificate the system must trust. Raises smtplib.SMTPException and OSError."""
    if tls == "tls":
        return BoundedSmtpByTls(host, port, seconds, context=ssl.create_default_context())
    opened = BoundedSmtp(host, port, seconds)
    if tls == "starttls":
        try:
            opened.starttls(context=ssl.create_default_context())
        except BaseException:
            opened.close()
            raise
    return opened


def _own_name() -> str:
    """How we greet a server: asking the network for our name may take for ever."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
