"""Getting in: with a token, or once with the link that the service prints where it runs; and nobody is sent elsewhere."""

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator

import httpx2
import pytest

from innerloop_collector.access.links import SignInLinks
from tests.collector.support import COMMAND, PROJECT, Collector
from tests.dashboard.conftest import Site


class Clock:
    """A time that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_link_is_good_once_and_for_ten_minutes() -> None:
    clock = Clock()
    links = SignInLinks(clock)
    used, old, fine = links.make(), links.make(), links.make()
    assert links.use(used)
    assert not links.use(used)
    clock.seconds = 600.0
    assert links.use(fine)
    clock.seconds = 600.1

    assert not links.use(old)
    assert not links.use("")
    assert 3 == len({used, old, fine})
    assert all(len(one) >= 43 for one in (used, old, fine))


def test_links_that_nobody_uses_make_room() -> None:
    links = SignInLinks(Clock())
    first, *rest = [links.make() for _ in range(101)]

    assert not links.use(first)
    assert links.use(rest[0])


@pytest.fixture
def browser(site: Site) -> Iterator[httpx2.Client]:
    """What keeps cookies and says where a request began."""
    with httpx2.Client(base_url=site.url, trust_env=False, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}) as client:
        yield client


def test_a_token_opens_a_session_and_goes_on_to_the_page_that_was_wanted(site: Site, browser: httpx2.Client) -> None:
    answer = browser.post("/sign-in", data={"token": site.viewer, "path": "/p/acme?by=block"})

    assert (303, "/p/acme?by=block") == (answer.status_code, answer.headers["location"])
    assert "; HttpOnly; SameSite=Strict" in answer.headers["set-cookie"]
    assert 200 == browser.get("/p/acme").status_code
    assert 303 == browser.post("/sign-out").status_code
    assert 401 == browser.get("/p/acme").status_code


@pytest.mark.parametrize("path", ["https://else.example/", "//else.example/", "/\\else.example", "\n/x", "", "/sign-in"])
def test_nobody_is_sent_elsewhere_after_signing_in(site: Site, browser: httpx2.Client, path: str) -> None:
    assert "/" == browser.post("/sign-in", data={"token": site.viewer, "path": path}).headers["location"]


def test_a_wrong_token_says_so_and_keeps_the_way_on(browser: httpx2.Client) -> None:
    answer = browser.post("/sign-in", data={"token": "ilt_wrong", "path": "/p/acme"})

    assert 401 == answer.status_code
    assert "The token is unknown, expired or revoked." in answer.text
    assert 'name="path" value="/p/acme"' in answer.text
    assert "set-cookie" not in answer.headers


def test_another_site_signs_nobody_in_or_out(site: Site, browser: httpx2.Client) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://else.example"}

    assert 403 == browser.post("/sign-in", data={"token": site.viewer}, headers=elsewhere).status_code
    assert 403 == browser.post("/sign-out", headers=elsewhere).status_code


def test_a_form_that_is_too_large_is_refused_as_a_page(browser: httpx2.Client) -> None:
    answer = browser.post("/sign-in", data={"token": "x" * 5_000})

    assert 413 == answer.status_code
    assert '<main id="main"' in answer.text


def test_the_printed_link_signs_in_once(idle: Collector) -> None:
    """Looking whether it is there uses it up as little as it signs in."""
    collector = idle.start("--sign-in-link", "--project-file", str(idle.write(PROJECT)))
    assert collector.process is not None
    assert collector.process.stdout is not None
    line = collector.process.stdout.readline().decode()
    assert line.startswith(f"the dashboard, once and within ten minutes: {collector.url}/sign-in/")
    link = line.split()[-1]
    assert 200 == collector.http.head(link).status_code
    first, second = collector.http.get(link), collector.http.get(link)
    cookie = first.headers["set-cookie"].partition(";")[0]

    assert (303, "/") == (first.status_code, first.headers["location"])
    assert 401 == second.status_code
    assert "This link was used, or is older than ten minutes." in second.text
    assert 200 == collector.http.get(collector.url + "/projects", headers={"Cookie": cookie}).status_code
    page = collector.http.get(collector.url + "/p/acme", headers={"Cookie": cookie}).text
    assert "No figures yet" in page
    assert "Next figures: " in page
    assert link.rpartition("/")[2] not in collector.log


def test_a_link_is_printed_to_a_terminal_and_to_no_file_that_somebody_keeps(idle: Collector) -> None:
    kept, keeper, (screen, terminal) = idle.directory / "kept", idle.directory / "kept store", os.openpty()
    address = re.compile(rb"listening on (http://\S+)")
    link = re.compile(rb"within ten minutes: http://\S+/sign-in/[\w-]{43}\s")
    with kept.open("wb") as out, (idle.directory / "log").open("ab") as log:
        to_file = serving(out.fileno(), log.fileno(), {**idle.environment, "INNERLOOP_COLLECTOR_DATA": str(keeper)})
        to_terminal = serving(terminal, log.fileno(), idle.environment)
    os.close(terminal)
    try:
        said = b""
        while not link.search(said):
            assert select.select([screen], [], [], 30.0)[0], said
            said += os.read(screen, 4_096)
        deadline = time.monotonic() + 30.0
        while not address.search(kept.read_bytes()):
            assert time.monotonic() < deadline, idle.log
            time.sleep(0.05)
    finally:
        for process in (to_file, to_terminal):
            process.terminate()
            process.wait()
        os.close(screen)

    assert b"sign-in" not in kept.read_bytes()
    assert address.search(said)


def serving(out: int, log: int, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A service that says where it listens, to somewhere."""
    return subprocess.Popen([*COMMAND, "serve", "--port", "0"], stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=environment)


def test_a_link_is_refused_where_others_can_reach_the_service(idle: Collector) -> None:
    done = idle.cli("serve", "--port", "0", "--host", "0.0.0.0", "--sign-in-link")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "--sign-in-link: a link is printed only by a service on the loopback interface" in done.stderr
    assert "sign-in/" not in done.stdout


def test_signing_in_again_ends_the_session_that_the_browser_had(site: Site, browser: httpx2.Client) -> None:
    """Nobody could sign it out any more: its cookie is gone."""
    first, second = (browser.post("/sign-in", data={"token": site.viewer}).headers["set-cookie"].partition(";")[0] for _ in range(2))
    browser.cookies.clear()

    assert first != second
    assert (401, 200) == tuple(browser.get("/p/acme", headers={"Cookie": one}).status_code for one in (first, second))
