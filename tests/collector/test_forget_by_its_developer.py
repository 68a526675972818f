"""Erasure from end to end: the installed client asks, the real collector deletes, and the receipt can be checked."""

from pathlib import Path

from tests.client.people import Developer
from tests.collector.support import PROJECT, Collector
from tests.conftest import Installed


def joined(installed: Installed, collector: Collector, home: Path) -> Developer:
    """A developer of the collector's project, who said yes."""
    developer = Developer(installed.innerloop, home, collector.url)
    developer.project(project=PROJECT["project"] | {"endpoint": collector.url}, names=PROJECT["names"])
    collector.apply(developer.tables)
    developer.opt_in("yes")
    return developer


def test_what_a_developer_forgets_is_gone_under_every_id_and_the_receipt_holds(
    collector: Collector, installed: Installed, tmp_path: Path
) -> None:
    leaving, staying = (joined(installed, collector, tmp_path / name) for name in ("leaving", "staying"))
    for _ in range(2):
        leaving.run("make", "test")
        leaving.run("make", "build")
        assert leaving.flush().status == 0
        leaving.innerloop("reset-id")
    staying.run("make", "test")
    assert staying.flush().status == 0
    assert 5 == collector.stored
    said = leaving.at_terminal(leaving.command, "forget", types=[("Type yes: ", "yes")])

    assert 0 == said.status, said
    assert "deleted 4 records" in " ".join(said.text.split())
    assert (1, 0) == (collector.stored, collector.waiting)
    (receipt,) = leaving.status()["receipts"]
    assert 4 == leaving.innerloop("forget", "--check", receipt, "--json").json["events"]
    assert 1 == staying.innerloop("forget", "--check", "0" * 32).status


def test_a_collector_that_is_down_erases_when_it_is_back(collector: Collector, installed: Installed, tmp_path: Path) -> None:
    developer = joined(installed, collector, tmp_path / "leaving")
    developer.run("make", "test")
    assert developer.flush().status == 0
    port = collector.url.rpartition(":")[2]
    collector.stop()
    assert 1 == developer.at_terminal(developer.command, "forget", types=[("Type yes: ", "yes")]).status
    collector.start("--port", port)
    assert 0 == developer.at_terminal(developer.command, "forget").status

    assert 0 == collector.stored
    assert 1 == len(developer.status()["receipts"])
