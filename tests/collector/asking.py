"""Ask a running collector what an operator's command would, without a process for each question."""

from typing import Any

import httpx2

from tests.collector.support import Collector


def asked(collector: Collector, operation: str, **arguments: Any) -> httpx2.Response:
    """The answer to an operation."""
    return collector.operate(operation, **arguments)
