"""The quick look at an event never lets pass what the plan's own check would not, whatever was seen before."""

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerloop.core.plan import check
from innerloop.core.plan.agreement import agreement
from innerloop.core.plan.project_reader import read
from innerloop_collector.pipeline.compiled_plan import CompiledPlan, compiled
from innerloop_collector.store.catalogue import AgreedPlan
from tests.collector.support import Event, project, run_event, target_event

_NAMES = check.Names(("test", "build", "lint", "docs", "unit-*"), ("api", "web"), "-", ("new",))
_TERMS = agreement(read(project(names={"allow": ["test", "build"]})))
_RENAMED = agreement(read(project(rename={"command": "cmd", "start_time": "began"})))
_HELD = {
    name: CompiledPlan(AgreedPlan(name, terms, (_NAMES,))) for name, terms in (("plain", _TERMS), ("renamed", _RENAMED))
}  # for all examples
_VALUES = st.sampled_from(
    [
        None, True, False, 0, 1, 2, 1.0, 0.0, 1230, 1234, -1, 10**20, "", "0", "1", "test", "build", "unit-api", "unit-x", "other", "human",
        "robot", "2026-11-24T10:00:00+00:00", "2026-11-24T10:00:01+00:00", "2026-11-24T12:00:00+02:00", "linux", "0.1", "0.1.2", "<1d",
        "no", [], {}, ["test"], {"a": 1}, "0b5e7e3c-6c5f-4d5f-9b5e-0a4c3a0f6d11", "ü" * 60,
    ]
)  # fmt: skip


def _events() -> st.SearchStrategy[Event]:
    plain = run_event()
    base = st.sampled_from([plain, target_event(run_event()), run_event(run="0b5e7e3c-6c5f-4d5f-9b5e-0a4c3a0f6d11")])
    properties = sorted({*plain["properties"], *target_event(plain)["properties"], "cmd", "began", "cohort", "more"})
    return st.builds(
        _changed,
        base,
        st.dictionaries(st.sampled_from(properties), _VALUES, max_size=3),
        st.lists(st.sampled_from(properties), max_size=2),
        st.dictionaries(st.sampled_from(["event", "timestamp", "properties"]), _VALUES, max_size=1),
        st.booleans(),
    )


def _changed(base: Event, properties: dict[str, Any], without: list[str], members: dict[str, Any], renamed: bool) -> Event:
    kept = {name: value for name, value in base["properties"].items() if name not in without} | properties
    if renamed:
        kept = {{"command": "cmd", "start_time": "began"}.get(name, name): value for name, value in kept.items()}
    return {name: value for name, value in base.items() if name != "userId"} | {"properties": kept} | members


def test_what_was_prepared_of_a_plan_goes_with_it() -> None:
    agreed = AgreedPlan("plain", _TERMS, (_NAMES,))
    prepared = weakref.ref(compiled(agreed))
    assert prepared() is compiled(agreed)
    del agreed
    gc.collect()

    assert prepared() is None


@pytest.mark.parametrize(("name", "terms"), [("plain", _TERMS), ("renamed", _RENAMED)])
@given(event=_events())
def test_what_is_let_pass_at_once_keeps_to_the_plan_and_is_the_same_kind_of_event(name: str, terms: dict[str, Any], event: Event) -> None:
    found = _HELD[name].kind(event)

    if check.violations(event, terms, _NAMES):
        assert found is None
    else:
        assert check.find_event(terms, event["event"], event["properties"]) == found


def test_true_does_not_pass_for_a_one_that_was_seen() -> None:
    terms = CompiledPlan(AgreedPlan("plain", _TERMS, (_NAMES,)))
    event = target_event(run_event(), sequence=1)
    event = {name: value for name, value in event.items() if name != "userId"}
    assert terms.kind(event)

    assert terms.kind({**event, "properties": {**event["properties"], "sequence": True}}) is None


def test_a_group_passes_and_what_is_of_it_does_not() -> None:
    """Also where its text was seen before: nothing is matched here."""
    names = check.Names(("test",), groups=("*.o", "test-%"))
    held = CompiledPlan(AgreedPlan("grouped", _TERMS, (names,)))

    passes = [
        held.kind(_changed(run_event(), {"command": name}, [], {}, False)) is not None for name in ("*.o", "test-%", "a.o", "test-a", "*.o")
    ]
    assert passes == [True, True, False, False, True]
