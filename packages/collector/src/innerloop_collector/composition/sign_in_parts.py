"""Signing in by OpenID Connect, where it is configured."""

import ssl
import time
from typing import Any

import httpx2
import structlog

from innerloop_collector.access.openid import OpenIDConnect
from innerloop_collector.access.openid_client import Client
from innerloop_collector.config.configuration import OpenID
from innerloop_collector.errors import ProviderFailed, UsageError
from innerloop_collector.http.bounded_client import Answered, Bounds, ask_within

_MOST = 200_000  # bytes of an answer
_log = structlog.get_logger()


def tls(settings: OpenID) -> ssl.SSLContext:
    """What the provider's certificate is judged by. Raises UsageError."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise UsageError(f"[openid] ca_file: cannot use {settings.ca_file}: {error.strerror or error}") from error


def openid(settings: OpenID) -> OpenIDConnect | None:
    """What signs people in at a provider. None: nobody signs in like this. Raises UsageError for settings that do not belong together."""
    client = Client.of(settings)
    if client is None:
        return None
    from innerloop_collector.access.openid_provider import AskedProvider  # noqa: PLC0415 - a fifth of the start, for who uses it

    bounds, verify = Bounds(settings.timeout_seconds, _MOST), tls(settings)

    async def ask(method: str, address: str, **options: Any) -> Answered:
        try:
            return await ask_within(method, address, bounds, verify=verify, **options)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            _log.warning("sign-in by OpenID Connect failed", step="asking", why=type(error).__name__)
            raise ProviderFailed("the service that signs people in does not answer; try again, or use a token") from error

    return OpenIDConnect(client, AskedProvider(client, ask), time.monotonic)
