"""Pages over HTTP: what they show was published, filters live in the URL, and whatever cannot be shown is a page with a way on."""

import csv
import io
import re
from typing import Any

import httpx2
import pytest

from innerloop_collector.dashboard.rendering import POLICY
from tests.collector.asking import asked
from tests.dashboard.conftest import FIRST, SECOND, Site

PAGES = (
    "/projects",
    "/p/acme",
    "/p/acme/targets",
    "/p/acme/commands/test",
    "/p/acme/targets/unit",
    "/p/acme/os/linux",
    "/p/acme/changes",
    "/p/acme/changes/cache",
    "/p/other/changes",
    "/p/acme/alerts",
    "/p/acme/privacy",
)
BLOCK = SECOND.name


def text_of(answer: httpx2.Response) -> str:
    """What a page says, without its marks."""
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_its_shell_its_policy_and_escaped_text(site: Site, path: str) -> None:
    answer = site.get(path)

    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert POLICY == answer.headers.get("content-security-policy")
    assert ("no-store", "nosniff") == (answer.headers.get("cache-control"), answer.headers.get("x-content-type-options"))
    assert '<main id="main"' in answer.text
    assert '<nav aria-label="Pages">' in answer.text
    assert "(Simulated team)</title>" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_who_shows_nothing_is_asked_to_sign_in_and_goes_on_from_there(site: Site, path: str) -> None:
    answer = site.get(path, token="")

    assert 401 == answer.status_code
    assert f'name="path" value="{path}"' in answer.text
    assert "Acme" not in answer.text


def test_the_overview_says_what_the_report_says(site: Site) -> None:
    report = asked(site.collector, "report", project="acme", period=BLOCK).json()
    rows = site.get(f"/p/acme.json?figure=commands&period={BLOCK}").json()["rows"]

    for one in report["commands"]:
        if one["kind"] != "session":
            row = next(row for row in rows if row["command"] == one["command"])
            assert (one["runs"], one["waited_minutes"], one["failure_rate"]) == (row["runs"], row["waited_minutes"], row["failed"])
            assert one["p50"] is None or one["p50"]["about"] == row["p50_ms"]
    assert {"test", "build"} <= {row["command"] for row in rows}


def test_the_newest_block_is_shown_where_nobody_says_and_the_next_day_of_figures_is_named(site: Site) -> None:
    page = text_of(site.get("/p/acme"))

    assert text_of(site.get(f"/p/acme?period={BLOCK}")) == page
    assert re.search(r"Next figures \w+day \d+ \w+", page)
    assert "10 to 14 of 12 developers share their data" in page


@pytest.mark.parametrize(
    "path",
    ["/p/acme", "/p/acme/targets", "/p/acme/commands/build", "/p/acme/targets/unit", "/p/acme/alerts", "/p/other/changes", "/projects"],
)
def test_each_figure_can_be_had_as_csv_and_json_with_the_same_rows(site: Site, path: str) -> None:
    page = site.get(path).text
    links = re.findall(r'href="([^"]+\.csv\?figure=[^"]+)"', page)
    assert links

    for link in links:
        of_csv, of_json = site.get(link), site.get(link.replace(".csv?", ".json?"))
        assert of_csv.text.startswith("# Simulated team\n")
        assert "attachment" in of_csv.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(of_csv.text.partition("\n")[2])))
        assert [{name: "" if value is None else str(value) for name, value in row.items()} for row in of_json.json()["rows"]] == rows


def rows_of(site: Site, cell: str, figure: str) -> list[dict[str, Any]]:
    """A figure of a cell's page."""
    rows: list[dict[str, Any]] = site.get(f"/p/acme/{cell}.json?figure={figure}&period={BLOCK}").json()["rows"]
    return rows


