"""Changes: dated records with a hypothesis, which stay what they were once somebody has looked at what they did."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, cast

import httpx2
import msgspec
import pytest

from innerloop_collector.access.principal import Principal, Role, Via
from innerloop_collector.admin.change_operations import ChangeRecords, read_change
from innerloop_collector.admin.operations import Operations
from innerloop_collector.errors import Denied, UsageError
from innerloop_collector.store.change_record import Change, WrongRecordError
from innerloop_collector.store.change_records import MOST, Changes, Registrant
from innerloop_collector.store.comparable_changes import ComparableChanges
from tests.collector.asking import asked
from tests.collector.support import PROJECT, Collector, project, toml
from tests.collector.test_access import bearer, call, token

if TYPE_CHECKING:
    from innerloop_collector.admin.change_operations import WhatComes
    from innerloop_collector.db.engine import Engine
    from innerloop_collector.store.projects import Registry

TODAY = datetime.now(UTC).date()
OTHER = project(project={"id": "other", "name": "Other", "write_key": "other.0123456789abcdefghijklmn"})
SAYS: dict[str, Any] = {"date": "2026-11-02", "projects": ["acme"], "affects": ["build"], "controls": ["lint"]}
Register = Callable[..., httpx2.Response]


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).isoformat()


def record(name: str = "shared-cache", **says: Any) -> Change:
    return Change.of(name, {**SAYS, **says})


class Kept:
    """A store of which nothing is asked back."""

    def insert(self, *_: Any) -> None:
        """Keep it."""


@pytest.fixture(scope="module")
def two(shared: Collector) -> Collector:
    """A running collector of two projects."""
    shared.apply(OTHER)
    return shared


@pytest.fixture
def add(two: Collector) -> Register:
    """Registers changes of 30 days ago, each under a name of its own and about commands that the test names."""

    def register(name: str = "", **says: Any) -> httpx2.Response:
        given = {"name": name or f"c-{uuid.uuid4().hex[:12]}", "date": day(30), "projects": ["acme"], "affects": ["build"], **says}
        return asked(two, "changes.add", **given)

    return register


# what a record may say


def test_a_record_says_what_is_asked_and_leaves_out_what_is_usual() -> None:
    found = record(title="One cache", expect="-15%", link="https://shop.example/17", looks=[4, 8, 12])
    assert (found.project, found.kind, found.metric, found.expect, found.expected) == ("acme", "code", "duration", "-15 %", -15.0)
    assert (found.affected, found.compared) == ((("acme", "build"),), (("acme", "lint"),))
    usual = record()
    assert (usual.title, usual.looks, usual.expected) == ("shared-cache", (4,), None)


def test_projects_may_be_affected_as_a_whole_and_others_be_controls() -> None:
    found = record(projects=["acme", "other"], affects=[], controls=[], control_projects=["third"])
    assert found.affected == (("acme", ""), ("other", ""))
    assert found.compared == (("third", ""),)
    assert record(controls=[], control_projects=["third"]).compared == (("third", "build"),)


def test_an_annotation_needs_a_day_and_a_project() -> None:
    found = Change.of("deploy-17", {"date": "2026-11-02", "projects": ["acme"], "kind": "annotation"})
    assert (found.looks, found.metric, found.is_annotation) == ((), "", True)


def test_a_name_is_known_as_it_leaves() -> None:
    assert record(affects=["x" * 60]).affects == ("x" * 50,)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"date": "2026-13-01"}, 'date must be a day, such as "2026-12-01"'),
    ({"date": "20261201"}, "date must be a day"),
    ({"date": "2026-W49-2"}, "date must be a day"),
    ({"date": 20261201}, "date must be a text"),
    ({"when": "x"}, "when is no key of a change; there are: title, date,"),
    ({"a\x1b[31mb" * 20: 1}, "..."),
    ({"kind": "magic"}, "kind must be one of: annotation, docs, course, server, code"),
    ({"metric": "happiness"}, "metric must be one of: duration,"),
    ({"projects": []}, "projects must name at least one project"),
    ({"projects": ["acme", "acme"]}, "projects names something twice"),
    ({"projects": [f"p{number}" for number in range(21)]}, "projects names more than 20"),
    ({"affects": [str(number) for number in range(51)]}, "affects names more than 50"),
    ({"affects": "build"}, "affects must be a list"),
    ({"affects": [1]}, "affects must be a list of texts"),
    ({"affects": ["other"]}, "affects: 'other' is no name"),
    ({"affects": [""]}, "affects: '' is no name"),
    ({"affects": ["a\nb"]}, "affects must be one line, without control characters"),
    ({"affects": ["build", "lint"]}, "controls: lint is affected, so it cannot be a control"),
    ({"affects": []}, "controls: without affects everything in these projects is affected"),
    ({"control_projects": ["third"]}, "controls and control_projects do not go together"),
    ({"control_projects": ["acme"]}, "control_projects: acme is affected, so it cannot be a control"),
    ({"title": "x" * 121}, "title is longer than 120 characters"),
    ({"title": "a\u202eb"}, "title must be one line, without control characters"),
    ({"title": " a"}, "title must be one line"),
    ({"link": "javascript:alert(1)"}, "link must be an http or https address"),
    ({"link": "https://a b"}, "link must be an http or https address"),
    ({"looks": [0]}, "looks must be at most 6 whole numbers of weeks after the change, from 1 to 52"),
    ({"looks": [4, 6]}, "each at least 4 after the one before"),
    ({"looks": [8, 4]}, "looks must be"),
    ({"looks": [True]}, "looks must be"),
    ({"looks": ["4"]}, "looks must be"),
    ({"looks": [53]}, "looks must be"),
    ({"expect": "faster"}, 'expect must be a number of % for duration, such as "-15 %"'),
    ({"expect": "-5 pp"}, "expect must be a number of % for duration"),
    ({"expect": "-5 %", "metric": "failures"}, "expect must be a number of pp for failures"),
    ({"kind": "annotation"}, "an annotation is only drawn on charts: leave out metric, looks, expect and controls"),
]


@pytest.mark.parametrize(("says", "message"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_a_record_may_not_say_is_one_clear_sentence(says: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongRecordError) as refused:
        record(**says)
    assert message in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["", "Cache", "a_b", "a.b", "../a", "x" * 41, "a\n", "ä"])
def test_a_name_is_a_short_word(name: str) -> None:
    with pytest.raises(WrongRecordError, match="is no name of a change: 1 to 40 characters of a-z 0-9 -"):
        record(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('title = "x', "c.toml is not valid TOML, or more of it than a change's record may have: line 1: "),
        ("date = 2026-12-01", "dates and times are not read here, write a string"),
        ("x" * 20_000, "c.toml cannot be applied: it is larger than 16 KB"),
        ('[change]\ntitle = "x"', "c.toml cannot be applied: change is no key of a change"),
        ("a = " + "[" * 1000, "nested more than 16 deep"),
    ],
)
def test_a_damaged_file_is_one_clear_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_change(text, "c", "c.toml")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "strange", [{"name": "../x"}, {"projects": []}, {"looks": [10**9]}, {"looks": [0]}, {"expect": "1e9 %"}, {"day": "x"}]
)
def test_a_store_that_was_put_back_brings_no_record_that_nobody_could_register(strange: dict[str, Any]) -> None:
    kept = json.loads(msgspec.json.encode(record(looks=[4], expect="-1 %")))
    assert msgspec.json.decode(json.dumps(kept), type=Change) == record(looks=[4], expect="-1 %")
    with pytest.raises(ValueError, match=r"Expected|Invalid"):
        msgspec.json.decode(json.dumps({**kept, **strange}), type=Change)


# two at once


def changed(days: int, **says: Any) -> Change:
    return record(f"c{days}", date=(date(2026, 6, 1) + timedelta(days=days)).isoformat(), **says)


@pytest.mark.parametrize(
    ("other", "together"),
    [
        (changed(3), True), (changed(-55), True), (changed(60), True), (changed(-90), False), (changed(120), False),
        (changed(3, affects=["docs"]), False), (changed(3, affects=["lint"], controls=["docs"]), True), (changed(3, affects=["docs"], controls=["build"]), True),
        (changed(3, affects=[], controls=[]), True), (changed(3, projects=["other"]), False), (changed(3, projects=["other", "acme"]), True),
    ],
)  # fmt: skip
def test_which_changes_come_at_once_is_the_same_seen_from_both(other: Change, together: bool) -> None:
    """One that came in the weeks that are compared, to the same commands or to what they are compared with."""
    first = changed(0)
    assert (first.meets(other), other.meets(first)) == (together, together)


def test_an_annotation_confounds_nothing() -> None:
    drawn = Change.of("deploy", {"date": "2026-06-03", "projects": ["acme"], "affects": ["build"], "kind": "annotation"})
    assert not changed(0).meets(drawn)


def many(seed: int, number: int) -> list[Change]:
    """Changes of two projects in a year, about few names, so that many meet."""
    draw, found = Random(seed), []
    for place in range(number):
        names = draw.sample(["build", "test", "lint", "docs"], draw.randint(0, 3))
        affects, controls = names[:2], names[2:]
        elsewhere = draw.random() < 0.1 and not controls
        found.append(
            Change.of(
                f"c{place}",
                {
                    "date": (date(2026, 1, 1) + timedelta(days=draw.randrange(500))).isoformat(),
                    "projects": draw.choice([["acme"], ["other"]]) if elsewhere else draw.choice([["acme"], ["other"], ["acme", "other"]]),
                    "affects": affects,
                    "controls": controls,
                    "control_projects": ["third"] if elsewhere else [],
                    "looks": draw.choice([[4], [1], [4, 52]]),
                },
            )
        )
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_came_at_once_is_found_as_if_each_were_held_against_each(seed: int) -> None:
    every = many(seed, 120)
    index = ComparableChanges(every)
    for one in every:
        assert [other.name for other in every if other.name != one.name and one.meets(other)] == [
            other.name for other in index.meeting(one)
        ]


class Counted(Change, frozen=True):
    """A change that notes how often it is held against another one."""

    def meets(self, other: Change) -> bool:
        compared.append(other.name)
        return super().meets(other)


compared: list[str] = []


def test_changes_that_share_no_command_are_not_held_against_each_other() -> None:
    """Listing all of a store takes as long as there are changes, and not as there are pairs: one control may serve all of them."""
    week = [Counted.of(f"c{number}", {**SAYS, "affects": [f"b{number}"]}) for number in range(2_000)]
    index = ComparableChanges(week)
    assert not any(next(index.meeting(one), None) for one in week)
    assert len(compared) <= len(week)


def test_both_records_say_that_they_came_at_once(add: Register, two: Collector) -> None:
    first, second = (add(affects=["docs"], controls=[]).json() for _ in range(2))
    assert first["at_once"] == []
    assert second["at_once"] == [f"acme/{first['name']}"]
    assert asked(two, "changes.show", project="acme", name=first["name"]).json()["at_once"] == [f"acme/{second['name']}"]
    asked(two, "changes.withdraw", project="acme", name=first["name"])
    assert asked(two, "changes.show", project="acme", name=second["name"]).json()["at_once"] == []


# what must be there


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"projects": ["gone"]}, "no project 'gone' here; apply its file first"),
    ({"control_projects": ["gone"]}, "no project 'gone' here"),
    ({"affects": ["deploy"]}, "affects: acme lists no command, target or group 'deploy' in [names] of its project file"),
    ({"controls": ["deploy"]}, "controls: acme lists no command"),
    ({"date": (TODAY + timedelta(days=400)).isoformat()}, "is more than a year ahead; register the change when its day is known"),
    ({"date": day(350)}, "acme keeps runs for 365 days, so too little is left of the time before"),
    ({"name": "Bad Name"}, "the change Bad Name cannot be registered: Bad Name is no name of a change"),
    ({"looks": [1, 2]}, "cannot be registered: looks must be"),
]


@pytest.mark.parametrize(("says", "message"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_what_is_not_there_cannot_have_changed(add: Register, says: dict[str, Any], message: str) -> None:
    refused = add(**says)
    assert (refused.status_code, refused.json()["title"]) == (409, "Refused")
    assert message in refused.json()["detail"]


def of_itself(answer: httpx2.Response) -> list[str]:
    """What is noted of a change, whatever else is registered here."""
    return [one for one in answer.json()["notes"] if not one.startswith("the look at ")]


def test_two_looks_at_one_command_in_a_block_are_said_when_they_are_registered(new_collector: Callable[[], Collector]) -> None:
    """Also to a deployment, which is told of its own looks and of nobody else's."""
    collector = new_collector().start_with(PROJECT)
    says = {"date": day(0), "projects": ["acme"], "affects": ["build"], "controls": ["lint"], "looks": [4]}
    assert [] == asked(collector, "changes.add", name="first", **says).json()["notes"]
    (note,) = asked(collector, "changes.add", name="second", **says).json()["notes"]
    assert note.startswith("the look at it on ")
    assert "will be refused if the one at first on " in note
    deploys = bearer(token(collector, "changes", "acme"))
    assert [] == call(collector, "changes.add", deploys, name="third", **says).json()["notes"]
    near = [
        call(collector, "changes.add", deploys, name=f"w{week}", **{**says, "date": day(-7 * week), "looks": [4, 8]}) for week in range(13)
    ]
    refused = [one.json()["notes"][-1] for one in near if any("will be refused" in note for note in one.json()["notes"])]
    assert 1 <= len(refused) <= 2, "of a quarter's weeks one, in whichever it is today"
    assert "weeks after it would be told" in refused[0]


