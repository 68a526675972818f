"""A developer who agreed may name a cohort that the project offers, and need not: only an offered word that was typed ever leaves."""

import json
import re
from typing import Any

import pytest

from innerloop.core.plan.agreement import agreement, digest
from innerloop.core.plan.project import ProjectError
from innerloop.core.plan.project_reader import read
from tests.client.people import ANSWER_PROMPT, Developer, Said
from tests.client.recorder import Recorder

OFFERED = ["employee", "contractor", "community"]
COHORT_PROMPT = r"One of these words \(Enter: rather not say\): "


@pytest.fixture
def asked(developer: Developer) -> Developer:
    """Somebody in a project that offers cohorts."""
    return developer.edit(project={"cohorts": OFFERED})


def answer(developer: Developer, *words: str, command: str = "opt-in") -> Said:
    """Answer the question, and then the one about cohorts."""
    first, *rest = words
    types = [(ANSWER_PROMPT, first), *((COHORT_PROMPT, word) for word in rest)]
    return developer.at_terminal(developer.command, command, types=types)


def cohorts_sent(developer: Developer, server: Recorder) -> list[str | None]:
    """Run something, deliver it, and tell what the new events say."""
    before = len(server.events)
    developer.run("make", "test")
    assert developer.flush().status == 0
    return [event["properties"].get("cohort") for event in server.events[before:]]


@pytest.mark.parametrize("typed", ["contractor", " Contractor ", "CONTRACTOR"])
def test_a_word_that_is_offered_and_typed_leaves_with_each_run(asked: Developer, server: Recorder, typed: str) -> None:
    said = answer(asked, "yes", typed)
    assert "If you like, say which of these you are: employee, contractor, community." in said.text
    assert "Cohort: contractor." in said.text
    assert asked.consent["cohort"] == "contractor"
    assert cohorts_sent(asked, server) == ["contractor"]
    assert "  cohort    contractor\n" in asked.innerloop("status").out
    assert asked.status()["cohort"] == "contractor"


@pytest.mark.parametrize("typed", ["", "manager", "employee contractor", "1", "^D", "yes", "emplöyee"])
def test_anything_else_is_not_said_and_the_yes_counts(asked: Developer, server: Recorder, typed: str) -> None:
    said = answer(asked, "yes", typed)
    assert "Cohort: not said." in said.text
    assert "cohort" not in asked.consent
    assert asked.status()["mode"] == "on"
    assert cohorts_sent(asked, server) == [None]
    assert "  cohort    not said; name one: innerloop opt-in\n" in asked.innerloop("status").out
    if typed not in ("", "^D", "yes", "1"):
        assert typed.encode() not in b"".join(asked.files().values())


def test_interrupting_the_second_line_takes_the_yes_back(asked: Developer) -> None:
    assert answer(asked, "yes", "^C").status == 130
    assert asked.status()["mode"] == "off"
    assert asked.files() == {}


@pytest.mark.parametrize("first", ["local", "no", "", "what"])
def test_nobody_is_asked_who_did_not_say_yes(asked: Developer, first: str) -> None:
    assert "One of these words" not in answer(asked, first).text


def test_nobody_is_asked_where_none_are_offered(developer: Developer) -> None:
    said = developer.opt_in("yes")
    assert "cohort" not in said.text.lower()
    assert "cohort" not in developer.innerloop("status").out


def test_nobody_is_asked_where_the_field_is_off(asked: Developer, server: Recorder) -> None:
    asked.edit(fields={"cohort": False})
    assert "cohort" not in asked.opt_in("yes").text.lower()
    assert cohorts_sent(asked, server) == [None]


def test_a_seed_project_never_asks(asked: Developer) -> None:
    asked.edit(seed={"system": "devstack"})
    said = asked.at_terminal(asked.command, "opt-in", types=[("one last message.", "yes")])
    assert said.status == 0
    assert "cohort" not in said.text.lower()
    assert "cohort" not in asked.innerloop("describe").out.lower().replace("off", "")[: asked.innerloop("describe").out.index("\nOff")]


