"""What the real collector holds back, the installed client tells its developer: from a forgotten `projects apply` to the day on which it is made good."""

from pathlib import Path

from tests.collector.support import Collector
from tests.collector.test_forget_by_its_developer import joined
from tests.conftest import Installed


def test_a_plan_that_nobody_applied_is_seen_by_its_developer_until_it_is(
    collector: Collector, installed: Installed, tmp_path: Path
) -> None:
    developer = joined(installed, collector, tmp_path / "developer")
    developer.edit(fields={"attempt": False})  # narrower, so nobody is asked; and forgotten to be applied
    for target in ("test", "build"):
        developer.run("make", target)
    done = developer.flush()
    counts = developer.ledger()

    assert "Of these 2 are held there, in no report: plan not applied." in done.out
    assert (0, 2, {"plan not applied": 2}) == (counts["acknowledged"], counts["quarantined"], counts["held"])
    assert (0, 2) == (collector.stored, collector.waiting)
    assert "plan not applied, removed on 20" in " ".join(developer.innerloop("status").out.split())

    collector.apply(developer.tables)
    developer.run("make", "test")
    assert 0 == developer.flush().status
    counts = developer.ledger()
    assert (3, 0) == (counts["acknowledged"], counts["quarantined"])
    assert (3, 0) == (collector.stored, collector.waiting)
    assert "held there" not in developer.innerloop("doctor").out