def test_a_planned_change_may_be_registered_and_a_late_one_says_so(add: Register) -> None:
    assert "it lies in the future; what it did cannot be asked before" in str(add(date=day(-20)).json()["notes"])
    late = of_itself(add(controls=["lint"]))
    assert late == ["it was registered after its date; say so when you show what it did"]
    assert "a change and never an effect" in str(add().json()["notes"])
    assert of_itself(add(date=day(0), controls=["lint"])) == []


def test_an_annotation_may_be_older_than_what_is_kept(add: Register) -> None:
    """It is drawn beside figures, which stay."""
    assert add(date=day(2000), kind="annotation", affects=[]).status_code == 200


def test_a_name_that_an_older_version_listed_is_known_and_said_to_be_gone(new_collector: Callable[[], Collector]) -> None:
    collector = new_collector().start_with(project(names={"allow": ["compile"]}))
    collector.apply(PROJECT)
    answer = asked(collector, "changes.add", name="renamed", date=day(0), projects=["acme"], affects=["compile"], controls=["lint"]).json()
    assert answer["notes"] == ["acme does not list compile any more; what was renamed has two names, and runs of both are two commands"]


# what stays


SCRIPT = """
import json, pathlib, sys
from innerloop_collector.composition.areas import operations
from innerloop_collector.composition.collector import Collector
from innerloop_collector.config.paths import prepare
from innerloop_collector.errors import UsageError

def asked(operation, **arguments):
    try:
        return operations(opened).call(operation, arguments)
    except UsageError as error:
        return str(error)

opened = Collector(prepare(pathlib.Path(sys.argv[1]))); opened.open()
asked("projects.apply", toml=sys.argv[2], source="x")
says = json.loads(sys.argv[3])
told = [asked("changes.add", **says), asked("changes.add", **says), asked("changes.add", **says, expect="-15 %")]
for _ in range(2):
    opened.store.changes.mark_looked("acme", "cache")
opened.store.changes.load()
told += [asked("changes.add", **says), asked("changes.add", **says, expect="-15 %"), asked("changes.withdraw", project="acme", name="cache")]
opened.close()
print(json.dumps(told))
"""


