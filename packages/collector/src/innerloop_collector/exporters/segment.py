"""Segment, or anything that speaks its API, through Segment's own SDK.

The SDK makes the messages and the request. Its queue and its retries are not used: they would lose events with the process, and
nobody could tell what was acknowledged.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import requests
from segment.analytics import request
from segment.analytics.client import Client
from segment.analytics.request import APIError, parse_retry_after

from innerloop_collector.exporters.address import Address
from innerloop_collector.exporters.failures import Rejected, of_no_answer, of_status
from innerloop_collector.exporters.record import Record

logging.getLogger("segment").setLevel(logging.CRITICAL)  # it would print the content of what it cannot send
request._session.max_redirects = 0  # noqa: SLF001 (the SDK has no setting for it: events go to the configured host or nowhere)


class Segment:
    """A way to one Segment source."""

    def __init__(self, address: Address, key: str, timeout: float) -> None:
        self._host = address.url
        self._key = key
        self._timeout = timeout
        self._client = Client(key, host=address.url, send=False)

    def send(self, records: Sequence[Record]) -> int:
        """Deliver a batch. Raises SendError."""
        batch = [self._message(record) for record in records]
        try:
            request.post(self._key, self._host, gzip=True, timeout=self._timeout, batch=batch)
        except APIError as error:
            wait = parse_retry_after(error.response) if error.response is not None else None
            raise of_status(int(error.status), wait or 0.0) from error
        except requests.TooManyRedirects as error:
            raise of_status(302) from error
        except (requests.RequestException, OSError) as error:
            raise of_no_answer(error, self._timeout) from error
        return 0

    def close(self) -> None:
        """Nothing is held: the SDK keeps one pool of connections for the process."""

    def _message(self, record: Record) -> dict[str, Any]:
        """Have the SDK make a message of a record."""
        who = {"anonymous_id": record.nobody} if record.person is None else {"user_id": record.person}
        properties = {record.rename.get(name, name): _plain(value) for name, value in record.fields.items()}
        context = {"innerloop": {"project": record.project}}
        try:
            _, message = self._client.track(
                event=record.event, properties=properties, context=context, timestamp=record.time, message_id=record.message, **who
            )
        except RuntimeError as error:
            raise Rejected("larger than 32 KB") from error
        return dict(message)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
