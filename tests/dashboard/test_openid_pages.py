"""Signing in by OpenID Connect through the pages: the cookies, the session, and what somebody sees where it does not work."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from innerloop_collector.composition.trial import try_out
from innerloop_collector.config.loading import load
from innerloop_collector.errors import UsageError
from tests.collector.support import PROJECT, Collector
from tests.dashboard.conftest import Site
from tests.dashboard.providers import CLIENT, SECRET, Browser, Provider

OURS = "https://innerloop.example.org/sign-in/openid/callback"
SETTINGS = """
[openid]
issuer = "{issuer}"
client_id = "{client}"
client_secret_file = "{secret}"
redirect_uri = "{ours}"
projects_claim = "{projects}"
timeout_seconds = 5.0
button = "Sign in with <Acme>"

[openid.roles]
"innerloop-admins" = "admin"
"innerloop-viewers" = "viewer"
"""


def configure(collector: Collector, issuer: str, ours: str = OURS, projects_claim: str = "projects") -> None:
    """Have a collector sign people in at a provider."""
    secret, file = collector.directory / "client-secret", collector.directory / "collector.toml"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    file.write_text(SETTINGS.format(issuer=issuer, client=CLIENT, secret=secret, ours=ours, projects=projects_claim))
    collector.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(file)


class Made(NamedTuple):
    """A collector with a provider."""

    collector: Collector
    provider: Provider
    before: httpx2.Response  # what was answered while the provider did not work


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Both, of which the provider does not work at first."""
    collector, provider = Collector(Path(tmp_path_factory.mktemp("openid"))), Provider()
    try:
        configure(collector, provider.issuer)
        provider.instead["/.well-known/openid-configuration"] = (500, b"")
        collector.start("--project-file", str(collector.write(PROJECT)))
        browser = Browser(collector.url)
        yield Made(collector, provider, browser.get("/sign-in/openid", path="/p/acme"))
        browser.close()
    finally:
        collector.close()
        provider.close()


@pytest.fixture
def collector(made: Made) -> Collector:
    return made.collector


@pytest.fixture
def provider(made: Made) -> Provider:
    made.provider.well().claims["projects"] = "*"
    return made.provider


@pytest.fixture
def browser(collector: Collector) -> Iterator[Browser]:
    one = Browser(collector.url)
    yield one
    one.close()


def comes_back(browser: Browser, provider: Provider, path: str = "/p/acme", **more: str) -> str:
    """Go there and back. Returns the text of the page on which that ends."""
    away = browser.get("/sign-in/openid", path=path)
    assert 303 == away.status_code, away.text
    return browser.get("/sign-in/openid/callback", **{**provider.lets_in(away.headers["location"]), **more}).text


def test_somebody_signs_in_reads_and_signs_out(browser: Browser, provider: Provider, collector: Collector) -> None:
    asked = browser.get("/p/acme")
    assert 401 == asked.status_code
    assert '<a class="button main" href="/sign-in/openid?path=/p/acme">Sign in with &lt;Acme&gt;</a>' in asked.text

    text = comes_back(browser, provider)
    assert '<meta http-equiv="refresh" content="0; url=/p/acme">' in text
    assert '<a href="/p/acme">' in text
    who = browser.get("/session").json()
    assert ("viewer", "ada", None, "session") == tuple(who[name] for name in ("role", "label", "projects", "via"))
    page = browser.get("/p/acme")
    assert 200 == page.status_code
    assert "Signed in as ada." in page.text
    assert 403 == browser.get("/admin").status_code
    assert 303 == browser.ask("POST", "/sign-out", headers={"Sec-Fetch-Site": "same-origin"}).status_code
    assert 401 == browser.get("/p/acme").status_code
    assert "ada" not in collector.log
    assert '"event": "signed in by OpenID Connect"' in collector.log


def test_the_session_is_one_like_every_other_and_the_way_there_has_a_cookie_of_its_own(browser: Browser, provider: Provider) -> None:
    comes_back(browser, provider)
    way, session = ({*one.split("; ")[1:], one.partition("=")[0]} for one in browser.set)

    assert {"__Host-innerloop-openid", "Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"} == way
    assert {"__Host-innerloop", "Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=43200"} == session


def test_an_admin_of_some_projects_sees_those_only(browser: Browser, provider: Provider) -> None:
    provider.claims["projects"] = ["other"]
    comes_back(browser, provider)

    assert 403 == browser.get("/p/acme").status_code


