"""Everything that is said about consent: plain, short, complete, and without a word that pushes."""

import re
from typing import Any

import pytest

from innerloop.core.consent.phrases import label
from innerloop.core.plan.tracking import PLAN
from tests.client.people import ANSWER_PROMPT, Developer

WIDTH, MOST_LINES, MOST_WORDS, OTHER_LINES = 80, 18, 120, 9


BANNED = ("only takes", "please", "help us", "recommended", "required", "must", "everyone")


NAMES = ("x", "a" * 40)


FIELDS: dict[str, dict[str, Any]] = {
    "3": {name: name in ("messageId", "command", "duration_ms") for name in PLAN.fields},
    "default": {},
    "all": dict.fromkeys(PLAN.fields, True),
}


COHORTS = ["employee", "contractor", "community"]


COHORT_PROMPT = r"One of these words \(Enter: rather not say\): "


def shows(text: str) -> None:
    """What holds for every text of ours at a terminal."""
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), "colour, bold or another control"
    assert [line for line in text.splitlines() if len(line) > WIDTH and "/" not in line] == []
    spoken = " ".join(text.lower().split()).replace("pseudonymous, not anonymous", "")
    assert "!" not in text
    assert [word for word in (*BANNED, "anonym") if re.search(rf"\b{word}", spoken)] == []


def part(text: str, first: str) -> str:
    """The text from a line that begins with these words to its end."""
    return text[text.index(first) :]


@pytest.fixture(params=NAMES, ids=["1", "40"])
def named(request: pytest.FixtureRequest, developer: Developer) -> Developer:
    """Somebody in a project and an organisation with names of this length."""
    return developer.edit(project={"name": request.param, "organisation": request.param})


@pytest.mark.parametrize("fields", FIELDS)
def test_the_question_fits_one_screen_in_plain_words(named: Developer, fields: str) -> None:
    named.edit(fields=FIELDS[fields], project={"cohorts": COHORTS if fields == "all" else None})
    said = named.opt_in("")
    shows(said.text)
    assert (len(named.innerloop("describe", "--json").json["fields"]) == len(PLAN.fields)) == (fields == "all")
    name = named.tables["project"]["name"]
    question = part(said.text, f"May {name}").partition("No answer")[0]
    assert len(question.splitlines()) <= MOST_LINES
    assert len(question.split()) <= MOST_WORDS + 1  # our own ^M
    for title in ("Why", "What", "Never", "Where", "Seen", "Free", "Later", "Ask"):
        assert re.search(rf"^{title} ", question, re.MULTILINE)


def test_recipients_region_and_contact_are_in_the_question_and_it_still_fits(named: Developer) -> None:
    named.edit(
        project={
            "region": "Frankfurt, Germany",
            "contact": "privacy@a-rather-long-name.example.org",
            "notice_url": "https://example.org/notice",
        },
        recipients=[{"name": "New Relic", "receives": "rows without an id"}, {"name": "Segment"}],
    )
    said = named.opt_in("")
    shows(said.text)
    question = part(said.text, f"May {named.tables['project']['name']}").partition("No answer")[0]
    joined = " ".join(question.split())
    for words in (
        "New Relic (rows without an id)",
        "Segment (group totals)",
        "Frankfurt, Germany",
        "kept 365 days",
        "privacy@",
        "127.0.0.1",
    ):
        assert words in joined
    assert len(question.splitlines()) <= MOST_LINES
    assert len(question.split()) <= MOST_WORDS + 1


def test_that_figures_are_open_to_everybody_is_in_the_question_its_details_and_describe_and_it_still_fits(named: Developer) -> None:
    plan = named.innerloop("describe", "--json").json["plan"]
    named.edit(public={"figures": True})
    said = named.opt_in("?", "")
    question = part(said.text, f"May {named.tables['project']['name']}").partition("Your answer")[0]

    assert "Seen groups of 5 or more, whose figures are open to everybody." in " ".join(question.split())
    assert len(question.splitlines()) <= MOST_LINES
    assert len(question.split()) <= MOST_WORDS + 1
    assert 2 == " ".join(said.text.split()).count("What was published stays published, also after an erasure."), (
        "before the question and in its details"
    )
    described = named.innerloop("describe", "--json").json
    assert (True, True) == (described["public_figures"], described["plan"] != plan)
    assert "Public the figures of groups of 5 or more" in named.innerloop("describe").out
    record = named.innerloop("describe", "--dpia").out
    assert "everybody, since they are open data" in " ".join(record.split())
    assert "anybody in the world" in record.lower()


@pytest.mark.parametrize("answer", ["yes", "local", "no", "", "?"])
def test_what_follows_an_answer_is_short_and_fits(named: Developer, answer: str) -> None:
    answers = ["?", ""] if answer == "?" else [answer]
    said = named.opt_in(*answers)
    shows(said.text)
    if answer != "?":
        after = said.text.rpartition("): ")[2]
        assert len(after.splitlines()) <= OTHER_LINES


