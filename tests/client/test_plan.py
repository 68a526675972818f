"""The law that both ends share: what an agreement is, how two of them differ, which values and names may pass."""

import tomllib
from datetime import datetime
from typing import Any

import pytest

from innerloop.core.plan.agreement import agreement, destination_digest, difference, digest
from innerloop.core.plan.check import Names, conforms, violations
from innerloop.core.plan.names_table import MOST_NAMES
from innerloop.core.plan.project import Project, ProjectError
from innerloop.core.plan.project_reader import read
from innerloop.core.plan.tracking import PLAN
from innerloop.core.shared.names import LONGEST_NAME
from tests.client.founding import KEY
from tests.conftest import ROOT

# A change of these asks every developer again: it must be meant.
GOLDEN = {
    "devstack": (
        "373fab9fae855f7a1890f03dbeffacfffb8ac3ca0af2a2b9c560703f2e097945",
        "0dd9084b86b3ec1d4a7a48a45fd895d358fe704b61e5f882c6b9f5d534bbd523",
    ),
    "default": (
        "21a6e717259fa252d0b89ac870a874fb45e8a926e322af803845a53b7c34488a",
        "3c1398b79585f7209baa41b011141b5191f28e283d281efa11f008b9ea38938a",
    ),
}


def project(**tables: Any) -> Project:
    basis = {"id": "shop", "organisation": "Example", "endpoint": "https://collect.example", "write_key": "shop.x"}
    return read({"project": {**basis, **tables.pop("project", {})}, **tables})


def devstack() -> Project:
    return read(tomllib.loads((ROOT / "examples" / "devstack" / "innerloop.toml").read_text().replace("devstack.to-be-created", KEY)))


@pytest.mark.parametrize("which", GOLDEN)
def test_the_digests_of_known_project_files_do_not_change_by_accident(which: str) -> None:
    one = devstack() if which == "devstack" else project()
    assert (digest(agreement(one)), destination_digest(one)) == GOLDEN[which]


def test_names_on_the_wire_are_those_of_the_founding_system() -> None:
    assert {name for name, field in PLAN.fields.items() if field.where == "properties"} >= {
        "command", "command_type", "duration_ms", "exit_status", "start_time", "git_commit_time", "git_checked_out_master", "is_test",
        "choice", "previous_consent",
    }  # fmt: skip
    assert {event.wire for event in PLAN.events.values()} == {"innerloop.run", "innerloop.target", "innerloop.opt_in", "innerloop.opt_out"}


def test_every_property_of_an_event_is_a_field_and_every_field_is_in_an_event() -> None:
    used = {name for event in PLAN.events.values() for name in event.properties}
    assert used == {name for name, field in PLAN.fields.items() if field.where == "properties"}


@pytest.mark.parametrize("name", PLAN.fields)
def test_every_field_has_its_record(name: str) -> None:
    record = PLAN.fields[name].record
    for key in ("purpose", "reader", "alternatives", "risk", "owner", "added", "expires", "category", "label"):
        assert record[key]
    assert record["purpose"].endswith("?") or "?" in record["purpose"]
    added, expires = (datetime.fromisoformat(record[key]) for key in ("added", "expires"))
    assert 0 < (expires - added).days <= 366
    assert PLAN.fields[name].default in (*PLAN.fields[name].granularities, "off")


