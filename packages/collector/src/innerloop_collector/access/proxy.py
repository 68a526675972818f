"""A reverse proxy that has asked who somebody is, and says so in headers.

Off by default. Its headers count only from an address that is trusted and together with a secret that only the proxy
knows: whoever reaches the service past the proxy, also from the same machine, cannot be anybody. The address is compared and forgotten.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers

from innerloop_collector.access.principal import Principal, Role, Via
from innerloop_collector.config.configuration import Access
from innerloop_collector.errors import Denied, UsageError

_SHORTEST_SECRET = 16
_ALL = "*"  # where a header names projects: every one; where it names none, none is meant
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxy:
    """Believes the headers of a trusted proxy, and nobody else's."""

    def __init__(self, access: Access) -> None:
        """Raises UsageError for settings that do not belong together."""
        self._user = access.proxy_user_header
        self._role = access.proxy_role_header
        self._projects = access.proxy_projects_header
        self._roles = _roles(access.proxy_roles)
        self._networks = [_network(text) for text in access.trusted_proxies]
        self._secret_header = access.proxy_proof_header
        self._secret = b""
        if self._user:
            self._secret = _secret(access)

    def principal(self, headers: Headers, peer: str | None) -> Principal | None:
        """Who the proxy says that it is. None: it says nothing, or whoever says it is no proxy of ours. Raises Denied."""
        if not self._user or not self._trusts(peer) or self._user not in headers:
            return None
        if not hmac.compare_digest(_one(headers, self._secret_header).encode("latin-1", "replace"), self._secret):
            raise Denied(
                f"the header {self._secret_header} is missing or wrong, so the proxy is not believed; compare [access] proxy_secret_file"
            )
        user = _one(headers, self._user)
        if not user:
            return None
        word = _one(headers, self._role) if self._role else ""
        role = self._roles.get(user) or _role(word)
        if role is None:
            raise Denied("the proxy names no role for this user; see [access] proxy_roles and proxy_role_header")
        projects = {one.strip() for one in _one(headers, self._projects).split(",")} if self._projects else {_ALL}
        return Principal(role, Via.PROXY, user, None if _ALL in projects else frozenset(projects - {""}))

    def _trusts(self, peer: str | None) -> bool:
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _one(headers: Headers, name: str) -> str:
    """The value of a header that may occur once: of two, one may be the sender's own. Raises Denied."""
    values = headers.getlist(name)
    if len(values) > 1:
        raise Denied(f"the header {name} occurs twice, so the proxy is not believed; have it remove what clients send under that name")
    return values[0].strip() if values else ""


def _role(word: str) -> Role | None:
    try:
        return Role.named(word)
    except KeyError:
        return None


def _roles(words: Mapping[str, str]) -> dict[str, Role]:
    roles = {user: _role(word) for user, word in words.items()}
    if unknown := sorted(user for user, role in roles.items() if role is None):
        raise UsageError(f"[access] proxy_roles: {unknown[0]} has no role that exists; choose viewer, analyst, changes or admin")
    return {user: role for user, role in roles.items() if role is not None}


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise UsageError(
            f"[access] trusted_proxies: {text!r} is neither an address nor a network, such as 10.0.0.5 or 10.0.0.0/24"
        ) from None


def _secret(access: Access) -> bytes:
    """The secret of a proxy, once everything is set that it takes."""
    if not access.trusted_proxies or not access.proxy_secret_file or not (access.proxy_role_header or access.proxy_roles):
        raise UsageError(
            "[access] proxy_user_header needs trusted_proxies, proxy_secret_file, and proxy_roles or proxy_role_header as well"
        )
    try:
        secret = Path(access.proxy_secret_file).read_bytes().strip()
    except OSError as error:
        raise UsageError(f"[access] proxy_secret_file: cannot read {access.proxy_secret_file}: {error.strerror}") from error
    if len(secret) < _SHORTEST_SECRET:
        raise UsageError(f"[access] proxy_secret_file: {access.proxy_secret_file} holds fewer than {_SHORTEST_SECRET} characters")
    return secret
