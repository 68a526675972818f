"""Ask an address over HTTP, and read its answer within bounds of time and bytes, whoever answers there."""

import asyncio
import ssl
from typing import Any, NamedTuple

import httpx2

from innerloop_collector.http.name_lookups import wait_for_no_lookup


class Bounds(NamedTuple):
    """How long an answer may take as a whole, and how many bytes it may have."""

    seconds: float
    most: int  # 0: none of its content is read, whatever it has


class TooLarge(httpx2.HTTPError):
    """An answer has more bytes than it may have."""


class Answered(NamedTuple):
    """An answer that came within its bounds."""

    status: int
    headers: httpx2.Headers
    content: bytes


def ask(method: str, url: str, bounds: Bounds, *, trust_env: bool = True, **options: Any) -> Answered:
    """Ask an address from a thread that may wait. As `ask_within`; a name whose look-up hangs takes no longer."""

    async def alone() -> Answered:
        wait_for_no_lookup()
        return await ask_within(method, url, bounds, trust_env=trust_env, **options)

    return asyncio.run(alone())


async def ask_within(
    method: str, url: str, bounds: Bounds, *, trust_env: bool = True, verify: ssl.SSLContext | bool = True, **options: Any
) -> Answered:
    """Ask an address. A redirection is not followed. Raises httpx2.HTTPError, TooLarge among them, and httpx2.InvalidURL.

    A timeout of the client's own is one of each step, so that who sends a byte now and then would hold it for ever: this one is of the whole.
    """
    try:
        async with asyncio.timeout(bounds.seconds):
            return await _ask(method, url, bounds.most, httpx2.AsyncClient(trust_env=trust_env, timeout=None, verify=verify), options)
    except TimeoutError as error:
        raise httpx2.ReadTimeout(f"no whole answer within {bounds.seconds:g} s") from error


async def _ask(method: str, url: str, most: int, made: httpx2.AsyncClient, options: dict[str, Any]) -> Answered:
    plain = {**options.pop("headers", {}), "Accept-Encoding": "identity"}  # what is packed may be small, and large when unpacked
    async with (
        made as client,
        client.stream(method, url, headers=plain, **options) as response,
    ):
        content = bytearray()
        if not most:
            return Answered(response.status_code, response.headers, b"")
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > most:
                raise TooLarge(f"its answer has more than {most} bytes")
        return Answered(response.status_code, response.headers, bytes(content))