# how two agreements differ


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, tuple[str, ...]]]] = [
    ("nothing", {}, {}, {}),
    ("added", {}, {"fields": {"git_commit_time": True}}, {"added": ("git_commit_time",)}),
    ("removed", {}, {"fields": {"os": False}}, {"removed": ("os",)}),
    ("finer", {}, {"fields": {"duration_ms": "exact"}}, {"finer": ("duration_ms",)}),
    ("finer with its twin", {}, {"fields": {"start_time": "second"}}, {"finer": ("timestamp", "start_time")}),
    ("coarser", {"fields": {"duration_ms": "exact"}}, {}, {"coarser": ("duration_ms",)}),
    ("longer", {}, {"project": {"retention_days": 366}}, {"other": ("retention_days",)}),
    ("shorter", {}, {"project": {"retention_days": 30}}, {}),
    ("recipient added", {}, {"recipients": [{"name": "A"}]}, {"other": ("recipients",)}),
    ("recipient gone", {"recipients": [{"name": "A"}]}, {}, {}),
    ("recipient gets more", {"recipients": [{"name": "A"}]}, {"recipients": [{"name": "A", "receives": "rows with the id"}]}, {"other": ("recipients",)}),
    ("recipient gets less", {"recipients": [{"name": "A", "receives": "rows with the id"}]}, {"recipients": [{"name": "A"}]}, {}),
    ("recipient elsewhere", {"recipients": [{"name": "A", "region": "EU"}]}, {"recipients": [{"name": "A", "region": "US"}]}, {"other": ("recipients",)}),
    ("recipient for longer", {"recipients": [{"name": "A", "retention": "1 day"}]}, {"recipients": [{"name": "A"}]}, {"other": ("recipients",)}),
    ("figures for everybody", {}, {"public": {"figures": True}}, {"other": ("public",)}),
    ("figures no longer for everybody", {"public": {"figures": True}}, {}, {}),
    ("a name that was another", {}, {"names": {"allow": ["a"]}, "renamed_from": {"a": "b"}}, {}),
    ("renamed", {}, {"rename": {"os": "system"}}, {"other": ("rename",)}),
    ("event renamed", {}, {"events": {"run": "x"}}, {"other": ("events",)}),
    ("purpose", {}, {"wording": {"purpose": "p"}}, {"other": ("purpose",)}),
    ("basis", {}, {"project": {"legal_basis": "b"}}, {"other": ("legal_basis",)}),
    ("organisation", {}, {"project": {"organisation": "Other"}}, {"other": ("organisation",)}),
    ("id", {}, {"project": {"id": "other"}}, {"other": ("project",)}),
    ("names", {}, {"names": {"allow": ["a"]}}, {}),
    ("thanks", {}, {"wording": {"thanks": "t"}}, {}),
    ("added and removed", {}, {"fields": {"git_commit_time": True, "os": False}}, {"added": ("git_commit_time",), "removed": ("os",)}),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), [change[1:] for change in CHANGES], ids=[change[0] for change in CHANGES])
def test_how_two_agreements_differ(old: dict[str, Any], new: dict[str, Any], expected: dict[str, tuple[str, ...]]) -> None:
    found = difference(agreement(project(**old)), agreement(project(**new)))
    assert {key: value for key, value in found._asdict().items() if value} == expected
    assert found.wider == bool(set(expected) & {"added", "finer", "other"})
    assert found.can_keep == ("other" not in expected)


def test_a_rename_of_a_field_that_is_off_or_the_order_of_recipients_asks_nobody() -> None:
    two = [{"name": "A"}, {"name": "B"}]
    assert not difference(agreement(project(recipients=two)), agreement(project(recipients=two[::-1]))).wider


def test_a_destination_is_endpoint_and_project_and_a_foreign_key() -> None:
    def of(**keys: str) -> str:
        return destination_digest(project(project=keys))

    assert of() == of(write_key="shop.another") == of(endpoint="https://collect.example/")
    assert (
        len({of(), of(write_key="foreign"), of(write_key="foreign2"), of(endpoint="https://other.example"), of(id="s", write_key="s.x")})
        == 5
    )


@pytest.mark.parametrize("key", ["allow", "stems"])
def test_lists_of_names_are_bounded(key: str) -> None:
    read_with = [["x" * LONGEST_NAME], [f"{number}" for number in range(MOST_NAMES)]]
    found = [project(names={key: words}).names for words in read_with]
    assert [len(names.allow + names.stems) for names in found] == [1, MOST_NAMES]
    for words in (["x" * (LONGEST_NAME + 1)], ["*"] * (MOST_NAMES + 1)):
        with pytest.raises(ProjectError, match=rf"^names\.{key} must be at most 2000 strings of at most 200 characters each$"):
            project(names={key: words})


