"""Signing in at a real provider of OpenID Connect: the certified one that npm has, on another site than the collector."""

import html
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from playwright.sync_api import sync_playwright

from tests.collector.support import PROJECT, Collector
from tests.dashboard.providers import CLIENT, SECRET, Browser
from tests.dashboard.test_openid_pages import configure
from tests.needs import need
from tests.sdks.sdks import installed

PACKAGE = Path(__file__).parent / "oidc-provider"
GROUPS = {"ada": ["innerloop-admins"], "bob": ["innerloop-viewers", "others"], "eve": ["others"]}


class Place(NamedTuple):
    """A collector, and the provider at which its people sign in."""

    collector: Collector
    issuer: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Both. The provider's issuer is `localhost` and the collector an address, so that to a browser they are two sites."""
    need("npm")
    where, directory = installed(str(PACKAGE)), Path(tmp_path_factory.mktemp("real"))
    program = where / "provider.mjs"
    shutil.copyfile(PACKAGE / program.name, program)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = f"http://127.0.0.1:{port}/sign-in/openid/callback"
    told = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uri": ours, "groups": GROUPS}
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    collector = Collector(directory)
    with (directory / "provider.log").open("wb") as log:
        process = subprocess.Popen(["node", str(program), json.dumps(told)], stdout=subprocess.PIPE, stderr=log, env=environment)
    try:
        assert process.stdout is not None
        issuer = process.stdout.readline().decode().strip()
        assert issuer.startswith("http://localhost:"), (directory / "provider.log").read_text()
        configure(collector, issuer, ours, projects_claim="")
        collector.environment["INNERLOOP_COLLECTOR_ACCESS_PLAIN_HTTP_COOKIE"] = "true"
        collector.start("--port", str(port), "--project-file", str(collector.write(PROJECT)))
        yield Place(collector, issuer)
    finally:
        collector.close()
        process.kill()
        process.communicate()


def let_in(address: str, name: str, ours: str) -> dict[str, str]:
    """Do what somebody does on the provider's pages: give a name, agree. Returns what they are sent back with."""
    with httpx2.Client(trust_env=False, timeout=30) as client:
        answer = client.get(address)
        for _ in range(12):
            while "location" in answer.headers:
                address = urljoin(str(answer.url), answer.headers["location"])
                if address.startswith(ours):
                    return dict(httpx2.URL(address).params)
                answer = client.get(address)
            action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            assert action, answer.text
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert prompt, answer.text
            given = {"prompt": prompt[1], "login": name, "password": "x"}
            answer = client.post(urljoin(str(answer.url), html.unescape(action[1])), data=given)
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize(("name", "status", "role"), [("ada", 200, "admin"), ("bob", 200, "viewer"), ("eve", 403, "")])
def test_a_real_provider_signs_people_in_by_their_groups(place: Place, name: str, status: int, role: str) -> None:
    """It has claims of groups at its userinfo endpoint, wants the secret as a form would encode it, and holds to PKCE."""
    browser = Browser(place.collector.url)
    away = browser.get("/sign-in/openid", path="/projects").headers["location"]
    assert urlsplit(place.issuer).netloc == urlsplit(away).netloc
    back = let_in(away, name, place.collector.url)
    assert {"code", "state", "iss"} == set(back)
    answer = browser.get("/sign-in/openid/callback", **back)
    who = browser.get("/session")
    again = browser.get("/sign-in/openid/callback", **back)
    browser.close()

    assert status == answer.status_code, answer.text
    assert (role, name) == (who.json().get("role", ""), who.json().get("label", name))
    assert 401 == again.status_code


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False], ids=["", "without JavaScript"])
def test_a_browser_signs_in_at_another_site_and_lands_on_the_page_that_was_wanted(place: Place, scripts: bool) -> None:
    """A cookie that no other site may bring along is there on the page that follows."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=need("chromium"))
        page = browser.new_context(java_script_enabled=scripts).new_page()
        page.route(re.compile("fonts.googleapis.com"), lambda route: route.abort())  # the provider's own pages ask for a font
        page.goto(place.collector.url + "/p/acme/privacy")
        page.click("a.button")
        page.fill("[name=login]", "ada")
        page.fill("[name=password]", "x")
        page.click("[type=submit]")
        page.click("[type=submit]")
        page.wait_for_url(place.collector.url + "/p/acme/privacy")
        assert "Signed in as ada." in page.inner_text("footer")
        assert page.is_visible("nav a[href='/admin']")
        page.click("text=Sign out")
        assert page.url.endswith("/sign-in")
        browser.close()
