"""A signed webhook, by the specification of Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: the receiver checks who sent it by HMAC-SHA256 over `id.timestamp.body`, that it is no replay by the timestamp, and drops what it knows by the id.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from innerloop_collector.notifications.notice import Notice
from innerloop_collector.notifications.post import post


class Webhook:
    """A way to one address."""

    def __init__(self, url: str, secrets: Sequence[bytes], seconds: float, now: Callable[[], datetime]) -> None:
        self._url = url
        self._secrets = secrets
        self._seconds = seconds
        self._now = now

    def send(self, notice: Notice) -> str:
        """Deliver a notice. Raises SendError."""
        body = json.dumps(content(notice), separators=(",", ":")).encode("ascii")
        timestamp = int(self._now().timestamp())
        signatures = " ".join(signature(one, notice.id, timestamp, body) for one in self._secrets)
        headers = {"webhook-id": notice.id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}
        post(self._url, body, headers, self._seconds)
        return ""


def signature(secret: bytes, message: str, timestamp: int, body: bytes) -> str:
    """The signature of a message with a symmetric key."""
    signed = b"%s.%d.%s" % (message.encode("ascii"), timestamp, body)
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode('ascii')}"


def content(notice: Notice) -> dict[str, Any]:
    """What programs are told: kind, time and data, as the specification recommends, and the sentences that people read."""
    parts = [
        {"heading": one.heading, "sentences": list(one.sentences), "links": [{"label": link.label, "url": link.url} for link in one.links]}
        for one in notice.parts
    ]
    return {
        "type": notice.kind,
        "timestamp": notice.made.isoformat(timespec="seconds"),
        "data": {"title": notice.title, "parts": parts, **notice.data},
    }
