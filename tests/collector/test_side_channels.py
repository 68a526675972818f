"""What one person's event changes: nothing that a viewer, or anybody without a token, can read before it is published."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Area
from innerloop_collector.composition import areas  # noqa: F401 - it knows every area
from tests.collector.asking import asked
from tests.collector.support import Collector, Owner, digest_of, project, run_event, target_event
from tests.collector.test_access import bearer, call, token

# Every operation that a viewer or an analyst can ask for, with what it takes. A new one needs a line here.
READS: dict[str, list[dict[str, Any]]] = {
    "alerts": [{}, {"project": "acme"}],
    "changes.list": [{}, {"project": "acme"}],
    "changes.marks": [{"project": "acme"}],
    "changes.show": [{"project": "acme", "name": "shared-cache"}],
    "digest": [{}, {"project": "acme"}],
    "export": [{}, {"project": "acme"}],
    "impact": [{"project": "acme", "change": "shared-cache"}],
    "impact.all": [{"project": "acme"}],
    "impact.scan": [{"project": "acme", "change": "shared-cache"}],
    "projects.list": [{}],
    "releases": [{"project": "acme"}],
    "report": [{"project": "acme"}, {"project": "acme", "period": "2026"}],
    "report.all": [{}, {"period": "2026"}],
    "trends": [{"project": "acme"}, {"project": "acme", "name": "test"}, {"project": "acme", "name": "linux", "by": "os"}],
}
PAGES = (
    "/",
    "/projects",
    "/admin",
    "/p/acme",
    "/p/acme/targets",
    "/p/acme/changes",
    "/p/acme/privacy",
)  # which the document of the API does not name
Answers = dict[str, tuple[int, bytes]]


def test_every_operation_that_is_not_an_admins_is_tried_here() -> None:
    ours = [one for one in Area.__subclasses__() if one.__module__.startswith("innerloop_collector.")]  # other tests have some, too
    marked = [method.operation for area in ours for method in vars(area).values() if hasattr(method, "operation")]

    assert set(READS) == {name for name, role, _ in marked if Role.ANALYST.may(role)}


def answers(collector: Collector, viewer: dict[str, str]) -> Answers:
    """Everything that a viewer can ask for."""
    return {f"{name} {one}": _told(call(collector, name, viewer, **one)) for name, all_of in READS.items() for one in all_of}


def routes(collector: Collector, viewer: dict[str, str]) -> Answers:
    """Every route, as anybody finds it and as a viewer does."""
    paths = [*collector.http.get(collector.url + "/openapi.json").json()["paths"], *PAGES]
    asked = [
        (path, method, who, headers)
        for path in paths
        for method in ("GET", "POST")
        for who, headers in (("anybody", {}), ("a viewer", viewer))
    ]
    return {
        f"{method} {path} by {who}": _told(collector.http.request(method, collector.url + path, json={}, headers=headers))
        for path, method, who, headers in asked
    }


def _told(answer: httpx2.Response) -> tuple[int, bytes]:
    return answer.status_code, answer.content


def test_one_event_of_one_person_changes_nothing_that_a_viewer_or_anybody_can_read(idle: Collector) -> None:
    del idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_LOCAL"]
    idle.environment["INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY"] = "3"
    idle.start_with()
    viewer = bearer(token(idle, "viewer"))
    somebody, unapplied = Owner(), digest_of(project(fields={"arch": False}))
    steps: dict[str, Callable[[], object]] = {
        "a run": lambda: idle.send(run_event(somebody.id), owners=[somebody]),
        "a run of weeks ago": lambda: idle.send(run_event(somebody.id, ago=timedelta(weeks=9))),
        "a target": lambda: idle.send(target_event(run_event(somebody.id))),
        "an agent's run": lambda: idle.send(run_event(somebody.id, actor="agent")),
        "what violates the plan": lambda: idle.send(run_event(somebody.id, command="unlisted")),
        "what is malformed": lambda: idle.send({**run_event(somebody.id), "type": 5}),
        "what a plan is missing for": lambda: idle.send(run_event(somebody.id), plan=unapplied),
        "more new ids than may come": lambda: idle.send(*(run_event() for _ in range(4))),
        "an erasure": lambda: idle.forget(somebody),
    }
    asked(idle, "retention.sweep")  # what is due on this day is done before: it says which day was looked at, whoever ran something
    before, open_before = answers(idle, viewer), routes(idle, viewer)
    for what, step in steps.items():
        step()
        after = answers(idle, viewer)
        assert [] == [name for name, told in before.items() if after[name] != told], what
    after = routes(idle, viewer)
    assert [] == [name for name, told in open_before.items() if after[name] != told]
    assert idle.reasons(), "nothing came, so that its absence would say nothing"


def test_metrics_which_move_with_every_event_are_for_who_shows_their_token_unless_this_machine_is_said_to_be_trusted(
    idle: Collector,
) -> None:
    del idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_LOCAL"]
    idle.start_with()

    answer = idle.http.get(idle.url + "/metrics", headers=bearer(token(idle, "viewer")))
    assert (403, True) == (answer.status_code, "metrics_token_file" in answer.text)
