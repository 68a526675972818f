"""Clients that never give up: each sends a batch again and again until it is acknowledged, as the spools of real ones do."""

import http.client
import json
import random
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from tests.collector.support import KEY, Event, Owner, run_event

_HEADERS = {"Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode(), "Content-Type": "application/json"}


@dataclass
class Latest:
    """What was acknowledged."""

    good: list[str] = field(default_factory=list)  # message ids
    bad: list[str] = field(default_factory=list)  # of events outside the plan
    owners: list[Owner] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)  # of all answers
    cut: int = 0  # requests that were sent and got no answer
    slowest: float = 0.0  # answer, s
    unasked: int = 0  # answers that said "later" and not when

    @property
    def acknowledged(self) -> int:
        """How many requests were answered 200."""
        return self.statuses.get(200, 0)


class Senders:
    """Some threads with a connection each."""

    def __init__(self, port: int, threads: int = 4, events: int = 20, seed: int = 1) -> None:
        self.told = Latest()
        self._port = port
        self._events = events
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(random.Random(f"{seed}/{number}"),)) for number in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # the test has failed already
            self._give_up.set()
        self.finish()

    def finish(self) -> None:
        """Let every batch that was begun be acknowledged, and send no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, chance: random.Random) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        before: list[Event] = []
        while not self._stop.is_set():
            good, bad, owner = self._batch(chance)
            repeated = chance.sample(before, min(len(before), 2))
            self._deliver(connection, [*good, *bad, *repeated], owner)
            before = good
            with self._guard:
                self.told.good += [event["messageId"] for event in good]
                self.told.bad += [event["messageId"] for event in bad]
                self.told.owners += [owner] if owner else []
        connection.close()

    def _batch(self, chance: random.Random) -> tuple[list[Event], list[Event], Owner | None]:
        """Events of two months, some of which break the plan, and sometimes somebody's registration."""
        good = [run_event(ago=timedelta(days=chance.choice((0, 0, 40)))) for _ in range(self._events)]
        bad = [run_event(command="not listed") for _ in range(chance.choice((0, 0, 1, 3)))]
        owner = Owner() if chance.random() < 0.2 else None
        if owner:
            good[0]["userId"] = owner.id  # a registration needs an event of its id
        return good, bad, owner

    def _deliver(self, connection: http.client.HTTPConnection, events: list[Event], owner: Owner | None) -> None:
        document: dict[str, Any] = {"batch": events}
        if owner:
            document["context"] = {"erasure": dict([owner.registration])}
        body = json.dumps(document).encode()
        while not self._acknowledged(connection, body) and not self._give_up.is_set():
            time.sleep(0.02)

    def _acknowledged(self, connection: http.client.HTTPConnection, body: bytes) -> bool:
        began = time.monotonic()
        try:
            connection.connect()
        except OSError:
            return False
        try:
            connection.request("POST", "/v1/batch", body, _HEADERS)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            with self._guard:
                self.told.cut += 1
            return False
        finally:
            connection.close()
        with self._guard:
            statuses = self.told.statuses
            statuses[response.status] = statuses.get(response.status, 0) + 1
            self.told.slowest = max(self.told.slowest, time.monotonic() - began)
            self.told.unasked += response.status in (429, 503) and not (response.headers.get("Retry-After") or "").isdigit()
        assert response.status in (200, 429, 503), response.status
        return response.status == 200
