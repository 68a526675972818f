"""Pages of what fails: a store that cannot answer, and what nobody foresaw. What was published is damaged here, as a disk or a later version may leave it."""

import httpx2
import pytest

from innerloop_collector.dashboard.rendering import POLICY
from innerloop_collector.query.releases.archive import project_and_unit
from innerloop_collector.store.release_journal import Released, ReleaseJournal
from tests.collector.support import Collector, project

UNREADABLE = Released("acme", "2026-B01", '{"project":"acme","unit":"2026-B01"}')
UNFORESEEN = Released("other", "a unit of no calendar", '{"project":"other","unit":"a unit of no calendar"}')


@pytest.fixture
def damaged(idle: Collector) -> Collector:
    """A collector that was given releases which this version never made."""
    idle.data.mkdir(mode=0o700)
    ReleaseJournal(idle.data / "releases.log", [], project_and_unit).add([UNREADABLE, UNFORESEEN])
    return idle


def test_a_store_that_cannot_answer_and_what_nobody_foresaw_are_pages_with_a_way_on(damaged: Collector) -> None:
    collector = damaged.start_with()
    collector.apply(project(project={"id": "other", "name": "Other", "write_key": "other.0123456789abcdefghijklmn"}))
    token = (collector.data / "admin-token").read_text().strip()

    def page(path: str, accept: str = "text/html") -> httpx2.Response:
        return collector.http.get(collector.url + path, headers={"Authorization": f"Bearer {token}", "Accept": accept})

    silent, unforeseen, program = page("/p/acme"), page("/p/other"), page("/p/other", "application/json")

    assert (503, 500, 503) == (silent.status_code, unforeseen.status_code, program.status_code)
    assert "The store did not answer" in silent.text
    assert '<a href="/p/acme">Try again</a>' in silent.text
    assert "This page could not be made" in unforeseen.text
    assert '<a href="/projects">All projects</a>' in unforeseen.text
    assert all('<main id="main"' in one.text and POLICY == one.headers.get("content-security-policy") for one in (silent, unforeseen))
    assert "application/problem+json" == program.headers["content-type"]
    assert "no calendar" not in silent.text + unforeseen.text + program.text
    assert 200 == page("/p/acme/changes").status_code, "what can be answered is"
