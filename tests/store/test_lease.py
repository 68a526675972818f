"""A server's store belongs to one collector at a time."""

import time
from collections.abc import Callable, Iterator

import pytest

from innerloop_collector.db import ddl, schema
from innerloop_collector.db.engine import Engine
from innerloop_collector.db.lease import Lease
from innerloop_collector.errors import DataInUse, StoreError
from tests.collector.support import run_event
from tests.store.servers import FrontServer, UrlCollector


@pytest.fixture
def engines(new_collector: Callable[[], UrlCollector]) -> Iterator[Callable[[], Engine]]:
    """Ways into one store."""
    server = new_collector().server
    made: list[Engine] = []

    def make() -> Engine:
        made.append(server.engine())
        return made[-1]

    for statement in ddl.create(schema.table("leases"), server.engine().layout):
        make().command(statement)
    yield make
    for engine in made:
        engine.close()


@pytest.mark.slow
def test_a_second_collector_on_the_same_store_is_refused_with_one_line(new_collector: Callable[[], UrlCollector]) -> None:
    first = new_collector().start_with()
    second = new_collector()
    second.environment |= first.server.environment
    (second.data / "secret").write_bytes((first.data / "secret").read_bytes())

    done = second.cli("check")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "in use by another collector" in done.stderr
    first.stop()
    assert 0 == second.cli("check").returncode, "who stops lets others in at once"


def test_after_a_kill_the_same_directory_goes_on_at_once(collector: UrlCollector) -> None:
    collector.send(run_event())
    collector.kill()
    began = time.monotonic()
    collector.start()

    assert 1 == collector.stored
    assert time.monotonic() - began < collector.server.settings.lease_seconds


def test_of_two_that_come_together_one_gets_it(engines: Callable[[], Engine]) -> None:
    """As each waits, the other writes."""
    first, second = Lease(engines(), "a", 3.0), Lease(engines(), "b", 3.0)
    first._fence = second._fence = 1
    first._write("waits")
    second._write("waits")

    first._yield_to(first._look()[2])
    with pytest.raises(DataInUse):
        second._yield_to(second._look()[2])


def test_a_holder_that_cannot_renew_stops_writing_and_another_takes_over_with_a_larger_number(engines: Callable[[], Engine]) -> None:
    now = [0.0]
    engine = engines()
    first = Lease(engine, "a", 6.0, lambda: now[0])
    first._claim()
    engine.fence = first.check
    now[0] += 6.0
    with pytest.raises(StoreError, match="lease"):
        engine.command("SELECT 1")

    time.sleep(6.1)
    second = Lease(engines(), "b", 6.0)
    second._claim()
    assert second._fence > first._fence
    with pytest.raises(DataInUse):
        first._renew()


@pytest.mark.slow
def test_a_service_whose_server_hangs_for_longer_than_its_lease_goes_on_when_it_is_back(
    new_collector: Callable[[], UrlCollector],
) -> None:
    collector = new_collector()
    if not isinstance(collector.server, FrontServer):
        pytest.skip("NOT TESTED: a real server is not made to hang")
    collector.environment["INNERLOOP_COLLECTOR_STORE_LEASE_SECONDS"] = "3"
    collector.start_with()
    collector.server.pause()
    time.sleep(4)
    collector.server.go_on()

    deadline = time.monotonic() + 60
    while collector.post("/v1/batch", {"batch": [run_event()]}).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