def test_a_record_may_be_corrected_until_its_first_look_and_then_stays_what_it_is(idle: Collector) -> None:
    says = {"name": "cache", "date": day(30), "projects": ["acme"], "affects": ["build"]}
    words = [sys.executable, "-c", SCRIPT, str(idle.data), toml(PROJECT), json.dumps(says)]
    done = subprocess.run(words, env=idle.environment, check=True, capture_output=True, text=True)
    first, again, corrected, refused, applied, withdrawn = json.loads(done.stdout.splitlines()[-1])
    assert [first["changed"], again["changed"], corrected["changed"], corrected["expect"]] == [True, False, True, "-15 %"]
    assert (applied["first_look"], applied["changed"]) == (TODAY.isoformat(), False), "its file in the repository may be applied for ever"
    assert (
        f"cache was looked at on {TODAY} and stays what it was; register what is different as a new record, under another name" == refused
    )
    assert withdrawn == f"cache was looked at on {TODAY}; what was told of it stays, and so does the record"


@pytest.mark.slow
def test_changes_come_back_with_a_backup(idle: Collector) -> None:
    idle.start_with()
    asked(idle, "changes.add", name="cache", date=day(30), projects=["acme"], affects=["build"])
    shown = asked(idle, "changes.show", project="acme", name="cache").json()
    idle.ask("backup", str(idle.directory / "backup"))
    idle.stop()
    idle.environment["INNERLOOP_COLLECTOR_DATA"] = str(idle.directory / "again")
    idle.ask("restore", str(idle.directory / "backup"))
    assert idle.ask("changes", "show", "acme", "cache") == shown


