"""An admin has an id erased without its secret; the receipt says what became of it elsewhere and can be looked up later."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from innerloop_collector.store.keyed_hash import Hasher
from tests.collector.clock import holding, wait_until
from tests.collector.support import KEY, Collector, Owner, run_event


def _traces(collector: Collector, user: str) -> list[str]:
    installation = Hasher((collector.data / "secret").read_bytes()).installation("acme", user)
    return holding(collector, installation.to_bytes(16, "little"))


def _erase(collector: Collector, *users: str) -> dict[str, Any]:
    done = collector.cli("erase", "acme", "--id-from", "-", "--json", stdin="\n".join(users) + "\n")
    assert 0 == done.returncode, done.stderr
    answer: dict[str, Any] = collector.ask("receipt", json.loads(done.stdout)["receipt"])
    return answer


def test_an_admin_erases_an_id_that_no_secret_was_registered_for_and_it_stays_away(collector: Collector) -> None:
    collector.send(*(run_event("gone-user") for _ in range(3)), run_event("gone-user", command="waits"), run_event("other"))
    assert _traces(collector, "gone-user")
    receipt = _erase(collector, "gone-user", "never-seen")

    today = datetime.now(UTC).date().isoformat()
    expected = {"receipt": receipt["receipt"], "project": "acme", "day": today, "ids": 2, "events": 4, "destinations": {}}
    assert expected == receipt
    assert [] == _traces(collector, "gone-user")
    collector.send(run_event("gone-user"), run_event("never-seen"))
    assert (1, 0) == (collector.stored, collector.waiting)
    assert "gone-user" not in collector.log
    by_developer = collector.http.get(f"{collector.url}/v1/forget/{receipt['receipt']}", auth=(KEY, ""))
    assert 4 == by_developer.json()["events"]


@pytest.mark.slow
def test_it_works_without_a_service_too_and_its_receipt_stays(collector: Collector) -> None:
    collector.send(run_event("gone-user"))
    collector.stop()
    receipt = _erase(collector, "gone-user")

    assert (1, 1) == (receipt["ids"], receipt["events"])
    assert [] == _traces(collector, "gone-user")
    assert (0, 0) == (collector.stored, collector.ask("check")["unfinished_erasures"])


@pytest.mark.slow
def test_wrong_uses_are_one_clear_line(collector: Collector) -> None:
    assert "--id-from" in collector.cli("erase", "acme").stderr
    assert 1 == collector.cli("erase", "acme", "--id-from", "-").returncode
    assert "no project 'shop'" in collector.cli("erase", "shop", "--id", "x").stderr
    assert "no such receipt" in collector.cli("receipt", "0" * 32).stderr


@pytest.mark.slow
def test_the_journal_holds_every_erasure_and_brings_it_back_to_a_store_that_lost_it(collector: Collector, tmp_path: Path) -> None:
    owner = Owner()
    collector.send(run_event(owner.id), run_event("gone-user"), run_event(), owners=[owner])
    collector.stop()
    collector.rows("SELECT 1")
    before = tmp_path / "before"
    shutil.copytree(collector.data / "store", before, symlinks=True)
    collector.start()
    collector.forget(owner)
    _erase(collector, "gone-user")
    collector.stop()
    assert (collector.data / "erasures.log").exists()
    journal = (collector.data / "erasures.log").read_text()
    assert 2 == len(journal.splitlines())
    assert owner.id not in journal
    assert (collector.data / "erasures.log").stat().st_mode & 0o777 == 0o600
    with (collector.data / "erasures.log").open("a") as file:
        file.write("2026-11-24 acme 0123")  # a line that was cut off
    shutil.rmtree(collector.data / "store")
    before.rename(collector.data / "store")  # as an operator would who copies files
    collector.start()
    collector.send(run_event(owner.id), run_event("gone-user"))

    assert 1 == collector.stored
    wait_until(lambda: ([], []) == (_traces(collector, owner.id), _traces(collector, "gone-user")))
    _erase(collector, "a third")
    assert 4 == len((collector.data / "erasures.log").read_text().splitlines())
