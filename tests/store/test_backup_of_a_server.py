"""A server's store is backed up like any other, and a backup of it comes back as an embedded store."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.collector.support import Collector, Owner, run_event
from tests.store.servers import UrlCollector


@pytest.mark.slow
def test_a_servers_store_comes_back_embedded_with_its_reports_keys_and_tombstones(
    new_collector: Callable[[], UrlCollector], tmp_path: Path
) -> None:
    server, owner = new_collector(), Owner()
    server.start_with()
    server.send(
        *(run_event(f"user {number}", ago=timedelta(days=days)) for number in range(7) for days in (0, 35)), run_event(command="waits")
    )
    server.send(run_event(owner.id), owners=[owner])
    server.forget(owner)
    asked = (("report", "acme"), ("keys", "list"), ("quarantine", "list"))
    before = [server.ask(*words) for words in asked]
    assert 14 == server.stored
    assert server.ask("backup", str(tmp_path / "backup"))["rows"] > 14
    server.stop()
    done = server.cli("restore", str(tmp_path / "backup"))
    assert (1, 1) == (done.returncode, done.stderr.count("\n"))
    assert "leave [store] url out" in done.stderr

    (tmp_path / "embedded").mkdir()
    embedded = Collector(tmp_path / "embedded")
    try:
        restored = embedded.cli("restore", str(tmp_path / "backup"), "--json")
        assert (0, 14) == (restored.returncode, json.loads(restored.stdout)["events"]), restored.stderr
        embedded.start()
        embedded.send(run_event(owner.id))
        assert before == [embedded.ask(*words) for words in asked]
        assert 14 == embedded.stored
    finally:
        embedded.close()