def test_a_withdrawn_change_stays_withdrawn_whoever_applies_its_file_again(add: Register, two: Collector) -> None:
    made = add("given-up").json()
    assert asked(two, "changes.withdraw", project="acme", name="given-up").json()["withdrawn"] == TODAY.isoformat()
    again = add("given-up").json()
    assert (again["changed"], again["withdrawn"]) == (False, TODAY.isoformat())
    assert f"it was withdrawn on {TODAY}, and stays so" in again["notes"]
    assert f"given-up was withdrawn on {TODAY} and stays what it was" in add("given-up", affects=["docs"]).json()["detail"]
    assert made["name"] in [one["name"] for one in asked(two, "changes.list").json()["changes"]]


def test_a_record_takes_the_place_of_the_one_that_was_seen_and_of_no_other(add: Register, two: Collector) -> None:
    looks = [add("seen-first", affects=[one], dry_run=True).json()["after_version"] for one in ("build", "test")]
    told = [add("seen-first", affects=[one], after_version=at) for one, at in zip(("build", "test", "test"), (*looks, 1), strict=True)]
    assert ([0, 0], [200, 409, 200]) == (looks, [one.status_code for one in told])
    assert "seen-first was registered or corrected by somebody else meanwhile; look at it again" == told[1].json()["detail"]
    again = add("seen-first", affects=["test"], after_version=0).json()
    assert (False, False) == (again["changed"], "after_version" in again), "sent twice"
    assert ["test"] == asked(two, "changes.show", project="acme", name="seen-first").json()["affects"]


