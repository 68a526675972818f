"""One small team whose figures are published, behind a running collector that the tests of pages only read."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from playwright.sync_api import Browser, sync_playwright

from innerloop_collector.query.releases.calendar import block_of
from tests.collector.asking import asked
from tests.collector.conftest import collector, idle, new_collector  # noqa: F401 - fixtures
from tests.collector.support import Collector, Event, project, run_event, target_event
from tests.dashboard import evidence
from tests.needs import need

FIRST = block_of(datetime(2031, 3, 3, tzinfo=UTC).date())  # the block in which people become known
SECOND = block_of(FIRST.end)  # the first of which figures are published
TEAM = [str(uuid.uuid4()) for _ in range(10)]
NAMES = ["test", "build", "lint", "docs", "serve", "unit", "migrate"]
PLAN = project(names={"allow": NAMES, "checks": ["test"], "sessions": ["serve"]}, project={"name": "Acme <b>& Co</b>"})


class Site(NamedTuple):
    """A collector with pages, and who may open them."""

    collector: Collector
    viewer: str
    stranger: str  # may see another project only
    link: str  # that signs in once
    admin: str

    @property
    def url(self) -> str:
        """Where it is."""
        return self.collector.url

    def get(self, path: str, *, token: str | None = None, accept: str = "text/html") -> httpx2.Response:
        """A page for the viewer, or for who has another token. Empty: nobody."""
        token = self.viewer if token is None else token
        headers = {"Accept": accept, **({"Authorization": f"Bearer {token}"} if token else {})}
        return self.collector.http.get(self.url + path, headers=headers)


def week_of(monday: datetime) -> list[Event]:
    """What the team does in a week."""
    return [event for place, person in enumerate(TEAM) for event in _week_of_one(place, person, monday)]


def _week_of_one(place: int, person: str, monday: datetime) -> list[Event]:
    at = (monday + timedelta(days=place % 5, hours=10)).isoformat()

    def run(command: str, **more: object) -> Event:
        return {**run_event(person, command=command, start_time=at, os="linux" if place % 2 else "macos", **more), "timestamp": at}

    events = [run("test", duration_ms=60_000 + 9_000 * place, exit_status=int(number == 0)) for number in range(3)]
    events += [run("build", duration_ms=20_000 + 1_000 * place) for _ in range(4)]
    events += [run("serve", duration_ms=3_600_000)]
    events += [run("lint")] if place < 3 else []  # too few to be named
    events += [run("docs") for _ in range(12 if not place else place < 7)]  # one has most of it
    build = run("build")
    events += [build, target_event(build, "unit", duration_ms=9_000 + 500 * place)]
    return events


def published(made: Collector) -> Collector:
    """Have two blocks pass in which the team works, and the figures of the second published; and verdicts and alerts that were published before."""
    evidence.write_down(made.data)
    began = datetime.combine(FIRST.first, datetime.min.time(), UTC)
    made.for_trying().environment["INNERLOOP_COLLECTOR_STORE_SIMULATED_CLOCK"] = began.isoformat()
    made.environment["INNERLOOP_COLLECTOR_ACCESS_PLAIN_HTTP_COOKIE"] = "true"
    made.start("--sign-in-link", "--project-file", str(made.write(PLAN)))
    other = project(project={"id": "other", "name": "Other", "write_key": "other.0123456789abcdefghijklmn"})
    made.apply(other)
    made.apply(PLAN, "--min-active-weeks", "1", "--headcount", "12")
    for name, after, affects in (("cache", 9, ["build"]), ("guide", 16, [])):
        day = (SECOND.first + timedelta(days=after)).isoformat()
        registered = asked(
            made,
            "changes.add",
            name=name,
            title=f"The {name} <i>",
            date=day,
            projects=["acme"],
            affects=affects,
            link="https://git.example/17",
        )
        assert registered.status_code == 200, registered.text
    for name, when in evidence.DAYS.items():
        says = {
            "title": evidence.TITLES[name],
            "date": when.isoformat(),
            "projects": [evidence.PROJECT],
            "affects": ["build"],
            "controls": ["docs"],
        }
        registered = asked(made, "changes.add", name=name, expect="-15 %" if name == evidence.FASTER else "", **says)
        assert registered.status_code == 200, registered.text
    for monday in (FIRST.first, *SECOND.weeks):
        friday = datetime.combine(monday + timedelta(days=5), datetime.min.time(), UTC)
        assert asked(made, "simulation.move", to=friday.isoformat()).status_code == 200
        events = week_of(datetime.combine(monday, datetime.min.time(), UTC))
        for first in range(0, len(events), 400):
            made.send(*events[first : first + 400], sent_at=friday.isoformat())
    due = datetime.combine(SECOND.due, datetime.min.time(), UTC) + timedelta(hours=1)
    assert asked(made, "simulation.move", to=due.isoformat()).status_code == 200
    return made


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of a team of ten, of which one block is published."""
    made = Collector(Path(tmp_path_factory.mktemp("site")))
    try:
        published(made)
        assert made.process is not None
        assert made.process.stdout is not None
        link = made.process.stdout.readline().decode().split()[-1]
        viewer, stranger = (
            asked(made, "tokens.create", role="viewer", label="viewer", days=9, projects=projects).json()["token"]
            for projects in ([], ["other"])
        )
        yield Site(made, viewer, stranger, link, (made.data / "admin-token").read_text().strip())
    finally:
        made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=need("chromium"))
        yield started
        started.close()
