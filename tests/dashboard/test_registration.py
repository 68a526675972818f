"""A change is registered on a page as by the command: first what could be seen of it, then once, by who may."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx2
import pytest

from tests.collector.asking import asked
from tests.dashboard.conftest import SECOND, Site

DAY = SECOND.first.isoformat()


class Visitor:
    """Somebody with a session, who fills in forms as a browser sends them."""

    def __init__(self, site: Site, token: str) -> None:
        self.http = httpx2.Client(base_url=site.url, trust_env=False, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
        assert 303 == self.http.post("/sign-in", data={"token": token}).status_code

    def send(self, path: str = "/p/other/register", *, step: str = "look", seen: str = "", **filled: str) -> httpx2.Response:
        return self.http.post(path, data={"step": step, "seen": seen, "date": DAY, **filled})

    def register(self, **filled: str) -> httpx2.Response:
        """Look, and then register what was looked at."""
        return self.send(step="register", seen=seen_of(self.send(**filled)), **filled)


def seen_of(answer: httpx2.Response) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]+)"', answer.text)
    assert found, answer.text
    return found[1]


def said(answer: httpx2.Response) -> str:
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


@pytest.fixture(scope="module")
def tokens(site: Site) -> dict[str, str]:
    wanted: dict[str, list[str]] = {"admin": [], "viewer": [], "changes": ["other"]}
    made = {
        role: asked(site.collector, "tokens.create", role=role, label=role, days=9, projects=projects) for role, projects in wanted.items()
    }
    return {role: answer.json()["token"] for role, answer in made.items()}


@pytest.fixture(scope="module")
def visitors(site: Site, tokens: dict[str, str]) -> Iterator[dict[str, Visitor]]:
    """Somebody of each role."""
    found = {role: Visitor(site, token) for role, token in tokens.items()}
    yield found
    for one in found.values():
        one.http.close()


@pytest.fixture
def admin(visitors: dict[str, Visitor]) -> Visitor:
    return visitors["admin"]


def shown(site: Site, name: str) -> dict[str, Any] | None:
    answer = asked(site.collector, "changes.show", project="other", name=name)
    return answer.json() if answer.status_code == 200 else None


def test_what_could_be_seen_is_told_first_and_nothing_is_registered_by_looking(site: Site, admin: Visitor) -> None:
    look = admin.send("/p/acme/register", name="a-look", affects="build", controls="docs")
    foreseen = asked(
        site.collector, "changes.add", name="a-look", date=DAY, projects=["acme"], affects=["build"], controls=["docs"], dry_run=True
    ).json()

    assert 200 == look.status_code
    assert foreseen["foreseen"][1:] in said(look)
    assert "Nothing is registered yet." in said(look)
    assert "Register this change" in said(look)
    assert 409 == asked(site.collector, "changes.show", project="acme", name="a-look").status_code


def test_the_form_registers_the_record_that_the_command_registers(site: Site, admin: Visitor) -> None:
    filled = {
        "title": "The cache <i>", "kind": "server", "affects": "build\r\ntest\r\n", "controls": "docs", "metric": "failures", "expect": "-5 pp", "looks": "4, 9",
        "link": "https://git.example/18", "scan": "yes",
    }  # fmt: skip
    done = admin.register(name="by-page", **filled)
    says = {**filled, "affects": ["build", "test"], "controls": ["docs"], "looks": [4, 9], "scan": True, "date": DAY, "projects": ["other"]}
    assert 200 == asked(site.collector, "changes.add", name="by-command", **says).status_code

    def record(name: str) -> dict[str, Any]:
        return {key: value for key, value in (shown(site, name) or {}).items() if key not in ("name", "at_once")}

    assert 200 == done.status_code
    assert "by-page is registered." in said(done)
    assert record("by-command") == record("by-page")
    assert "The cache &lt;i&gt;" in site.get("/p/other/changes").text


def test_a_change_that_two_tabs_register_is_one_and_the_second_is_told_so(site: Site, admin: Visitor) -> None:
    one, other = (admin.send(name="two-tabs", affects="build") for _ in range(2))
    first, second = (admin.send(name="two-tabs", affects="build", step="register", seen=seen_of(tab)) for tab in (one, other))

    assert (200, 200) == (first.status_code, second.status_code)
    assert "two-tabs is registered." in said(first)
    assert f"two-tabs of {DAY} was registered before, exactly like this; nothing was altered." in said(second)


def test_what_another_tab_registered_otherwise_is_not_replaced_unseen(site: Site, admin: Visitor) -> None:
    one, other = admin.send(name="other-tab", affects="build"), admin.send(name="other-tab", affects="test")
    admin.send(name="other-tab", affects="build", step="register", seen=seen_of(one))
    again = admin.send(name="other-tab", affects="test", step="register", seen=seen_of(other))

    assert "Something was altered since you looked" in said(again)
    assert "A record of this name is registered and says something else; this takes its place." in said(again)
    assert ["build"] == (shown(site, "other-tab") or {})["affects"]
    assert "is registered." in said(admin.send(name="other-tab", affects="test", step="register", seen=seen_of(again)))
    assert ["test"] == (shown(site, "other-tab") or {})["affects"]


def test_what_another_tab_corrected_since_the_look_is_not_replaced_unseen(site: Site, admin: Visitor) -> None:
    """Also where the look would say the same of it."""
    admin.register(name="corrected", affects="build")
    one, other = admin.send(name="corrected", affects="test"), admin.send(name="corrected", affects="docs")
    admin.send(name="corrected", affects="test", step="register", seen=seen_of(one))
    again = admin.send(name="corrected", affects="docs", step="register", seen=seen_of(other))

    assert "Something was altered since you looked" in said(again)
    assert ["test"] == (shown(site, "corrected") or {})["affects"]


def test_what_is_registered_is_what_was_looked_at(site: Site, admin: Visitor) -> None:
    look = admin.send(name="altered", affects="build")
    sent = admin.send(name="altered", affects="test", step="register", seen=seen_of(look))
    unseen = admin.send(name="altered", affects="test", step="register")

    assert all("Something was altered since you looked" in said(one) for one in (sent, unseen))
    assert shown(site, "altered") is None


@pytest.mark.parametrize(
    ("field", "filled", "why"),
    [
        ("name", {"name": "Not A Name"}, "1 to 40 characters of a-z 0-9 -"),
        ("date", {"name": "wrong", "date": "tomorrow"}, "Date must be a day"),
        ("date", {"name": "wrong", "date": "2099-01-01"}, "more than a year ahead"),
        ("affects", {"name": "wrong", "affects": "nobody-lists-this"}, "lists no command, target or group"),
        ("controls", {"name": "wrong", "affects": "build", "controls": "build"}, "build is affected, so it cannot be a control"),
        ("control_projects", {"name": "wrong", "control_projects": "nowhere"}, "nowhere"),
        ("projects", {"name": "wrong", "projects": "nowhere"}, "nowhere"),
        ("looks", {"name": "wrong", "looks": "soon"}, "Whole numbers of weeks"),
        ("looks", {"name": "wrong", "looks": "4, 5"}, "each at least 4 after the one before"),
        ("expect", {"name": "wrong", "expect": "faster"}, "Expect must be a number of %"),
        ("link", {"name": "wrong", "link": "javascript:alert(1)"}, "Link must be an http or https address"),
        ("kind", {"name": "wrong", "kind": "annotation", "metric": "usage"}, "An annotation is only drawn on charts"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_filled_in_stays(
    site: Site, admin: Visitor, field: str, filled: dict[str, str], why: str
) -> None:
    answer = admin.send(title="Kept <b>", **filled)
    beside = re.search(rf'<p class="field-error" id="i-{field}-error">([^<]*)</p>', answer.text)

    assert 400 == answer.status_code
    assert beside
    assert why in unescape(beside[1])
    assert re.search(rf'id="i-{field}"[^>]*aria-describedby="[^"]*i-{field}-error" aria-invalid="true"', answer.text)
    assert f'<a href="#i-{field}">' in answer.text
    assert 'value="Kept &lt;b&gt;"' in answer.text
    assert shown(site, "wrong") is None


def test_who_may_only_read_sees_why_not_and_who_may_only_register_sees_no_figure(site: Site, visitors: dict[str, Visitor]) -> None:
    viewer, deployer = visitors["viewer"], visitors["changes"]
    refused, done = viewer.send(name="by-viewer"), deployer.register(name="by-deployer", affects="build")

    assert 403 == refused.status_code == viewer.http.get("/p/other/register").status_code
    assert "Registering a change needs the role changes or admin; you have the role viewer." in said(refused)
    assert shown(site, "by-viewer") is None
    assert "by-deployer is registered. How large a change must be to be found is told to who may read reports." in said(done)
    assert shown(site, "by-deployer")
    for path in ("/projects", "/p/other", "/p/other/changes", "/p/other/alerts", "/p/other/changes/image-cache", "/admin"):
        page = deployer.http.get(path)
        assert (200 if path == "/projects" else 403, True) == (
            page.status_code,
            "You may register changes, and read nothing" in said(page),
        ), path
        assert '<a href="/p/other/register">Register a change of other</a>' in page.text
        assert "Image cache" not in page.text
        assert "Other" not in page.text, "a project's name is no business of theirs"
    assert "Other" not in deployer.http.get("/p/other/register").text.replace("Other projects that", "")
    assert 403 == deployer.send("/p/acme/register", name="x").status_code == deployer.send("/p/other/changes", name="x").status_code


def test_only_who_may_register_a_change_is_led_to_its_form(visitors: dict[str, Visitor]) -> None:
    """Not who only reads, neither from the list of changes nor from an empty one."""
    for path in ("/p/acme", "/p/other"):
        led = {role: f'href="{path}/register"' in visitors[role].http.get(f"{path}/changes").text for role in ("admin", "viewer")}
        assert {"admin": True, "viewer": False} == led


def test_a_form_that_another_site_sends_registers_nothing(site: Site, admin: Visitor) -> None:
    seen = seen_of(admin.send(name="forged"))
    forged = {"name": "forged", "date": DAY, "step": "register", "seen": seen}
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://else.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert 403 == admin.http.post("/p/other/register", data=forged, headers=headers).status_code

    assert shown(site, "forged") is None
