"""One request to a Segment-compatible endpoint (`POST /v1/batch`, Basic write key, gzip).

Protocol: Segment's HTTP tracking API. What leaves is what `body` and `_headers` make, and nothing else.
"""

import base64
import gzip
import json
import os
from collections.abc import Collection
from contextlib import closing
from typing import Callable, Optional
from urllib.parse import urlsplit

from innerloop import __version__
from innerloop.core.outbound import answers, proxies
from innerloop.core.outbound.answers import LATER, Answer, Outcome, outcome
from innerloop.core.outbound.connection import FAILURES, Connection, Refused, Response
from innerloop.core.outbound.time_limit import time_limit
from innerloop.core.plan.granularity import instant

TIMEOUT = 10  # s
LONGEST_ANSWER = 262144  # bytes that are read of one
PIECE = 65536  # bytes that are read at a time


def body(events: "list[bytes]", digest: str, erasure: "dict[str, str]", now: float) -> bytes:
    """A batch's bytes: the events exactly as they were sealed, the plan's digest, and what the clock says now.

    `erasure` (id -> SHA-256 of its erasure secret, hex) travels until the collector acknowledged it, once.
    """
    sent_at = json.dumps(instant(now, "exact")).encode()
    context = json.dumps({"plan": digest, "erasure": erasure} if erasure else {"plan": digest}).encode()
    return b'{"batch":[' + b",".join(events) + b'],"context":' + context + b',"sentAt":' + sent_at + b"}"


def post(
    endpoint: str, write_key: str, content: bytes, timeout: float = TIMEOUT, may_go_on: Callable[[], bool] = lambda: True, ours: bool = True
) -> Outcome:
    """Send one batch body and say what became of it. Never raises for what a network does.

    `ours`: the write key is one of our own collector. Raises Withdrawn as soon as `may_go_on` says no.
    """
    url = endpoint + "/v1/batch"
    return _request(url, write_key, content, timeout, LONGEST_ANSWER, may_go_on, lambda answer: answers.acknowledges(answer, ours))


def ask(
    url: str, write_key: str, content: Optional[bytes] = None, timeout: float = TIMEOUT, longest: int = LONGEST_ANSWER,
    types: "Collection[str]" = (answers.JSON,),
) -> Outcome:  # fmt: skip
    """Make a request (POST where there is content, else GET) whose answer's content is wanted: `longest` bytes at most, of one of some types.

    Never raises for what a network does.
    """

    def fits(answer: Answer) -> bool:
        return answer.status == 200 and answer.whole and answer.type in types

    return _request(url, write_key, content, timeout, longest, lambda: True, fits)


def _request(
    url: str, write_key: str, content: Optional[bytes], timeout: float, longest: int, may_go_on: Callable[[], bool],
    accepts: Callable[[Answer], bool],
) -> Outcome:  # fmt: skip
    connected = False
    try:
        parts = urlsplit(url)
        host, port = proxies.ascii_host(parts.hostname or ""), parts.port or (443 if parts.scheme == "https" else 80)
        proxy = proxies.choose(parts.scheme, host, port, os.environ)
        connection = Connection(host, port, parts.scheme == "https", proxy, timeout)
        with time_limit(timeout, may_go_on), closing(connection):
            connection.connect()
            connected = True
            whole = url if proxy and parts.scheme == "http" else parts.path or "/"
            headers = _headers(write_key, content is not None)
            if proxy and proxy.authorization and parts.scheme == "http":
                headers["Proxy-Authorization"] = proxy.authorization
            connection.request("GET" if content is None else "POST", whole, content and gzip.compress(content), headers)
            answer = _read(connection.getresponse(), longest)
    except (*FAILURES, ValueError) as error:
        what = "" if isinstance(error, (Refused, proxies.Unusable)) else "no answer: " if connected else "no connection: "
        reason = error.strerror if isinstance(error, OSError) else ""
        return Outcome(LATER, f"{what}{reason or str(error) or type(error).__name__}")
    return outcome(answer, accepts(answer))


def _headers(write_key: str, has_content: bool) -> "dict[str, str]":
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{write_key}:".encode()).decode(),
        "User-Agent": f"innerloop/{__version__.partition('.post')[0]}",  # the release: a build's own moment could tell whose it is
        "Connection": "close",
    }
    return {**headers, "Content-Type": "application/json", "Content-Encoding": "gzip"} if has_content else headers


def _read(response: Response, longest: int) -> Answer:
    parts, size = [], 0
    while size <= longest and (part := response.read(PIECE)):
        parts.append(part)
        size += len(part)
    packed = b"".join(parts)[: longest + 1]
    content, unpacked = answers.unpacked(packed, (response.getheader("Content-Encoding") or "").strip().lower(), longest)
    whole = unpacked and len(packed) <= longest and not response.length
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    return Answer(response.status, kind, content[:longest], response.getheader("Retry-After") or "", whole)
