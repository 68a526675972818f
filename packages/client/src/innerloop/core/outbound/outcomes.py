"""What an answer means for what was sent: whether the sender forgets, keeps or splits it, or waits."""

from typing import NamedTuple, Optional

from innerloop.core.outbound.answers import Answer, instead

LONGEST_WAIT = 86400  # s that a Retry-After may ask for
ACCEPTED, SPLIT, REFUSED, LATER, STOP = "accepted", "split", "refused", "later", "stop"
# 400 and 413 concern what is in the batch; 401, 403, 404 and 410 concern us; anything else may pass by itself.
MEANING = {400: REFUSED, 413: SPLIT, 422: REFUSED, 401: STOP, 403: STOP, 404: STOP, 410: STOP}


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
