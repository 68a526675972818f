"""A yes is bound to what was shown: what the project asks for later waits until the developer agreed to that too."""

import json
import os
import shutil
from typing import Any

import pytest

from innerloop.core.consent.phrases import label
from innerloop.core.plan.tracking import PLAN
from tests.client.people import ANSWER_PROMPT, Developer, invited
from tests.client.recorder import Recorder, Reply

NEW = "git_commit_time"  # a field that is off unless the project file turns it on


REMOVABLE = [name for name, field in PLAN.fields.items() if field.default != "off" and name != "messageId"]


WIDENED: dict[str, dict[str, Any]] = {
    "a new field": {"fields": {NEW: True}},
    "a finer start time": {"fields": {"start_time": "minute"}},
    "an exact duration": {"fields": {"duration_ms": "exact"}},
    "a longer retention": {"project": {"retention_days": 366}},
    "a new recipient": {"recipients": [{"name": "New Relic"}]},
    "figures for everybody": {"public": {"figures": True}},
    "another purpose": {"wording": {"purpose": "to rank people"}},
    "another legal basis": {"project": {"legal_basis": "Art. 6(1)(f)"}},
    "a field by another name": {"rename": {"command": "target"}},
    "an event by another name": {"events": {"run": "shop.run"}},
    "another project id": {"project": {"id": "shop2", "write_key": "shop2.x"}},
    "another organisation": {"project": {"organisation": "Somebody Else"}},
    "a foreign key": {"project": {"write_key": "qwertyuiop"}},
    "another host": {"project": {"endpoint": "http://127.0.0.1:9"}},
    "the last message of leavers": {"fields": {"previous_consent": True}},
}


def silent_in_every_way(developer: Developer, server: Recorder) -> None:
    """Nothing is recorded and nothing leaves: by a run, by due delivery, or by flush."""
    before, requests = developer.recorded(), len(server.requests)
    for spool in (developer.state / "spool").iterdir():
        os.utime(spool / "next", (0, 0))
    developer.run("make", "test")
    developer.innerloop("deliver")
    assert developer.flush().status == 1
    assert developer.recorded() == before
    assert len(server.requests) == requests


# What the question after a change says of it. A kind of change is not enough: who types yes must have seen what to.
SAID: dict[str, list[str]] = {
    "a new field": ["added commit week"],
    "a finer start time": ["finer start time (to the minute), before to the hour"],
    "an exact duration": ["finer exact duration, before to three digits"],
    "a longer retention": ["now kept 366 days; before: 365"],
    "a new recipient": ["new New Relic gets group totals"],
    "figures for everybody": [
        "now who sees published figures: everybody, since they are open data; before: those whom the organisation lets see them"
    ],
    "another purpose": ["now why: to rank people; before: to find slow or failing commands and check that changes help"],
    "another legal basis": ['now legal basis: "Art. 6(1)(f)"; before: nothing'],
    "a field by another name": ["now the field command is called target"],
    "an event by another name": ["now the event run is called shop.run"],
    "a foreign key": ["now sent to 127.0.0.1:", "with another account's key"],
    "the last message of leavers": ["added that you left"],
}


@pytest.mark.parametrize("change", SAID)
def test_the_question_after_a_change_names_it_exactly(agreed: Developer, change: str) -> None:
    agreed.edit(**WIDENED[change])
    question = " ".join(agreed.opt_in("").text.split()).partition("Your answer")[0]
    for words in SAID[change]:
        assert words in question
    assert "other:" not in question


def test_the_question_after_a_change_names_each_recipient_with_region_and_what_it_gets(developer: Developer) -> None:
    first = {"name": "Segment", "receives": "rows without an id", "region": "EU"}
    developer.edit(recipients=[first]).opt_in("yes")
    new = {"name": "New Relic", "receives": "rows with the id", "region": "US", "retention": "90 days"}
    developer.edit(recipients=[{**first, "receives": "rows with a pseudonym", "region": "India"}, new])
    said = developer.opt_in("").text
    question = " ".join(said.split()).partition("Your answer")[0]
    assert "now Segment gets rows with a pseudonym, in India; before: Segment gets rows without an id, in EU" in question
    assert "new New Relic gets rows with the id, in US, kept 90 days" in question
    assert "k/keep" not in question, "only fields can be kept apart"
    assert max(len(line) for line in said.splitlines()) <= 80


def test_the_question_after_many_changes_names_every_field(developer: Developer) -> None:
    developer.edit(fields={name: name == "messageId" for name in PLAN.fields}).opt_in("yes")
    developer.edit(fields=dict.fromkeys(PLAN.fields, True), project={"cohorts": ["a", "b"]})
    question = " ".join(developer.opt_in("").text.split()).partition("Your answer")[0]
    for name, field in PLAN.fields.items():
        assert name == "messageId" or label(field, field.granularities[0]) in question, name