def test_the_invitation_is_short_and_fits(named: Developer) -> None:
    """Two lines; three where the project's name is so long that they would not fit."""
    said = named.run_at_terminal("make", "test")
    shows(said.text)
    assert len(said.text.splitlines()) <= (3 if "a" * 40 in said.text else 2)
    assert "So far nothing is recorded." in said.text


def test_opt_out_says_what_became_of_what(named: Developer) -> None:
    named.opt_in("yes")
    named.run("make", "test")
    said = named.at_terminal(named.command, "opt-out")
    shows(said.text)
    assert "No message was sent to say so." in said.text
    assert "1 unsent record was deleted here." in said.text
    assert len(said.text.splitlines()) <= OTHER_LINES


def test_every_other_text_fits_too(named: Developer) -> None:
    """What is said of the answer before, at, and after it; and what can be looked up."""
    named.edit(project={"cohorts": COHORTS})

    def looked_up() -> None:
        for words, most in ((["status"], OTHER_LINES), (["describe"], None), (["describe", "--dpia"], None)):
            text = named.innerloop(*words).out
            shows(re.sub(r"^#.*$", "", text, flags=re.MULTILINE))
            assert most is None or len(text.splitlines()) <= most, text

    looked_up()
    said = named.at_terminal(named.command, "opt-in", types=[(ANSWER_PROMPT, "yes"), (COHORT_PROMPT, "employee")])
    shows(said.text)
    second = said.text[said.text.index("If you like, say") :].partition("Thank you")[0]
    assert len(second.splitlines()) <= OTHER_LINES
    named.run("make", "test")
    named.flush()
    looked_up()
    shows(named.at_terminal(named.command, "opt-in", types=[(COHORT_PROMPT, "")]).text)
    named.edit(fields={"git_commit_time": True})
    looked_up()
    shows(named.opt_in("keep").text)
    shows(named.opt_in("yes", local=True).text)
    looked_up()
    named.opt_out()
    looked_up()


def test_who_leaves_and_who_looks_is_told_how_to_erase(developer: Developer) -> None:
    assert "erase: innerloop forget" in developer.opt_in("?", "").text
    developer.opt_in("yes")
    status = developer.innerloop("status").out
    assert re.search(r"^shop: sharing, agreed \S+ \(text [0-9a-f]{8}, plan [0-9a-f]{8}\)$", status, re.MULTILINE)
    assert "for this project only; a new one: innerloop reset-id\n" in status
    assert "  there     kept 365 days\n" in status
    assert "  change    innerloop opt-out | innerloop opt-in --local | innerloop forget\n" in status
    left = developer.opt_out().err
    assert "What Example Org already has is kept for 365 days. Erase it: innerloop forget\n" in left
    assert "  change    innerloop opt-in | innerloop forget\n" in developer.innerloop("status").out


@pytest.mark.parametrize("fields", FIELDS)
def test_the_question_after_a_change_fits(named: Developer, fields: str) -> None:
    named.edit(fields={name: name in ("messageId", "command") for name in PLAN.fields})
    named.opt_in("yes")
    named.edit(fields=FIELDS[fields], project={"retention_days": 400})
    invited = named.run_at_terminal("make", "test")
    shows(invited.text)
    said = named.opt_in("")
    shows(said.text)
    assert "Nothing is recorded or sent until you answer." in said.text
    assert len(said.text.partition("No answer")[0].splitlines()) <= MOST_LINES


def test_the_question_names_exactly_the_fields_that_are_collected(developer: Developer) -> None:
    on = ("messageId", "command", "duration_ms", "os")
    developer.edit(fields={name: name in on for name in PLAN.fields})
    said = developer.opt_in("")
    what = " ".join(re.search(r"^What {3}(.*?)^Never", said.text, re.MULTILINE | re.DOTALL)[1].split())  # type: ignore[index]
    assert sorted(what.split(", ")) == sorted(PLAN.fields[name].label for name in on)


@pytest.mark.parametrize("purpose", ["", "to see what is slow " * 9], ids=["some named", "none named"])
def test_the_question_counts_the_fields_as_the_table_above_it_and_status_do(developer: Developer, purpose: str) -> None:
    developer.edit(fields=dict.fromkeys(PLAN.fields, True), wording={"purpose": purpose})
    fields = developer.innerloop("describe", "--json").json["fields"]
    what = " ".join(re.search(r"^What {3}(.*?)^Never", developer.opt_in("").text, re.MULTILINE | re.DOTALL)[1].split())  # type: ignore[index]
    if purpose:
        assert what == f"the {len(fields)} fields listed above"
        return
    named, more = re.fullmatch(r"(.*) and (\d+) more, listed above", what).groups()  # type: ignore[union-attr]
    shared = [field for field in fields if label(PLAN.fields[field["name"]], field["granularity"]) in named.split(", ")]
    assert len(shared) + int(more) == len(fields)


