"""Who may read and operate: tokens with roles, sessions, a trusted proxy; and everybody else may not."""

import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Area
from innerloop_collector.composition import areas  # noqa: F401 - it knows every area
from tests.collector.support import KEY, Collector, project, run_event

# Every operation there is, and who may ask for it at least. A new one needs a line here.
WHO = {
    "projects.apply": "admin",
    "projects.list": "viewer",
    "keys.create": "admin",
    "keys.rotate": "admin",
    "keys.list": "admin",
    "keys.revoke": "admin",
    "oauth.add": "admin",
    "oauth.list": "admin",
    "oauth.revoke": "admin",
    "tokens.create": "admin",
    "tokens.list": "admin",
    "tokens.revoke": "admin",
    "ids.release": "admin",
    "quarantine.list": "admin",
    "quarantine.violations": "admin",
    "quarantine.discard": "admin",
    "retention.sweep": "admin",
    "releases": "viewer",
    "export": "viewer",
    "report": "viewer",
    "report.all": "viewer",
    "trends": "viewer",
    "impact": "viewer",
    "impact.all": "viewer",
    "impact.scan": "viewer",
    "changes.apply": "changes",
    "changes.add": "changes",
    "changes.list": "viewer",
    "changes.marks": "viewer",
    "changes.show": "viewer",
    "changes.withdraw": "admin",
    "alerts": "viewer",
    "digest": "viewer",
    "links.create": "admin",
    "links.list": "admin",
    "links.revoke": "admin",
    "notifications.status": "admin",
    "notifications.test": "admin",
    "erasure.erase": "admin",
    "erasure.receipt": "admin",
    "backup.make": "admin",
    "backup.list": "admin",
    "backup.gone": "admin",
    "destinations.status": "admin",
    "destinations.set_aside": "admin",
    "destinations.pause": "admin",
    "destinations.resume": "admin",
    "destinations.retry": "admin",
    "check": "admin",
}
MAY = {"viewer": {"viewer"}, "analyst": {"viewer", "analyst"}, "admin": {"viewer", "analyst", "changes", "admin"}, "changes": {"changes"}}
ABOUT_SOME_PROJECTS = {
    "projects.list",
    "changes.list",
    "changes.marks",
    "changes.show",
    "report",
    "report.all",
    "releases",
    "trends",
    "impact",
    "impact.all",
    "impact.scan",
    "export",
    "alerts",
    "digest",
}  # of those for viewers and analysts
PROXY_SECRET = "a-secret-of-the-proxy"
Headers = dict[str, str]


def call(collector: Collector, operation: str, headers: Headers, **arguments: Any) -> httpx2.Response:
    return collector.http.post(collector.url + "/admin/v1/call", json={"operation": operation, "arguments": arguments}, headers=headers)


def bearer(text: str) -> Headers:
    return {"Authorization": f"Bearer {text}"}


def token(collector: Collector, role: str, *projects: str) -> str:
    """Make a token by the running service."""
    operator = bearer((collector.data / "admin-token").read_text().strip())
    made = call(collector, "tokens.create", operator, role=role, label=f"for {role}s", days=30, projects=projects)
    assert made.status_code == 200, made.text
    return str(made.json()["token"])


def test_every_operation_says_who_may_ask_for_it() -> None:
    marked = [
        method.operation
        for area in Area.__subclasses__()
        if area.__module__.startswith("innerloop_collector.")
        for method in vars(area).values()
        if hasattr(method, "operation")
    ]

    assert {name: role.word for name, role, _ in marked} == {**WHO, "simulation.move": "admin"}, "the last is of a simulated store"


def test_each_role_may_do_what_is_its_own_and_nothing_more(shared: Collector) -> None:
    """What is allowed gets as far as its arguments, which are wrong on purpose."""
    for role in Role:
        headers = bearer(token(shared, role.word))
        for operation, least in WHO.items():
            expected = 400 if least in MAY[role.word] else 403
            assert expected == call(shared, operation, headers, nonsense=1).status_code, (role, operation)


