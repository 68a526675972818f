"""What an admin does on pages: each is its command's operation, asked for once, told once, and nobody else's."""

import html
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from innerloop_collector.admin.operation import Area
from innerloop_collector.composition import areas  # noqa: F401 - it knows every area
from innerloop_collector.dashboard.admin_actions import ACTIONS
from innerloop_collector.dashboard.once import Once, Sent, Told
from tests.collector.asking import asked
from tests.collector.support import PROJECT, Collector, run_event

READS = {  # of those that are for admins
    "keys.list", "oauth.list", "tokens.list", "links.list", "quarantine.list", "quarantine.violations", "erasure.receipt", "backup.list", "destinations.status",
    "destinations.set_aside", "notifications.status", "notifications.test", "check",
}  # fmt: skip


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector that lets one new id in a day, with a project and what waits."""
    made = Collector(Path(tmp_path_factory.mktemp("operated")))
    try:
        made.environment |= {"INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY": "1", "INNERLOOP_COLLECTOR_ACCESS_PLAIN_HTTP_COOKIE": "true"}
        yield made.start_with(PROJECT)
    finally:
        made.close()


class Admin:
    """Somebody with a browser, at pages."""

    def __init__(self, collector: Collector, role: str) -> None:
        self.token = str(asked(collector, "tokens.create", role=role, label=f"a {role}", days=9).json()["token"])
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        self.http = httpx2.Client(base_url=collector.url, trust_env=False, headers=headers, timeout=60)
        assert 303 == self.http.post("/sign-in", data={"token": self.token}).status_code

    def form(self, action: str) -> dict[str, str]:
        """What a form holds as it comes."""
        text = self.http.get(f"/admin/{action}").text
        fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', text))
        for name, options in re.findall(r'<select[^>]* name="(\w+)".*?>(.*?)</select>', text, re.DOTALL):
            chosen = re.search(r'value="([^"]*)" selected', options)
            assert chosen, text
            fields[name] = html.unescape(chosen[1])
        return fields

    def does(self, action: str, **filled: str) -> httpx2.Response:
        """Fill a form in and send it."""
        return self.http.post(f"/admin/{action}", data={**self.form(action), **filled})

    def told(self, answer: httpx2.Response) -> str:
        """What the page says on which an answer leads."""
        assert 303 == answer.status_code, text_of(answer)
        assert re.fullmatch(r"/admin\?told=[\w-]{43}", answer.headers["location"])
        return text_of(self.http.get(answer.headers["location"]))


@pytest.fixture
def admin(collector: Collector) -> Iterator[Admin]:
    one = Admin(collector, "admin")
    yield one
    one.http.close()


def text_of(answer: httpx2.Response) -> str:
    """What stands on a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def keys(collector: Collector) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asked(collector, "keys.list").json()["keys"]
    return found


def kept(collector: Collector) -> list[tuple[Any, ...]]:
    """Every key and token, and whether it opens anything."""
    tokens = asked(collector, "tokens.list").json()["tokens"]
    return [(one["id"], one["revoked"], one.get("ends")) for one in (*keys(collector), *tokens)]


def test_a_key_is_rotated_once_and_shown_once(collector: Collector, admin: Admin) -> None:
    before = len(keys(collector))
    sent = {**admin.form("keys.rotate"), "project": "acme", "overlap": "7"}
    assert "The project's other keys end after the days below" in text_of(admin.http.get("/admin/keys.rotate"))
    first, second = admin.http.post("/admin/keys.rotate", data=sent), admin.http.post("/admin/keys.rotate", data=sent)
    where = first.headers["location"]
    assert 200 == admin.http.head(where).status_code, "looking whether it is there shows nothing"
    shown = admin.http.get(where)
    key = re.search(r"<pre class=\"secret\"><code>(acme\.[\w-]{32})</code>", shown.text)

    assert key
    assert "It is not shown again." in text_of(shown)
    assert "is accepted up to and including" in text_of(shown)
    assert before + 1 == len(keys(collector)), "the form was sent twice"
    assert "That was sent before, and nothing more was done." in admin.told(second)
    again = text_of(admin.http.get(where))
    assert "What came of that was shown already" in again
    assert key[1] not in again
    assert 200 == collector.post("/v1/batch", {"batch": []}, key[1]).status_code
    (line,) = [line for line in collector.log.splitlines() if "keys.rotate" in line] or [""]
    assert all(part in line for part in ('"event": "operated"', '"project": "acme"', '"by": "a admin"', '"via": "session"'))
    assert key[1] not in collector.log


