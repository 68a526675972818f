"""A provider of OpenID Connect: what it is asked, and what of its answers is believed.

Authlib and joserfc make requests and judge tokens; neither sends anything. Every answer comes by `ask`, which bounds its time and its size.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote_plus

import msgspec
import structlog
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jws import JWSRegistry

from innerloop_collector.access.openid_client import Client, is_private
from innerloop_collector.errors import ProviderFailed, Unknown

_KEPT = 300.0  # seconds for which what a provider says of itself is not asked again
_SKEW = 60  # seconds that its clock and ours may lie apart
_SIGNED = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)  # with a key that is only its own
_HASHED_AS = {"Ed25519": "EdDSA"}  # a newer name of the same (RFC 9864), by which Authlib finds no hash for `at_hash`
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_Form = TypeVar("_Form")
_log = structlog.get_logger()


class Answer(Protocol):
    """What came back."""

    @property
    def status(self) -> int:
        """Of HTTP."""

    @property
    def content(self) -> bytes:
        """All of it."""


Ask = Callable[..., Awaitable[Answer]]  # method, address, headers=, content=. Raises ProviderFailed


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery), as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)


class Tokens(msgspec.Struct, frozen=True):
    """What a code is exchanged for."""

    id_token: str
    access_token: str = ""


class AskedProvider:
    """Asks one provider."""

    def __init__(self, client: Client, ask: Ask, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ask = ask
        self._monotonic = monotonic
        self._kept: tuple[float, Metadata] | None = None

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to sign in. Raises ProviderFailed."""
        settings = self._client.settings
        return str(
            prepare_grant_uri(
                (await self._metadata()).authorization_endpoint,
                settings.client_id,
                "code",
                redirect_uri=settings.redirect_uri,
                scope=list(settings.scopes),
                state=state,
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256",
            )
        )

    async def claims(self, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the provider says of who brought a code. Raises ProviderFailed, and Unknown for a token that is not for them or for us."""
        metadata = await self._metadata()
        tokens = await self._exchange(metadata, code, verifier)
        keys = await self._ask("GET", metadata.jwks_uri)
        claims = self._judged(tokens, _read("keys", keys, dict[str, Any]), metadata, nonce)
        settings = self._client.settings
        missing = {settings.role_claim, settings.projects_claim, settings.name_claim} - {"", *claims}
        if not (missing and metadata.userinfo_endpoint and tokens.access_token):
            return claims
        return {**await self._userinfo(metadata, tokens.access_token, claims["sub"]), **claims}

    async def _metadata(self) -> Metadata:
        """What it says of itself."""
        if self._kept is None or self._monotonic() - self._kept[0] > _KEPT:
            self._kept = self._monotonic(), await self._discover()
        return self._kept[1]

    async def _discover(self) -> Metadata:
        issuer = self._client.settings.issuer
        found = _read("discovery", await self._ask("GET", get_well_known_url(issuer, external=True)), Metadata)
        if found.issuer != issuer:
            raise _unusable("discovery", "it names another issuer")
        addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint)
        if not all(is_private(one, loopback=issuer.startswith("http:")) for one in addresses if one):
            raise _unusable("discovery", "an address has no TLS")
        return found

    async def _exchange(self, metadata: Metadata, code: str, verifier: str) -> Tokens:
        """Give the code for tokens, as the client that it was given to."""
        client = self._client
        body = prepare_token_request("authorization_code", redirect_uri=client.settings.redirect_uri, code=code, code_verifier=verifier)
        known = metadata.token_endpoint_auth_methods_supported
        named, way = (client.settings.client_id, client.secret), "none"
        if client.secret and "client_secret_post" in known and "client_secret_basic" not in known:
            way = "client_secret_post"
        elif client.secret:  # RFC 6749, 2.3.1: as in a form, before they are joined
            named, way = (quote_plus(named[0]), quote_plus(named[1])), "client_secret_basic"
        address, headers, content = ClientAuth(*named, way).prepare("POST", metadata.token_endpoint, dict(_FORM), body)
        answer = await self._ask("POST", address, headers=headers, content=content.encode())
        if answer.status in (400, 401):
            _log.warning("sign-in by OpenID Connect failed", step="token", why=_error(answer))
            raise Unknown("the provider gave nothing for the code that it sent you with; sign in again")
        return _read("token", answer, Tokens)

    def _judged(self, tokens: Tokens, keys: dict[str, Any], metadata: Metadata, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token that the provider signed, for us, now, and for this sign-in. Raises Unknown."""
        settings = self._client.settings
        algorithms = [one for one in _SIGNED if one in metadata.id_token_signing_alg_values_supported]
        wanted = {
            "iss": {"essential": True, "value": settings.issuer},
            "aud": {"essential": True, "value": settings.client_id},
            "sub": {"essential": True},
        }
        told = {"nonce": nonce, "client_id": settings.client_id, "access_token": tokens.access_token}
        try:
            if not algorithms:  # joserfc takes an empty list for all that it recommends, some of which need a shared secret
                raise ValueError
            key_set = KeySet.import_key_set(cast("KeySetSerialization", keys))
            token = jwt.decode(tokens.id_token, key_set, registry=JWSRegistry(algorithms=algorithms, strict_check_header=False))
            algorithm = token.header["alg"]
            header = {**token.header, "alg": _HASHED_AS.get(algorithm, algorithm)}
            found = CodeIDToken(token.claims, header, wanted, told)
            found.validate(leeway=_SKEW)
        except Exception as error:  # libraries read what somebody else wrote; whatever they make of it, nobody is signed in
            _log.warning("sign-in by OpenID Connect failed", step="ID token", why=getattr(error, "error", type(error).__name__))
            raise Unknown("what the provider says of you cannot be believed; whoever runs the collector finds in its log why") from error
        return dict(found)

    async def _userinfo(self, metadata: Metadata, token: str, subject: str) -> dict[str, Any]:
        """What a provider tells of somebody only when it is asked."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        found = _read("userinfo", await self._ask("GET", metadata.userinfo_endpoint, headers=headers), dict[str, Any])
        if found.get("sub") != subject:
            raise _unusable("userinfo", "it is about somebody else")
        return found


def _read(step: str, answer: Answer, form: type[_Form]) -> _Form:
    """An answer that must have a form. Raises ProviderFailed."""
    if answer.status != 200:
        raise _unusable(step, f"status {answer.status}")
    try:
        return msgspec.json.decode(answer.content, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _unusable(step, "not the JSON that it must be") from None


def _error(answer: Answer) -> str:
    """The word with which a provider refuses, where it is one of OAuth's."""
    known = ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope")
    return next((word for word in known if f'"{word}"'.encode() in answer.content), f"status {answer.status}")


def _unusable(step: str, why: str) -> ProviderFailed:
    _log.warning("sign-in by OpenID Connect failed", step=step, why=why)
    return ProviderFailed("the service that signs people in did not answer as it must; try again, or use a token")