def test_a_pipe_an_agent_or_a_ci_job_names_nothing(asked: Developer) -> None:
    answer(asked, "yes", "employee")
    before = asked.files()
    for env in ({"CLAUDECODE": "1"}, {"CI": "1"}):
        assert asked.at_terminal(asked.command, "opt-in", env=env).status == 1
    assert asked.innerloop("opt-in", stdin="yes\ncommunity\n").status == 1
    assert asked.files() == before
    for words in (["--cohort", "employee"], ["employee"]):
        assert asked.innerloop("opt-in", *words).status == 2


def test_the_question_names_the_field_and_details_and_describe_explain_it(asked: Developer) -> None:
    said = asked.opt_in("?", "").text
    assert "a cohort that you may name" in " ".join(said.split())
    for text in (said, asked.innerloop("describe").out):
        joined = " ".join(text.split())
        assert "after a yes you may name one of: employee, contractor, community. You need not" in joined
        assert "A small one narrows down who you can be, so it is shown in groups of 5 or more only." in joined
        assert re.search(r"^cohort +listed +employee$", text, re.MULTILINE) or text is said
        assert [line for line in text.splitlines() if len(line) > 80 and "/" not in line] == []
    described = asked.innerloop("describe", "--json").json
    assert described["cohorts"] == OFFERED
    (field,) = [field for field in described["fields"] if field["name"] == "cohort"]
    assert "a cohort of one is a name" in field["risk"]
    assert field["alternatives"]


def test_eight_long_words_fit_the_screen(developer: Developer) -> None:
    developer.edit(project={"cohorts": [f"a-long-word-no-{number}" for number in range(8)], "name": "x" * 40})
    said = answer(developer, "yes", "")
    assert [line for line in said.text.splitlines() if len(line) > 80 and "/" not in line] == []
    second = said.text[said.text.index("If you like, say") : said.text.index("Cohort:")]
    assert len(second.splitlines()) <= 9


# the list works like the list of names


@pytest.mark.parametrize("when", ["before it is recorded", "before it is sealed", "before it is sent"])
def test_a_cohort_that_is_taken_off_the_list_does_not_leave(asked: Developer, server: Recorder, when: str) -> None:
    answer(asked, "yes", "contractor")
    if when != "before it is recorded":
        asked.run("make", "test")
    if when == "before it is sent":
        assert [event["properties"]["cohort"] for event in asked.pending()] == ["contractor"]
    asked.edit(project={"cohorts": ["employee", "community"]})
    assert asked.run_at_terminal("make", "build").text == "", "a shorter list asks nobody"
    asked.flush()
    assert [event["properties"].get("cohort") for event in server.events] == [None] * (1 if when != "before it is sealed" else 2)
    assert b"contractor" not in b"".join(request.content for request in server.requests)
    assert asked.ledger()["dropped"] == ({"narrowed": 1} if when == "before it is sent" else {})
    assert "contractor: no longer offered, so it does not leave" in asked.innerloop("status").out


def test_another_word_on_the_list_asks_nobody_and_changes_no_digest(asked: Developer) -> None:
    answer(asked, "yes", "employee")
    plan = asked.status()["plan"]
    asked.edit(project={"cohorts": [*OFFERED, "student"]})
    assert (asked.status()["mode"], asked.status()["plan"]) == ("on", plan)


def test_offering_cohorts_where_there_were_none_asks_again(developer: Developer, server: Recorder) -> None:
    developer.opt_in("yes")
    developer.edit(project={"cohorts": OFFERED})
    assert developer.status()["mode"] == "paused"
    said = answer(developer, "yes", "community")
    assert "  added    a cohort that you may name" in said.text
    assert cohorts_sent(developer, server) == ["community"]


