"""On a real ClickHouse server or cluster: with CLICKHOUSE_URL set, everything in tests/store that takes a URL runs on it.

`python tools/clickhouse_server.py make test-slow T=tests/store` starts one where it can be had.
"""

import os

import pytest

from tests.collector.support import run_event
from tests.store.servers import REAL, UrlCollector

pytestmark = pytest.mark.slow


def test_a_real_server_keeps_what_it_acknowledged(collector: UrlCollector) -> None:
    if not REAL:
        pytest.skip("NOT TESTED: no ClickHouse server; the store by URL was tested against the embedded engine behind an HTTP front only")
    batch = [run_event() for _ in range(100)]
    collector.send(*batch)
    collector.send(*batch)
    collector.stop()

    assert [[100, 100]] == collector.rows("SELECT count(), uniqExact(message_key) FROM events")


def test_a_real_cluster_spreads_the_rows_and_loses_none(collector: UrlCollector) -> None:
    if not (REAL and os.environ.get("CLICKHOUSE_CLUSTER")):
        pytest.skip("NOT TESTED: no ClickHouse cluster (CLICKHOUSE_URL and CLICKHOUSE_CLUSTER)")
    collector.send(*(run_event() for _ in range(400)))
    collector.stop()

    shards = collector.rows("SELECT _shard_num, count() FROM events GROUP BY _shard_num")
    assert 400 == sum(count for _, count in shards)
    assert [[len(shards)]] == collector.rows(
        f"SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = '{os.environ['CLICKHOUSE_CLUSTER']}'"
    )