def test_new_ids_are_let_in_and_what_else_waits_is_discarded(collector: Collector, admin: Admin) -> None:
    people = [str(uuid.uuid4()) for _ in range(3)]
    collector.send(*(run_event(one) for one in people))
    collector.send(run_event(people[0], command="canary"))
    assert 2 == collector.reasons()["too many new ids"]
    assert "Let new ids in" in text_of(admin.http.get("/admin"))
    told = admin.told(admin.does("ids.release"))
    assert "2 events of acme are released. Nothing of it waits any more." in told

    assert {"violates the plan: not allowed: command": 1} == collector.reasons()
    refused = admin.does("quarantine.discard", typed="other")
    assert 400 == refused.status_code
    assert "To do this in acme, type acme." in text_of(refused)
    assert {"violates the plan: not allowed: command": 1} == collector.reasons()
    assert "1 event of acme is discarded (violates the plan)." in admin.told(admin.does("quarantine.discard", typed="acme"))
    assert {} == collector.reasons()
    assert "There is nothing to do this with." in text_of(admin.http.get("/admin/quarantine.discard"))


def test_an_id_is_erased_where_the_project_is_typed_and_its_id_is_in_no_address_and_no_log(collector: Collector, admin: Admin) -> None:
    known = asked(collector, "check").json()["events"]
    person = str(uuid.uuid4())
    asked(collector, "ids.release", project="acme")
    collector.send(run_event(person))
    asked(collector, "ids.release", project="acme")
    assert known + 1 == asked(collector, "check").json()["events"]
    for typed in ("", "acne"):
        assert 400 == admin.does("erasure.erase", project="acme", ids=person, typed=typed).status_code
    assert 400 == admin.does("erasure.erase", project="acme", ids=" ", typed="acme").status_code
    assert known + 1 == asked(collector, "check").json()["events"]
    assert 400 == admin.http.get("/admin/erasure.erase", params={"ids": person}).status_code, "an address may not say it"

    done = admin.does("erasure.erase", project="acme", ids=person, typed="acme")
    told = admin.told(done)
    assert "1 event of acme is erased." in told
    assert "Its receipt is" in told
    assert known == asked(collector, "check").json()["events"]
    assert person not in collector.log + done.headers["location"] + told


def test_a_token_is_made_for_somebody_and_revoked(collector: Collector, admin: Admin) -> None:
    answer = admin.does("tokens.create", role="viewer", label="wall <display>", days="9", projects="acme\n\n")
    page = admin.http.get(answer.headers["location"])
    token = re.search(r"<code>(ilt_[\w-]{43})</code>", page.text)
    assert token
    assert "It has the role viewer in acme and is valid up to and including" in text_of(page)
    opened = {"Authorization": f"Bearer {token[1]}", "Accept": "text/html"}
    assert 200 == collector.http.get(collector.url + "/p/acme", headers=opened).status_code
    listed = asked(collector, "tokens.list").json()["tokens"]
    made = next(one["id"] for one in listed if one["label"] == "wall <display>")

    assert f"Token {made} (wall <display>) is revoked." in admin.told(admin.does("tokens.revoke", token=made))
    assert 401 == collector.http.get(collector.url + "/p/acme", headers=opened).status_code
    assert token[1] not in collector.log


@pytest.mark.parametrize(
    ("action", "filled", "status", "said"),
    [
        ("keys.rotate", {"overlap": "many"}, 400, "This must be a whole number."),
        ("keys.rotate", {"overlap": "0"}, 400, "a field holds what it cannot"),
        ("keys.rotate", {"overlap": ""}, 400, "This is needed."),
        ("keys.rotate", {"project": "other"}, 400, "Choose one of these; it may have gone meanwhile."),
        ("keys.revoke", {"key": "0"}, 400, "Choose one of these"),
        ("tokens.create", {"label": "x" * 101}, 409, "A label must be 1 to 100 printable characters"),
        ("tokens.create", {"label": "x", "role": "admin", "projects": "acme"}, 409, "An admin's token is for all projects"),
        ("tokens.create", {"label": "x", "projects": "nothing"}, 409, "nothing"),
        ("keys.rotate", {"once": "made up"}, 409, "Nothing was done: this form is an old one."),
        ("keys.rotate", {"once": ""}, 409, "Nothing was done: this form is an old one."),
    ],
)
def test_what_cannot_be_done_is_said_on_the_same_form_which_can_be_sent_again(
    collector: Collector, admin: Admin, action: str, filled: dict[str, str], status: int, said: str
) -> None:
    before = kept(collector)
    answer = admin.does(action, **filled)

    assert (status, True) == (answer.status_code, said in text_of(answer)), text_of(answer)
    assert '<main id="main"' in answer.text
    assert 'name="once" value="' in answer.text
    assert before == kept(collector)


