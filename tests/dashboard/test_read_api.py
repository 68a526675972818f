"""The read API: published figures for programs, as pages and commands show them, and nobody's but those that the token may see."""

import re
from typing import Any

import httpx2
import pytest

from innerloop_collector.web.read_api_answers import TABLES
from tests.collector.asking import asked
from tests.dashboard.conftest import SECOND, Site

OF = "/api/v1/projects/acme"
AS_COMMANDS = {
    "/api/v1/report": ("report.all", {}),
    f"/api/v1/report?period={SECOND.name}": ("report.all", {"period": SECOND.name}),
    f"{OF}/report?period={SECOND.name}": ("report", {"project": "acme", "period": SECOND.name}),
    f"{OF}/trends": ("trends", {"project": "acme"}),
    f"{OF}/trends?of=command&name=build": ("trends", {"project": "acme", "name": "build", "by": "command"}),
    f"{OF}/trends?of=target&name=unit": ("trends", {"project": "acme", "name": "unit", "by": "target"}),
    f"{OF}/releases": ("releases", {"project": "acme"}),
    f"{OF}/verdicts": ("impact.all", {"project": "acme"}),
    f"{OF}/verdicts/cache": ("impact", {"project": "acme", "change": "cache"}),
    f"{OF}/alerts": ("alerts", {"project": "acme"}),
    f"{OF}/changes": ("changes.marks", {"project": "acme"}),
}
ALL = ("/api/v1/projects", f"{OF}/tables/waiting", *AS_COMMANDS)


def get(site: Site, path: str, token: str | None = None, **headers: str) -> httpx2.Response:
    """An answer, for the viewer or for who has another token."""
    of = {"Authorization": f"Bearer {site.viewer if token is None else token}"} if token != "" else {}
    return site.collector.http.get(site.url + path, headers={**of, **headers})


@pytest.mark.parametrize("path", AS_COMMANDS)
def test_a_report_is_what_its_command_prints_as_json(site: Site, path: str) -> None:
    operation, arguments = AS_COMMANDS[path]
    answer = get(site, path)

    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])
    assert asked(site.collector, operation, **arguments).json() == answer.json()


@pytest.mark.parametrize(
    ("path", "page"),
    [
        *((f"{OF}/tables/{table}", f"/p/acme.json?figure={table}") for table in TABLES if table != "targets"),
        (f"{OF}/tables/targets", "/p/acme/targets.json?figure=targets"),
        (f"{OF}/tables/commands?period={SECOND.name}", f"/p/acme.json?figure=commands&period={SECOND.name}"),
        (f"{OF}/tables/waiting?by=block", "/p/acme.json?figure=waiting&by=block"),
        (f"{OF}/tables/duration?name=build&by=week", "/p/acme/commands/build.json?figure=duration&by=week"),
        (f"{OF}/tables/failures?of=os&name=linux", "/p/acme/os/linux.json?figure=failures"),
    ],
)
def test_a_table_is_that_of_the_page(site: Site, path: str, page: str) -> None:
    assert site.get(page).json() == get(site, path).json()


def test_a_program_is_told_the_projects_that_its_token_sees_and_of_others_nothing(site: Site) -> None:
    assert {"acme", "other"} == {one["project"] for one in get(site, "/api/v1/projects").json()["projects"]}
    assert [{"project": "other", "name": "Other"}] == get(site, "/api/v1/projects", site.stranger).json()["projects"]
    assert "Acme" not in get(site, "/api/v1/report", site.stranger).text
    for path in (one for one in ALL if one.startswith(OF)):
        answers = [get(site, path.replace("acme", name), site.stranger) for name in ("acme", "no-such-project")]
        assert [403, 403] == [one.status_code for one in answers], path
        assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("path", ALL)
def test_nobody_and_a_role_that_reads_nothing_are_turned_away(site: Site, path: str) -> None:
    deploys = asked(site.collector, "tokens.create", role="changes", label="deploy", days=9).json()["token"]

    for token, status, code in (("", 401, "invalid_token"), ("ilt_wrong", 401, "invalid_token"), (deploys, 403, "not_allowed")):
        answer = get(site, path, token)
        assert (status, "application/problem+json", code) == (answer.status_code, answer.headers["content-type"], answer.json()["code"])


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"{OF}/report?colour=red", 400, "there is no parameter 'colour' here; there is period"),
        (f"{OF}/alerts?period=2031", 400, "there is no parameter 'period' here; there is none"),
        (f"{OF}/report?period=2031&period=2032", 400, "each parameter can be given once"),
        (f"{OF}/report?period=yesterday", 400, "yesterday"),
        (f"{OF}/tables/commands?period=yesterday", 400, "a week (2026-W48), a block (2026-B12)"),
        (f"{OF}/tables/commands?period=2020-B03", 404, "No figure of 2020-B03 is published."),
        (f"{OF}/tables/beauty", 404, "there is no table 'beauty' here; there is waiting, commands"),
        (f"{OF}/tables/duration?name=lint", 404, "fewer than 5 developers ran it, or nobody did"),
        (f"{OF}/tables/duration?name=no-such-name", 404, "fewer than 5 developers ran it, or nobody did"),
        (f"{OF}/tables/duration?of=person&name=x", 400, "of cannot be 'person'; it can be command, target, os, arch, version, cohort"),
        (f"{OF}/trends?by=day", 400, "by cannot be 'day'; it can be block, week"),
        (f"{OF}/releases?limit=0", 400, "limit must be a number from 1 to 100"),
        (f"{OF}/releases?after=2020-W01", 400, "after cannot be '2020-W01'"),
        (f"{OF}/verdicts/no-such-change", 404, "no-such-change"),
        ("/api/v1/projects/none/report", 404, "no project of this name is registered here"),
        ("/api/v1/nothing", 404, "there is nothing at this address"),
    ],
)
def test_what_cannot_be_answered_says_why_and_what_can(site: Site, path: str, status: int, said: str) -> None:
    answer = get(site, path)

    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert said in answer.json()["detail"]


def test_what_too_few_ran_is_named_by_no_address(site: Site) -> None:
    paths = [*ALL, *(f"{OF}/tables/{table}" for table in TABLES)]

    assert [] == [path for path in paths if "lint" in get(site, path).text]


@pytest.mark.parametrize("path", ALL)
def test_what_did_not_change_is_not_sent_again_and_nobody_between_keeps_it(site: Site, path: str) -> None:
    first = get(site, path)
    again = get(site, path, **{"If-None-Match": f'"other", {first.headers["etag"]}'})

    assert "private, no-cache" == first.headers["cache-control"]
    assert (304, b"", first.headers["etag"]) == (again.status_code, again.content, again.headers["etag"])
    assert 200 == get(site, path, **{"If-None-Match": 'W/"other"'}).status_code
    assert 401 == get(site, path, "", **{"If-None-Match": first.headers["etag"]}).status_code


def test_releases_come_in_parts_that_lead_to_the_next(site: Site) -> None:
    everything = get(site, f"{OF}/releases").json()["releases"]
    found: list[Any] = []
    path = "?limit=2"
    while path:
        answer = get(site, f"{OF}/releases{path}")
        found += answer.json()["releases"]
        more = re.fullmatch(r'<(\?[^>]+)>; rel="next"', answer.headers.get("link", ""))
        path = more[1] if more else ""

    assert len(everything) > 2
    assert everything == found