# values


VALUES: list[tuple[str, str, list[Any], list[Any]]] = [
    ("userId", "project", ["5f0c6c1e-8d3f-4c55-9d0e-0a6f6f1f8f5e"], ["", "x", "5F0C6C1E-8D3F-4C55-9D0E-0A6F6F1F8F5E", "5f0c6c1e-8d3f-4c55-9d0e-0a6f6f1f8f5e\n", 1]),
    ("command", "listed", ["test", "other"], ["secret", "test ", "TEST", "", 1, ["test"]]),
    ("cohort", "listed", ["employee"], ["manager", "", "EMPLOYEE", "employee\n", None, ["employee"]]),
    ("command_type", "listed", ["make", "command"], ["Make", "", None, 0]),
    ("duration_ms", "3digits", [0, 7, 123, 12300, None], [1234, -1, 1.0, "7", True, 10**12]),
    ("duration_ms", "exact", [0, 1234, None], [-1, 1.5, True]),
    ("exit_status", "exact", [0, 255, -15, None], [256, -65, "0", 1.0, False]),
    ("start_time", "hour", ["2026-11-23T14:00:00+00:00"], ["2026-11-23T14:01:00+00:00", None, 0]),
    ("attempt", "class", ["1", "4+"], ["5", 1, ""]),
    ("is_test", "exact", ["no", "debug", "a-1"], ["", "UPPER", "x" * 17, "a b", None, "no\n"]),
    ("git_commit_time", "week", ["2026-W48"], ["2026-W60", "2026-W00", "2026-48", "2026-11-23T00:00:00+00:00", "2026-W48\n", None]),
    ("git_commit_time", "exact", ["2021-02-03T04:05:06+05:30"], ["2021-02-03", "2021-02-03T04:05:06", "2021-02-03T04:05:06.5+05:30"]),
    ("git_checked_out_master", "exact", [True, False], [0, "true", None]),
    ("os", "class", ["linux"], ["Linux", "plan9"]),
    ("client", "minor", ["0.1", "12.0"], ["0.1.0", "0", "0.1-dev", "0.1\n"]),
    ("suspended", "exact", [True], [None, 1]),
    ("changes", "listed", [[], ["shared-cache"]], [None, "shared-cache", ["secret"], ["shared-cache"] * 2, [["shared-cache"]], [1], True]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "exactness", "good", "bad"), VALUES, ids=[f"{value[0]}-{value[1]}" for value in VALUES])
def test_which_values_conform(name: str, exactness: str, good: list[Any], bad: list[Any]) -> None:
    names = Names(("test",), cohorts=("employee", "community"), changes=("shared-cache",))
    assert [value for value in good if not conforms(value, PLAN.fields[name], exactness, names)] == []
    assert [value for value in bad if conforms(value, PLAN.fields[name], exactness, names)] == []


def test_every_type_of_the_plan_was_tried() -> None:
    assert {PLAN.fields[value[0]].type for value in VALUES} == {field.type for field in PLAN.fields.values()}


def message(**properties: Any) -> dict[str, Any]:
    usual = {name: field.example for name, field in PLAN.fields.items() if name in PLAN.events["run"].properties and field.default != "off"}
    return {"event": "innerloop.run", "timestamp": "2026-11-23T14:00:00+00:00", "properties": {**usual, **properties}}


def found(one: dict[str, Any], **tables: Any) -> list[tuple[str, str]]:
    return [tuple(violation) for violation in violations(one, agreement(project(**tables)), Names(("test",)))]  # type: ignore[misc]


def test_an_event_that_keeps_to_the_plan_has_no_violation() -> None:
    assert found(message()) == []


