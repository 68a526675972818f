"""Ask a collector for everything that it keeps of this machine's ids. Protocol: docs/guides/operators.md, `POST /v1/access`.

May import: the standard library, untrusted and this package.
"""

import json
from typing import Any, NamedTuple, Optional

from innerloop import untrusted
from innerloop.delivery import answers, client

PATIENCE = 120  # s: a year of somebody's records is tens of megabytes
LONGEST = 1 << 28  # bytes


class Kept(NamedTuple):
    """What a collector said."""

    ids: "list[dict[str, Any]]"  # userId, state (known, unknown, refused), events, quarantined, days
    rows: "list[dict[str, Any]]"  # userId, table, row


def kept(endpoint: str, write_key: str, identities: "dict[str, str]") -> "tuple[Optional[Kept], str]":
    """Return what is kept of ids (id -> secret), or why that is not known. Never raises for what a network does."""
    content = json.dumps({"ids": [{"userId": user, "secret": secret} for user, secret in identities.items()]}).encode()
    outcome = client.ask(f"{endpoint}/v1/access", write_key, content, PATIENCE, LONGEST, (answers.LINES,))
    if outcome.kind != client.ACCEPTED:
        return None, outcome.detail
    try:
        lines = [untrusted.parse_object(line) for line in outcome.content.splitlines()]
        if not lines or lines.pop() != {"end": True}:
            return None, "the answer was cut off"
        return Kept([line for line in lines if "state" in line], [line for line in lines if "row" in line]), ""
    except (ValueError, TypeError):
        return None, "it answered, but not as innerloop's collector does"
