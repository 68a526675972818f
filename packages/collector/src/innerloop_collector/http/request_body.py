"""Read a request's body within bounds: as sent, after decompression and in time."""

import asyncio
import json
import math
import zlib
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from innerloop_collector.config.configuration import Limits
from innerloop_collector.http.responses import HttpError, bad_request, too_large, too_slow, unknown_encoding

_GZIP_OR_ZLIB = 47
_RAW = -15  # what some clients call deflate: without zlib's header
_GZIP = b"\x1f\x8b"
_MEMBERS = 100  # each costs a copy of what follows it
_DIGITS = 4_300  # of a whole number: Python reads no longer ones
_TOO_LARGE = 10**30  # stands for a number that nothing here can hold: no field takes it
_decode = msgspec.json.decode
_Form = TypeVar("_Form")


async def read(request: Request, limits: Limits) -> bytes:
    """Read and decompress a body."""
    try:
        async with asyncio.timeout(limits.body_seconds):
            raw = await _receive(request, limits)
    except TimeoutError:
        raise too_slow() from None
    except ClientDisconnect:
        raise bad_request("the body ended early") from None
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return raw
    if encoding in ("gzip", "x-gzip", "deflate"):
        bare = encoding == "deflate" and not _has_zlib_header(raw)
        return inflate(raw, limits.body, _RAW if bare else _GZIP_OR_ZLIB)
    raise unknown_encoding()


async def _receive(request: Request, limits: Limits) -> bytes:
    """Collect what is sent. Too much is read and thrown away, up to a bound, so that our answer arrives."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limits.drained:
            break
        if size <= limits.body:
            parts.append(chunk)
    if size > limits.body:
        raise too_large(f"a body may have {limits.body} bytes")
    return b"".join(parts)


def _has_zlib_header(raw: bytes) -> bool:
    return len(raw) > 1 and raw[0] & 15 == 8 and int.from_bytes(raw[:2], "big") % 31 == 0


def inflate(raw: bytes, most: int, window: int = _GZIP_OR_ZLIB) -> bytes:
    """Decompress gzip or zlib data, never into more than `most` bytes. Gzip may come in several members (RFC 1952, 2.2)."""
    data = b""
    for _ in range(_MEMBERS):
        engine = zlib.decompressobj(window)
        try:
            data += engine.decompress(raw, most + 1 - len(data))
        except zlib.error:
            raise bad_request("the body is not what its content encoding says") from None
        if len(data) > most:
            raise too_large(f"a body may have {most} bytes after decompression")
        if not engine.eof:
            raise bad_request("the compressed body ended early")
        raw = engine.unused_data
        if not raw:
            return data
        if not raw.startswith(_GZIP):
            raise bad_request("something follows the compressed body")
    raise bad_request(f"the compressed body has more than {_MEMBERS} members")


def decode(data: bytes) -> dict[str, Any]:
    """Read a body as a JSON object."""
    try:
        document = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = _decode_leniently(data)
    except RecursionError:
        raise _not_json() from None
    if not isinstance(document, dict):
        raise bad_request("the body must be a JSON object")
    return document


def decode_as(data: bytes, form: type[_Form], otherwise: str) -> _Form:
    """Read a body that must have a form; `otherwise` says which. What is nested too deeply to be read has none."""
    try:
        return _decode(data, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise bad_request(otherwise) from None


def _decode_leniently(data: bytes) -> Any:
    """Read what SDKs write although it is not JSON, or no number can hold it, so that one such value does not cost a batch.

    Python's writes NaN, and all write half of a character where a text was cut: null and a question mark here.
    """
    try:
        document = json.loads(data, parse_constant=lambda _: None, parse_float=_finite, parse_int=_whole)
        return _decode(json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise _not_json() from None


def _finite(text: str) -> float | int:
    value = float(text)
    return value if math.isfinite(value) else _beyond(text)


def _whole(text: str) -> int:
    return int(text) if len(text) <= _DIGITS else _beyond(text)


def _beyond(text: str) -> int:
    return -_TOO_LARGE if text.startswith("-") else _TOO_LARGE


def _not_json() -> HttpError:
    return bad_request("the body is not valid JSON")


def too_deep(document: dict[str, Any], most: int) -> bool:
    """Tell whether something lies deeper than `most`; the document itself lies at 1."""
    level: list[Any] = [document]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True