@pytest.mark.parametrize("change", WIDENED)
def test_what_is_wider_waits_for_an_answer(agreed: Developer, server: Recorder, change: str) -> None:
    agreed.run("make", "test")
    assert agreed.recorded() == 1
    agreed.edit(**WIDENED[change])
    silent_in_every_way(agreed, server)
    assert agreed.status()["mode"] in ("paused", "off")
    texts = [agreed.run_at_terminal("make", "test").text for _ in range(2)]
    assert [text.count("Look and decide: innerloop opt-in") for text in texts] == [1, 0], "asked again once"
    shutil.rmtree(agreed.state / "hot")
    agreed.run("make", "test")
    assert agreed.recorded() == 1
    assert server.connections == 0
    agreed.opt_in("yes")
    assert agreed.status()["mode"] == "on"


def test_a_new_field_never_appears_after_keep(agreed: Developer, server: Recorder) -> None:
    agreed.git("init", "-q")
    agreed.git("commit", "-q", "--allow-empty", "-m", "x")
    plan = agreed.status()["plan"]
    agreed.edit(fields={NEW: True, "start_time": "exact"})
    said = agreed.opt_in("keep")
    assert "keep  only what I agreed to before" in said.text
    assert agreed.status()["mode"] == "on"
    for _ in range(20):
        agreed.run("make", "test")
    assert agreed.flush().status == 0
    assert len(server.events) == 20
    assert not [event for event in server.events if NEW in event["properties"]]
    assert {event["properties"]["start_time"][13:] for event in server.events} == {":00:00+00:00"}
    assert {request.document["context"]["plan"] for request in server.requests} == {plan}


def test_yes_to_the_new_list_starts_the_new_field(agreed: Developer, server: Recorder) -> None:
    agreed.git("init", "-q")
    agreed.git("commit", "-q", "--allow-empty", "-m", "x")
    agreed.edit(fields={NEW: True})
    assert "  added    commit week" in agreed.opt_in("yes").text
    agreed.run("make", "slow")
    agreed.flush()
    (event,) = server.events
    assert NEW in event["properties"]