def test_who_sees_one_project_learns_nothing_of_another(new_collector: Any) -> None:
    collector = new_collector().start_with()
    collector.apply(project(project={"id": "other", "write_key": "other.0123456789abcdefghijklmn"}))
    collector.send(run_event(command="unlisted"))
    headers = bearer(token(collector, "analyst", "other"))

    assert ["other"] == [one["project"] for one in call(collector, "projects.list", headers).json()["projects"]]
    assert 200 == call(collector, "report", headers, project="other").status_code
    assert ["other"] == [one["project"] for one in call(collector, "report.all", headers).json()["projects"]]
    assert 403 == call(collector, "report", headers, project="acme").status_code
    assert 403 == call(collector, "report", headers, project=["acme"]).status_code
    # The door says which projects may be spoken of; nobody can say it for the door.
    assert ["other"] == [one["project"] for one in call(collector, "projects.list", headers, visible=None).json()["projects"]]
    for operation, least in WHO.items():
        if least != "admin" and operation not in ABOUT_SOME_PROJECTS:
            assert 403 == call(collector, operation, headers).status_code, operation


def test_a_token_is_shown_once_and_kept_as_a_hash(collector: Collector) -> None:
    made = collector.cli("tokens", "create", "--role", "viewer", "--label", "wall display", "--project", "acme", "--expires", "30")
    text = made.stdout.strip()
    call(collector, "report", bearer(text), project="acme")
    listed = collector.ask("tokens", "list")["tokens"]
    collector.stop()

    assert re.fullmatch(r"ilt_[A-Za-z0-9_-]{43}", text)
    today = datetime.now(UTC).date()
    assert [(made.stderr.split()[1].rstrip(":"), "viewer", ["acme"], "wall display")] == [
        (one["id"], one["role"], one["projects"], one["label"]) for one in listed
    ]
    assert [(today.isoformat(), (today + timedelta(days=30)).isoformat())] == [(one["last_used"], one["expires"]) for one in listed]
    for part in (text, text.removeprefix("ilt_")):
        assert part.encode() not in collector.bytes_on_disk() + collector.log.encode()


def test_a_revoked_token_opens_nothing_from_that_moment_on_also_after_a_restart(collector: Collector) -> None:
    text = token(collector, "viewer")
    assert 200 == call(collector, "projects.list", bearer(text)).status_code
    assert 0 == collector.cli("tokens", "revoke", collector.ask("tokens", "list")["tokens"][0]["id"]).returncode
    assert 401 == call(collector, "projects.list", bearer(text)).status_code
    collector.stop()
    collector.start()

    assert 401 == call(collector, "projects.list", bearer(text)).status_code
    assert "revoked" in collector.cli("tokens", "list").stdout


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("ilt_" + "x" * 43),
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eA=="},
        {"Cookie": "__Host-innerloop=x"},
        {"X-Remote-User": "root"},
    ],
    ids=["nothing", "made up", "empty", "basic", "cookie", "proxy header"],
)
def test_nobody_reads_anything_without_something_valid(shared: Collector, headers: Headers) -> None:
    for answer in (call(shared, "projects.list", headers), shared.http.get(shared.url + "/session", headers=headers)):
        assert 401 == answer.status_code
        assert "Bearer" == answer.headers["WWW-Authenticate"]


def test_a_write_key_reads_nothing(shared: Collector) -> None:
    assert 401 == call(shared, "projects.list", bearer(KEY)).status_code
    assert 401 == shared.post("/admin/v1/call", {"operation": "projects.list", "arguments": {}}).status_code


@pytest.mark.parametrize("text", ["", "\n", "x" * 31], ids=["empty", "blank", "short"])
def test_a_service_whose_own_token_is_empty_or_short_does_not_start(idle: Collector, text: str) -> None:
    """An empty one would be what everybody shows who shows nothing."""
    idle.data.mkdir(mode=0o700)
    (idle.data / "admin-token").write_text(text)
    (idle.data / "admin-token").chmod(0o600)
    try:
        done = idle.cli("serve", "--port", "0")
    except subprocess.TimeoutExpired:
        raise AssertionError("it started") from None

    assert (1, "") == (done.returncode, done.stdout)
    assert [True] == ["admin-token holds fewer than 32 characters; delete it" in line for line in done.stderr.splitlines()]


# Sessions


