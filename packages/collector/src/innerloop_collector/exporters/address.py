"""Where a destination is, and the key that it wants.

What is wrong with a configuration stops the collector at its start, in one line; a key that cannot be read does not: it may come back.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from innerloop_collector.config.configuration import Destination
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.failures import Refusing

DEFAULT = {"newrelic": "https://insights-collector.newrelic.com", "segment": "https://api.segment.io"}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where events go: the only host that a destination ever talks to, apart from a proxy."""

    url: str  # without a slash at its end
    host: str
    port: int
    tls: bool


def check(name: str, settings: Destination) -> Address:
    """Check a destination's section. Raises UsageError."""
    where = f"destinations.{name}"
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: a destination's name is 1 to 40 of a-z, 0-9, - and _")
    if not settings.recipient:
        raise UsageError(f"{where}.recipient is missing: the name under which project files list this recipient")
    if settings.kind != "otlp" and not (settings.key_file or settings.key_variable):
        raise UsageError(f"{where} needs key_file, or key_variable with the name of an environment variable")
    address = _address(f"{where}.endpoint", settings.endpoint or DEFAULT.get(settings.kind, ""))
    if not address.tls and not settings.plain_http and not is_loopback(address.host):
        raise UsageError(f"{where}.endpoint has no TLS; use https, or say plain_http = true")
    if settings.kind == "newrelic" and urlsplit(address.url).path:
        raise UsageError(f"{where}.endpoint must be a host without a path; New Relic's SDK adds it")
    return address


def _address(where: str, url: str) -> Address:
    if not url:
        raise UsageError(f"{where} is missing: the address without /v1/traces, such as https://otlp.example.com")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise UsageError(f"{where} is not an address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise UsageError(f"{where} must be like https://host:port, with no user, password, ? or #; secrets belong into key_file")
    return Address(url.rstrip("/"), parts.hostname, port, parts.scheme == "https")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_key(settings: Destination, environ: Mapping[str, str] = os.environ) -> str:
    """Read a destination's key. Empty: it has none. Raises Refusing."""
    key = read_secret(settings.key_file, settings.key_variable, environ)
    if not key.isprintable() or (" " in key and not settings.key_header):
        raise Refusing("the key holds characters that no key has")
    return key


def read_secret(file: str, variable: str, environ: Mapping[str, str] = os.environ) -> str:
    """Read a secret from the file, or the variable, that the configuration names. Empty: it names none. Raises Refusing."""
    if file:
        try:
            secret = Path(file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Refusing(f"key_file cannot be read: {getattr(error, 'strerror', None) or 'it is not ASCII text'}") from error
        if not secret:
            raise Refusing("key_file is empty")
        return secret
    secret = environ.get(variable, "").strip() if variable else ""
    if variable and not secret:
        raise Refusing(f"the variable {variable} is not set")
    return secret
