"""Which open changes a checkout had: kept as a list of short texts, of changes that an applied version has open and of no others."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from innerloop.core.plan.agreement import agreement
from innerloop.core.plan.project_reader import read
from innerloop_collector.exporters.agreed_fields import COLUMNS, Terms, record
from innerloop_collector.exporters.pseudonyms import Pseudonyms
from tests.collector.support import Collector, Owner, digest_of, project, run_event

OPEN = ("shared-cache", "new-guide")


def following(*names: str, **fields: Any) -> dict[str, Any]:
    return project(fields={"changes": True, **fields}, names={"allow": ["test"], "changes": list(names)})


def test_what_a_checkout_had_is_kept_and_shown(idle: Collector) -> None:
    idle.start_with(following("shared-cache"))
    idle.apply(following(*OPEN))
    owner = Owner()
    told: list[dict[str, Any]] = [{"changes": ["shared-cache"]}, {"changes": ["shared-cache", "new-guide"]}, {"changes": []}, {}]
    idle.send(*(run_event(owner.id, **one) for one in told), owners=[owner], plan=digest_of(following(*OPEN)))
    idle.apply(following("new-guide"))
    idle.send(run_event(owner.id, changes=["shared-cache"]))
    assert (5, {}) == (idle.stored, idle.reasons()), "an older version has it open"
    for wrong in (["never-open"], "shared-cache", ["new-guide"] * 2, None, [["new-guide"]], {"new-guide": 1}):
        idle.send(run_event(changes=wrong))
    assert (5, {"violates the plan: not allowed: changes": 6}) == (idle.stored, idle.reasons())

    shown = idle.post("/v1/access", {"ids": [owner.claim]}).text
    assert '"changes":["shared-cache","new-guide"]' in shown.replace(" ", "")
    idle.stop()
    kept = [row[0] for row in idle.rows("SELECT changes FROM events")]
    assert sorted([["shared-cache"], ["shared-cache", "new-guide"], [], [], ["shared-cache"]]) == sorted(kept)


@pytest.mark.slow
def test_what_a_checkout_had_comes_back_with_a_backup(idle: Collector) -> None:
    idle.start_with(following(*OPEN))
    idle.send(run_event(changes=["shared-cache"]))
    idle.ask("backup", str(idle.directory / "backup"))
    idle.stop()
    idle.data = idle.directory / "again"
    idle.environment["INNERLOOP_COLLECTOR_DATA"] = str(idle.data)
    idle.ask("restore", str(idle.directory / "backup"))
    assert [[["shared-cache"]]] == idle.rows("SELECT changes FROM events")


def test_a_destination_gets_them_as_one_text_and_nothing_where_there_are_none() -> None:
    """Not every destination has lists."""
    terms = Terms(agreement(read(following(*OPEN))), pseudonym=False)
    row = dict.fromkeys(COLUMNS, "") | {
        "position": 1, "project": "acme", "message_key": 2, "installation": 0, "kind": "run", "corrected_time": datetime(2026, 12, 1, tzinfo=UTC),
    }  # fmt: skip

    def fields(changes: list[str]) -> dict[str, Any]:
        values = list((row | {"changes": changes}).values())
        return dict(record(values, terms, Pseudonyms(b"k" * 32), date(2027, 1, 1)).fields)

    assert fields(list(OPEN)) == {"changes": "shared-cache,new-guide"}
    assert fields([]) == {}
