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
LONGEST_ANSWER = 65536  # bytes that are read of one
LONGEST_WAIT = 86400  # s that a Retry-After may ask for

ACCEPTED, SPLIT, REFUSED, LATER, STOP = "accepted", "split", "refused", "later", "stop"
# 400 and 413 concern what is in the batch; 401, 403, 404 and 410 concern us; anything else may pass by itself.
MEANING = {200: ACCEPTED, 201: ACCEPTED, 202: ACCEPTED, 400: REFUSED, 413: SPLIT, 422: REFUSED, 401: STOP, 403: STOP, 404: STOP, 410: STOP}


class Outcome(NamedTuple):
    """What became of a request."""

    kind: str  # accepted, split (too large), refused (its content), later, stop (key or address)
    detail: str  # for a person
    retry_after: Optional[float] = None  # s, where the server asked for it
    content: bytes = b""  # of the answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_keywords: object) -> None:
        """Follow nothing: consent names one host."""


def body(events: "list[bytes]", digest: str, erasure: "dict[str, str]") -> bytes:
    """A batch's bytes: the events exactly as they were sealed, the plan's digest, and the clock right now.

    `erasure` (id -> SHA-256 of its erasure secret, hex) travels until the collector acknowledged it, once.
    """
    sent_at = json.dumps(datetime.now(timezone.utc).isoformat()).encode()
    context = json.dumps({"plan": digest, "erasure": erasure} if erasure else {"plan": digest}).encode()
    return b'{"batch":[' + b",".join(events) + b'],"context":' + context + b',"sentAt":' + sent_at + b"}"


class Withdrawn(Exception):
    """The answer changed while a request was under way: it was cut off."""


def always() -> bool:
    """Nothing can end a request before its time."""
    return True


def post(endpoint: str, write_key: str, content: bytes, timeout: float = TIMEOUT, may_go_on: Callable[[], bool] = always) -> Outcome:
    """Send one batch body and say what became of it. Never raises for what a network does.

    Raises Withdrawn as soon as `may_go_on` says no.
    """
    return _call(_request(endpoint + "/v1/batch", write_key, content), timeout, may_go_on, 0)


def ask(url: str, write_key: str, content: Optional[bytes] = None, timeout: float = TIMEOUT, longest: int = LONGEST_ANSWER) -> Outcome:
    """Make a request (POST where there is content, else GET) whose answer's content (`longest` bytes of it) is wanted.

    Never raises for what a network does.
    """
    return _call(_request(url, write_key, content), timeout, always, longest)


def _request(url: str, write_key: str, content: Optional[bytes]) -> urllib.request.Request:
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{write_key}:".encode()).decode(),
        "User-Agent": f"innerloop/{__version__}",
    }
    if content is not None:
        headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    data = None if content is None else gzip.compress(content)
    return urllib.request.Request(url, data, headers)  # noqa: S310 (the project file's reader allows http and https only)


def _call(request: urllib.request.Request, timeout: float, may_go_on: Callable[[], bool], wanted: int) -> Outcome:
    try:
        with _deadline(timeout, may_go_on):
            return _open(request, timeout, wanted)
    except urllib.error.URLError as error:
        return Outcome(LATER, f"no connection: {_reason(error.reason)}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Outcome(LATER, f"no answer: {_reason(error)}")


def _open(request: urllib.request.Request, timeout: float, wanted: int) -> Outcome:
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
            return outcome(answer.status, answer.read(wanted), None)
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
    kind = MEANING.get(status, LATER)
    try:
        said = json.loads(content).get("message") if content and kind != ACCEPTED else None
    except (ValueError, AttributeError):
        said = None
    if isinstance(said, str):
        detail += ": " + "".join(character for character in said if character.isprintable())[:200]
    return Outcome(kind, detail, _wait(retry_after), content)


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
