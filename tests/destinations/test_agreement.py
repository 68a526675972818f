"""What passes is what the developer agreed to, by the version of the project file under which an event came, and no more than the newest lets pass."""

import tomllib
from datetime import timedelta

import pytest

from tests.collector.support import digest_of, run_event
from tests.destinations.receivers import Receiver
from tests.destinations.support import PSEUDONYM, WITHOUT_ID, Configured, project


def test_only_events_whose_agreement_names_the_recipient_pass(configured: Configured, receiver: Receiver) -> None:
    """A recipient that is named today gets nothing of what was agreed to yesterday, not even of events that arrive later."""
    without, named = project(), project(("Metrics Ltd", WITHOUT_ID))
    old, new = (digest_of(tomllib.loads(text)) for text in (without, named))
    configured.destination("nr", "newrelic", receiver).start(without)
    configured.collector.directory.joinpath("new.toml").write_text(named)
    configured.collector.ask("projects", "apply", str(configured.collector.directory / "new.toml"))

    configured.collector.send(run_event(duration_ms=1), run_event(duration_ms=2), plan=old)
    configured.collector.send(run_event(duration_ms=3), plan=new)
    configured.collector.send(run_event(duration_ms=4), plan=old)
    configured.wait("nr", lambda status: status["behind_events"] == 0)

    assert [3] == [event["duration_ms"] for event in receiver.events]


def test_a_recipient_that_the_newest_file_takes_out_gets_nothing_more(configured: Configured, receiver: Receiver) -> None:
    """Nor does one that is to get less get more than that, of events that come under an earlier version."""
    text = project(("Metrics Ltd", PSEUDONYM), ("Less Ltd", PSEUDONYM))
    agreed = digest_of(tomllib.loads(text))
    less = {"recipient": "Less Ltd"}
    configured.destination("nr", "newrelic", receiver).destination("less", "newrelic", receiver, **less).start(text)
    configured.collector.directory.joinpath("new.toml").write_text(project(("Less Ltd", WITHOUT_ID)))
    configured.collector.ask("projects", "apply", str(configured.collector.directory / "new.toml"))
    configured.collector.send(run_event("somebody"), plan=agreed)
    receiver.wait_for(lambda it: len(it.events) == 1)
    none = configured.wait("nr", lambda status: status["behind_events"] == 0)

    assert 0 == none["sent"]
    assert [False] == ["installation" in event for event in receiver.events]


def test_what_is_past_a_shorter_promise_is_not_sent_even_before_a_sweep(configured: Configured, receiver: Receiver) -> None:
    """As with events that were waiting for a destination when the promise was shortened."""
    recipient = "Metrics Ltd", WITHOUT_ID
    configured.destination("nr", "newrelic", receiver).start(project(recipient))
    collector = configured.collector
    collector.cli("destinations", "pause", "nr")
    configured.send(run_event(ago=timedelta(days=12), duration_ms=1), run_event(duration_ms=2))
    collector.directory.joinpath("new.toml").write_text(project(recipient, project={"retention_days": 10}))
    collector.ask("projects", "apply", str(collector.directory / "new.toml"))
    collector.cli("destinations", "resume", "nr")
    status = configured.wait("nr", lambda it: it["behind_events"] == 0)

    assert 1 == status["sent"]
    assert [2] == [event["duration_ms"] for event in receiver.events]


@pytest.mark.slow
def test_who_receives_group_totals_gets_no_rows(configured: Configured, receiver: Receiver) -> None:
    configured.destination("nr", "newrelic", receiver).destination("other", "newrelic", receiver, recipient="Nobody's name")
    configured.start(project(("Metrics Ltd", "group totals")))
    configured.send(run_event())
    status = configured.wait("nr", lambda status: status["behind_events"] == 0)
    other = configured.wait("other", lambda status: status["behind_events"] == 0)

    assert [] == receiver.requests
    assert {"acme": "group totals"} == status["projects"]
    assert {} == other["projects"]


@pytest.mark.slow
def test_an_id_passes_as_a_pseudonym_only_where_that_was_agreed(configured: Configured, receiver: Receiver) -> None:
    rows, pseudonyms = project(("Metrics Ltd", WITHOUT_ID)), project(("Metrics Ltd", PSEUDONYM))
    plain, named = (digest_of(tomllib.loads(text)) for text in (rows, pseudonyms))
    configured.destination("nr", "newrelic", receiver).start(rows)
    configured.collector.directory.joinpath("new.toml").write_text(pseudonyms)
    configured.collector.ask("projects", "apply", str(configured.collector.directory / "new.toml"))
    configured.collector.send(run_event("somebody"), plan=plain)
    configured.collector.send(run_event("somebody"), plan=named)
    receiver.wait_for(lambda it: len(it.events) == 2)

    assert [False, True] == ["installation" in event for event in receiver.events]


def test_a_new_destination_begins_now_unless_it_is_told_to_begin_at_the_beginning(configured: Configured, receiver: Receiver) -> None:
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event(duration_ms=1))
    configured.collector.stop()
    configured.destination("all", "newrelic", receiver, **{"from": "beginning"}).destination("new", "newrelic", receiver)
    configured.destination("elsewhere", "newrelic", receiver, projects=["shop"], **{"from": "beginning"})
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event(duration_ms=2))
    receiver.wait_for(lambda it: len(it.events) == 3)

    assert [1, 2, 2] == sorted(event["duration_ms"] for event in receiver.events)
    assert (2, 1, 0) == tuple(configured.wait(name, lambda it: not it["behind_events"])["sent"] for name in ("all", "new", "elsewhere"))