def test_keep_without_the_field_asks_for_no_cohort_and_sends_none(developer: Developer, server: Recorder) -> None:
    developer.opt_in("yes")
    developer.edit(project={"cohorts": OFFERED})
    assert "One of these words" not in developer.opt_in("keep").text
    assert cohorts_sent(developer, server) == [None]
    assert "cohort" not in developer.innerloop("status").out


def test_keep_with_the_field_keeps_the_word(asked: Developer, server: Recorder) -> None:
    answer(asked, "yes", "employee")
    asked.edit(fields={"git_commit_time": True})
    assert "One of these words" not in answer(asked, "keep").text
    assert cohorts_sent(asked, server) == ["employee"]


def test_a_list_that_is_gone_takes_the_field_with_it(asked: Developer, server: Recorder) -> None:
    answer(asked, "yes", "employee")
    asked.edit(project={"cohorts": []})
    assert asked.status()["mode"] == "on"
    assert cohorts_sent(asked, server) == [None]


def test_the_word_can_be_changed_and_taken_back_and_the_old_one_does_not_leave(asked: Developer, server: Recorder) -> None:
    answer(asked, "yes", "employee")
    serial = asked.consent["serial"]
    asked.run("make", "build")
    asked.pending()
    for typed, expected in (("contractor", "contractor"), ("", None)):
        said = asked.at_terminal(asked.command, "opt-in", types=[(COHORT_PROMPT, typed)])
        assert "You agreed on" in said.text
        assert cohorts_sent(asked, server) == [expected]
    assert asked.consent["serial"] == serial, "what was recorded under the yes is still its own"
    assert asked.ledger()["dropped"] == {"narrowed": 1}


def test_a_no_and_local_forget_the_word(asked: Developer) -> None:
    for last in ("no", "local"):
        answer(asked, "yes", "employee")
        if last == "local":
            asked.opt_in("yes", local=True)
        else:
            asked.opt_out()
        assert "cohort" not in asked.consent


def test_a_word_that_was_written_into_the_answer_by_hand_does_not_leave(asked: Developer, server: Recorder) -> None:
    answer(asked, "yes", "employee")
    document = json.loads(asked.consent_file.read_text())
    for cohort in ("s3cr3t", ["employee"], 7, "employee\n"):
        document["consent"]["cohort"] = cohort
        asked.consent_file.write_text(json.dumps(document))
        assert cohorts_sent(asked, server) == [None]


def test_a_ci_job_belongs_to_no_cohort(asked: Developer, server: Recorder) -> None:
    asked.edit(project={"ci": True})
    answer(asked, "yes", "employee")
    job = {"CI": "1", "INNERLOOP_CI": "1"}
    asked.run("make", "test", env=job)
    assert asked.flush(env=job).status == 0
    assert [event["properties"].get("cohort") for event in server.events] == [None]


# the project file


def project(**keys: Any) -> dict[str, Any]:
    basis = {"id": "shop", "organisation": "Example", "endpoint": "https://collect.example", "write_key": "shop.x"}
    return {"project": {**basis, **keys}}


@pytest.mark.parametrize(
    "cohorts",
    [["Employee"], ["a b"], [""], ["x" * 17], ["a", "a"], [f"c{number}" for number in range(9)], ["émployé"], "employee", [1]],
)
def test_a_list_that_is_not_one_of_a_few_plain_words_is_an_error(cohorts: Any) -> None:
    with pytest.raises(ProjectError, match=r"project\.cohorts must be"):
        read(project(cohorts=cohorts))


def test_the_field_is_on_exactly_where_cohorts_are_offered() -> None:
    assert "cohort" not in read(project()).fields
    assert "cohort" not in read({**project(), "fields": {"cohort": True}}).fields
    assert read(project(cohorts=["a"])).fields["cohort"] == "listed"
    assert digest(agreement(read(project(cohorts=["a"])))) == digest(agreement(read(project(cohorts=["b", "c"]))))
    assert digest(agreement(read(project()))) != digest(agreement(read(project(cohorts=["a"]))))
