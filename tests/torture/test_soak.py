"""Hours are not tried, half an hour is: `make test-slow SOAK_MINUTES=30 T=tests/torture/test_soak.py`. Without it, five minutes.

Memory of the service under full load must not grow: the slope of its resident set over the last two thirds of the time is printed,
and from 30 minutes on it is less than 1 MB a minute. In a shorter time the engine's caches still fill.
"""

import contextlib
import http.client
import json
import os
import re
import statistics
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.collector.support import KEY, Collector, run_event

_MINUTES = float(os.environ.get("SOAK_MINUTES", "5"))
_HEADERS = {"Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode(), "Content-Type": "application/json"}
_BATCH = 100


def _bodies() -> Iterator[bytes]:
    """Batches of new events of new and old installations, made cheaply, so that the service is what is loaded."""
    event = json.dumps(run_event(user="USER", message="MESSAGE"))
    users = [str(uuid.uuid4()) for _ in range(2_000)]
    number = 0
    while True:
        parts = []
        for _ in range(_BATCH):
            number += 1
            parts.append(event.replace("USER", users[number % len(users)]).replace("MESSAGE", uuid.uuid4().hex))
        yield b'{"batch": [' + ",".join(parts).encode() + b"]}"


class _Sender(threading.Thread):
    def __init__(self, url: str, until: float) -> None:
        super().__init__()
        self.sent = 0
        self.later = 0
        self._port = urlsplit(url).port
        self._until = until

    def run(self) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            for body in _bodies():
                while not self._acknowledged(connection, body):
                    self.later += 1
                self.sent += _BATCH
                if time.monotonic() > self._until:
                    return

    def _acknowledged(self, connection: http.client.HTTPConnection, body: bytes) -> bool:
        connection.request("POST", "/v1/batch", body, _HEADERS)
        response = connection.getresponse()
        response.read()
        return response.status == 200


def _megabytes(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


@pytest.mark.slow
@pytest.mark.timeout(_MINUTES * 60 + 300)
def test_memory_does_not_grow_under_full_load(collector: Collector, record_property: Callable[[str, object], None]) -> None:
    assert collector.process is not None
    began = time.monotonic()
    senders = [_Sender(collector.url, began + _MINUTES * 60) for _ in range(16)]
    for sender in senders:
        sender.start()
    samples: list[tuple[float, float]] = []
    while any(sender.is_alive() for sender in senders):
        time.sleep(min(10, _MINUTES * 2))
        samples.append(((time.monotonic() - began) / 60, _megabytes(collector.process.pid)))
    late = [sample for sample in samples if sample[0] > _MINUTES / 3]
    slope = statistics.linear_regression(*zip(*late, strict=True)).slope
    sent = sum(sender.sent for sender in senders)
    minutes = [f"{memory:.0f}" for at, (_, memory) in enumerate(samples) if at % max(1, len(samples) // 30) == 0]
    figures = (
        f"{_MINUTES:g} minutes, {sent:,} events, {sent / _MINUTES / 60:,.0f} a second, told to wait {sum(s.later for s in senders)} times;"
        f" memory {samples[0][1]:.0f} MB at first, {samples[-1][1]:.0f} at the end, most {max(m for _, m in samples):.0f},"
        f" slope of the last {_MINUTES * 2 / 3:.0f} minutes {slope:+.2f} MB a minute; in between {' '.join(minutes)}"
    )
    record_property("figures", figures)
    assert sent == collector.stored
    assert max(most for _, most in samples) < 1_000, figures
    assert _MINUTES < 30 or slope < 1, figures
