"""An address that cannot work is refused with one line, and a password is in no address."""

import pytest

from innerloop_collector.config.configuration import Store
from innerloop_collector.db.embedded import SESSION
from innerloop_collector.db.layout import Layout
from innerloop_collector.db.server import by_url, layout_of
from innerloop_collector.errors import UsageError
from tests.collector.support import PROJECT
from tests.store.servers import UrlCollector

WRONG = {
    "db.example.org": "must look like https://user@host:8443/database",
    "tcp://db.example.org:9000": "must look like https://user@host:8443/database",
    "https://": "must look like https://user@host:8443/database",
    "https://db.example.org:port": "store.url is no address",
    "https://user:word@db.example.org": "password_file",
    "https://db.example.org/a-b": "letters, digits and _ only",
    "https://db.example.org/a?secure=1": "must look like",
}


@pytest.mark.parametrize("url", WRONG)
def test_a_wrong_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        by_url(Store(url=url), SESSION)

    assert WRONG[url] in str(refused.value)
    assert "word@" not in str(refused.value)


def test_a_cluster_with_another_name_than_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match=r"store\.cluster"):
        layout_of(Store(url="http://db/innerloop", cluster="a', 'b"))


def test_the_layout_follows_from_the_settings() -> None:
    assert Layout(remote=True, database="innerloop", cluster="inner") == layout_of(
        Store(url="https://u@db:8443/innerloop", cluster="inner")
    )
    assert Layout(remote=True, database="default") == layout_of(Store(url="http://db"))


@pytest.mark.parametrize("key", ["password_file", "ca_file"])
def test_a_file_that_is_not_there_is_named(key: str) -> None:
    with pytest.raises(UsageError, match="/nowhere/file"):
        by_url(Store(url="https://db", **{key: "/nowhere/file"}), SESSION)


def test_a_server_that_is_not_there_is_one_line(idle: UrlCollector) -> None:
    idle.apply(PROJECT)
    idle.environment["INNERLOOP_COLLECTOR_STORE_URL"] = "http://127.0.0.1:1/innerloop"

    done = idle.cli("check")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "the ClickHouse server cannot be reached: Connection refused" in done.stderr
