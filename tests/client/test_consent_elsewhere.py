"""A project that moves to another address: a no is one for the project wherever it goes, a yes holds where it was given."""

import pytest

from tests.client.people import Developer, invited
from tests.client.recorder import Recorder

NEW = "git_commit_time"  # a field that is off unless the project file turns it on


@pytest.fixture
def refused(developer: Developer) -> Developer:
    """Somebody who said no."""
    developer.opt_in("no")
    return developer


MOVED = {"project": {"endpoint": "http://127.0.0.1:9"}}


def test_a_no_holds_where_the_project_moves_to_another_address(refused: Developer) -> None:
    refused.edit(**MOVED)
    assert refused.status()["mode"] == "no"
    assert not invited(refused)
    refused.edit(fields={NEW: True}, project={"endpoint": "http://127.0.0.1:19", "retention_days": 3000})
    assert not invited(refused)
    assert "at another address" in refused.innerloop("status").out


def test_a_no_does_not_hold_for_another_project_or_organisation(refused: Developer) -> None:
    refused.edit(project={"organisation": "Somebody Else"})
    assert invited(refused)
    refused.edit(project={"organisation": "Example Org", "id": "shop-2", "write_key": "shop-2.x"})
    assert invited(refused)


def test_after_a_no_a_yes_at_another_address_is_typed_and_holds_there_alone(refused: Developer, server: Recorder) -> None:
    refused.edit(**MOVED)
    refused.opt_in("yes")
    assert refused.status()["mode"] == "on"
    refused.edit(project={"endpoint": server.url})
    assert refused.status()["mode"] == "no"
    refused.run("true")
    assert refused.recorded() == 0
    refused.edit(project={"endpoint": "http://127.0.0.1:19"})
    assert refused.status()["mode"] == "no"


def test_a_yes_or_local_at_one_address_says_nothing_about_another(developer: Developer) -> None:
    for number, answer in enumerate(("yes", "local")):
        developer.edit(project={"endpoint": f"http://127.0.0.1:{number + 10}"})
        developer.opt_in(answer)
    developer.edit(**MOVED)
    assert developer.status()["mode"] == "off"
    assert invited(developer)


@pytest.mark.parametrize("how", ["a no elsewhere", "that no is deleted", "that no is edited", "that no cannot be read"])
def test_the_cache_is_worthless_once_the_answer_elsewhere_changed(developer: Developer, server: Recorder, how: str) -> None:
    """The launcher's cache names every source of a no, also those that may come to be one."""
    if how != "a no elsewhere":
        developer.opt_in("no")
        (answer,) = developer.config.glob("*.json")
    developer.edit(**MOVED)
    developer.run_at_terminal("true")
    developer.run("true")
    asked = developer.state / "asked"
    assert asked.exists() == (how == "a no elsewhere")
    assert developer.hot_file.exists()
    if how == "a no elsewhere":
        developer.directory = developer.project(directory="older").edit(project={"endpoint": server.url}).directory
        developer.opt_in("no")
        asked.unlink()
        developer.directory = developer.base / "shop"
    elif how == "that no is deleted":
        answer.unlink()
    elif how == "that no is edited":
        answer.write_text(answer.read_text().replace("false", "null", 1))
    else:
        answer.write_text("{")
    due = developer.hot_file.read_bytes()
    if how == "a no elsewhere":  # as if 31 days had passed for the cache too
        before = due.partition(b"\ndue ")[2].partition(b"\n")[0]
        developer.hot_file.write_bytes(due.replace(b"\ndue " + before, b"\ndue 1"))
    said = "Look and decide" in developer.run_at_terminal("true").text
    assert said == (how in ("that no is deleted", "that no is edited"))