def test_who_asks_says_nothing_of_where_people_are_sent_back_to(browser: Browser, provider: Provider) -> None:
    """Not by a header either: the provider is told what is configured."""
    more = {"Host": "else.example", "X-Forwarded-Host": "else.example", "Forwarded": "host=else.example"}
    away = browser.ask("GET", "/sign-in/openid", headers=more, params={"redirect_uri": "https://else.example/", "path": "/p/acme"})

    assert [OURS] == parse_qs(urlsplit(away.headers["location"]).query)["redirect_uri"]
    assert away.headers["location"].startswith(provider.issuer + "/authorize?")


@pytest.mark.parametrize(
    "path", ["https://else.example/", "//else.example/", "/\\else.example", "\n/x", "/sign-in/openid", "/sign-in/openid/callback", "javascript:alert(1)"]
)  # fmt: skip
def test_nobody_is_led_elsewhere_after_signing_in(browser: Browser, provider: Provider, path: str) -> None:
    text = comes_back(browser, provider, path)

    assert 'content="0; url=/">' in text
    assert 'href="/">Go on' in text
    assert "else.example" not in text


def test_another_browser_cannot_end_what_one_began(browser: Browser, provider: Provider, collector: Collector) -> None:
    """Else somebody could be signed in as another, and tell that one's account what they do."""
    given = provider.lets_in(browser.get("/sign-in/openid").headers["location"])
    other = Browser(collector.url)
    refused = other.get("/sign-in/openid/callback", **given)
    other.close()

    assert 401 == refused.status_code
    assert "This sign-in was not begun in this browser" in refused.text
    assert [] == other.set


def test_who_has_no_role_is_told_in_one_sentence_and_gets_no_session(browser: Browser, provider: Provider) -> None:
    provider.claims["groups"] = ["somebody"]
    provider.userinfo = {"sub": "u-1"}
    text = comes_back(browser, provider)

    assert "Your account has no role here; ask whoever runs the collector for one of the groups that it lets in." in text
    assert 'href="/sign-in/openid?path=/"' in text
    assert 401 == browser.get("/p/acme").status_code


def test_looking_whether_it_is_there_uses_up_nothing(browser: Browser, provider: Provider) -> None:
    given = provider.lets_in(browser.get("/sign-in/openid").headers["location"])
    assert 200 == browser.ask("HEAD", "/sign-in/openid/callback", params=given).status_code

    assert 200 == browser.get("/sign-in/openid/callback", **given).status_code


def test_what_a_provider_says_reaches_no_page_as_it_is_and_no_log(browser: Browser, provider: Provider, collector: Collector) -> None:
    text = comes_back(browser, provider, error="<script>alert(1)</script>", error_description="leaked.words")

    assert "The provider did not sign you in (it does not say why)." in text
    assert "<script>alert" not in text
    assert "leaked" not in text + collector.log


def test_signing_in_again_ends_the_session_that_the_browser_had(browser: Browser, provider: Provider) -> None:
    comes_back(browser, provider)
    first = browser.cookies["__Host-innerloop"]
    comes_back(browser, provider)
    second, browser.cookies["__Host-innerloop"] = browser.cookies["__Host-innerloop"], first

    assert second != first
    assert 401 == browser.get("/p/acme").status_code


def test_a_provider_that_fails_leaves_a_page_with_ways_on(made: Made) -> None:
    """The service began without it, and works once it does."""
    answer = made.before

    assert 503 == answer.status_code
    assert "The service that signs people in did not answer as it must; try again, or use a token." in answer.text
    assert 'href="/sign-in/openid?path=/p/acme"' in answer.text
    assert '<input id="token"' in answer.text


def test_where_no_provider_is_configured_the_pages_offer_none(site: Site) -> None:
    page, begun, ended = (site.get(path, token="") for path in ("/sign-in", "/sign-in/openid", "/sign-in/openid/callback"))

    assert "openid" not in page.text
    assert [401, 404] == [begun.status_code, ended.status_code], "the first is taken for a link, which it is not"


def test_settings_that_do_not_belong_together_keep_the_service_from_starting(idle: Collector) -> None:
    """And nothing is made for it. `config check` finds the same."""
    configure(idle, "http://id.example.org")
    done = idle.cli("serve", "--port", "0")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "[openid] issuer must be like https://id.example.org" in done.stderr
    assert not (idle.data / "store").exists()
    with pytest.raises(UsageError, match="issuer must be like https"):
        try_out(load(idle.environment["INNERLOOP_COLLECTOR_CONFIG"], {}))
