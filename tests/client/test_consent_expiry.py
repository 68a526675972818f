"""A field of the tracking plan that nobody renewed stops by itself: no question, no trace of it from the next day on.

The clock of a test cannot be moved, so the dates are: each developer has a copy of innerloop whose plan.json they edit.
"""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from innerloop.core.plan.agreement import agreement, digest, stages, unexpired
from innerloop.core.plan.project_reader import read
from innerloop.core.plan.tracking import PLAN
from tests.client.people import DAY, Developer, eventually
from tests.client.recorder import Recorder
from tests.conftest import Installed

FIELD = "git_checked_out_master"  # one for which git is asked


class Ageing(Developer):
    """Somebody whose copy of innerloop has dates that pass."""

    @property
    def plan_file(self) -> Path:
        (found,) = self.base.glob("client/lib/python3*/site-packages/innerloop/core/plan/plan.json")
        return found

    def run_in_git(self) -> None:
        """Run something, and wait until git has said what it knows."""
        self.run("make", "test")
        assert eventually(lambda: any(b"default" in path.read_bytes() for path in self.spool.glob("run/*.git")))

    def expire(self, *names: str, days: int = 1) -> None:
        """As if today were so many days after these fields' last one, also for the launcher's cache."""
        document = json.loads(self.plan_file.read_text())
        for field in document["fields"]:
            if not names or field["name"] in names:
                field["expires"] = (datetime.now(UTC).date() - timedelta(days=days)).isoformat()
        self.plan_file.write_text(json.dumps(document))
        today = str(int(time.time()) // DAY).encode()
        for path in (self.state / "hot").glob("*"):
            if days > 0:
                lines = [b"until " + today if line.startswith(b"until ") else line for line in path.read_bytes().split(b"\n")]
                path.write_bytes(b"\n".join(lines))


@pytest.fixture
def ageing(installed: Installed, tmp_path: Path, server: Recorder) -> Ageing:
    """Somebody who agreed, in a checkout."""
    base = tmp_path / "ageing"
    shutil.copytree(installed.directory / "client", base / "client", symlinks=True)
    developer = Ageing(base / "client" / "bin" / "innerloop", base, server.url)
    developer.project()
    developer.git("init", "-q")
    developer.git("commit", "-q", "--allow-empty", "-m", "x")
    developer.opt_in("yes")
    return developer


def test_the_last_day_of_a_field_still_counts(ageing: Ageing, server: Recorder) -> None:
    ageing.expire(FIELD, days=0)
    ageing.run_in_git()
    ageing.flush()
    assert [FIELD in event["properties"] for event in server.events] == [True]


def test_an_expired_field_is_absent_and_nobody_is_asked(ageing: Ageing, server: Recorder) -> None:
    before = ageing.status()
    ageing.run_in_git()
    assert FIELD in ageing.pending()[0]["properties"]
    ageing.expire(FIELD)
    for _ in range(2):
        assert ageing.run_at_terminal("make", "test").text == ""
    assert sorted(FIELD in event["properties"] for event in ageing.pending()) == [False, False, True]
    assert ageing.flush().status == 0
    assert [FIELD in event["properties"] for event in server.events] == [False, False]
    assert ageing.ledger()["dropped"] == {"narrowed": 1}
    after = ageing.status()
    assert (after["mode"], set(before["fields"]) - set(after["fields"])) == ("on", {FIELD})
    assert {request.document["context"]["plan"] for request in server.requests} == {after["plan"]} != {before["plan"]}
    assert FIELD not in ageing.innerloop("describe").out.partition("\nOff")[0]


def test_who_is_asked_after_the_date_is_not_asked_about_the_field(ageing: Ageing) -> None:
    ageing.opt_out()
    ageing.expire(FIELD)
    said = ageing.opt_in("?", "yes")
    assert FIELD not in said.text
    assert FIELD not in ageing.consent["agreement"]["fields"]
    ageing.expire(FIELD, days=-30)
    assert ageing.status()["mode"] == "paused", "a field that comes back is a new one to whoever never saw it"


def test_a_field_that_is_renewed_by_an_update_resumes_for_those_who_agreed_to_it(ageing: Ageing) -> None:
    ageing.expire(FIELD)
    assert ageing.status()["mode"] == "on"
    ageing.expire(FIELD, days=-30)
    assert (ageing.status()["mode"], FIELD in ageing.status()["fields"]) == ("on", True)


def test_git_is_not_asked_for_fields_that_expired(ageing: Ageing) -> None:
    git_fields = [name for name, field in PLAN.fields.items() if field.absent_without == "git"]
    ageing.run_in_git()
    ageing.pending()
    ageing.expire(*git_fields)
    for _ in range(2):  # the first makes the cache anew, the second believes it
        ageing.run("make", "test")
    assert list(ageing.spool.glob("run/*.git")) == []
    assert len(ageing.place("new")) == 2


def test_after_keep_an_expired_field_asks_nobody(ageing: Ageing) -> None:
    ageing.edit(fields={"git_commit_time": True})
    ageing.opt_in("keep")
    ageing.expire(FIELD)
    assert ageing.status()["mode"] == "on"


def test_a_version_whose_plan_is_over_measures_nothing_says_so_and_asks_nobody(ageing: Ageing, server: Recorder) -> None:
    ageing.run("make", "test")
    ageing.expire()
    for _ in range(2):
        assert ageing.run_at_terminal("make", "test").text == ""
    assert ageing.recorded() == 1
    assert ageing.flush().status == 1
    assert server.connections == 0
    assert "the tracking plan of this version has expired: update innerloop" in ageing.innerloop("status").out
    assert "has expired" in ageing.innerloop("doctor").out
    newcomer = ageing.project(directory="other", project={"id": "other", "write_key": "other.x"})
    assert newcomer.run_at_terminal("make", "test").text == ""
    assert "update innerloop" in newcomer.at_terminal(newcomer.command, "opt-in").text
    assert newcomer.opt_out().status == 0
    assert newcomer.status()["mode"] == "off"


def test_after_an_update_a_version_whose_plan_was_over_measures_again(ageing: Ageing) -> None:
    ageing.expire()
    ageing.run("make", "test")
    ageing.expire(days=-30)
    assert ageing.status()["mode"] == "on"
    today = str(int(time.time()) // DAY + 1).encode()
    assert b"\nuntil " + today + b"\n" in ageing.hot_file.read_bytes(), "the cache is looked at again tomorrow"


# the law that both ends share


def test_an_agreement_becomes_smaller_by_itself_in_the_order_of_the_dates() -> None:
    terms: dict[str, Any] = agreement(read({"project": {"id": "a", "organisation": "A", "endpoint": "http://a", "write_key": "a.x"}}))
    last = max(PLAN.fields[name].last_day for name in terms["fields"])
    assert unexpired(terms, last + 1)["fields"] == unexpired(terms, last + 1)["purposes"] == {}
    for today in (0, *(PLAN.fields[name].last_day for name in terms["fields"])):
        assert digest(unexpired(terms, today)) in [digest(stage) for stage in stages(terms)]
    assert stages(terms)[0] == terms
