"""How a destination can fail, and which answer means what. May import: the standard library.

SendError
├── Unavailable   not now: nothing is known about the events, try again
├── Refusing      nothing will be taken like this: a wrong key, a wrong address; try again, a person has to look
│   └── TakesNone one event after the other is rejected and none was taken
└── Rejected      something about these events is not acceptable

None of them carries what a server said: it may repeat what it was sent.
"""

import calendar
import time
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3_600.0  # seconds of a Retry-After that are honoured
_NOT_NOW = {408, 425, 429, 460}
_NOBODY = {401, 402, 403, 404, 405, 407, 410, 415, 421}


class SendError(Exception):
    """A batch was not taken. Its text is for people: no address, id or key is in it."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait  # seconds that the destination asked for


class Unavailable(SendError):
    """Not now."""


class Refusing(SendError):
    """Nothing is taken as things are configured."""


class TakesNone(Refusing):
    """Every event was rejected by itself, and nothing says that it is the events' fault."""


class Rejected(SendError):
    """Something about these events is not acceptable."""


def of_status(status: int, wait: float = 0.0) -> SendError:
    """Say what an answer other than 2xx means."""
    if status in _NOT_NOW or status >= 500:
        return Unavailable(f"it answered {status}", wait)
    if status in _NOBODY:
        return Refusing(f"it answered {status}; see its key and its address", wait)
    if 300 <= status < 400:
        return Refusing(f"it answered {status}, a redirect, which is not followed; see its address")
    return Rejected(f"it answered {status}", wait)


def retry_after(value: str | None) -> float:
    """Read a Retry-After header: seconds or a date. 0 where there is none, or no sense in it."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = calendar.timegm(parsedate_to_datetime(value).utctimetuple()) - time.time()
        except (TypeError, ValueError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else 0.0  # noqa: PLR0124 (not a number)
