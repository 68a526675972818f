"""Read a request's body within bounds: as sent, after decompression and in time. May import: configuration, answers."""

import asyncio
import zlib
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from innerloop_collector.configuration import Limits
from innerloop_collector.ingest.answers import Refusal, bad_request, too_large

_GZIP_OR_ZLIB = 47
_decode = msgspec.json.decode


async def read(request: Request, limits: Limits) -> bytes:
    """Read and decompress a body."""
    try:
        async with asyncio.timeout(limits.body_seconds):
            raw = await _receive(request, limits)
    except TimeoutError:
        raise Refusal(408, "too_slow", "Request timeout", "the body did not arrive in time", temporary=True) from None
    except ClientDisconnect:
        raise bad_request("the body ended early") from None
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return raw
    if encoding in ("gzip", "x-gzip", "deflate"):
        return inflate(raw, limits.body)
    raise Refusal(415, "unknown_encoding", "Unsupported media type", "the content encoding must be gzip or none")


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


def inflate(raw: bytes, most: int) -> bytes:
    """Decompress gzip or zlib data, never into more than `most` bytes."""
    engine = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        data = engine.decompress(raw, most + 1)
    except zlib.error:
        raise bad_request("the body is not valid gzip") from None
    if len(data) > most:
        raise too_large(f"a body may have {most} bytes after decompression")
    if not engine.eof:
        raise bad_request("the compressed body ended early")
    return data


def decode(data: bytes) -> dict[str, Any]:
    """Read a body as a JSON object."""
    try:
        document = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_request("the body is not valid JSON") from None
    if not isinstance(document, dict):
        raise bad_request("the body must be a JSON object")
    return document
