"""New Relic's Event API, through its own SDK.

Events are flat: strings and numbers, nothing else. New Relic answers 200 before it looks at the events, so what it cannot hold is
found here. It takes a time of its own only within a day; an older event counts as of its arrival, and `start_time` says when it was.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import proxy_bypass

import urllib3
from newrelic_telemetry_sdk import EventClient

from innerloop_collector.exporters import answers
from innerloop_collector.exporters.address import Address
from innerloop_collector.exporters.failures import Rejected, of_no_answer, of_status, retry_after
from innerloop_collector.exporters.record import Record

TYPES = {"run": "InnerloopRun", "target": "InnerloopTarget", "opt_in": "InnerloopOptIn", "opt_out": "InnerloopOptOut"}
_PAST, _AHEAD = timedelta(hours=23), timedelta(hours=1)  # New Relic says 24 hours; the batch is on its way for a while
_LONGEST_VALUE = 4_096
_LARGEST_NUMBER = 2**63 - 1


class _Bounded(urllib3.HTTPConnectionPool):
    """Reads answers within bounds."""

    def urlopen(self, method: str, url: str, *words: Any, **options: Any) -> urllib3.BaseHTTPResponse:
        """Send a request; its answer was read."""
        response = super().urlopen(method, url, *words, **{**options, "preload_content": False})
        answers.content(response, options["timeout"])
        return response


class _BoundedTls(_Bounded, urllib3.HTTPSConnectionPool):
    """With TLS."""


class _Client(EventClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's client, which would read any answer to its end."""

    POOL_CLS = _BoundedTls


class _PlainClient(EventClient):  # type: ignore[misc]  # as above
    """The same without TLS."""

    POOL_CLS = _Bounded


class NewRelic:
    """A way to one New Relic account."""

    def __init__(self, address: Address, key: str, timeout: float, now: Callable[[], datetime]) -> None:
        kind = _Client if address.tls else _PlainClient
        direct = {"_proxy": None} if not address.tls or proxy_bypass(address.host) else {}
        self._client = kind(key, host=address.host, port=address.port, **direct)
        self._timeout = timeout
        self._now = now

    def send(self, records: Sequence[Record]) -> int:
        """Deliver a batch. Raises SendError."""
        now = self._now()
        events = [event(record, now) for record in records]
        try:
            response = self._client.send_batch(events, timeout=self._timeout)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise of_no_answer(error, self._timeout) from error
        if not response.ok:
            raise of_status(response.status, retry_after(response.headers.get("Retry-After")))
        return 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def event(record: Record, now: datetime) -> dict[str, str | int]:
    """Make the flat event of a record. Raises Rejected for what New Relic cannot hold."""
    made: dict[str, str | int] = {"eventType": TYPES[record.kind], "project": record.project, "message_id": record.message}
    made |= {name: _flat(name, value) for name, value in record.fields.items()}
    made["start_time"] = record.time.astimezone(UTC).isoformat()
    if record.person is not None:
        made["installation"] = record.person
    if now - _PAST <= record.time <= now + _AHEAD:
        made["timestamp"] = int(record.time.timestamp() * 1000)
    return made


def _flat(name: str, value: Any) -> str | int:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        raise Rejected(f"{name} is longer than {_LONGEST_VALUE} characters")
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        raise Rejected(f"{name} is larger than 64 bits")
    assert isinstance(value, str | int)
    return value
