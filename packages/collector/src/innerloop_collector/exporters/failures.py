"""How a destination can fail, and which answer means what.

SendError
├── Unavailable   not now: nothing is known about the events, try again
├── Refusing      nothing will be taken like this: a wrong key, a wrong address; try again, a person has to look
│   └── TakesNone one event after the other is rejected and none was taken
└── Rejected      something about these events is not acceptable

None of them carries what a server said: it may repeat what it was sent.
"""

import calendar
import http.client
import os
import socket
import ssl
import time
from email.utils import parsedate_to_datetime

import structlog

_WORDS: dict[type[BaseException], str] = {  # the first that fits
    ssl.SSLCertVerificationError: "its certificate is not trusted here",
    ssl.SSLError: "TLS failed",
    socket.gaierror: "its name was not found",
    ConnectionRefusedError: "connection refused",
    TimeoutError: "timed out after {seconds} s",
    http.client.RemoteDisconnected: "it closed the connection without an answer",
    ConnectionResetError: "it reset the connection",
    BrokenPipeError: "it closed the connection",
    http.client.HTTPException: "it does not speak HTTP",
}
_log = structlog.get_logger()
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


def of_no_answer(error: BaseException, seconds: float) -> Unavailable:
    """Say in words why there was no answer, for which the destination had some seconds. What libraries say holds addresses."""
    causes = _causes(error)
    _log.debug("destination gave no answer", kinds=[type(one).__name__ for one in causes])
    through = (
        "the proxy: " if any(type(one).__name__ == "ProxyError" for one in causes) else ""
    )  # of urllib3 and requests, which cost time to import
    return Unavailable(f"no answer: {through}{_in_words(causes, seconds)}")


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what led to it. Some libraries put the error of before into the new one and nowhere else."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            inside = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
            waiting += [other for other in inside if isinstance(other, BaseException)]
    return found


def _in_words(causes: list[BaseException], seconds: float) -> str:
    for kind, words in _WORDS.items():
        if any(isinstance(one, kind) for one in causes):
            return words.format(seconds=f"{seconds:g}")
    numbers = [one.errno for one in causes if isinstance(one, OSError) and one.errno]
    return os.strerror(numbers[0]).lower() if numbers else "the connection failed"


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