def test_a_record_is_corrected_a_few_times_only(add: Register) -> None:
    """Each is another question of what could be seen."""
    told = [add("often", expect=f"-{number} %") for number in range(1, 22)]
    assert [200] * 20 + [409] == [one.status_code for one in told]
    assert "often was corrected 19 times; register what it has become under another name" in told[-1].json()["detail"]


# who may


def test_a_deployments_token_registers_changes_of_its_projects_and_does_nothing_else(two: Collector) -> None:
    deploys = bearer(token(two, "changes", "acme"))
    says = {"date": day(0), "kind": "annotation"}
    assert 200 == call(two, "changes.add", deploys, name="deploy-1", projects=["acme"], **says).status_code
    record_of = f'date = "{day(0)}"\nkind = "annotation"\nprojects = ["acme"]\n'
    assert 200 == call(two, "changes.apply", deploys, name="deploy-2", toml=record_of, source="x").status_code
    for projects in (["other"], ["acme", "other"], ["gone"]):
        refused = call(two, "changes.add", deploys, name="deploy-3", projects=projects, **says)
        assert 403 == refused.status_code
        assert "you may not register changes of all these projects. Ask whoever runs the collector" == refused.json()["detail"]
    for operation, arguments in (
        ("changes.list", {}),
        ("report", {"project": "acme"}),
        ("changes.withdraw", {"project": "acme", "name": "deploy-1"}),
    ):
        assert 403 == call(two, operation, deploys, **arguments).status_code


