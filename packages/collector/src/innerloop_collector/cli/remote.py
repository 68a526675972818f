"""A collector elsewhere: its address, and the token for it."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from innerloop_collector.config.configuration import PREFIX
from innerloop_collector.config.files import read_text
from innerloop_collector.errors import UsageError

URL_VARIABLE = PREFIX + "URL"
TOKEN_VARIABLE = PREFIX + "TOKEN"


class Remote(NamedTuple):
    """Where a collector is, and what opens it."""

    url: str
    token: str


def remote(url: str, token_file: str | None, environ: Mapping[str, str]) -> Remote:
    """Read what it takes to ask a collector elsewhere. Raises UsageError. The token is never an argument: others could read those."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is no address of a collector, such as https://innerloop.example.org")
    if parts.scheme == "http" and not _on_this_machine(parts.hostname):
        raise UsageError(f"{url} would carry the token unencrypted; use https, or a tunnel to a port of this machine")
    token = _read(token_file) if token_file else environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise UsageError(f"no token for {url}: set {TOKEN_VARIABLE}, or name a file with --token-file")
    return Remote(url.rstrip("/"), token)


def _split(url: str) -> SplitResult | None:
    """The parts of an address. None: it is none, or its port is none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(file: str) -> str:
    return read_text(Path(file)).strip()
