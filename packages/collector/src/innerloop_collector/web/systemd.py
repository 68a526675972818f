"""Tells systemd how the service is, as sd_notify(3) does: one datagram to $NOTIFY_SOCKET. May import: the standard library.

Does nothing where there is no systemd.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping


class Notifier:
    """The supervisor's ear."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = environ.get("WATCHDOG_USEC", "")
        self._patience = int(wanted) / 1_000_000 if mine and wanted.isdigit() else 0.0

    def ready(self) -> None:
        """The service listens."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The service drains and ends."""
        self._say("STOPPING=1")

    async def keep_alive(self, healthy: Callable[[], bool]) -> None:
        """Feed the watchdog for as long as the service does its work. Runs until it is cancelled, or returns where nobody watches."""
        while self._patience:
            if healthy():
                self._say("WATCHDOG=1")
            await asyncio.sleep(self._patience / 3)

    def _say(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ear:
                ear.connect(address)
                ear.sendall(text.encode())
        except OSError:
            pass  # nobody listens any more: that is no reason to stop