def test_a_deployments_token_is_told_nothing_of_rows_and_nothing_of_what_became_of_a_record(two: Collector, add: Register) -> None:
    deploys = bearer(token(two, "changes", "acme"))
    says = {"date": day(30), "projects": ["acme"], "affects": ["build"], "controls": ["lint"]}
    add("reviewed", **says)
    created = call(two, "changes.add", deploys, name="created", **says).json()
    assert (created["changed"], created["foreseen"], created["at_once"]) == (True, "", []), (
        "another one came at once, as who may read is told"
    )
    assert {"registered", "withdrawn", "first_look"}.isdisjoint(created)
    assert [False] * 2 == [call(two, "changes.add", deploys, name=name, **says).json()["changed"] for name in ("created", "reviewed")]
    asked(two, "changes.withdraw", project="acme", name="created")
    again = call(two, "changes.add", deploys, name="created", **says)
    assert (again.json()["changed"], "withdrawn" in again.text) == (False, False)
    for name in ("created", "reviewed"):
        refused = call(two, "changes.add", deploys, name=name, **{**says, "expect": "-5 %"})
        assert (409, f"{name} is registered and says something else; register what is different under another name") == (
            refused.status_code,
            refused.json()["detail"],
        )
    assert add("reviewed", **says, expect="-5 %").json()["changed"], "who may read may correct it"


def test_what_was_withdrawn_counts_for_no_bound_and_an_annotation_is_compared_with_nothing() -> None:
    changes = Changes(cast("Engine", Kept()), lambda: TODAY)
    for number in range(MOST):
        changes.register(record(f"c{number}", affects=[f"b{number}"]))
    with pytest.raises(UsageError, match="acme has 500 changes, and more are not kept"):
        changes.register(record("more"))
    changes.withdraw("acme", "c7")
    changes.register(record("more", affects=["b8"], controls=[]))
    assert ["c8"] == [one.name for one in changes.beside(record("more", affects=["b8"], controls=[]))]
    assert [] == list(changes.beside(Change.of("drawn", {"date": "2026-11-02", "projects": ["acme"], "kind": "annotation"})))


def test_pages_are_given_what_affects_their_project_and_the_newest_annotations(two: Collector, add: Register) -> None:
    made = add(projects=["other", "acme"], affects=["test"]).json()["name"]
    found = asked(two, "changes.marks", project="acme").json()["changes"]
    assert made in [one["name"] for one in found]
    assert not any("at_once" in one for one in found)
    assert found == sorted(found, key=lambda one: (one["date"], one["project"], one["name"]), reverse=True)
    viewer = bearer(token(two, "viewer", "acme"))
    assert made not in call(two, "changes.marks", viewer, project="acme").text


def test_a_programme_of_a_project_that_is_not_there_or_not_to_be_seen_is_refused(two: Collector) -> None:
    viewer = bearer(token(two, "viewer", "other"))
    assert [403, 403, 200] == [call(two, "impact.all", viewer, project=one).status_code for one in ("acme", "gone", "other")]
    refused = asked(two, "impact.all", project="gone")
    assert (409, "no project 'gone'; see: innerloop-collector projects list") == (refused.status_code, refused.json()["detail"])


def test_a_deployments_token_opens_no_page(two: Collector) -> None:
    for text in (token(two, "changes"), token(two, "changes", "acme")):
        pages = [two.http.get(two.url + path, headers=bearer(text), follow_redirects=True) for path in ("/p/acme", "/projects", "/admin")]
        assert [403, 200, 403] == [page.status_code for page in pages]
        assert "Acme" not in "".join(page.text for page in pages)


