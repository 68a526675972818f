"""Delivers simulated days to the real service, over HTTP: time passes there, then the day's batches come, over several connections."""

import base64
import http.client
import json
import queue
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from innerloop_collector.demo.commands import DemoError
from innerloop_collector.demo.team.simulate import Batch, Day

_CONNECTIONS = 12  # as many as a day has batches, about: then they are one commit
_TRIES = 20  # more, of a batch that the service has no room for yet
_AHEAD = 7  # simulated days that are ready before they are sent
_TIMEOUT = 60.0


class _Access(NamedTuple):
    """How a project's events come in."""

    authorization: str
    plan: str  # the digest that its developers agreed to


class Collector:
    """The service, as those see it who send to it, and as the simulation does that moves its clock."""

    def __init__(self, address: str, token: str) -> None:
        self._host = urlsplit(address).netloc
        self._token = token
        self._projects: dict[str, _Access] = {}
        self._open = threading.local()
        self.acknowledged = 0

    def apply(self, project: str, project_file: str, write_key: str, headcount: int) -> None:
        """Register a project file with the write key in it, and say how many developers there are."""
        answer = self.ask("projects.apply", toml=project_file, source=f"{project}.toml", with_key=True, headcount=headcount)
        self._projects[project] = _Access("Basic " + base64.b64encode(f"{write_key}:".encode()).decode(), answer["digest"])

    def deliver(self, day: Day, pool: ThreadPoolExecutor) -> None:
        """Have a day come, and deliver what is sent at its end. Raises DemoError for anything but an acknowledgement."""
        self.move(day.moment)
        for events in pool.map(self._send, day.batches):
            self.acknowledged += events

    def move(self, to: datetime) -> None:
        """Have simulated time pass."""
        self.ask("simulation.move", to=to.isoformat())

    def ask(self, operation: str, **arguments: object) -> dict[str, Any]:
        """Do as an operator does. Raises DemoError where that is refused."""
        call = {"operation": operation, "arguments": arguments}
        status, answer, _ = self._post("/admin/v1/call", f"Bearer {self._token}", call)
        if status != 200:
            raise DemoError(f"the collector refuses {operation}: {status} {answer.decode(errors='replace')}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def _send(self, batch: Batch) -> int:
        access = self._projects[batch.project]
        body = {"batch": batch.events, "sentAt": batch.sent_at.isoformat(), "context": {"plan": access.plan}}
        status, answer, wait = self._post("/v1/batch", access.authorization, body)
        for _ in range(_TRIES):
            if status == 429:
                time.sleep(wait)
                status, answer, wait = self._post("/v1/batch", access.authorization, body)
        if status != 200:
            raise DemoError(f"a batch for {batch.project} was not acknowledged: {status} {answer.decode(errors='replace')}")
        return len(batch.events)

    def _post(self, path: str, authorization: str, body: dict[str, Any]) -> tuple[int, bytes, float]:
        """Send on this thread's connection. Returns status, answer, and after how many seconds to try again.

        A connection that was idle for long is closed by the service: what was sent on it then is sent once more on a new one.
        """
        headers = {"Authorization": authorization, "Content-Type": "application/json", "User-Agent": "innerloop-simulation"}
        content = json.dumps(body, separators=(",", ":"))
        connection = getattr(self._open, "connection", None)
        try:
            if connection is not None:
                with suppress(ConnectionError):
                    return _exchange(connection, path, content, headers)
                connection.close()
            connection = self._open.connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT)
            return _exchange(connection, path, content, headers)
        except (OSError, http.client.HTTPException) as error:
            raise DemoError(f"the collector does not answer: {str(error) or type(error).__name__}") from error


def _exchange(connection: http.client.HTTPConnection, path: str, content: str, headers: dict[str, str]) -> tuple[int, bytes, float]:
    connection.request("POST", path, content, headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), float(answer.headers.get("Retry-After", 1))


@contextmanager
def connections() -> Iterator[ThreadPoolExecutor]:
    """The threads that deliver."""
    pool = ThreadPoolExecutor(_CONNECTIONS, "delivery")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(days: Iterator[Day]) -> Generator[Day, None, None]:
    """The same days, simulated in a thread of their own while earlier ones are delivered."""
    ready: queue.Queue[Day | BaseException | None] = queue.Queue(_AHEAD)
    stopping = threading.Event()

    def put(one: Day | BaseException | None) -> bool:
        while not stopping.is_set():
            try:
                ready.put(one, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for day in days:
                if not put(day):
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the days are read
            put(error)

    thread = threading.Thread(target=work, name="simulation")
    thread.start()
    try:
        while (day := ready.get()) is not None:
            if isinstance(day, BaseException):
                raise day
            yield day
    finally:
        stopping.set()
        thread.join()