def test_the_page_of_a_command_says_what_may_be_told_of_it_and_of_the_rest_why_it_is_not(site: Site) -> None:
    report = asked(site.collector, "report", project="acme", period=BLOCK).json()
    page = text_of(site.get(f"/p/acme/commands/build?period={BLOCK}"))

    for one in report["commands"]:
        if one["kind"] != "session":
            cell = f"commands/{one['command']}"
            spread = one["spread"]["at_least"] if one["spread"] else None
            assert [spread] == [row["times_at_least"] for row in rows_of(site, cell, "predictability") if row["period"] == BLOCK]
            told = one["bands"] if any(band["runs"] for band in one["bands"]) else []
            assert [band["share"] for band in told] == [row["share"] for row in rows_of(site, cell, "bands")]
    assert (
        "How long it takes Runs by how long they took, of those that have a duration How long runs took may not be told apart: fewer than 5"
        in page
    )
    assert "Attempts to green, and giving up" in page
    assert "enough developers are behind each part. Of this period it is not." in page


def test_the_page_of_a_target_says_what_it_takes_of_the_critical_path_beside_the_others(site: Site) -> None:
    report = asked(site.collector, "report", project="acme", period=BLOCK).json()
    own = {one["target"]: one["critical_minutes"] for one in report["targets"]}
    assert own["unit"]

    for cell in ("targets/unit", "targets"):
        steps = rows_of(site, cell, "steps")
        assert own == {row["target"]: row["critical_minutes"] for row in steps if not row.get("hidden")}
    assert "its own time in all runs, in whole blocks" in text_of(site.get(f"/p/acme/targets/unit?period={BLOCK}"))


def test_the_page_of_a_cell_that_a_rule_hides_has_no_figure_of_the_period(site: Site) -> None:
    page = site.get(f"/p/acme/commands/docs?period={BLOCK}")

    assert "Hidden to protect people One developer has over half of it." in text_of(page)
    for figure in ("distribution", "bands", "tries"):
        assert f"figure={figure}" not in page.text
        assert 400 == site.get(f"/p/acme/commands/docs.json?figure={figure}&period={BLOCK}").status_code


def everything(site: Site, path: str) -> str:
    """A page with all of its figures, as text and as data."""
    page = site.get(path).text
    links = re.findall(r'href="([^"]+\.(?:csv|json)\?figure=[^"]+)"', page)
    return page + "".join(site.get(link).text for link in links)


def test_what_too_few_ran_is_not_named_and_what_one_dominates_has_no_number_wherever_one_looks(site: Site) -> None:
    report = asked(site.collector, "report", project="acme", period=BLOCK).json()
    names = {one["command"] for one in report["commands"]} | {one["name"] for one in report["hidden_commands"]}
    assert "lint" not in names, "three of ten ran it"

    for path in ("/p/acme", "/p/acme/targets", f"/p/acme?period={BLOCK[:4]}", "/p/acme/targets?q=lint"):
        said = everything(site, path).replace('value="lint"', "").replace("q=lint", "")
        assert "lint" not in said, path
    for name in (one["name"] for one in report["hidden_commands"]):
        rows = [row for row in site.get("/p/acme/targets.json?figure=commands").json()["rows"] if row["command"] == name]
        assert [{"command", "hidden"}] == [{key for key, value in row.items() if value is not None} for row in rows]


def test_a_name_that_too_few_ran_is_told_apart_from_none_that_there_is_not(site: Site) -> None:
    few, none = site.get("/p/acme/commands/lint"), site.get("/p/acme/commands/no-such-name")

    assert 404 == few.status_code == none.status_code
    assert text_of(few) == text_of(none)
    assert "fewer than 5 developers ran it, or nobody did" in text_of(few)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/p/acme?colour=red", "There is no filter 'colour' here; this page has period and by."),
        ("/p/acme?by=day", "by cannot be 'day'; it can be week and block."),
        ("/p/acme?period=yesterday", "a week (2026-W48), a block (2026-B12), a quarter (2026-Q4) and a year (2026)"),
        ("/p/acme?period=9999", "period cannot be '9999'"),
        ("/p/acme?period=9999-W52", "period cannot be '9999-W52'"),
        ("/p/acme?period=0000-W01", "period cannot be '0000-W01'"),
        ("/projects?period=9999-B12", "period cannot be '9999-B12'"),
        ("/p/acme?by=week&by=block", "Each filter can be given once."),
        ("/p/acme/targets?sort=beauty", "sort cannot be 'beauty'"),
        ("/p/acme.csv?figure=nothing", "figure cannot be 'nothing'; it can be waiting, commands"),
        ("/p/acme?figure=waiting", "it can be one with .csv and one with .json at its end"),
    ],
)
def test_an_unknown_filter_is_refused_with_those_that_there_are(site: Site, path: str, said: str) -> None:
    answer = site.get(path)

    assert 400 == answer.status_code
    assert said in text_of(answer).replace("&#39;", "'")
    assert '<nav aria-label="Pages">' in answer.text
    assert "The page without filters" in answer.text