def sign_in(collector: Collector, text: str, **headers: str) -> httpx2.Response:
    """Open a session in a browser that has none yet."""
    collector.http.cookies.clear()
    return collector.http.post(collector.url + "/session", json={"token": text}, headers=headers)


def cookie(answer: httpx2.Response) -> str:
    return str(answer.headers["Set-Cookie"].partition(";")[0])


def test_a_session_has_the_role_of_its_token_and_a_cookie_that_no_script_and_no_other_site_gets(shared: Collector) -> None:
    opened = sign_in(shared, token(shared, "viewer"))
    attributes = opened.headers["Set-Cookie"].split("; ")[1:]
    session = {"Cookie": cookie(opened)}
    ours = {**session, "Origin": shared.url}
    who = shared.http.get(shared.url + "/session", headers=session)

    assert (204, "no-store") == (opened.status_code, opened.headers["Cache-Control"])
    assert session["Cookie"].startswith("__Host-innerloop=")
    assert {"Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=43200"} == set(attributes)
    assert ("viewer", "for viewers", None, "session") == tuple(who.json()[name] for name in ("role", "label", "projects", "via"))
    assert 200 == call(shared, "projects.list", ours).status_code
    assert 403 == call(shared, "keys.list", ours).status_code


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"Origin": "OWN"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "OWN", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://dashboard.example.org"}, 200),
        ({}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[nonsense"}, 403),
        ({"Origin": "OWN", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_another_site_cannot_use_a_session(with_origins: Collector, more: Headers, status: int) -> None:
    collector = with_origins
    headers = {name: collector.url if value == "OWN" else value for name, value in more.items()}
    session = {"Cookie": cookie(sign_in(collector, token(collector, "viewer")))}

    assert status == call(collector, "projects.list", {**session, **headers}).status_code
    assert 200 == collector.http.get(collector.url + "/session", headers={**session, **headers}).status_code
    assert (204 if status == 200 else 403) == collector.http.delete(collector.url + "/session", headers={**session, **headers}).status_code


@pytest.fixture(scope="module")
def with_origins(tmp_path_factory: pytest.TempPathFactory) -> Any:
    collector = Collector(tmp_path_factory.mktemp("origins"))
    collector.environment["INNERLOOP_COLLECTOR_ACCESS_ORIGINS"] = "https://dashboard.example.org, https://other.example.org"
    yield collector.start_with()
    collector.close()


def test_another_site_cannot_sign_somebody_in(shared: Collector) -> None:
    assert 403 == sign_in(shared, token(shared, "viewer"), Origin="https://evil.example.org").status_code
    assert 401 == sign_in(shared, "ilt_" + "x" * 43).status_code
    assert 401 == sign_in(shared, (shared.data / "admin-token").read_text().strip()).status_code


def test_a_session_ends_with_a_word_or_with_its_token(shared: Collector) -> None:
    text = token(shared, "viewer")
    first, second = ({"Cookie": cookie(sign_in(shared, text))} for _ in range(2))
    ended = shared.http.delete(shared.url + "/session", headers={**first, "Origin": shared.url})
    asked = [shared.http.get(shared.url + "/session", headers=headers).status_code for headers in (first, second)]
    for one in shared.ask("tokens", "list")["tokens"]:
        shared.cli("tokens", "revoke", one["id"])

    assert (204, "__Host-innerloop=") == (ended.status_code, cookie(ended))
    assert "Max-Age=0" in ended.headers["Set-Cookie"]
    assert [401, 200] == asked
    assert 401 == shared.http.get(shared.url + "/session", headers=second).status_code


def test_a_session_that_nobody_uses_ends_and_none_lasts_for_ever_and_a_plain_cookie_is_there_for_who_asks(new_collector: Any) -> None:
    collector = new_collector()
    collector.environment["INNERLOOP_COLLECTOR_ACCESS_SESSION_IDLE_MINUTES"] = "0.025"  # 1.5 s
    collector.environment["INNERLOOP_COLLECTOR_ACCESS_SESSION_HOURS"] = "0.002"  # 7.2 s
    collector.environment["INNERLOOP_COLLECTOR_ACCESS_PLAIN_HTTP_COOKIE"] = "true"
    collector.start()
    text = token(collector, "viewer")
    plain = sign_in(collector, text)
    renamed = {"Cookie": cookie(plain).replace("innerloop=", "__Host-innerloop=")}
    used, unused = ({"Cookie": cookie(sign_in(collector, text))} for _ in range(2))

    def alive(session: Headers) -> bool:
        return bool(collector.http.get(collector.url + "/session", headers=session).status_code == 200)

    with_other_name = alive(renamed)
    began, lived = datetime.now(UTC), 0.0
    unused_lives: bool | None = None
    while alive(used):
        lived = (datetime.now(UTC) - began).total_seconds()
        if unused_lives is None and lived > 2:
            unused_lives = alive(unused)
        assert lived < 20
        time.sleep(0.3)

    assert unused_lives is False
    assert 2 < lived <= 7.3
    assert (True, False) == (cookie(plain).startswith("innerloop="), "Secure" in plain.headers["Set-Cookie"])
    assert not with_other_name


# A trusted reverse proxy


def behind_a_proxy(collector: Collector, trusted: str) -> Collector:
    secret = collector.directory / "proxy-secret"
    secret.write_text(PROXY_SECRET + "\n")
    (collector.directory / "collector.toml").write_text(
        f"""[access]
        trusted_proxies = ["{trusted}"]
        proxy_user_header = "X-Remote-User"
        proxy_role_header = "X-Remote-Role"
        proxy_projects_header = "X-Remote-Projects"
        proxy_secret_file = "{secret}"
        proxy_roles = {{"ada@example.org" = "admin"}}
        """
    )
    collector.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(collector.directory / "collector.toml")
    return collector.start_with()


def test_a_trusted_proxy_says_who_somebody_is(new_collector: Any) -> None:
    collector = behind_a_proxy(new_collector(), "127.0.0.0/8")
    proof = {"X-Innerloop-Proxy-Secret": PROXY_SECRET, "Origin": collector.url, "X-Remote-Projects": "*"}
    ada, bob = {**proof, "X-Remote-User": "ada@example.org"}, {**proof, "X-Remote-User": "bob"}

    def status(operation: str, headers: Any, **arguments: Any) -> int:
        return int(call(collector, operation, headers, **arguments).status_code)

    assert 200 == status("keys.list", ada)
    assert "proxy" == collector.http.get(collector.url + "/session", headers=ada).json()["via"]
    assert 403 == status("projects.list", bob)
    assert 200 == status("projects.list", {**bob, "X-Remote-Role": "viewer"})
    assert 403 == status("keys.list", {**bob, "X-Remote-Role": "viewer"})
    assert 403 == status("projects.list", {**bob, "X-Remote-Role": "emperor"})
    assert [] == call(collector, "projects.list", {**bob, "X-Remote-Role": "viewer", "X-Remote-Projects": "other"}).json()["projects"]
    # A forged header past the proxy lacks the secret; one that the proxy let through stands beside its own.
    assert 403 == status("keys.list", {name: value for name, value in ada.items() if name != "X-Innerloop-Proxy-Secret"})
    assert 403 == status("keys.list", {**ada, "X-Innerloop-Proxy-Secret": "something else entirely"})
    for twice in (("X-Remote-User", "bob"), ("X-Innerloop-Proxy-Secret", "x")):
        assert [403, 403] == [status("keys.list", headers) for headers in ([twice, *ada.items()], [*ada.items(), twice])]
    # What the browser was signed in for at the proxy does not let another site act.
    assert 403 == status("keys.list", {**ada, "Origin": "https://evil.example.org"})
    assert 401 == status("keys.list", {**ada, **bearer("ilt_" + "x" * 43)})
    assert 401 == status("keys.list", proof)
    assert not [word for word in ("ada@", "bob", PROXY_SECRET) if word in collector.log]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (None, []),
        ("", []),
        (",", []),
        ("other", []),
        ("acme", ["acme"]),
        ("other, acme", ["acme"]),
        ("*", ["acme"]),
        ("other,*", ["acme"]),
    ],
)
def test_where_a_proxy_has_a_header_for_projects_silence_is_none(proxied: Collector, said: str | None, seen: list[str]) -> None:
    user = {"X-Innerloop-Proxy-Secret": PROXY_SECRET, "Origin": proxied.url, "X-Remote-User": "bob", "X-Remote-Role": "analyst"}
    headers = user if said is None else {**user, "X-Remote-Projects": said}

    assert seen == [one["project"] for one in call(proxied, "projects.list", headers).json()["projects"]]
    assert (200 if seen else 403) == call(proxied, "report", headers, project="acme").status_code


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Any:
    collector = Collector(tmp_path_factory.mktemp("proxied"))
    yield behind_a_proxy(collector, "127.0.0.0/8")
    collector.close()


def test_the_headers_of_who_is_no_trusted_proxy_say_nothing(new_collector: Any) -> None:
    collector = behind_a_proxy(new_collector(), "10.9.8.7")
    forged = {"X-Remote-User": "ada@example.org", "X-Innerloop-Proxy-Secret": PROXY_SECRET, "Origin": collector.url}

    assert 401 == call(collector, "keys.list", forged).status_code
    assert 401 == call(collector, "keys.list", {**forged, "X-Forwarded-For": "10.9.8.7"}).status_code
    assert 200 == call(collector, "keys.list", {**forged, **bearer(token(collector, "admin"))}).status_code


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('proxy_user_header = "X"', "needs trusted_proxies"),
        ('trusted_proxies = ["proxy.example.org"]', "neither an address nor a network"),
        ('proxy_roles = {bob = "emperor"}', "bob has no role that exists"),
        (
            'proxy_user_header = "X"\ntrusted_proxies = ["::1"]\nproxy_roles = {a = "viewer"}\nproxy_secret_file = "/nonexistent"',
            "cannot read",
        ),
    ],
)
def test_settings_of_a_proxy_that_do_not_belong_together_stop_the_service_with_one_line(idle: Collector, lines: str, said: str) -> None:
    (idle.directory / "c.toml").write_text("[access]\n" + lines)
    done = idle.cli("serve", "--port", "0", "--config", str(idle.directory / "c.toml"))

    assert (1, "") == (done.returncode, done.stdout)
    assert [True] == [said in line for line in done.stderr.splitlines()]


