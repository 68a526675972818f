"""Forms that pages post: one way in for all of them.

A form is believed for where it comes from: `Authenticator.who` refuses what another site's page began, and the session's cookie is on no such request. So
a form holds no secret of its own (decision 0071). Call `who` first, then `read`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from innerloop_collector.config.configuration import Limits
from innerloop_collector.http import request_body
from innerloop_collector.http.responses import HttpError, bad_request

MOST_BYTES = 64_000
_MOST_FIELDS = 200
_MEDIA = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """What a field holds, as it was sent. Empty: nothing."""
        return self.values.get(name, ("",))[0]

    def line(self, name: str) -> str:
        """What a field holds, without blanks at its ends."""
        return self.get(name).strip()

    def lines(self, name: str) -> list[str]:
        """What stands in a field, a line each."""
        return [line.strip() for line in self.get(name).splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as it is shown: with what it holds, and what is wrong with that."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    error: str = ""
    kind: str = "text"  # or "date", "url", "lines", "choice"
    options: tuple[tuple[str, str], ...] = ()  # of a choice: value and text
    required: bool = False
    names: bool = False  # of commands and targets, and other words that programs read


@dataclass(frozen=True, slots=True)
class Done:
    """What was posted is done, and the browser goes on to another page."""

    address: str


async def read(request: Request, limits: Limits, most: int = MOST_BYTES) -> Form:
    """Read what was posted. Raises HttpError for what is no form, or too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA:
        raise HttpError(415, "unsupported_media_type", "No form", "this takes what a form of these pages sends")
    body = await request_body.read(request, msgspec.structs.replace(limits, body=most))
    try:
        pairs = parse_qsl(body.decode("ascii", "strict"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise bad_request("this is no form of these pages") from None
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        values[name] = (*values.get(name, ()), value)
    return Form(values)