def test_no_to_the_new_list_is_a_no(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.edit(fields={NEW: True})
    agreed.opt_in("no")
    assert agreed.status()["mode"] == "no"
    assert agreed.place("new") + agreed.place("sealed") == []
    silent_in_every_way(agreed, server)


@pytest.mark.parametrize("answer", ["", "^D", "what", "keep"])
def test_no_answer_to_the_new_list_stays_silent(agreed: Developer, server: Recorder, answer: str) -> None:
    agreed.edit(recipients=[{"name": "New Relic"}])
    agreed.opt_in(answer)
    assert agreed.status()["mode"] == "paused"
    silent_in_every_way(agreed, server)


def test_keep_is_offered_only_where_fields_alone_changed(agreed: Developer) -> None:
    agreed.edit(fields={NEW: True}, project={"retention_days": 366})
    assert "keep" not in agreed.opt_in("").text


def test_another_change_after_keep_asks_again(agreed: Developer, server: Recorder) -> None:
    agreed.edit(fields={NEW: True})
    agreed.opt_in("keep")
    agreed.edit(fields={"start_time": "minute"})
    assert agreed.status()["mode"] == "paused"
    silent_in_every_way(agreed, server)


def test_the_old_file_resumes_the_old_answer(agreed: Developer) -> None:
    """A checkout of an older branch asks nothing: it was agreed to."""
    agreed.edit(fields={NEW: True})
    assert agreed.status()["mode"] == "paused"
    agreed.edit(fields={NEW: None})
    assert agreed.status()["mode"] == "on"
    agreed.run("make", "test")
    assert agreed.recorded() == 1


def test_a_removed_field_is_gone_from_the_wire_at_once_and_asks_nobody(agreed: Developer, server: Recorder) -> None:
    for field in REMOVABLE:
        agreed.edit(fields={field: False})
        assert agreed.run_at_terminal("make", "test").text == "", field
        assert agreed.flush().status == 0, field
        event = server.events[-1]
        assert field not in event
        assert field not in event["properties"]
        assert ("anonymousId" in event) == (field == "userId")
        agreed.edit(fields={field: None})
    assert len(server.events) == len(REMOVABLE)


def test_no_field_that_is_off_is_on_the_wire(developer: Developer, server: Recorder) -> None:
    developer.edit(fields={name: name in ("messageId", "command") for name in PLAN.fields})
    developer.opt_in("yes")
    for _ in range(2):
        developer.run("make", "test")
    developer.flush()
    for event in server.events:
        assert event["properties"] == {"command": "test"}
        assert set(event) == {"type", "event", "messageId", "anonymousId", "properties"}
    assert len({event["anonymousId"] for event in server.events}) == 2


def test_what_was_sealed_with_a_field_that_is_removed_does_not_leave(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    assert "os" in agreed.pending()[0]["properties"]
    agreed.edit(fields={"os": False})
    agreed.flush()
    assert server.events == []
    assert agreed.ledger()["dropped"] == {"narrowed": 1}


def test_coarser_and_shorter_and_fewer_ask_nobody(developer: Developer, server: Recorder) -> None:
    developer.edit(fields={"start_time": "exact"}, recipients=[{"name": "New Relic", "receives": "rows with the id"}])
    developer.opt_in("yes")
    developer.edit(fields={"start_time": "hour"}, project={"retention_days": 30}, recipients=[])
    assert developer.run_at_terminal("make", "test").text == ""
    developer.flush()
    (event,) = server.events
    assert event["properties"]["start_time"].endswith(":00:00+00:00")
    assert event["timestamp"] == event["properties"]["start_time"]


def test_a_new_key_of_the_same_project_asks_nobody(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.edit(project={"write_key": "shop.second"})
    assert agreed.run_at_terminal("make", "test").text == ""
    agreed.flush()
    assert [request.key for request in server.requests] == ["shop.second"]
    assert len(server.events) == 2


def test_another_name_contact_or_region_asks_nobody(agreed: Developer) -> None:
    agreed.edit(project={"name": "The Shop", "contact": "other@example.org"})
    assert agreed.status()["mode"] == "on"


def test_the_project_files_place_does_not_matter_but_its_destination_does(agreed: Developer) -> None:
    text = agreed.project_file.read_text()
    agreed.project(directory="second-clone").write(text)
    assert agreed.status()["mode"] == "on"
    agreed.run("make", "test")
    assert agreed.recorded() == 1


# records of an older answer


@pytest.mark.parametrize("between", ["no", "local", "opt-out"])
def test_records_of_an_older_answer_never_leave(agreed: Developer, server: Recorder, between: str) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.run("make", "build")
    if between == "local":
        agreed.opt_in("yes", local=True)
        agreed.run("make", "fail")
    else:
        agreed.opt_out()
    agreed.opt_in("yes")
    assert agreed.pending() == [], "shown as pending, though it will never leave"
    agreed.run("make", "test")
    agreed.flush()
    assert len(server.events) == 1
    ledger = agreed.ledger()
    assert (ledger["acknowledged"], ledger["queued"], ledger["dropped"].get("withdrawn", 0)) == (
        1,
        0,
        ledger["recorded"] - 1 - ledger["local"],
    )


def test_records_from_before_a_change_never_leave_after_the_new_yes(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.run("make", "build")
    agreed.edit(fields={NEW: True})
    agreed.opt_in("yes")
    assert agreed.pending() == [], "shown as pending, though it will never leave"
    agreed.run("make", "fail")
    agreed.flush()
    assert [event["properties"]["command"] for event in server.events] == ["fail"]
    ledger = agreed.ledger()
    assert (ledger["recorded"], ledger["acknowledged"], ledger["dropped"]) == (3, 1, {"withdrawn": 2})


def test_records_of_an_answer_that_was_edited_away_never_leave(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    document = json.loads(agreed.consent_file.read_text())
    for key, value in (("serial", "0" * 32), ("decision", False), ("destination", "f" * 64), ("plan", "0" * 64), ("agreement", {})):
        agreed.consent_file.write_text(json.dumps({**document, "consent": {**document["consent"], key: value}}))
        agreed.flush()
        agreed.make_delivery_due()
        agreed.innerloop("deliver")
    assert server.connections == 0


@pytest.mark.parametrize("meanwhile", ["opt-out", "opt-out and yes again", "local and yes again", "a new field", "a field less"])
def test_the_answer_is_read_again_before_every_batch(agreed: Developer, server: Recorder, meanwhile: str) -> None:
    """The answer or the list changes while the first of several batches is under way: the others stay."""
    agreed.run("make", "test")
    agreed.pending()
    agreed.pretend_sealed(1200)
    server.will(Reply(wait=1.5))
    flushing = agreed.start(agreed.command, "flush")
    while not server.requests:
        assert flushing.poll() is None
    if meanwhile.startswith("a "):
        agreed.edit(fields={NEW: True} if meanwhile == "a new field" else {"os": False})
    elif meanwhile.startswith("local"):
        agreed.opt_in("yes", local=True)
    else:
        assert agreed.opt_out().status == 0
    if meanwhile.endswith("yes again"):
        agreed.opt_in("yes")
    flushing.wait(30)
    assert len(server.requests) == 1
    assert agreed.ledger()["recorded"] == 1201
    if meanwhile != "a new field":
        agreed.flush()
        assert agreed.ledger()["queued"] == 0
    assert len(server.requests) == 1


# how often somebody is asked again


ANOTHER = [{"start_time": "minute"}, {"start_time": "second"}, {"duration_ms": "exact"}]  # one change after the other


def let_days_pass(developer: Developer, days: int) -> None:
    """As if everything that was asked had been asked so many days earlier."""
    asked = developer.state / "asked"
    lines = [line.split() for line in asked.read_text().splitlines()]
    asked.write_text("".join(f"{key} {int(day) - days}\n" for key, day in lines))
    developer.hot_file.unlink(missing_ok=True)


@pytest.mark.parametrize("answer", ["no answer to the invitation", "not now", "keep"])
def test_after_anything_but_a_yes_to_a_changed_list_no_change_asks_for_180_days(agreed: Developer, answer: str) -> None:
    agreed.edit(fields={NEW: True})
    if answer == "no answer to the invitation":
        assert "Look and decide" in agreed.run_at_terminal("true").text
    else:
        agreed.opt_in("keep" if answer == "keep" else "")
    for fields in ANOTHER:
        agreed.edit(fields=fields)
        assert not invited(agreed), fields
    let_days_pass(agreed, 179)
    assert not invited(agreed)
    let_days_pass(agreed, 1)
    assert invited(agreed)
    assert "Look and decide" in agreed.run_at_terminal("true").text
    let_days_pass(agreed, 2000)
    assert not invited(agreed), "asked a third time"
    assert "Nothing is recorded or sent until you answer." in agreed.opt_in("yes").text, "whoever types it may always answer"
    assert agreed.status()["mode"] == "on"


def test_a_yes_to_a_changed_list_lets_the_next_change_ask(agreed: Developer) -> None:
    agreed.edit(fields={NEW: True})
    agreed.run_at_terminal("true")
    agreed.opt_in("yes")
    assert not invited(agreed)
    agreed.edit(fields=ANOTHER[0])
    assert invited(agreed)


def test_a_narrower_change_after_keep_asks_nobody(agreed: Developer, server: Recorder) -> None:
    agreed.edit(fields={NEW: True, "start_time": "exact"})
    agreed.opt_in("keep")
    for narrower in ({"os": False}, {"start_time": "minute"}, {NEW: False}):
        agreed.edit(fields=narrower)
        assert agreed.status()["mode"] == "on", narrower
        agreed.run("make", "test")
    agreed.flush()
    assert [("os" in event["properties"], event["properties"]["start_time"][14:19]) for event in server.events] == [(False, "00:00")] * 3


def test_what_changed_is_not_counted_among_what_stayed_the_same(agreed: Developer) -> None:
    fields = len(agreed.status()["fields"])
    agreed.edit(fields={"duration_ms": "exact", NEW: True})
    assert f"  same     {fields - 1} fields" in agreed.opt_in("").text


def test_where_the_question_is_preferred_a_changed_list_is_announced_and_not_recorded(developer: Developer) -> None:
    developer.edit(project={"ask": "question"})
    developer.run_at_terminal("make", "test", types=[(ANSWER_PROMPT, "yes")])
    developer.edit(fields={NEW: True})
    said = developer.run_at_terminal("make", "test")
    assert "asks again: what you agreed to has changed. Nothing is recorded." in " ".join(said.text.split())
    assert developer.recorded() == 0


def test_an_id_that_is_switched_off_does_not_leave_with_what_waited(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    assert "userId" in agreed.pending()[0]
    agreed.edit(fields={"userId": False})
    agreed.flush()
    assert [event for event in server.events if "userId" in event] == []
    assert agreed.ledger()["dropped"] == {"narrowed": 1}


def test_a_ci_job_leaves_the_developers_queue_alone(agreed: Developer) -> None:
    agreed.edit(project={"ci": True})
    agreed.run("make", "test")
    agreed.innerloop("show", "pending", env={"CI": "1", "INNERLOOP_CI": "1"})
    assert agreed.ledger()["queued"] == 1
    agreed.run("make", "test", env={"CI": "1", "INNERLOOP_CI": "1"})
    assert [event.get("userId") is not None for event in agreed.pending()] == [True]


def test_other_words_for_the_same_question_ask_nobody_again(agreed: Developer, server: Recorder) -> None:
    """The text's digest proves what was shown, and stays in the answer; what was agreed to is the agreement and the destination."""
    document = json.loads(agreed.consent_file.read_text())
    shown_before = "0" * 64  # by a version that put it in other words
    agreed.consent_file.write_text(json.dumps({**document, "consent": {**document["consent"], "text": shown_before}}))
    agreed.run("make", "test")

    assert 0 == agreed.flush().status
    assert ["test"] == [event["properties"]["command"] for event in server.events]
    assert (shown_before, True) == (agreed.consent["text"], f"(text {shown_before[:8]}" in agreed.innerloop("status").out)