# A collector elsewhere


def test_commands_can_talk_to_a_collector_elsewhere_with_the_role_of_their_token(collector: Collector) -> None:
    text = token(collector, "viewer")
    (collector.directory / "token").write_text(text + "\n")
    elsewhere = {"INNERLOOP_COLLECTOR_DATA": str(collector.directory / "nothing-here"), "INNERLOOP_COLLECTOR_TOKEN": text}
    by_option = collector.cli("projects", "list", "--json", "--url", collector.url + "/", env=elsewhere)
    by_variable = collector.cli("report", "acme", env={**elsewhere, "INNERLOOP_COLLECTOR_URL": collector.url})
    by_file = collector.cli("projects", "list", "--url", collector.url, "--token-file", str(collector.directory / "token"))
    refused = collector.cli("keys", "list", "--url", collector.url, env=elsewhere)
    wrong = collector.cli("projects", "list", "--url", collector.url, env={"INNERLOOP_COLLECTOR_TOKEN": "x"})

    assert '"project": "acme"' in by_option.stdout
    assert [0, 0, 0] == [one.returncode for one in (by_option, by_variable, by_file)]
    assert (1, True) == (refused.returncode, "needs the role admin; you have viewer" in refused.stderr)
    assert (1, True) == (wrong.returncode, "unknown, expired or revoked" in wrong.stderr)
    assert not (collector.directory / "nothing-here").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--url", "http://innerloop.example.org"], "would carry the token unencrypted"),
        (["--url", "ftp://innerloop.example.org"], "is no address of a collector"),
        (["--url", "https://x:y@innerloop.example.org"], "is no address of a collector"),
        (["--url", "http://127.0.0.1:9"], "no token for"),
        (["--url", "http://127.0.0.1:9", "--token-file", "/nonexistent"], "cannot read /nonexistent: No such file"),
        (["--token-file", "/nonexistent"], "name it with --url"),
    ],
)
def test_a_collector_elsewhere_is_asked_only_with_a_token_that_nobody_can_read_on_the_way(
    idle: Collector, words: list[str], said: str
) -> None:
    done = idle.cli("projects", "list", *words)

    assert (1, "") == (done.returncode, done.stdout)
    assert [True] == [said in line for line in done.stderr.splitlines()]
