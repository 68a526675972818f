"""OAuth as Segment's SDKs speak it: a signed request becomes a token, and a token becomes a project.

May import: the store's public keys, ingest's answers, jwt. SendingTokens are signed and not kept. Each names the public key that it was
given for, so it dies with that key.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from innerloop_collector.http.responses import Refusal
from innerloop_collector.store.oauth_keys import Assertions, OAuthKey, OAuthKeys

SCOPE = "tracking_api:write"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST = 65  # seconds that an assertion may be good for: 60, and the SDKs read the clock twice
_LONGEST_NAME = 200
_NEEDED = ["iss", "sub", "aud", "iat", "exp", "jti"]
_TIMES_ARE_OURS = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


class SendingTokens:
    """Makes access tokens, and reads those that it made."""

    def __init__(self, keys: OAuthKeys, secret: bytes, now: Callable[[], datetime], seconds: int) -> None:
        self._keys = keys
        self._secret = secret
        self.now = now
        self.seconds = seconds

    def issue(self, key: OAuthKey) -> str:
        """Make a token for whoever has the private half of a key."""
        now = self.now()
        claims = {"sub": key.id, "scope": SCOPE, "iat": now, "exp": now + timedelta(seconds=self.seconds)}
        return jwt.encode(claims, self._secret, "HS256")

    def project_of(self, token: str) -> str | None:
        """Which project does a token write to? None: it is not ours, it expired, or its key was revoked."""
        options: Any = {"require": ["sub", "exp"], **_TIMES_ARE_OURS}
        try:
            claims = jwt.decode(token, self._secret, ["HS256"], options=options)
        except jwt.InvalidTokenError:
            return None
        key = self._keys.valid(claims["sub"])
        return key.project if key and claims["exp"] > self.now().timestamp() else None


def check(form: Mapping[str, str], audience: str, keys: OAuthKeys, assertions: Assertions, now: datetime) -> OAuthKey:
    """Find out who asks for a token. Raises Refusal, in the words that the SDKs look for."""
    if form.get("grant_type") != "client_credentials":
        raise _refused(400, "unsupported_grant_type", "grant_type must be client_credentials")
    if form.get("scope", SCOPE) != SCOPE:
        raise _refused(400, "invalid_scope", f"scope must be {SCOPE}")
    if form.get("client_assertion_type") != _ASSERTION_TYPE:
        raise _refused(400, "invalid_request", f"client_assertion_type must be {_ASSERTION_TYPE}")
    key, claims = _verified(form.get("client_assertion", ""), audience, keys)
    expires = _in_time(claims, now)
    name = claims["jti"]
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not assertions.use(key.id, name, expires):
        raise unknown_client("the assertion was used before")
    return key


def _verified(assertion: str, audience: str, keys: OAuthKeys) -> tuple[OAuthKey, dict[str, Any]]:
    """The key that signed an assertion, and its claims."""
    try:
        key = keys.valid(jwt.get_unverified_header(assertion).get("kid"))
        if key is None:
            raise unknown_client("no public key with this id is accepted")
        options: Any = {"require": _NEEDED, **_TIMES_ARE_OURS}
        claims = jwt.decode(assertion, key.pem, ["RS256"], audience=[audience, audience + "/"], options=options)
    except jwt.InvalidAudienceError:
        raise unknown_client("the assertion is meant for another address") from None
    except jwt.InvalidTokenError:
        raise unknown_client("the assertion is not one, or another key signed it") from None
    if (claims["iss"], claims["sub"]) != (key.project, key.project):
        raise unknown_client("iss and sub must be the client id, which is the project's id")
    return key, claims


def _in_time(claims: dict[str, Any], now: datetime) -> datetime:
    """When an assertion expires. The SDKs know these two texts, take the time from our answer and ask again."""
    try:
        issued, expires = (datetime.fromtimestamp(float(claims[name]), UTC) for name in ("iat", "exp"))
    except (TypeError, ValueError, OverflowError, OSError):
        raise unknown_client("iat and exp must be seconds since 1970") from None
    if expires <= now:
        raise _refused(400, "invalid_request", "Token is expired")
    if issued > now:
        raise _refused(400, "invalid_request", "Token used before issued")
    if (expires - issued).total_seconds() > _LONGEST:
        raise unknown_client(f"the assertion is good for more than {_LONGEST} seconds")
    return expires


def unknown_client(detail: str) -> Refusal:
    """Nobody who may have a token."""
    return _refused(401, "invalid_client", detail)


def _refused(status: int, error: str, detail: str) -> Refusal:
    return Refusal(status, error, "No token", detail)