def test_who_sees_one_project_sees_no_change_of_another(two: Collector, add: Register) -> None:
    both = add(projects=["acme", "other"], affects=["docs"]).json()
    viewer = bearer(token(two, "viewer", "other"))
    assert both["name"] not in call(two, "changes.list", viewer).text
    for name in (both["name"], "never-there"):
        assert 403 == call(two, "changes.show", viewer, project="acme", name=name).status_code
    for role in ("viewer", "analyst"):
        assert 403 == call(two, "changes.add", bearer(token(two, role)), name="x", date=day(0), projects=["acme"]).status_code


@pytest.mark.parametrize(
    "names", [{"projects": ["acme", "other"]}, {"control_projects": ["other"], "controls": []}, {"projects": ["acme", "other"], "kind": "annotation"}]
)  # fmt: skip
def test_a_record_that_names_what_somebody_may_not_see_is_neither_replaced_nor_withdrawn_by_them(names: dict[str, Any]) -> None:
    """Whether by an admin of some projects or by a deployment. They learn nothing of what it says, nor of what became of it."""
    changes = Changes(cast("Engine", Kept()), lambda: TODAY)
    changes.register(Change.of("cache", {"date": "2026-11-02", "projects": ["acme"], **names}))
    admin = Principal(Role.ADMIN, Via.SESSION, "ada", frozenset({"acme"}))
    operations = Operations([ChangeRecords(cast("Registry", None), changes, cast("WhatComes", None))])

    with pytest.raises(Denied, match="you may not see this project"):
        operations.call("changes.withdraw", {"project": "acme", "name": "cache"}, admin)
    for by in (Registrant(admin.projects), Registrant(admin.projects, replaces=False, reads=False)):
        for attempt in (changes.register, changes.would):
            with pytest.raises(
                UsageError, match=r"^cache is registered and says something else; register what is different under another name$"
            ):
                attempt(record("cache"), by)
    assert ("acme", "other") == changes.find("acme", "cache").change.everywhere
    assert operations.call("changes.withdraw", {"project": "acme", "name": "cache"})["withdrawn"] == TODAY.isoformat()


def test_who_withdraws_is_told_of_no_change_that_they_may_not_see() -> None:
    changes = Changes(cast("Engine", Kept()), lambda: TODAY)
    for name, projects in (("cache", ["acme"]), ("of-both", ["acme", "other"])):
        changes.register(record(name, projects=projects, controls=[]))
    changes.withdraw("acme", "cache")
    operations = Operations([ChangeRecords(cast("Registry", None), changes, cast("WhatComes", None))])
    told = operations.call(
        "changes.withdraw", {"project": "acme", "name": "cache"}, Principal(Role.ADMIN, Via.SESSION, "ada", frozenset({"acme"}))
    )

    assert ("cache", []) == (told["name"], told["at_once"])


# commands


