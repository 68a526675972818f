"""Segment, or anything that speaks its API, through Segment's own SDK.

The SDK makes the messages. Its queue, its retries and the session that it shares with the whole process are not used: they would lose
events with the process, follow a redirection to another host, and nobody could tell what was acknowledged.
"""

import base64
import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import requests
import urllib3
from segment.analytics.client import Client
from segment.analytics.request import DatetimeSerializer

from innerloop_collector import __version__
from innerloop_collector.exporters import answers
from innerloop_collector.exporters.address import Address
from innerloop_collector.exporters.failures import Rejected, of_no_answer, of_status, retry_after
from innerloop_collector.exporters.record import Record


class Segment:
    """A way to one Segment source."""

    def __init__(self, address: Address, key: str, timeout: float) -> None:
        self._url = f"{address.url}/v1/batch"
        self._key = key
        self._timeout = timeout
        self._client = Client(key, host=address.url, send=False)
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}",
                "Content-Encoding": "gzip",
                "Content-Type": "application/json",
                "User-Agent": f"innerloop-collector/{__version__}",
            }
        )

    def send(self, records: Sequence[Record]) -> int:
        """Deliver a batch. Raises SendError."""
        batch = [self._message(record) for record in records]
        body = {"batch": batch, "sentAt": datetime.now(UTC).isoformat(), "writeKey": self._key}
        content = gzip.compress(json.dumps(body, cls=DatetimeSerializer).encode())
        try:  # a redirection is not followed: events go to the configured host or nowhere
            response = self._session.post(self._url, data=content, timeout=self._timeout, allow_redirects=False, stream=True)
            answers.content(response.raw, self._timeout)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise of_no_answer(error, self._timeout) from error
        if not 200 <= response.status_code < 300:
            raise of_status(response.status_code, retry_after(response.headers.get("Retry-After")))
        return 0

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

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
