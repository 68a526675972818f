"""Tell which project a request writes to.

Segment's three forms: Basic with the write key as user name, with and without the colon; the write key in the body; a
token from `POST /token`, together with the write key in the body. A browser's beacon has no header and says it in the address.
"""

import base64
import binascii
from typing import Any, NamedTuple

from starlette.requests import Request

from innerloop_collector.http.responses import stale_token, unknown_key, wrong_project
from innerloop_collector.ingest.oauth import SendingTokens
from innerloop_collector.store.projects import Registry

BEACON = "/beacon/v1/batch"  # where RudderStack's SDK for browsers sends what it says with sendBeacon


class Credentials(NamedTuple):
    """What is shown before the body. Both None: nothing."""

    key: str | None = None  # "" is a header that cannot be read
    token: str | None = None


class Sender(NamedTuple):
    """Whose request it is."""

    project: str
    key: str  # the write key itself: never stored, never shown


def credentials_of(request: Request) -> Credentials:
    """Read the Authorization header, or a beacon's address."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token=rest.strip())
    if scheme.lower() == "basic":
        return Credentials(key=_basic(rest))
    return Credentials(key=request.query_params.get("writeKey")) if request.scope["path"].endswith(BEACON) else Credentials()


def key_in_header(request: Request) -> str | None:
    """The write key that Basic authentication carries as user name. None: no such header."""
    return credentials_of(request).key


def _basic(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


class WriteAuthorization:
    """Tells whose request it is, as early as it can be told."""

    def __init__(self, registry: Registry, tokens: SendingTokens) -> None:
        self._registry = registry
        self._tokens = tokens

    def before_the_body(self, request: Request) -> Credentials:
        """Turn away what the header alone says is nobody's, so that its body is not read."""
        given = credentials_of(request)
        if given.key and self._registry.project_of(given.key) is None:
            raise unknown_key()
        if given.token is not None:
            self._opened(given.token)
        return given

    def sender(self, given: Credentials, document: dict[str, Any]) -> Sender:
        """Find the project of a request."""
        key = key_of(given.key, document)
        project = self._registry.project_of(key)
        if project is None:
            raise unknown_key()
        if given.token is not None and project != self._opened(given.token):
            raise wrong_project()
        return Sender(project, key)

    def _opened(self, token: str) -> str:
        project = self._tokens.project_of(token)
        if project is None:
            raise stale_token()
        return project


def key_of(key: str | None, document: dict[str, Any]) -> str:
    """The write key in the header, else the one in the body."""
    if key:
        return key
    in_body = document.get("writeKey")
    return in_body if isinstance(in_body, str) else ""
