"""What an answer says, and what that means for what was sent: whether the sender forgets, keeps or splits it, or waits.

Only what a known service says when it took a batch acknowledges anything; docs/reference/answers.md lists them with sources.
Between us and a collector stand portals, block pages and proxies, and each of them may answer 200.
"""

import zlib
from typing import Any, Callable, NamedTuple, Optional

from innerloop.core.shared import untrusted
from innerloop.core.shared.printable import clean
from innerloop.core.spool import held

JSON = "application/json"
LINES = "application/x-ndjson"
PROBLEM = "application/problem+json"
GZIP = 31  # zlib's number for it
MOST_SAID = 200  # characters of what somebody else says
LONGEST_WAIT = 86400  # s that a Retry-After may ask for
ACCEPTED, SPLIT, REFUSED, LATER, STOP = "accepted", "split", "refused", "later", "stop"
# 400 and 413 concern what is in the batch; 401, 403, 404 and 410 concern us; anything else may pass by itself.
MEANING = {400: REFUSED, 413: SPLIT, 422: REFUSED, 401: STOP, 403: STOP, 404: STOP, 410: STOP}


class Answer(NamedTuple):
    """What came back."""

    status: int
    type: str = ""  # the media type, without parameters, in small letters
    content: bytes = b""
    retry_after: str = ""  # the header, as it came
    whole: bool = True  # false: it was cut off, is longer than is read, or is packed in a way that we do not know

    @property
    def document(self) -> Any:
        """Its JSON, where it is whole and says that it is JSON, or says nothing about it; else None."""
        if not self.whole or self.type not in (JSON, PROBLEM, ""):
            return None
        try:
            return untrusted.parse(self.content)
        except ValueError:
            return None

    @property
    def is_page(self) -> bool:
        """Whether it is made for a browser: then it is no collector's."""
        return self.type in ("text/html", "application/xhtml+xml") or self.content[:512].lstrip().lower().startswith(
            (b"<!doctype html", b"<html")
        )


def unpacked(content: bytes, encoding: str, longest: int) -> "tuple[bytes, bool]":
    """Content as it was before it was packed, and whether all of it is there: nobody was asked to pack it, but some do."""
    if encoding in ("", "identity"):
        return content, True
    if encoding not in ("gzip", "x-gzip"):
        return b"", False
    engine = zlib.decompressobj(GZIP)
    try:
        data = engine.decompress(content, longest + 1)
    except zlib.error:
        return b"", False
    return data[:longest], engine.eof and len(data) <= longest


def _segment(answer: Answer) -> bool:
    document = answer.document
    return isinstance(document, dict) and document.get("success") is True


def _rudderstack(answer: Answer) -> bool:
    return answer.type == "text/plain" and answer.whole and answer.content.strip() == b"OK"


def _jitsu(answer: Answer) -> bool:
    document = answer.document
    if not isinstance(document, dict) or document.get("ok") is not True or "okEvents" not in document:
        return False
    return bool(document["okEvents"] == document.get("receivedEvents") and not document.get("errors"))


OURS: "tuple[Callable[[Answer], bool], ...]" = (_segment,)  # our collector answers as Segment does
OTHERS = (_segment, _rudderstack, _jitsu)


def acknowledges(answer: Answer, ours: bool) -> bool:
    """Whether an answer says that a whole batch was taken. `ours`: the write key is one of our own collector, so nobody else may say so."""
    return answer.status == 200 and any(says(answer) for says in (OURS if ours else OTHERS))


class Verdict(NamedTuple):
    """What our own collector did with an event that it took and did not store."""

    event: int  # its place in the batch
    state: str  # quarantined, or dropped
    reason: str
    removed_on: str  # the day on which it goes (ISO), or empty


QUARANTINED, DROPPED = "quarantined", "dropped"


def verdicts(content: bytes, events: int) -> "list[Verdict]":
    """What an acknowledgement of our collector says of single events of a batch: those that are not named are stored.

    What is no such list says nothing.
    """
    try:
        rows = untrusted.parse_object(content).get("not_stored")
    except ValueError:
        return []
    found = []
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, dict) or row.get("state") not in (QUARANTINED, DROPPED) or not held.is_reason(row.get("reason")):
            continue
        day, places = row.get("removed_on"), row.get("events")
        day = str(day) if held.is_day(day) else ""
        for place in places if isinstance(places, list) else []:
            if untrusted.is_whole(place, events) and place >= 0:
                found.append(Verdict(place, row["state"], row["reason"], day))
    return found


def instead(answer: Answer) -> str:
    """What came in the place of an acknowledgement, for a person."""
    if answer.status in range(300, 400):
        return f"{answer.status}, a redirection, which is not followed"
    if answer.status == 511:
        return "511: the network wants somebody to sign in"
    if answer.is_page:
        return f"{answer.status} with a web page: a network's sign-in or block page, or an address that is no collector's"
    said = _said(answer)
    if answer.status not in range(200, 300):
        return f"{answer.status}{': ' + said if said else ''}"
    strange = f"{clean(answer.type)[:MOST_SAID] or 'something'} in it{' (' + said + ')' if said else ''}"
    what = "nothing in it" if not answer.content else strange if answer.whole else "an answer that is cut off or too long"
    return f"{answer.status} with {what}: no collector acknowledges like that"


def _said(answer: Answer) -> str:
    """The reason that a service gives."""
    if answer.type == "text/plain":
        return clean(answer.content[:4096].decode("utf-8", "replace").partition("\n")[0])[:MOST_SAID]
    document = answer.document
    values = [document.get(key) for key in ("message", "error", "errors", "msg")] if isinstance(document, dict) else []
    return next((clean(value)[:MOST_SAID] for value in values if isinstance(value, str) and value), "")


class Outcome(NamedTuple):
    """What became of a request."""

    kind: str  # accepted, split (too large), refused (its content), later, stop (key or address)
    detail: str  # for a person
    retry_after: str = ""  # the server's header of that name
    content: bytes = b""  # of the answer

    def wait(self, now: float) -> Optional[float]:
        """How long the server asked to be left alone from now on (s; RFC 9110, 10.2.3: seconds or a date), if it did."""
        if self.retry_after.isascii() and self.retry_after.strip().isdigit():
            return min(float(self.retry_after), LONGEST_WAIT)
        import email.utils  # noqa: PLC0415 (it loads `socket`; whoever got an answer has it already)

        try:
            moment = email.utils.parsedate_to_datetime(self.retry_after).timestamp()
        except (TypeError, ValueError, OverflowError):
            return None
        return min(max(moment - now, 0), LONGEST_WAIT)


def outcome(answer: Answer, accepted: bool) -> Outcome:
    """Turn an answer into what to do about it. A web page says nothing about our events or our key: it is somebody else's."""
    if accepted:
        return Outcome(ACCEPTED, f"the collector answered {answer.status}", "", answer.content)
    kind = MEANING.get(answer.status, LATER)
    if answer.is_page and kind != SPLIT:
        kind = LATER
    who = "the collector" if kind != LATER or answer.status >= 500 or answer.status == 429 else "the address"
    return Outcome(kind, f"{who} answered {instead(answer)}", answer.retry_after, answer.content)