def test_each_violation_is_named_and_its_value_is_not_repeated() -> None:
    assert found(message(secret="s3cr3t")) == [("unknown property", "properties")]
    assert found(message(command="s3cr3t")) == [("not allowed", "command")]
    assert found({**message(), "event": "s3cr3t"}) == [("unknown event", "event")]
    assert found({**message(), "properties": None}) == [("missing", "properties")]
    assert found({**message(), "timestamp": "2026-11-23T14:00:01+00:00"}) == [("not allowed", "timestamp")]
    without = message()
    del without["properties"]["os"]
    assert found(without) == [("missing", "os")]
    assert found(message(), fields={"os": False}) == [("unknown property", "properties")]


def test_a_timestamp_that_nobody_agreed_to_is_a_violation() -> None:
    assert found(message(), fields={"timestamp": False}) != []


def test_what_git_or_the_probe_says_may_be_absent_and_the_rest_may_not() -> None:
    for name in PLAN.events["run"].properties:
        if PLAN.fields[name].default == "off":
            continue
        one = message()
        del one["properties"][name]
        assert bool(found(one)) == (PLAN.fields[name].absent_without not in ("git", "probe"))


def target(**properties: Any) -> dict[str, Any]:
    usual = {name: PLAN.fields[name].example for name in PLAN.events["target"].properties}
    return {"event": "innerloop.target", "timestamp": "2026-11-23T14:00:00+00:00", "properties": {**usual, "target": "test", **properties}}


def test_a_target_event_lacks_nothing_names_what_is_listed_and_is_as_coarse_as_agreed() -> None:
    assert found(target()) == found(target(duration_ms=None, exit_status=None)) == []
    for name in PLAN.events["target"].properties:
        one = target()
        del one["properties"][name]
        assert found(one) == [("unknown event", "event") if name == "target" else ("missing", name)]
    assert found(target(target="s3cr3t")) == [("not allowed", "target")]
    assert found(target(offset_ms=1234)) == [("not allowed", "offset_ms")]
    assert found(target(prerequisites="all")) == [("unknown property", "properties")]
    assert found(target(run="1")) == [("not allowed", "run")]


TARGET_FIELDS = {"target", "run", "sequence", "parent", "offset_ms", "critical"}


def test_without_target_names_there_is_no_target_event_and_nothing_that_belongs_to_one() -> None:
    on = set(agreement(project())["fields"])
    off = set(agreement(project(fields={"target": False, "sequence": True}))["fields"])
    assert on - off == TARGET_FIELDS
    assert found(target(), fields={"target": False}) == [("unknown event", "event")]
    one = message()
    del one["properties"]["run"]
    assert found(one, fields={"target": False}) == []


def test_seed_mode_knows_no_targets_whatever_the_project_file_says() -> None:
    seed = {"system": "devstack"}
    on = set(agreement(project(seed=seed, fields={"target": True, "targets": True, "critical": True}))["fields"])
    assert not on & {*TARGET_FIELDS, "targets", "targets_failed"}
    assert not set(agreement(devstack())["fields"]) & {*TARGET_FIELDS, "targets", "targets_failed"}


def test_opt_in_and_opt_out_are_events_only_where_their_field_is_on() -> None:
    one = {"event": "innerloop.opt_in", "properties": {"choice": "accept"}}
    assert found(one) == [("unknown event", "event")]
    two = {
        "event": "devstack.command.run",
        "properties": {
            "command": "metrics-opt-out",
            "command_type": "make",
            "previous_consent": "yes",
            "start_time": "2026-11-23T14:00:00.5+00:00",
            "is_test": "no",
        },
    }
    assert violations(two, agreement(devstack()), Names()) == []
    two["properties"]["command"] = "dev.up.lms"  # type: ignore[index]
    assert violations(two, agreement(devstack()), Names(("dev.up.lms",))) != []
