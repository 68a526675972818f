"""Posts to an address that may be anybody's: its status says whether it took the notice, and nothing else of its answer is read."""

from urllib.parse import urlsplit

import httpx2

from innerloop_collector import __version__
from innerloop_collector.exporters.address import is_loopback
from innerloop_collector.exporters.failures import Refusing, of_no_answer, of_status, retry_after
from innerloop_collector.http.bounded_client import Bounds, ask

_NOTHING = 0  # bytes of an answer's content


def post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> None:
    """Post JSON. A redirection is not followed: notices go to the configured address or nowhere. Raises SendError."""
    told = {"Content-Type": "application/json", "User-Agent": f"innerloop-collector/{__version__}", **headers}
    try:
        elsewhere = not is_loopback(urlsplit(url).hostname or "")  # a proxy's own loopback is not ours
        answered = ask("POST", url, Bounds(seconds, _NOTHING), trust_env=elsewhere, content=body, headers=told)
    except httpx2.InvalidURL as error:
        raise Refusing("its address is none") from error
    except (httpx2.HTTPError, OSError) as error:
        raise of_no_answer(error, seconds) from error
    if not 200 <= answered.status < 300:
        raise of_status(answered.status, retry_after(answered.headers.get("Retry-After")))
