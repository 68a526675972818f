# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for the engine and the web server to be imported
"""How a command reaches the collector: the running service, or the store itself."""

import json
import sys
from contextlib import closing
from typing import Any, NoReturn

import httpx2
import structlog

from innerloop_collector.cli.remote import Remote
from innerloop_collector.config.configuration import Configuration
from innerloop_collector.config.data_lock import Holder, acquire
from innerloop_collector.config.paths import Paths
from innerloop_collector.errors import CollectorError, StoreError, UsageError
from innerloop_collector.http.bounded_client import Answered, Bounds, TooLarge, ask
from innerloop_collector.monitoring import logs

_PATIENCE = 15.0
_BOUNDS = Bounds(seconds=120.0, most=64 << 20)  # of an answer: a report, or a list of what ever was


def call(paths: Paths, configuration: Configuration, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run an operation where it can be run."""
    held = acquire(paths.lock, _PATIENCE)
    if isinstance(held, Holder):
        return _remote(paths, held, operation, arguments)
    with held:
        return _local(paths, configuration, operation, arguments)


def _local(paths: Paths, configuration: Configuration, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Open the store; the caller holds its lock."""
    from innerloop_collector.composition.areas import operations
    from innerloop_collector.composition.collector import Collector

    log_to_stderr()
    collector = Collector(paths, configuration)
    with closing(collector):
        collector.open()
        return operations(collector).call(operation, arguments)


def log_to_stderr() -> None:
    """Have what the store logs in a command not mix with what the command prints."""
    logs.silence_libraries()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def _remote(paths: Paths, service: Holder, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Ask the running service."""
    try:
        token = paths.admin_token.read_text().strip()
    except OSError as error:
        raise UsageError(f"cannot read {paths.admin_token}: {error.strerror}; run this as the user whom the service runs as") from error
    assert service.url is not None
    try:
        return _post(Remote(service.url, token), operation, arguments, own=True)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise CollectorError(
            f"the service (process {service.pid}, {service.url}) does not answer: {str(error) or type(error).__name__}; is it stopping?"
        ) from error


class _Answer(dict[str, Any]):
    """What an address answered. Whoever reads it learns that it is no collector's answer where something is missing."""

    url = ""

    def __missing__(self, key: str) -> NoReturn:
        raise no_collector(self.url)


def no_collector(url: str) -> CollectorError:
    """Say that an address answers, but not as a collector does."""
    return CollectorError(f"{url} answers, but not as a collector of this version does; check the address, and the versions at both ends")


def call_remote(elsewhere: Remote, operation: str, arguments: dict[str, Any], bounds: Bounds = _BOUNDS) -> dict[str, Any]:
    """Ask a collector elsewhere, whose answer is read within bounds."""
    try:
        answer = _Answer(_post(elsewhere, operation, arguments, own=False, bounds=bounds))
        answer.url = elsewhere.url
        return answer
    except httpx2.InvalidURL as error:
        raise UsageError(f"{elsewhere.url!r} is no address of a collector: {error}") from error
    except TooLarge as error:
        raise CollectorError(f"{elsewhere.url} answers, but {error}; check the address") from error
    except httpx2.HTTPError as error:
        raise CollectorError(f"{elsewhere.url} does not answer: {str(error) or type(error).__name__}; check the address") from error


def _post(service: Remote, operation: str, arguments: dict[str, Any], *, own: bool, bounds: Bounds = _BOUNDS) -> dict[str, Any]:
    """Ask a service; proxies that the environment names are used for one elsewhere only. A redirection is not followed: the token is for one address."""
    asked = {"operation": operation, "arguments": arguments}
    headers = {"Authorization": f"Bearer {service.token}"}
    return _read(service.url, ask("POST", f"{service.url}/admin/v1/call", bounds, trust_env=not own, json=asked, headers=headers))


def _read(url: str, answered: Answered) -> dict[str, Any]:
    try:
        document = json.loads(answered.content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        document = {}
    if answered.status == 200 and document:
        return document
    if answered.status == 200:
        raise no_collector(url)
    detail = str(document.get("detail", f"the service answered {answered.status}"))
    raise StoreError(detail) if answered.status == 503 else CollectorError(detail)
