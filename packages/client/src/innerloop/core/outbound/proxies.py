"""Which proxy a request takes: the environment's variables, read as curl reads them.

    http_proxy                in small letters only: a CGI program gets the capital one from whoever asks it
    https_proxy, HTTPS_PROXY  for https
    all_proxy, ALL_PROXY      for both, where the above say nothing
    no_proxy, NO_PROXY        hosts that are reached without: `*`, names (with all below them), addresses, networks, each with a port or not

Of two spellings the small one counts; an empty value says nothing.
"""

import base64
import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple, Optional, Union
from urllib.parse import unquote, urlsplit

PORT = 1080  # of a proxy that names none, as with curl
Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


class Unusable(ValueError):
    """The environment asks for a proxy that cannot be spoken to. To go around it would be wrong: it is there for a reason."""


class Proxy(NamedTuple):
    """An HTTP proxy."""

    host: str
    port: int
    authorization: str = ""  # what its Proxy-Authorization header says, if anything


def choose(scheme: str, host: str, port: int, env: "Mapping[str, str]") -> Optional[Proxy]:
    """The proxy for a host, or None where it is reached directly. Raises Unusable."""
    names = [f"{scheme}_proxy", *(["HTTPS_PROXY"] if scheme == "https" else []), "all_proxy", "ALL_PROXY"]
    name = next((name for name in names if env.get(name)), "")
    if not name or spared(host, port, env.get("no_proxy") or env.get("NO_PROXY") or ""):
        return None
    return read(env[name], name)


def read(value: str, name: str) -> Proxy:
    """Read a proxy's address; `name` is the variable's, for a person. Raises Unusable."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = ascii_host(parts.hostname or ""), parts.port or PORT
    except ValueError as error:  # UnicodeError is one
        raise Unusable(f"{name} is no address of a proxy") from error
    if parts.scheme != "http":
        kind = f"{parts.scheme}://" if re.fullmatch(r"[a-z0-9+.-]{1,20}", parts.scheme) else "that it names"
        raise Unusable(f"{name} names a proxy of the kind {kind}, and only http:// is known here")
    if not host:
        raise Unusable(f"{name} names no proxy")
    if parts.username is None:
        return Proxy(host, port)
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, "Basic " + base64.b64encode(pair.encode()).decode())


def ascii_host(host: str) -> str:
    """A host's name as the wire has it. Raises UnicodeError."""
    return host if ":" in host else host.encode("idna").decode("ascii")


def spared(host: str, port: int, patterns: str) -> bool:
    """Tell whether a host is one of those that no proxy is used for."""
    name = host.lower().rstrip(".")
    address = _address(name)
    return any(_matches(pattern, name, address, port) for pattern in re.split(r"[,\s]+", patterns.lower()) if pattern)


def _matches(pattern: str, name: str, address: Optional[Address], port: int) -> bool:
    if pattern == "*":
        return True
    if "/" in pattern:
        return address is not None and _in_network(address, pattern)
    bare, wanted = _split_port(pattern)
    if wanted and wanted != str(port):
        return False
    if address is not None:
        return _address(bare) == address
    bare = bare.lstrip("*").strip(".")
    return bool(bare) and (name == bare or name.endswith("." + bare))


def _split_port(pattern: str) -> "tuple[str, str]":
    """Part `host:port`, `[address]:port` and `[address]`; an address of version 6 has many colons."""
    found = re.fullmatch(r"\[([^\]]*)\](?::([0-9]+))?", pattern) or re.fullmatch(r"([^:]*):([0-9]+)", pattern)
    return (found[1], found[2] or "") if found else (pattern, "")


def _address(text: str) -> Optional[Address]:
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _in_network(address: Address, pattern: str) -> bool:
    network, _, bits = pattern.partition("/")
    try:
        return address in ipaddress.ip_network(f"{network.strip('[]')}/{bits}", strict=False)
    except ValueError:
        return False
