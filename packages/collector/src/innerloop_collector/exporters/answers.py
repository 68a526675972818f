"""Read what a destination answers within bounds, since it may answer without end.

Whether a batch was taken its status says; the rest of an answer is read for what OTLP says in it, and so that a connection can be used again.
"""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it comes with the destinations' SDKs, which are imported where there is one
    from urllib3 import BaseHTTPResponse

MOST = 1 << 20  # bytes of an answer
_PIECE = 1 << 16


def content(answer: "BaseHTTPResponse", seconds: float) -> bytes:
    """The content of an answer; nothing of one that is too large, of which the rest is left. Raises TimeoutError where it comes too slowly."""
    deadline = time.monotonic() + seconds
    found = b""
    while len(found) <= MOST and (piece := answer.read1(_PIECE, decode_content=False)):
        found += piece
        if time.monotonic() > deadline:
            answer.close()
            raise TimeoutError
    if len(found) > MOST:
        answer.close()
        return b""
    answer.release_conn()
    return found
