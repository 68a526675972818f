"""Ask a collector for everything that it keeps of this machine's ids. Protocol: docs/guides/operators.md, `POST /v1/access`.

Whatever it answers is checked line by line before anything of it is believed, and rows are kept as the bytes that they are.
"""

import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from innerloop.core.outbound import answers, http_client
from innerloop.core.shared import untrusted
from innerloop.core.spool import held

PATIENCE = 120  # s: a year of somebody's records is tens of megabytes
LONGEST = 64 << 20  # bytes
LONGEST_LINE = 1 << 17  # bytes: an event of 32 KB, written as text in text
LONGEST_WORD = 40  # characters of a table's name, and of a time
MOST = 1 << 50  # records that anybody may claim to keep
STATES = ("known", "unknown", "refused")


class Row(NamedTuple):
    """One record that is kept: what it is sorted by, and the line that it came in."""

    user: str
    time: str
    line: bytes

    def read(self) -> "dict[str, Any]":
        """The line: userId, table, row."""
        return untrusted.parse_object(self.line)


class Kept(NamedTuple):
    """What a collector said."""

    ids: "list[dict[str, Any]]"  # userId, state (known, unknown, refused), events, quarantined, days
    rows: "list[Row]"


def kept(endpoint: str, write_key: str, identities: "dict[str, str]") -> "tuple[Optional[Kept], str]":
    """Return what is kept of ids (id -> secret), or why that is not known. Never raises for what a network does."""
    content = json.dumps({"ids": [{"userId": user, "secret": secret} for user, secret in identities.items()]}).encode()
    outcome = http_client.ask(f"{endpoint}/v1/access", write_key, content, PATIENCE, LONGEST, (answers.LINES,))
    if outcome.kind != answers.ACCEPTED:
        return None, outcome.detail
    try:
        found = _read(outcome.content, {user: user for user in identities})
    except (ValueError, KeyError, TypeError):
        return None, "it answered, but not as innerloop's collector does"
    return (found, "") if found else (None, "the answer was cut off")


def _read(content: bytes, asked: "dict[str, str]") -> Optional[Kept]:
    """Read the lines; None where the last one is missing. Raises ValueError, KeyError or TypeError for what no collector says."""
    ids: "dict[str, dict[str, Any]]" = {}
    rows: "list[Row]" = []
    lines = _lines(content)
    for line in lines:
        document = untrusted.parse_object(line)
        if document == {"end": True}:
            if next(lines, None) is not None:
                raise ValueError("something follows the end")
            return Kept(list(ids.values()), rows)
        user = asked[document["userId"]]  # one object for all rows
        if "row" in document:
            rows.append(Row(user, _time(document), line))
        elif user in ids or not _is_told(document):
            raise ValueError("nothing that is said of an id")
        else:
            ids[user] = document
    return None


def _lines(content: bytes) -> "Iterator[bytes]":
    stream = io.BytesIO(content)
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError("a line is too long")
        yield line


def _time(document: "dict[str, Any]") -> str:
    """The time of a line with a row, or an empty text where it has none."""
    row, table = document["row"], document["table"]
    if not isinstance(row, dict) or not _is_word(table) or not _is_word(row.get("event_time") or ""):
        raise ValueError("no row")
    return row.get("event_time") or ""


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_WORD


def _is_told(one: "dict[str, Any]") -> bool:
    """Whether this is what a collector says of an id."""
    if one["state"] != "known":
        return one["state"] in STATES
    counted = all(untrusted.is_whole(one[key], MOST) and one[key] >= 0 for key in ("events", "quarantined"))
    return counted and (not one["events"] or all(held.is_day(one[key]) for key in ("first_day", "last_day", "gone_after")))
