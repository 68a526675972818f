"""One request to a Segment-compatible endpoint (`POST /v1/batch`, Basic write key, gzip).

Protocol: Segment's HTTP tracking API. The answer is told in our own terms, so that the sender knows for each
status whether to forget, keep, split or wait. May import: the standard library.
"""

import base64
import email.utils
import gzip
import http.client
import json
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Callable, NamedTuple, Optional

from innerloop import __version__

TIMEOUT = 10  # s
LOOK_EVERY = 0.1  # s between two looks at whether a request may still go on
LONGEST_WAIT = 86400  # s that a Retry-After may ask for

ACCEPTED, SPLIT, REFUSED, LATER, STOP = "accepted", "split", "refused", "later", "stop"
# 400 and 413 concern what is in the batch; 401, 403, 404 and 410 concern us; anything else may pass by itself.
MEANING = {200: ACCEPTED, 201: ACCEPTED, 202: ACCEPTED, 400: REFUSED, 413: SPLIT, 422: REFUSED, 401: STOP, 403: STOP, 404: STOP, 410: STOP}


class Outcome(NamedTuple):
    """What became of a request."""

    kind: str  # accepted, split (too large), refused (its content), later, stop (key or address)
    detail: str  # for a person
    retry_after: Optional[float] = None  # s, where the server asked for it


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_keywords: object) -> None:
        """Follow nothing: consent names one host."""


def body(events: "list[bytes]", digest: str) -> bytes:
    """A batch's bytes: the events exactly as they were sealed, the plan's digest, and the clock right now."""
    sent_at = json.dumps(datetime.now(timezone.utc).isoformat()).encode()
    plan = json.dumps({"plan": digest}).encode()
    return b'{"batch":[' + b",".join(events) + b'],"context":' + plan + b',"sentAt":' + sent_at + b"}"


class Withdrawn(Exception):
    """The answer changed while a request was under way: it was cut off."""


def always() -> bool:
    """Nothing can end a request before its time."""
    return True


def post(endpoint: str, write_key: str, content: bytes, timeout: float = TIMEOUT, may_go_on: Callable[[], bool] = always) -> Outcome:
    """Send one batch body and say what became of it. Never raises for what a network does.

    Raises Withdrawn as soon as `may_go_on` says no.
    """
    request = urllib.request.Request(  # noqa: S310 (the project file's reader allows http and https only)
        endpoint + "/v1/batch",
        data=gzip.compress(content),
        method="POST",
        headers={
            "Authorization": "Basic " + base64.b64encode(f"{write_key}:".encode()).decode(),
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"innerloop/{__version__}",
        },
    )
    try:
        with _deadline(timeout, may_go_on):
            return _ask(request, timeout)
    except urllib.error.URLError as error:
        return Outcome(LATER, f"no connection: {_reason(error.reason)}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Outcome(LATER, f"no answer: {_reason(error)}")


def _ask(request: urllib.request.Request, timeout: float) -> Outcome:
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
            return outcome(answer.status, b"", None)
    except urllib.error.HTTPError as error:
        with error:
            return outcome(error.code, error.read(4096), error.headers.get("Retry-After"))


@contextmanager
def _deadline(seconds: float, may_go_on: Callable[[], bool]) -> "Iterator[None]":
    """Bound a whole request: a socket's own timeout starts anew with every byte. Has no effect outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started = time.monotonic()

    def look(_number: int, _frame: object) -> None:
        if not may_go_on():
            raise Withdrawn
        if time.monotonic() - started > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s")

    handler = signal.signal(signal.SIGALRM, look)
    left, _ = signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY, LOOK_EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 0.001))


def _reason(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def outcome(status: int, content: bytes, retry_after: Optional[str]) -> Outcome:
    """Turn a status into what to do about it."""
    detail = f"the collector answered {status}"
    try:
        said = json.loads(content).get("message") if content else None
    except (ValueError, AttributeError):
        said = None
    if isinstance(said, str):
        detail += ": " + "".join(character for character in said if character.isprintable())[:200]
    return Outcome(MEANING.get(status, LATER), detail, _wait(retry_after))


def _wait(retry_after: Optional[str]) -> Optional[float]:
    """Read a Retry-After header (RFC 9110, 10.2.3: seconds or a date), as seconds from now."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return min(float(retry_after), LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except (TypeError, ValueError):
        return None
    return min(max(moment - time.time(), 0), LONGEST_WAIT)