def test_files_of_a_repository_are_applied_under_their_names(two: Collector) -> None:
    folder = two.directory / "innerloop-changes"
    folder.mkdir()
    (folder / "one-cache.toml").write_text(
        f'# why\ntitle = "One cache"\ndate = "{day(9)}"\nprojects = ["acme"]\naffects = ["build"]\nlooks = [4, 8]\n'
    )
    (folder / "course.toml").write_text(
        f'date = "{day(5)}"\nkind = "course"\nprojects = ["other"]\naffects = ["test"]\nmetric = "failures"\nexpect = "-3 pp"\n'
    )
    files = [str(folder / "one-cache.toml"), str(folder / "course.toml")]
    done = two.cli("changes", "apply", *files)
    unseen = "nothing could be seen of it so far: too few developers were seen before and after"
    assert (done.returncode, done.stdout) == (
        0, "".join((
            f"acme/one-cache: {unseen}\nacme/one-cache: registered, {day(9)}, duration of build\n",
            f"other/course: {unseen}\nother/course: registered, {day(5)}, failures of test\n",
        )),
    )  # fmt: skip
    assert "note: one-cache: it was registered after its date" in done.stderr
    assert "course: unchanged" in two.ask_text("changes", "apply", *files)
    assert "looks       4, 8 weeks after it" in two.ask_text("changes", "show", "acme", "one-cache")
    assert two.ask("changes", "list", "other")["changes"][0]["expect"] == "-3 pp"

    (folder / "bad.toml").write_text("date = 1\n")
    refused = two.cli("changes", "apply", files[0], str(folder / "bad.toml"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"innerloop-collector: {folder}/bad.toml cannot be applied: date must be a text\n"
    assert (
        "it is called NAME.toml, by the change's name"
        in two.cli("changes", "apply", str(two.directory / "innerloop.toml.txt")).stderr + two.cli("changes", "apply", "/dev/null").stderr
    )


def test_one_line_of_a_deployment_registers_a_change(two: Collector) -> None:
    name = f"deploy-{uuid.uuid4().hex[:8]}"
    done = two.cli("changes", "add", "--project", "acme", "--name", name, "--date", day(0), "--annotation", "--json")
    assert (done.returncode, json.loads(done.stdout)["changes"][0]["kind"]) == (0, "annotation"), done.stderr
    words = (
        "--project",
        "acme",
        "--name",
        f"{name}-b",
        "--date",
        day(0),
        "--affects",
        "build",
        "--controls",
        "lint",
        "--look",
        "4",
        "--look",
        "8",
    )
    assert two.ask("changes", "add", *words, "--expect", "-10 %")["changes"][0]["looks"] == [4, 8]
    assert "charts" in two.ask_text("changes", "list", "acme")


def test_a_dry_run_says_all_that_registering_says_and_registers_nothing(two: Collector, add: Register) -> None:
    """Also that another record would be replaced; and to a deployment no more than registering does."""
    says = {"name": "tried", "date": day(0), "projects": ["acme"], "affects": ["build"], "controls": ["lint"]}
    tried = add(**says, dry_run=True).json()
    assert 409 == asked(two, "changes.show", project="acme", name="tried").status_code
    done = add(**says).json()
    again, other = add(**says, dry_run=True), add(**{**says, "affects": ["test"]}, dry_run=True)
    deployment = call(two, "changes.add", bearer(token(two, "changes")), **{**says, "name": "tried-too"}, dry_run=True).json()

    assert tried == done
    assert ([True, False, True], []) == ([tried["changed"], *(one.json()["changed"] for one in (again, other))], of_itself(again))
    assert ["a record of this name is registered and says something else; this takes its place"] == of_itself(other)
    assert ["build"] == asked(two, "changes.show", project="acme", name="tried").json()["affects"]
    assert ("", False) == (deployment["foreseen"], "first_look" in deployment)
    assert 409 == asked(two, "changes.show", project="acme", name="tried-too").status_code
    assert 409 == add(**{**says, "affects": ["nobody-lists-this"]}, dry_run=True).status_code


def test_a_scan_is_told_of_a_change_that_asks_for_one(two: Collector, add: Register) -> None:
    made = add(affects=["build"], controls=["lint"], scan=True).json()
    assert any(note.startswith("each scan tells of everything else that is run in acme") for note in made["notes"])
    told = asked(two, "impact.scan", project="acme", change=made["name"]).json()
    assert (f"{made['name']}: nothing was scanned yet", []) == (told["sentence"], told["found"]["scans"])
    shown = two.cli("impact", "acme", made["name"], "--scan")
    assert (0, True) == (shown.returncode, "nothing was scanned yet." in shown.stdout)
    operator = bearer((two.data / "admin-token").read_text().strip())
    other = call(two, "impact.scan", operator, project="acme", change=add().json()["name"])
    assert (409, True) == (other.status_code, "a record that is not looked at yet may: scan = true" in other.json()["detail"])
    done = subprocess.run(
        [sys.executable, "-m", "innerloop_collector.cli", "impact", "acme", "--all", "--scan"], capture_output=True, text=True, check=False
    )
    assert (2, True) == (done.returncode, "say which change" in done.stderr)
