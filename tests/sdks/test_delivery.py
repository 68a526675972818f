"""Other SDKs deliver through a bad network: what they sent is stored, and stored once."""

import contextlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.collector.support import KEY, Collector, run_event
from tests.sdks.proxy import HURTS_OF_ONE_BATCH, Proxy
from tests.sdks.sdks import SDKS, Sdk, Sending

FOUNDING = "the founding system's POST"


def order(collector: Collector, sdk: Sdk, first: int, count: int) -> dict[str, Any]:
    """What an SDK is told to send."""
    if sdk.name != FOUNDING:
        return {"key": KEY, "event": "innerloop.run", "properties": run_event()["properties"], "first": first, "count": count}
    properties = {
        "command": "dev.pull",
        "command_type": "make",
        "exit_status": 0,
        "start_time": datetime.now(UTC).isoformat(),
        "is_test": "no",
        "git_checked_out_master": True,
        "git_commit_time": "2020-02-03 04:05:06+02:00",
    }
    key = collector.cli("keys", "create", "devstack").stdout.strip()
    return {"key": key, "event": "devstack.command.run", "properties": properties, "first": first, "count": count}


def stored(collector: Collector) -> Counter[int]:
    """How often each number is stored, in a collector that is stopped by this."""
    collector.stop()
    return Counter({int(number): int(rows) for number, rows in collector.rows("SELECT duration_ms, count() FROM events GROUP BY 1")})


def test_every_sdk_delivers_each_event_once_through_a_network_that_cuts_delays_and_refuses(collector: Collector, tmp_path: Path) -> None:
    count = 200
    with contextlib.ExitStack() as stack:
        sendings = {}
        for place, (name, sdk) in enumerate(SDKS.items()):
            proxy = stack.enter_context(Proxy(collector.url, seed=place, harm=sdk.harm, rate=0.5 if sdk.retries else 0.1))
            told = order(collector, sdk, 1 + place * 1000, count)
            sendings[name] = stack.enter_context(Sending(sdk, proxy.url, told, tmp_path)), proxy
        given_up = {name: sending.finish(90) for name, (sending, _) in sendings.items()}
        assert all(proxy.done for _, proxy in sendings.values())
    assert {} == collector.reasons()
    found = stored(collector)

    assert [] == [number for number, rows in found.items() if rows != 1]
    for place, (name, sdk) in enumerate(SDKS.items()):
        sent = set(range(1 + place * 1000, 1 + place * 1000 + count))
        there = {number for number in found if number in sent}
        if sdk.retries:
            assert (set(), set()) == (given_up[name], sent - there), sendings[name][0].log
        else:  # one attempt: what was not acknowledged may be there or not
            assert sent - there <= given_up[name], sendings[name][0].log


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("sdk", SDKS.values(), ids=SDKS)
def test_ten_thousand_events_arrive_once(collector: Collector, tmp_path: Path, sdk: Sdk) -> None:
    sent = set(range(1, 10_001))
    with Proxy(collector.url, seed=10, harm=sdk.harm, rate=0.4 if sdk.retries else 0.02) as proxy:
        sending = Sending(
            sdk, proxy.url, {**order(collector, sdk, 1, len(sent)), "options": {"upload_size": 100} if sdk.module else {}}, tmp_path
        )
        given_up = sending.finish(800)
    print(sdk.name, dict(proxy.done), "at most", HURTS_OF_ONE_BATCH, "a batch")
    assert set(sdk.harm) == set(proxy.done)
    assert {} == collector.reasons()
    found = stored(collector)

    assert [] == [number for number, rows in found.items() if rows != 1]
    if sdk.retries:
        assert (set(), set()) == (given_up, sent - set(found)), sending.log
    else:
        assert sent - set(found) <= given_up
