"""Does a request come from our own pages? May import: errors.

What a browser adds by itself (a cookie, a proxy's sign-in) must not be enough to change anything: another site could have it sent.
"""

from collections.abc import Collection

from starlette.requests import Request

from innerloop_collector.errors import Denied

SAFE = ("GET", "HEAD", "OPTIONS")


def own_pages_only(request: Request, origins: Collection[str], *, by_browser: bool) -> None:
    """Raise Denied for an unsafe request that another site began.

    A browser says where a request began; what says nothing is no browser. That is refused where a browser's own
    addition opened the door (`by_browser`).
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
