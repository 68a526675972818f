"""Look names up in threads that nobody waits for.

The system's look-up can take for ever, and nothing can end it. A thread of `concurrent.futures` in which it hangs holds up whoever closes an event loop, and the
end of the process.
"""

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_MOST = 32  # at once; of those that hang as well
_room = threading.BoundedSemaphore(_MOST)


class _Lookups(ThreadPoolExecutor):
    """Has a thread for each call, and leaves it alone. An event loop takes nothing but this kind of executor."""

    def submit(self, call: Callable[..., T], /, *words: Any, **options: Any) -> Future[T]:
        """Call it in a thread of its own."""
        future: Future[T] = Future()
        if not _room.acquire(blocking=False):
            future.set_exception(OSError(errno.EAGAIN, "too many names are looked up"))
            return future
        future.set_running_or_notify_cancel()

        def work() -> None:
            try:
                future.set_result(call(*words, **options))
            except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
                future.set_exception(error)
            finally:
                _room.release()

        try:
            threading.Thread(target=work, name="name look-up", daemon=True).start()
        except RuntimeError:
            _room.release()
            raise
        return future


def wait_for_no_lookup() -> None:
    """Have the running event loop look names up like this. Whatever else blocks needs an executor of its own."""
    asyncio.get_running_loop().set_default_executor(_Lookups())


def addresses(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host, the one to try first in front. Raises OSError, TimeoutError among them."""
    try:
        found = _Lookups().submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(seconds)
    except TimeoutError as error:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
    return [str(address[0]) for *_, address in found]
