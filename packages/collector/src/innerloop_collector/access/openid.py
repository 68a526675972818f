"""Signing in by OpenID Connect: the authorization code flow with PKCE, state and nonce.

What a sign-in needs until it ends is in memory. It is good once, for ten minutes, and in the browser that began it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from innerloop_collector.access.openid_client import Client
from innerloop_collector.access.principal import Principal
from innerloop_collector.errors import ProviderFailed, Unknown

SECONDS = 600  # for which a sign-in may take
_MOST = 10_000  # that were begun and not ended; the oldest makes room
_MOST_ASKED = 20  # sign-ins for which the provider is asked at the same time
_BROWSER = re.compile(r"[\w-]{43}")
_WORD = re.compile(r"[a-z_]{1,40}")  # with which a provider says why not


class Provider(Protocol):
    """Who signs people in."""

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to sign in. Raises ProviderFailed."""

    async def claims(self, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the provider says of who brought a code. Raises ProviderFailed, and Unknown for a token that is not for them or for us."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that a browser was sent away for."""

    browser: bytes  # the hash of what its cookie holds
    nonce: str
    verifier: str
    path: str  # of the page that is wanted
    at: float


class OpenIDConnect:
    """Begins and ends sign-ins at one provider."""

    def __init__(self, client: Client, provider: Provider, monotonic: Callable[[], float]) -> None:
        self.button = client.settings.button
        self._issuer = client.settings.issuer
        self._client = client
        self._provider = provider
        self._monotonic = monotonic
        self._begun: dict[bytes, Begun] = {}  # by the hash of its state; the oldest first
        self._asked = 0

    async def begin(self, browser: str, path: str) -> tuple[str, str]:
        """Where to send a browser, and what its cookie is to hold: what it holds already, so that two tabs can sign in. Raises ProviderFailed."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._asking():
            address = await self._provider.address(state, nonce, verifier)
        browser = browser if _BROWSER.fullmatch(browser) else secrets.token_urlsafe(32)
        while len(self._begun) >= _MOST:
            del self._begun[next(iter(self._begun))]
        self._begun[_hash(state)] = Begun(_hash(browser), nonce, verifier, path, self._monotonic())
        return address, browser

    async def end(self, browser: str, given: Mapping[str, str]) -> tuple[Principal, str]:
        """Who came back with what the provider gave them, and which page they wanted. Raises Unknown, Denied and ProviderFailed."""
        begun = self._taken(browser, given.get("state", ""))
        if given.get("iss", self._issuer) != self._issuer:  # RFC 9207
            raise Unknown("another provider than the one that you were sent to sent you back")
        if "error" in given:
            word = given["error"] if _WORD.fullmatch(given["error"]) else "it does not say why"
            raise Unknown(f"the provider did not sign you in ({word})")
        if not given.get("code"):
            raise Unknown("the provider sent you back without a code")
        with self._asking():
            claims = await self._provider.claims(given["code"], begun.nonce, begun.verifier)
        return self._client.principal(claims), begun.path

    def _taken(self, browser: str, state: str) -> Begun:
        """The sign-in with a state, which is used up by the browser that began it, and by no other."""
        begun = self._begun.get(_hash(state))
        if begun is None or not hmac.compare_digest(begun.browser, _hash(browser)) or self._monotonic() - begun.at > SECONDS:
            raise Unknown("this sign-in was not begun in this browser, was ended already, or began more than ten minutes ago")
        del self._begun[_hash(state)]
        return begun

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A place among those for whom the provider is asked. Raises ProviderFailed where there is none."""
        if self._asked >= _MOST_ASKED:
            raise ProviderFailed("too many people sign in at this moment; try again in a minute, or use a token")
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
