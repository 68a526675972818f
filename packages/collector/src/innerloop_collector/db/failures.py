"""What an error of the engine's driver means, in one line. May import: urllib3 (the driver's transport), errors."""

from ssl import SSLError

from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as TimeoutException

from innerloop_collector.errors import StoreError


def readable(error: Exception) -> StoreError:
    """What a user is told of an error that the driver raised."""
    if isinstance(error.__cause__, HTTPError):
        return StoreError(f"the store failed: the ClickHouse server {_transport(error.__cause__)}")
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return StoreError(f"the store failed: {first[:300]}")


def _transport(error: BaseException) -> str:
    """Say how a request failed, without its address, which holds settings and the server's name."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    for one in causes:
        if isinstance(one, SSLError):
            return f"has no certificate that is trusted here ({one.reason or 'TLS failed'})"
        if isinstance(one, OSError) and one.strerror and not isinstance(one, ConnectionResetError | BrokenPipeError):
            return f"cannot be reached: {one.strerror}"
    if any(isinstance(one, TimeoutError | TimeoutException) for one in causes):
        return "did not answer in time"
    return "ended the connection"