def test_a_period_of_which_nothing_is_published_offers_the_nearest(site: Site) -> None:
    answer = site.get("/p/acme?period=2020-B03")

    assert 404 == answer.status_code
    assert "No figure of 2020-B03 is published. The next figures come on" in text_of(answer)
    assert f'href="/p/acme?period={FIRST.name}"' in answer.text, "of blocks the nearest"


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/p/nothing", None, 404),
        ("/p/acme/else", None, 404),
        ("/p/acme/commands/", None, 404),
        ("/p/acme/", None, 404),
        ("/p/", None, 404),
        ("/p//targets", None, 404),
        ("/projects.csv", None, 404),
        ("/admin.csv", "admin", 404),
        ("/admin.json", "admin", 404),
        ("/p/p/acme", None, 404),
        ("/nothing", None, 404),
        ("/static/style.0000000000000000.css", None, 404),
        ("/p/acme", "stranger", 403),
        ("/p/nothing", "stranger", 403),
        ("/p/acme", "ilt_wrong", 401),
    ],
)
def test_where_nothing_can_be_shown_is_a_page_with_navigation_and_a_way_on(site: Site, path: str, token: str | None, status: int) -> None:
    answer = site.get(path, token={"stranger": site.stranger, "admin": site.admin}.get(token or "", token))

    assert status == answer.status_code
    assert '<main id="main"' in answer.text
    assert 'class="brand"' in answer.text
    assert "Acme" not in answer.text or token in (None, "admin")


