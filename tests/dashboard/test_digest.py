"""The digest says in five sentences what the pages say at length, and names nothing that they do not."""

import re

from innerloop_collector.query.releases.calendar import week
from tests.collector.test_access import bearer, call
from tests.dashboard.conftest import SECOND, Site


def test_the_week_of_each_project_is_five_sentences_of_what_was_published(site: Site) -> None:
    told = call(site.collector, "digest", bearer(site.viewer)).json()
    newest = week(SECOND.weeks[-1]).name
    report = call(site.collector, "report", bearer(site.viewer), project="acme", period=newest).json()
    assert ["acme", "other"] == [one["heading"] for one in told["parts"]] == told["projects"]
    assert [5, 5] == [len(one["sentences"]) for one in told["parts"]]
    waited, most, worse, creep, verdicts = told["parts"][0]["sentences"]

    assert f"In {newest} (" in waited
    assert f"for {report['whole']['runs']:,} runs" in waited
    assert f"In {SECOND.name} (" in most, "weeks of so few people name no command, blocks do"
    assert ["build"] == re.findall(r"[a-z]+(?= \()", most)
    alerts = [one["sentence"] for one in call(site.collector, "alerts", bearer(site.viewer), project="acme").json()["sentences"]]
    assert worse.startswith("No alert is new, confirmed or gone") or [one for one in alerts if one in worse]
    assert creep.startswith("Nothing new crept up") or [one for one in alerts if one in creep]
    assert verdicts.startswith(("No verdict came", "Verdicts: "))
    assert not [name for name in ("lint", "docs", "migrate") if name in waited + most], "too few people run them, or one has most of it"
    assert "There are no figures: " in told["parts"][1]["sentences"][0]


def test_who_sees_one_project_is_told_of_that_one(site: Site) -> None:
    theirs = bearer(site.stranger)

    assert ["other"] == call(site.collector, "digest", theirs).json()["projects"]
    assert 403 == call(site.collector, "digest", theirs, project="acme").status_code
    assert 403 == call(site.collector, "notifications.status", bearer(site.viewer)).status_code


def test_it_is_shown_in_a_terminal_and_the_store_that_was_simulated_says_so(site: Site) -> None:
    text = site.collector.ask_text("notifications", "digest", "acme")

    assert "innerloop (throw-away store): digest of acme, 2031-04-21 to 2031-04-27" == text.splitlines()[0]
    assert 5 == text.count("\n- ")
