"""Who is asking? A token, a session that was opened by signing in (with a token, by a link, or at a provider), or a trusted proxy.

Exactly one of them counts: a token where one is shown, else a session, else the proxy. Nothing here remembers an address.
"""

import hmac
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from starlette.requests import Request

from innerloop_collector.access.links import SignInLinks
from innerloop_collector.access.principal import OPERATOR, Principal, Role, Via
from innerloop_collector.access.proxy import Proxy
from innerloop_collector.access.sessions import Session, Sessions
from innerloop_collector.access.tokens import Token, Tokens
from innerloop_collector.config.configuration import Access
from innerloop_collector.errors import Denied, Unknown
from innerloop_collector.store.write_behind import LastUsed

_BY_LINK = Principal(Role.ADMIN, Via.SESSION, "sign-in link")


class Authenticator:
    """Finds out who is asking."""

    def __init__(self, tokens: Tokens, last_used: LastUsed, operator: str, access: Access, now: Callable[[], datetime]) -> None:
        """`operator` is the token in the data directory. Raises UsageError for settings that do not belong together."""
        self._tokens = tokens
        self._sessions = Sessions(now, timedelta(minutes=access.session_idle_minutes), timedelta(hours=access.session_hours))
        self.links = SignInLinks(time.monotonic)
        self._last_used = last_used
        self._operator = operator.encode()
        self._proxy = Proxy(access)
        self._origins = access.origins
        self._plain = access.plain_http_cookie
        self.cookie = "innerloop" if self._plain else "__Host-innerloop"

    def who(self, request: Request) -> Principal:
        """The one who is asking. Raises Unknown where nobody shows anything valid, Denied where another site asks through them."""
        header = request.headers.get("authorization")
        if header is not None:
            return self._by_header(header)
        found = self._by_session(request) or self._proxy.principal(request.headers, request.client.host if request.client else None)
        if found is None:
            raise Unknown("this needs a token; make one: innerloop-collector tokens create")
        own_pages_only(request, self._origins, by_browser=True)
        return found

    def _by_header(self, header: str) -> Principal:
        scheme, _, text = header.partition(" ")
        text = text.strip()
        if scheme.lower() == "bearer":
            if hmac.compare_digest(text.encode("latin-1", "replace"), self._operator):
                return OPERATOR
            if token := self._tokens.find(text):
                return self._principal(token, Via.TOKEN)
        raise Unknown("the token is unknown, expired or revoked")

    def _by_session(self, request: Request) -> Principal | None:
        found = self.session(request)
        return found[1] if found else None

    def session(self, request: Request) -> tuple[Session, Principal] | None:
        """The session that a request's cookie names, and whose it is. A session that a token opened dies with it."""
        text = request.cookies.get(self.cookie)
        session = self._sessions.find(text) if text else None
        if text is None or session is None:
            return None
        if isinstance(session.opened_by, Principal):
            return session, session.opened_by
        token = self._tokens.good(session.opened_by)
        if token is None:
            self._sessions.close(text)
            return None
        return session, self._principal(token, Via.SESSION)

    def _principal(self, token: Token, via: Via) -> Principal:
        self._last_used.note(token.token_hash)
        return Principal(token.role, via, token.label, token.projects or None)

    def session_ends(self, request: Request) -> datetime | None:
        """When the session of a request ends if it is not used any more. None: it has none."""
        found = self.session(request)
        return self._sessions.ends(found[0]) if found else None

    def sign_in(self, request: Request, text: str) -> str:
        """Open a session with a token. Returns the cookie's header. Raises Unknown, Denied."""
        own_pages_only(request, self._origins, by_browser=False)
        token = self._tokens.find(text)
        if token is None:
            raise Unknown("the token is unknown, expired or revoked")
        return self._instead(request, token.token_hash)

    def sign_in_by_link(self, request: Request, text: str) -> str:
        """Open an operator's session with a link, which is used up. Returns the cookie's header. Raises Unknown."""
        if not self.links.use(text):
            raise Unknown("this link was used, or is older than ten minutes")
        return self.sign_in_as(request, _BY_LINK)

    def sign_in_as(self, request: Request, who: Principal) -> str:
        """Open a session for somebody who has shown elsewhere who they are. Returns the cookie's header."""
        return self._instead(request, who)

    def _instead(self, request: Request, opened_by: str | Principal) -> str:
        """Open a session in the place of the one that the browser has, which nobody could end any more. Returns the cookie's header."""
        self._sessions.close(request.cookies.get(self.cookie, ""))
        return self.set_cookie(self.cookie, self._sessions.open(opened_by), self._sessions.longest_seconds)

    def sign_out(self, request: Request) -> str:
        """End the session of a request. Returns the cookie's header. Raises Denied."""
        own_pages_only(request, self._origins, by_browser=True)
        self._sessions.close(request.cookies.get(self.cookie, ""))
        return self.set_cookie(self.cookie, "", 0)

    def set_cookie(self, name: str, value: str, seconds: int, *, site: str = "Strict") -> str:
        """The header that sets a cookie of ours. `site` says whether it also comes when another site leads here: Strict or Lax."""
        secure = "" if self._plain else "; Secure"
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={site}{secure}"


SAFE = ("GET", "HEAD", "OPTIONS")


def own_pages_only(request: Request, origins: Collection[str], *, by_browser: bool) -> None:
    """Raise Denied for an unsafe request that another site began.

    A browser says where a request began; what says nothing is no browser. That is refused where what authenticates is something
    that a browser adds by itself (`by_browser`).
    """
    if request.method in SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None:
        ours = not by_browser
    elif origin is None:
        ours = site == "same-origin"
    else:
        ours = origin in origins or (site in (None, "same-origin") and origin.partition("://")[2] == request.headers.get("host"))
    if not ours:
        raise Denied("this must come from the collector's own pages; where a proxy changes the Host header, name them in [access] origins")
