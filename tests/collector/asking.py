"""Ask a running collector what an operator's command would, without a process for each question."""

from typing import Any

import httpx2

from tests.collector.support import Collector


def asked(collector: Collector, operation: str, **arguments: Any) -> httpx2.Response:
    """The answer to an operation."""
    token = (collector.data / "admin-token").read_text().strip()
    call = {"operation": operation, "arguments": arguments}
    return collector.http.post(collector.url + "/admin/v1/call", json=call, headers={"Authorization": f"Bearer {token}"})


def stored(collector: Collector) -> int:
    """How many events are stored."""
    return int(asked(collector, "check").json()["events"])


def reasons(collector: Collector) -> dict[str, int]:
    """What is in quarantine, by reason and fields."""
    rows = asked(collector, "quarantine.list").json()["quarantine"]
    return {": ".join([row["reason"], *row["fields"]]): row["events"] for row in rows}
