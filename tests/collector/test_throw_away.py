"""A store that was made to try things publishes at once, says so everywhere, and is served to this machine only."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable

import pytest

from tests.collector.backups import backed_up, restored
from tests.collector.support import PROJECT, Collector, run_event


def people(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def test_a_throw_away_store_shows_what_is_there_now_and_every_output_says_what_that_means(idle: Collector) -> None:
    idle.for_trying().start_with()
    idle.apply(PROJECT, "--min-active-weeks", "1")
    idle.send(*(run_event(person) for person in people(6)))
    report, text, checked = idle.ask("report", "acme"), idle.ask_text("report", "acme"), idle.cli("check")

    assert ([("test", 5)], None) == ([(one["command"], one["runs"]) for one in report["commands"]], report["next_figures"])
    assert None is report["period"]["period"]
    assert report["rules"][0].startswith("THROW-AWAY STORE")
    assert "THROW-AWAY STORE" in text
    assert (0, True) == (checked.returncode, "throw-away store" in checked.stdout)


def test_a_store_that_was_made_to_be_kept_is_never_switched_and_a_throw_away_store_neither(new_collector: Callable[[], Collector]) -> None:
    kept, trying = new_collector(), new_collector()
    kept.start_with().stop()
    done = kept.for_trying().cli("check")
    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "store.throw_away" in done.stderr

    trying.for_trying().start_with().stop()
    del trying.environment["INNERLOOP_COLLECTOR_STORE_THROW_AWAY"]
    trying.start()
    assert None is trying.ask("report", "acme")["next_figures"]


@pytest.mark.parametrize(
    "environment",
    [
        {"INNERLOOP_COLLECTOR_SERVER_HOST": "0.0.0.0"},
        {
            "INNERLOOP_COLLECTOR_ACCESS_TRUSTED_PROXIES": "127.0.0.1",
            "INNERLOOP_COLLECTOR_ACCESS_PROXY_USER_HEADER": "X-User",
            "INNERLOOP_COLLECTOR_ACCESS_PROXY_SECRET_FILE": "proxy-secret",
        },
    ],
    ids=["another interface", "a proxy"],
)
def test_a_throw_away_store_is_served_to_this_machine_only(idle: Collector, environment: dict[str, str]) -> None:
    (idle.directory / "proxy-secret").write_text("0123456789abcdef" * 2)
    os.chmod(idle.directory / "proxy-secret", 0o600)
    environment = {name: str(idle.directory / value) if value == "proxy-secret" else value for name, value in environment.items()}
    try:
        done = idle.for_trying().cli("serve", "--port", "0", env=environment)
    except subprocess.TimeoutExpired:
        raise AssertionError("it is served") from None

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "throw-away store" in done.stderr


def test_no_store_is_a_throw_away_store_by_itself_or_by_what_an_earlier_one_left(new_collector: Callable[[], Collector]) -> None:
    usual = new_collector()
    usual.start_with()
    assert None is not usual.ask("report", "acme")["next_figures"]

    again = new_collector()
    again.data.mkdir(mode=0o700)
    (again.data / "throw-away").touch()
    again.start_with()
    assert None is not again.ask("report", "acme")["next_figures"]


@pytest.mark.slow
def test_a_backup_of_a_throw_away_store_restores_as_one_and_that_of_a_kept_one_never(new_collector: Callable[[], Collector]) -> None:
    moment = "2031-03-03T00:00:00+00:00"
    trying, kept, again, back = (new_collector() for _ in range(4))
    trying.for_trying().environment["INNERLOOP_COLLECTOR_STORE_SIMULATED_CLOCK"] = moment
    trying.start_with()
    restored(again, backed_up(trying))
    said = " ".join(one["text"] for one in again.check()["findings"])
    assert f"its clock stands at {moment}" in said
    assert "throw-away store" in said

    kept.start_with()
    back.data.mkdir(mode=0o700)
    (back.data / "throw-away").touch()
    restored(back, backed_up(kept))
    assert "throw-away" not in json.dumps(back.check())
