"""Signing in by OpenID Connect: the authorization code flow with PKCE, state and nonce.

What a sign-in needs until it ends travels with it: sealed, as its state. So whoever begins any number of them takes nothing from others. It is good
once, for ten minutes, and in the browser that began it; which ones were used is in memory.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from innerloop_collector.access.openid_client import Client
from innerloop_collector.access.principal import Principal
from innerloop_collector.errors import ProviderFailed, Unknown

SECONDS = 600  # for which a sign-in may take
_LONGEST_PATH = 1_000  # bytes: the state is a part of addresses
_MOST_USED = 100_000  # sign-ins that are remembered as used; a provider takes none of their codes twice either
_MOST_ASKED = 20  # sign-ins for which the provider is asked at the same time
_MOST_WAITING = 1_000  # that came back, until it is asked for them
_BROWSER = re.compile(r"[\w-]{43}")
_WORD = re.compile(r"[a-z_]{1,40}")  # with which a provider says why not


class Provider(Protocol):
    """Who signs people in."""

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to sign in. Raises ProviderFailed."""

    async def claims(self, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the provider says of who brought a code. Raises ProviderFailed, and Unknown for a token that is not for them or for us."""


class Begun(msgspec.Struct, frozen=True, array_like=True):
    """A sign-in that a browser was sent away for."""

    browser: bytes  # the hash of what its cookie holds
    nonce: str
    path: str  # of the page that is wanted


class _Line:
    """Those for whom the provider is asked, and behind them those who wait for it, the first one first."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._there = 0
        self._places = asyncio.Semaphore(_MOST_ASKED)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place at its head. Raises ProviderFailed where the line is too long."""
        if self._there >= self._longest:
            raise ProviderFailed("too many people sign in at this moment; try again in a minute, or use a token")
        self._there += 1
        try:
            async with self._places:
                yield
        finally:
            self._there -= 1


class OpenIDConnect:
    """Begins and ends sign-ins at one provider."""

    def __init__(self, client: Client, provider: Provider, monotonic: Callable[[], float]) -> None:
        self.button = client.settings.button
        self._issuer = client.settings.issuer
        self._client = client
        self._provider = provider
        self._monotonic = monotonic
        self._seal = Fernet(Fernet.generate_key())
        self._key = secrets.token_bytes(32)  # of verifiers
        self._used: dict[bytes, float] = {}  # hashes of nonces, and when; the oldest first
        self._leaving = _Line(_MOST_ASKED)
        self._back = _Line(_MOST_WAITING)  # of its own, so that nobody who comes back keeps others from beginning

    async def begin(self, browser: str, path: str) -> tuple[str, str]:
        """Where to send a browser, and what its cookie is to hold: what it holds already, so that two tabs can sign in. Raises ProviderFailed."""
        browser = browser if _BROWSER.fullmatch(browser) else secrets.token_urlsafe(32)
        begun = Begun(_hash(browser), secrets.token_urlsafe(32), path if len(path.encode(errors="replace")) <= _LONGEST_PATH else "/")
        state = self._seal.encrypt_at_time(msgspec.msgpack.encode(begun), int(self._monotonic())).decode()
        async with self._leaving.place():
            return await self._provider.address(state, begun.nonce, self._verifier(begun)), browser

    async def end(self, browser: str, given: Mapping[str, str]) -> tuple[Principal, str]:
        """Who came back with what the provider gave them, and which page they wanted. Raises Unknown, Denied and ProviderFailed."""
        begun = self._opened(browser, given.get("state", ""))
        if given.get("iss", self._issuer) != self._issuer:  # RFC 9207
            raise Unknown("another provider than the one that you were sent to sent you back")
        if "error" in given:
            word = given["error"] if _WORD.fullmatch(given["error"]) else "it does not say why"
            raise Unknown(f"the provider did not sign you in ({word})")
        if not given.get("code"):
            raise Unknown("the provider sent you back without a code")
        self._use_up(begun)
        async with self._back.place():
            claims = await self._provider.claims(given["code"], begun.nonce, self._verifier(begun))
        return self._client.principal(claims), begun.path

    def _opened(self, browser: str, state: str) -> Begun:
        """The sign-in that a state holds, for the browser that began it, and for no other. Raises Unknown."""
        try:
            sealed = self._seal.decrypt_at_time(state.encode("utf-8", "surrogatepass"), SECONDS, int(self._monotonic()))
        except InvalidToken:
            raise _not_open() from None
        begun = msgspec.msgpack.decode(sealed, type=Begun)
        if not hmac.compare_digest(begun.browser, _hash(browser)) or _hash(begun.nonce) in self._used:
            raise _not_open()
        return begun

    def _use_up(self, begun: Begun) -> None:
        """Remember that a sign-in was used, for as long as it would be good. Nothing is waited for between this and `_opened`."""
        now = self._monotonic()
        self._used[_hash(begun.nonce)] = now
        while len(self._used) > _MOST_USED or now - next(iter(self._used.values())) > SECONDS + 1:
            del self._used[next(iter(self._used))]

    def _verifier(self, begun: Begun) -> str:
        """Of PKCE: nobody knows it who does not know the key, and the key stays here."""
        return base64.urlsafe_b64encode(hmac.digest(self._key, begun.nonce.encode(), "sha256")).decode().rstrip("=")


def _not_open() -> Unknown:
    return Unknown("this sign-in was not begun in this browser, was ended already, or began more than ten minutes ago")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