def test_a_program_that_reads_no_pages_is_answered_as_before(site: Site) -> None:
    answer = site.get("/nothing", accept="application/json")

    assert (404, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


def test_somebody_sees_the_projects_that_are_theirs(site: Site) -> None:
    assert {"acme", "other"} == {row["project"] for row in projects(site, site.viewer)}
    assert {"other"} == {row["project"] for row in projects(site, site.stranger)}
    assert "/p/other" == site.get("/", token=site.stranger).headers["location"]
    assert "/projects" == site.get("/").headers["location"]


def projects(site: Site, token: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = site.get("/projects.json?figure=projects", token=token).json()["rows"]
    return rows


def test_a_project_without_runs_says_what_to_do(site: Site) -> None:
    page = text_of(site.get("/p/other"))

    assert "No runs yet" in page
    assert "innerloop doctor" in page


def test_a_store_for_trying_also_shows_what_is_there_now_and_says_what_that_means(site: Site) -> None:
    page = text_of(site.get("/p/acme?period=now"))

    assert "This store is for trying" in page
    assert "Next figures" not in page


def test_a_static_file_is_kept_for_ever_and_sent_small(site: Site) -> None:
    address = re.search(r'href="(/static/style\.[0-9a-f]{16}\.css)"', site.get("/p/acme").text)
    assert address
    answer = site.get(address[1], token="")

    assert "immutable" in answer.headers["cache-control"]
    assert "gzip" == answer.headers["content-encoding"]
    assert int(answer.headers["content-length"]) < len(answer.content) / 2


def test_privacy_names_every_field_of_the_registered_plan_and_why(site: Site) -> None:
    rows = site.get("/p/acme/privacy.json?figure=fields").json()["rows"]

    assert {"userId", "command", "duration_ms", "os"} <= {row["field"] for row in rows}
    assert all(row["purpose"] for row in rows)
    assert "Rows are kept for 365 days" in text_of(site.get("/p/acme/privacy"))


def test_the_address_of_a_page_leaves_out_what_is_so_anyway(site: Site) -> None:
    assert "/p/acme" == site.get("/p/acme?period=&by=week").headers["hx-push-url"]
    assert f"/p/acme?period={BLOCK}&by=block" == site.get(f"/p/acme?period={BLOCK}&by=block").headers["hx-push-url"]


def test_a_sorted_list_says_by_what(site: Site) -> None:
    page = site.get("/p/acme/targets?sort=runs").text
    rows = site.get("/p/acme/targets.json?figure=commands&sort=runs").json()["rows"]
    runs = [row["runs"] for row in rows if row["runs"] is not None]

    assert sorted(runs, reverse=True) == runs
    assert re.search(r'aria-sort="descending"><a href="[^"]*#commands">Runs', page)


def test_an_admin_sees_how_the_service_is_and_nobody_else_does(site: Site) -> None:
    page, refused = site.get("/admin", token=site.admin), site.get("/admin")

    assert 200 == page.status_code
    for what in ("Write keys", "Tokens", "There is no destination.", "Nothing waits.", "Events kept"):
        assert what in text_of(page)
    rows = site.get("/admin.json?figure=keys", token=site.admin).json()["rows"]
    assert {("acme", "accepted")} == {(row["project"], row["state"]) for row in rows if row["last_used"] != "never"}
    assert 403 == refused.status_code == site.get("/admin.json?figure=keys").status_code
    assert "You have the role viewer." in text_of(refused)
    assert ('href="/admin"' in page.text) > ('href="/admin"' in site.get("/p/acme").text)


def test_no_key_or_token_is_on_any_page(site: Site) -> None:
    everywhere = "".join(site.get(path, token=site.admin).text for path in (*PAGES, "/admin"))

    assert not re.search(r"ilt_[\w-]{20}|acme\.[\w-]{20}", everywhere)


def test_changes_are_listed_with_what_was_said_beforehand_and_marked_on_what_they_affect(site: Site) -> None:
    rows = site.get("/p/acme/changes.json?figure=changes").json()["rows"]
    assert [("guide", "everything"), ("cache", "build")] == [(row["change"], row["affects"]) for row in rows], "the newest first"

    def marked(path: str) -> list[str]:
        return re.findall(r'class="marks">.*?</ol>', site.get(path).text, re.DOTALL)

    for path, names in (
        ("/p/acme", ["cache", "guide"]),
        ("/p/acme/commands/build?by=week", ["cache", "guide"]),
        ("/p/acme/os/linux", ["cache", "guide"]),
    ):
        assert all(re.findall(r"/changes#change-acme-(\w+)", one) == names for one in marked(path)), path
    assert marked("/p/acme")
    assert all("-cache" not in one for one in marked("/p/acme/commands/test"))
    assert 403 == site.get("/p/acme/changes", token=site.stranger).status_code
    assert 'id="change-acme-cache"' in site.get("/p/acme/changes").text


def test_a_change_that_is_looked_at_says_when_and_its_page_says_the_same_as_the_terminal(site: Site) -> None:
    told = asked(site.collector, "impact", project="acme", change="cache").json()
    listed, page = text_of(site.get("/p/acme/changes")), text_of(site.get("/p/acme/changes/cache"))
    first = told["next"].partition(";")[0]

    assert first.startswith("first verdict: ")
    assert first[1:] in listed
    assert first[1:] in page
    assert told["sentence"][1:] in page
    assert 'href="/p/acme/changes/cache"' in site.get("/p/acme/changes").text
    assert 404 == site.get("/p/acme/changes/nothing").status_code
    assert 403 == site.get("/p/acme/changes/cache", token=site.stranger).status_code


def test_who_sees_what_is_what_the_roles_open(site: Site) -> None:
    """The page promises viewers what they may ask for, and the example is of a number that is told."""
    page = text_of(site.get("/p/acme/privacy"))

    assert [200, 200, 200] == [answered(site, name) for name in ("impact.all", "alerts", "releases")]
    assert "these pages, what a change did, alerts, what is open to everybody as files" in page
    assert "Analysts the same as viewers" in page
    assert "Say that 7 developers ran docs" in page
    assert "8 developers as \u201c5 to 9\u201d" in page


def answered(site: Site, operation: str) -> int:
    """How a viewer is answered who asks for an operation."""
    headers = {"Authorization": f"Bearer {site.viewer}"}
    call = {"operation": operation, "arguments": {"project": "acme"}}
    return site.collector.http.post(f"{site.url}/admin/v1/call", json=call, headers=headers).status_code
