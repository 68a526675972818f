"""What the service answers.

Success is exactly 200 and `{"success": true}`; to innerloop's own client it says as well which events are not stored, and why.
Everything else is problem+json (RFC 9457) that also carries what Segment's SDKs read: `success`, `code`, `message`. 4xx makes them drop
a batch, so everything that may pass is 429, 503 or 511: several drop it on 408 too. Which SDK does what on which status is in
docs/reference/http-api.md, and tested with the SDKs themselves in tests/sdks.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from starlette.responses import JSONResponse, Response

RETRY_SECONDS = 5
Yes = Annotated[bool, msgspec.Meta(extra_json_schema={"const": True})]
No = Annotated[bool, msgspec.Meta(extra_json_schema={"const": False})]


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457, with what Segment's SDKs read."""

    type: str
    title: str
    status: int
    detail: str
    success: No
    code: str
    message: str


class NotStored(msgspec.Struct, frozen=True, omit_defaults=True):
    """Events of a batch, by their places in it, that wait or are not kept."""

    state: str
    reason: str
    events: Sequence[int]
    removed_on: str = ""  # the day on which those that wait are removed


class Accepted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything in the request is on the disk. `not_stored` is for a client that reads it: what waits or is not kept."""

    success: Yes
    not_stored: Sequence[NotStored] = ()


class HttpError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, title: str, detail: str, *, temporary: bool = False, seconds: int = RETRY_SECONDS) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.temporary = temporary
        self.seconds = seconds

    def response(self, **more: str) -> Response:
        """The HTTP response; `more` are further members of the problem."""
        headers = {"Retry-After": str(self.seconds), "X-RateLimit-Reset": str(self.seconds)} if self.temporary else {}
        if self.code == "invalid_write_key":
            headers["WWW-Authenticate"] = 'Basic realm="write key"'
        problem = Problem("about:blank", self.title, self.status, self.detail, success=False, code=self.code, message=self.detail)
        return JSONResponse(msgspec.to_builtins(problem) | more, self.status, headers, media_type="application/problem+json")


def accepted(not_stored: Sequence[NotStored] = ()) -> Response:
    """The one answer that lets a client forget its events. `not_stored`: those that wait or are not kept, for a client that reads it."""
    content = b'{"success": true}' if not not_stored else msgspec.json.encode(Accepted(success=True, not_stored=not_stored))
    return Response(content, media_type="application/json")


def bad_request(detail: str) -> HttpError:
    """The body cannot be understood; sending it again would not help."""
    return HttpError(400, "invalid_request", "Bad request", detail)


def too_large(detail: str) -> HttpError:
    """The body is larger than is accepted."""
    return HttpError(413, "too_large", "Content too large", detail)


def too_slow() -> HttpError:
    """The body did not arrive in time."""
    return HttpError(503, "too_slow", "Too slow", "the body did not arrive in time", temporary=True)


def unknown_encoding() -> HttpError:
    """The body is packed in a way that is not known here."""
    return HttpError(415, "unknown_encoding", "Unsupported media type", "the content encoding must be gzip, deflate or none")


def not_found(detail: str) -> HttpError:
    """There is no such thing, or it is another project's."""
    return HttpError(404, "not_found", "Not found", detail)


def wrong_method() -> HttpError:
    """The address takes another method."""
    return HttpError(405, "wrong_method", "Method not allowed", "this address does not take that method")


def unknown_key() -> HttpError:
    """No project has this write key."""
    return HttpError(401, "invalid_write_key", "Unknown write key", "the write key is missing, unknown or revoked")


def wrong_project() -> HttpError:
    """The token and the write key open different projects."""
    return HttpError(
        401, "wrong_project", "Wrong project", "the write key in the body is not one of the project that the token was given for"
    )


def stale_token() -> HttpError:
    """The token expired, or its key was revoked.

    On 511 the SDKs that know OAuth fetch another one and send the same batch again; on 401 they would throw the batch away.
    """
    return HttpError(511, "invalid_token", "Network authentication required", "the token expired or was revoked; fetch another one")


def wrong_origin() -> HttpError:
    """A browser sends for a page that may not."""
    return HttpError(403, "origin_not_allowed", "Origin not allowed", "pages of this origin may not send; see browser_origins in [ingest]")


def overloaded() -> HttpError:
    """Too much waits already."""
    return HttpError(429, "overloaded", "Too many requests", "too many events wait to be stored; send this again later", temporary=True)


def too_fast(seconds: int, what: str = "events") -> HttpError:
    """A write key sends more than it may; after so many seconds this request is let in."""
    detail = f"this write key sends too many {what}; send this again after {seconds} s"
    return HttpError(429, "too_fast", "Too many requests", detail, temporary=True, seconds=seconds)


def unavailable(detail: str = "nothing was stored; send this again later") -> HttpError:
    """The store cannot make events durable at present."""
    return HttpError(503, "store_unavailable", "Store unavailable", detail, temporary=True)