def test_question_describe_and_details_name_the_same_fields(developer: Developer) -> None:
    developer.edit(fields={"arch": False, "git_commit_time": True})
    described = developer.innerloop("describe", "--json").json
    on = [field["name"] for field in described["fields"]]
    assert sorted(on + described["off"]) == sorted(PLAN.fields)
    assert "arch" in described["off"]
    details = developer.opt_in("?", "").text
    listed = [line.split()[0] for line in part(details, "field  ").splitlines() if re.match(r"[a-zA-Z_]+ {2,}\S+ {2,}\S", line)]
    assert [name for name in listed if name in PLAN.fields] == on * 2
    developer.opt_in("yes")
    developer.git("init", "-q")
    developer.git("commit", "-q", "--allow-empty", "-m", "x")
    developer.run("make", "test")
    assert developer.innerloop("show", "pending").status == 0
    event = developer.pending()[0]
    wire = {*event["properties"], *(name for name in event if name in PLAN.fields)}
    assert wire <= set(on)
    elsewhere = {name for name, field in PLAN.fields.items() if field.absent_without == "git" or name not in PLAN.events["run"].properties}
    assert set(on) - wire <= elsewhere | {"run", "targets", "targets_failed"}


def test_finer_granularities_are_said_in_the_question(developer: Developer) -> None:
    for exactness, words in (
        ("hour", "start time (to the hour)"),
        ("minute", "start time (to the minute)"),
        ("exact", "start time (exact time)"),
    ):
        developer.edit(fields={"start_time": exactness})
        assert words in " ".join(developer.opt_in("").text.split())


def test_an_exact_duration_is_said_in_the_question(developer: Developer) -> None:
    coarse = developer.opt_in("").text
    developer.edit(fields={"duration_ms": "exact"})
    fine = developer.opt_in("").text
    what = [re.search(r"^What {3}(.*?)^Never", text, re.MULTILINE | re.DOTALL)[1] for text in (coarse, fine)]  # type: ignore[index]
    assert what[0] != what[1]


def test_the_projects_words_are_marked_as_its_own_and_replace_none_of_ours(developer: Developer) -> None:
    developer.edit(
        project={"legal_basis": "Art. 6(1)(a) GDPR"},
        wording={
            "purpose": "to see whether builds got faster", "invitation": "shop: would you share run times?", "thanks": "Thanks.",
            "stopped": "You have left.", "opt_in_command": "make join", "opt_out_command": "make leave", "legal_block": "Line A\nLine B",
            "question": "We take nothing at all.", "answer_line": "Just press Enter",
        },
    )  # fmt: skip
    invited = developer.run_at_terminal("make", "test").text
    assert invited.splitlines() == [
        "shop: may run times be measured? So far nothing is recorded.",
        'shop says: "shop: would you share run times?"',
        "Look and decide: innerloop opt-in   Never ask again: innerloop opt-out",
    ]
    said = developer.opt_in("?", "yes").text
    for words in (
        'Why    "to see whether builds got faster" (the project\'s words)',
        "shop adds:\n  | Line A\n  | Line B\n",
        'Basis  "Art. 6(1)(a) GDPR"',
        "stop: innerloop opt-out",
        'Thank you. shop commands are measured from now on, none from before.\nshop says: "Thanks."\n',
    ):
        assert words in said
    for words in ("We take nothing", "Just press Enter", "make join", "make leave"):
        assert words not in said
    assert "Never  arguments, paths, output, environment, file or user names" in said
    assert "You have left" not in developer.opt_out().err, "what opt-out did is always said in our words"


def test_the_answers_stand_side_by_side_and_none_is_the_default(developer: Developer) -> None:
    text = developer.opt_in("").text
    assert "  y/yes  share   l/local  only for yourself   n/no  never ask   ?  details" in text
    assert re.search(ANSWER_PROMPT, text)


def test_status_tells_the_truth_at_every_point(developer: Developer) -> None:
    def first() -> str:
        return developer.innerloop("status").out.splitlines()[0]

    assert first() == "shop: off: nothing is recorded"
    developer.opt_in("yes")
    assert first().startswith("shop: sharing, agreed 2")
    developer.edit(project={"retention_days": 500})
    assert first() == "shop: paused: nothing is recorded or sent until you answer"
    developer.opt_in("no")
    assert first() == "shop: no: nothing is recorded"
    developer.opt_in("local")
    assert first() == "shop: local: measured for you, nothing is sent"
    assert developer.opt_out().status == 0
    assert first() == "shop: no: nothing is recorded"


def test_who_agrees_where_it_does_not_hold_is_told_so(developer: Developer) -> None:
    said = developer.opt_in("yes", env={"INNERLOOP_MODE": "local"})
    assert "Here and now it is local: INNERLOOP_MODE=local" in " ".join(said.text.split())
