"""`describe --dpia`: the record of processing is whole, nothing in it is invented, and what is missing says who has to supply it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from innerloop.core.plan.tracking import PLAN
from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.conftest import Installed

GOLDEN = Path(__file__).parent / "golden" / "dpia.md"  # a page to read: written by `describe --dpia` for the project below
MARK = "to be supplied by the controller"
CONTROLLER = {
    "name": "Example Holding SE", "address": "Example Street 1, Berlin", "representative": "Example Ireland Ltd", "dpo": "dpo@example.org",
    "transfers": "none: the collector stands in the EU", "staff_views": "works council, agreed on 2026-11-01",
}  # fmt: skip
# Art. 30(1) GDPR, item by item: what the record must speak about.
ARTICLE_30 = {
    "30(1)(a)": ("Controller", "Address", "Contact", "Joint controllers", "Representative", "Data protection officer"),
    "30(1)(b)": ("Purposes",),
    "30(1)(c)": ("Categories of people", "Categories of personal data"),
    "30(1)(d)": ("Recipients",),
    "30(1)(e)": ("Transfers to third countries",),
    "30(1)(f)": ("Time limits for erasure",),
    "30(1)(g)": ("Security measures on", "Security measures of the collector", "For how many weeks"),
}


@pytest.fixture
def shop(developer: Developer) -> Developer:
    """Somebody in a project that uses much of what a project file can say."""
    return developer.edit(
        project={"endpoint": "https://collect.example", "cohorts": ["employee", "community"], "legal_basis": "Art. 6(1)(a) GDPR"},
        recipients=[{"name": "New Relic", "region": "US", "retention": "90 days"}],
        controller={key: CONTROLLER[key] for key in ("address", "dpo")},
    )


def page(developer: Developer) -> str:
    done = developer.innerloop("describe", "--dpia")
    assert (done.status, done.err) == (0, "")
    return done.out


def document(developer: Developer) -> dict[str, Any]:
    found: dict[str, Any] = developer.innerloop("describe", "--dpia", "--json").json
    return found


def items(developer: Developer) -> dict[str, dict[str, Any]]:
    found = document(developer)
    return {item["title"]: item for item in found["record"] + found["assessment"]}


def test_the_page_of_a_known_project_is_the_golden_one(shop: Developer, installed: Installed) -> None:
    assert GOLDEN.read_text().replace("{version}", installed.version) == page(shop)


@pytest.mark.parametrize("supplied", [{}, CONTROLLER], ids=["nothing supplied", "all supplied"])
def test_every_item_of_article_30_is_there_filled_or_marked(developer: Developer, supplied: dict[str, str]) -> None:
    developer.edit(controller=supplied)
    record = document(developer)["record"]
    for article, titles in ARTICLE_30.items():
        for title in titles:
            (item,) = [item for item in record if (item["article"], item["title"].startswith(title)) == (article, True)]
            assert item["value"], item
            assert item["missing"] == (MARK in item["value"]), item
    assert len(record) == sum(map(len, ARTICLE_30.values())), "an item that this test does not know"


def test_what_nobody_wrote_down_is_marked_and_never_invented(developer: Developer) -> None:
    developer.edit(project={"contact": None, "region": None})
    missing = [title for title, item in items(developer).items() if item["missing"]]
    assert missing == [
        "Address of the controller", "Contact", "Joint controllers, where there are any", "Representative, where there is one",
        "Data protection officer", "Transfers to third countries, with their safeguards",
        "Security measures of the collector: access, encryption at rest, backups, logs",
        "For how many weeks somebody must have been active to be counted in a report",
        "Legal basis", "Advice of the data protection officer", "Views of staff representatives, with the date",
        "Decision of the controller about the risks that remain, with the date",
    ]  # fmt: skip
    assert " ".join(page(developer).split()).count(f"{MARK}**") == len(missing)
    collector = items(developer)["For how many weeks somebody must have been active to be counted in a report"]["value"]
    assert collector.startswith("set on the collector, which this machine cannot look into")


def test_each_key_of_the_controller_fills_its_item_and_no_other(developer: Developer) -> None:
    before = items(developer)
    where = {
        "name": "Controller", "address": "Address of the controller", "representative": "Representative, where there is one",
        "dpo": "Data protection officer", "transfers": "Transfers to third countries, with their safeguards",
        "staff_views": "Views of staff representatives, with the date",
    }  # fmt: skip
    assert set(where) == set(CONTROLLER)
    for key, text in CONTROLLER.items():
        developer.edit(controller={**dict.fromkeys(CONTROLLER), key: text})
        changed = {title: item["value"] for title, item in items(developer).items() if item != before[title]}
        assert changed == {where[key]: text}


def test_it_follows_the_plan_and_the_project_file(shop: Developer) -> None:
    shop.edit(fields={"os": False, "start_time": "minute"}, project={"retention_days": 91, "ci": True})
    found = document(shop)
    names = [field["name"] for field in found["fields"]]
    assert names == [field["name"] for field in shop.innerloop("describe", "--json").json["fields"]]
    assert "os" not in names
    for field in found["fields"]:
        record = PLAN.fields[field["name"]].record
        assert {key: record[key] for key in ("purpose", "alternatives", "risk")}.items() <= field.items()
        assert f"### {field['name']} ({field['exactness']})" in page(shop)
    text = " ".join(page(shop).split())
    for words in (
        "365 days", "New Relic: group totals, US", "with New Relic: 90 days", "on the collector: 91 days", "Start times are as exact as: minute",
        "CI jobs that file and job let count", "Whoever reads rows or reports by cohort", "fewer than 5 members: employee, community.",
    ):  # fmt: skip
        assert (words in text) == (words != "365 days"), words
    plain = " ".join(page(shop.edit(project={"cohorts": []}, recipients=[])).split())
    assert "by cohort" not in plain
    assert "None: the project file names none." in plain


def test_each_risk_says_what_stands_against_it_and_what_remains(shop: Developer) -> None:
    risks = document(shop)["risks"]
    assert len(risks) >= 9
    for risk in risks:
        assert all(len(risk[key]) > 10 for key in ("who", "what", "against", "remains")), risk
        assert re.match(r"(High|Medium|Low|None|Depends)\b", risk["remains"]), risk


def test_what_is_not_encrypted_or_not_our_collector_is_said(developer: Developer) -> None:
    developer.edit(project={"endpoint": "http://collect.example"})
    assert "not encrypted on the way" in page(developer)
    assert "High where the way leaves the machine" in page(developer)
    assert "keeps no network address" in page(developer).replace("\n  ", " ")
    developer.edit(project={"endpoint": "https://api.segment.io", "write_key": "qwertyuiop"})
    assert "keeps no network address" not in page(developer).replace("\n  ", " ")
    assert "not encrypted" not in page(developer)


def test_it_is_no_legal_advice_and_says_so_in_one_line(shop: Developer) -> None:
    (line,) = [line for line in page(shop).splitlines() if "legal advice" in line]
    assert line.startswith("Not legal advice")
    assert document(shop)["notice"] == line


def test_it_needs_no_answer_makes_no_connection_and_keeps_nothing(strace: str, developer: Developer, server: Recorder) -> None:
    ended, calls = developer.strace(developer.command, "describe", "--dpia", terminal=False)
    assert ended.status == 0
    assert "socket(" not in calls
    assert developer.files() == {}
    assert server.connections == 0


def test_text_from_the_project_file_can_forge_nothing_in_the_page(developer: Developer) -> None:
    forged = "A\x1b[31m\u202e\nB <script>x</script> [click](http://evil.example) `code`\n# Heading"
    developer.edit(controller={"name": forged}, project={"name": "<b>shop"})
    text = page(developer)
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text) is None
    assert re.search(r"(?<!\\)(<|\[)", re.sub(r"\[a-z0-9-\]|`[^`]*`", "", text.replace("\\`", ""))) is None
    assert "\n# Heading" not in text


@pytest.mark.parametrize("value", ["x" * 401, 7, ["a"], True])
def test_a_controller_that_is_no_short_text_is_one_clear_error(developer: Developer, value: Any) -> None:
    developer.edit(controller={"dpo": value})
    done = developer.innerloop("describe", "--dpia")
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert "controller.dpo" in done.err


def test_who_answers_for_the_data_is_not_part_of_what_was_agreed(agreed: Developer) -> None:
    """It is the organisation that the question named; what the record adds to it asks nobody again."""
    agreed.edit(controller=CONTROLLER)
    assert agreed.status()["mode"] == "on"
    agreed.edit(controller={"name": "Example Holding SE", "unheard_of": "x"})
    assert "controller.unheard_of" in agreed.innerloop("doctor").out
    assert json.dumps(CONTROLLER["dpo"]) not in agreed.consent_file.read_text()
