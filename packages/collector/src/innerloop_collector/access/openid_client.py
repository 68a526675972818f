"""What a provider of OpenID Connect knows this service by, and whom it lets in: the settings, once they belong together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from innerloop_collector.access.principal import Principal, Role, Via
from innerloop_collector.config.configuration import OpenID
from innerloop_collector.config.files import read_text
from innerloop_collector.errors import Denied, UsageError

BEGIN = "/sign-in/openid"
CALLBACK = "/sign-in/openid/callback"
_ALL = "*"  # where a claim names projects: every one
_LONGEST_NAME = 100
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NEEDED = ("client_id", "redirect_uri", "role_claim", "scopes", "roles")


@dataclass(frozen=True, slots=True)
class Client:
    """This service, as a provider knows it."""

    settings: OpenID
    secret: str  # empty: it has none
    roles: Mapping[str, Role]  # by the claim's value; the first that somebody has counts

    @classmethod
    def of(cls, settings: OpenID) -> "Client | None":
        """Take settings. None: nobody signs in like this. Raises UsageError for settings that do not belong together."""
        if not settings.issuer:
            if settings != OpenID():
                raise UsageError("[openid] sets something, but issuer is empty; name the provider, or remove the table")
            return None
        for name in _NEEDED:
            if not getattr(settings, name):
                raise UsageError(f"[openid] issuer needs {name} as well")
        if "openid" not in settings.scopes:
            raise UsageError('[openid] scopes must name "openid": without it a provider gives no ID token')
        _check_address("issuer", settings.issuer)
        _check_address("redirect_uri", settings.redirect_uri)
        if urlsplit(settings.redirect_uri).path != CALLBACK:
            raise UsageError(
                f"[openid] redirect_uri must be this service's address and {CALLBACK}, such as https://innerloop.example.org{CALLBACK}"
            )
        secret = read_text(Path(settings.client_secret_file)).strip() if settings.client_secret_file else ""
        if settings.client_secret_file and not secret:
            raise UsageError(f"[openid] client_secret_file: {settings.client_secret_file} is empty")
        return cls(settings, secret, {value: _role(value, word) for value, word in settings.roles.items()})

    def principal(self, claims: Mapping[str, Any]) -> Principal:
        """Who somebody is here, by what their provider says of them. Raises Denied for who has no role."""
        values = _texts(claims.get(self.settings.role_claim))
        role = next((role for value, role in self.roles.items() if value in values), None)
        if role is None:
            raise Denied("your account has no role here; ask whoever runs the collector for one of the groups that it lets in")
        projects = {*_texts(claims.get(self.settings.projects_claim))} if self.settings.projects_claim else {_ALL}
        return Principal(role, Via.SESSION, _name(claims, self.settings.name_claim), None if _ALL in projects else frozenset(projects))


def is_private(address: str, *, loopback: bool) -> bool:
    """Tell whether what is sent to an address is read by nobody on the way: by TLS, or on this machine where that may be."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (loopback and parts.scheme == "http" and host in _LOOPBACK)


def _check_address(name: str, address: str) -> None:
    if not is_private(address, loopback=True) or "?" in address or "#" in address:
        raise UsageError(
            f"[openid] {name} must be like https://id.example.org, without user, query and fragment; http only on this machine's loopback interface"
        )


def _role(value: str, word: str) -> Role:
    try:
        return Role.named(word)
    except KeyError:
        raise UsageError(f"[openid.roles]: {value} has no role that exists; choose viewer, analyst, changes or admin") from None


def _texts(claim: Any) -> tuple[str, ...]:
    """The texts that a claim holds: one, or a list of them."""
    found = claim if isinstance(claim, list) else [claim]
    return tuple(one for one in found if isinstance(one, str) and one)


def _name(claims: Mapping[str, Any], wanted: str) -> str:
    """What somebody is called on pages: one line of bounded length, whatever their provider says."""
    said = next((text for text in (*_texts(claims.get(wanted)), *_texts(claims.get("sub")))), "")
    return "".join(one for one in said if one.isprintable())[:_LONGEST_NAME]