def test_a_form_that_was_refused_may_be_sent_again_as_it_is(collector: Collector, admin: Admin) -> None:
    """As by going back to it."""
    form = {**admin.form("tokens.create"), "label": ""}
    assert 400 == admin.http.post("/admin/tokens.create", data=form).status_code

    assert "is made." in admin.told(admin.http.post("/admin/tokens.create", data={**form, "label": "second"}))


@pytest.mark.parametrize("role", ["viewer", "analyst", "changes"])
def test_nobody_but_an_admin_sees_or_does_any_of_it(collector: Collector, admin: Admin, role: str) -> None:
    before = asked(collector, "keys.list").json()
    form = {**admin.form("keys.rotate"), "project": "acme", "overlap": "7"}
    other = Admin(collector, role)
    answers = [other.http.post("/admin/keys.rotate", data=form), *(other.http.get(f"/admin/{one.name}") for one in ACTIONS)]
    pages = "".join(other.http.get(path).text for path in ("/projects", "/p/acme", "/p/acme/privacy"))
    other.http.close()

    assert {403} == {one.status_code for one in answers}
    said = "You may register changes, and read nothing" if role == "changes" else "This page is for admins"
    assert all(said in one.text for one in answers)
    assert "/admin" not in pages
    assert before == asked(collector, "keys.list").json()


def test_another_site_and_who_is_nobody_do_nothing(collector: Collector, admin: Admin) -> None:
    before = asked(collector, "keys.list").json()
    form = {**admin.form("keys.rotate"), "project": "acme"}
    foreign = admin.http.post("/admin/keys.rotate", data=form, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://else.example"})
    admin.http.cookies.clear()
    nobody = admin.http.post("/admin/keys.rotate", data=form)

    assert (403, 401) == (foreign.status_code, nobody.status_code)
    assert "Nothing was done: the session had ended." in text_of(nobody)
    assert before == asked(collector, "keys.list").json()


def test_what_is_done_on_pages_is_an_operation_that_changes_something_and_every_such_one_is_noted() -> None:
    """A new operation says whether it changes something: then the service's log says who did it."""
    ours = [area for area in Area.__subclasses__() if area.__module__.startswith("innerloop_collector.")]
    marked = {name: (role.word, changes) for area in ours for method in vars(area).values() for name, role, changes in [getattr(method, "operation", ("", None, False))] if name}  # fmt: skip

    assert READS == {name for name, (role, changes) in marked.items() if not changes and role != "viewer"}
    assert "viewer" not in {role for role, changes in marked.values() if changes}
    assert {("admin", True)} == {marked[one.name] for one in ACTIONS}


class Clock:
    """A time that a test moves on."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_form_is_sent_once_within_an_hour_and_what_came_of_it_told_once_within_ten_minutes() -> None:
    clock = Clock()
    once = Once(clock)
    sent, failed, old = once.form(), once.form(), once.form()
    told, late = once.keep(Told("done")), once.keep(Told("done"))
    assert (Sent.NEW, Sent.BEFORE, Sent.OLD) == (once.send(sent), once.send(sent), once.send("else"))
    assert Sent.NEW == once.send(failed)
    once.again(failed)
    assert Sent.NEW == once.send(failed)
    assert (Told("done"), None) == (once.take(told), once.take(told))
    clock.seconds = 601.0
    assert once.take(late) is None
    clock.seconds = 3_601.0

    assert Sent.OLD == once.send(old)


def test_forms_that_nobody_sends_make_room() -> None:
    once = Once(Clock())
    first, second, *_ = [once.form() for _ in range(1_001)]

    assert (Sent.OLD, Sent.NEW) == (once.send(first), once.send(second))
