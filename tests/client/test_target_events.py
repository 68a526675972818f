"""Targets as events: which of them leave, under which names, how exact; and what becomes of the log that they were read from."""

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from innerloop.core.outbound import target_events
from tests.client.people import DAY, Developer, Said
from tests.client.recorder import Recorder
from tests.client.target_logs import BASE, MS, HandMade

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


MOST = 50


OWN = ("run", "targets", "targets_failed")  # what the probe adds to a run's own event


@pytest.fixture
def shop(agreed: Developer) -> Developer:
    """Somebody who agreed, in a project with names of several Makefiles."""
    return agreed.edit(names={"allow": ["test", "build", "lib.a", "fail", "services/api:test", "services/api:lib.*"], "stems": ["a"]})


def run_with(developer: Developer, log: HandMade | bytes | None, *command: str, seconds: int = 60) -> str:
    """Run a command (usually `make test`), then put a log beside its record, whose clock is set to the log's. Returns the run's id."""
    before = {path.name for path in developer.place("new")}
    assert developer.run(*(command or ("make", "test"))).status in (0, 2)
    (record,) = [path for path in developer.place("new") if path.name not in before]
    text = re.sub(r"(?m)^start (\d+) \d+ \d+$", rf"start \1 {BASE} {BASE}", record.read_text())
    end = BASE + seconds * 1000 * MS
    record.write_text(re.sub(r"(?m)^end (-?\d+) \d+ \d+$", rf"end \1 {end} {end}", text))
    path = developer.spool / "targets" / record.name
    path.unlink(missing_ok=True)
    if log is not None:
        here = str(developer.directory.resolve()).encode()
        path.write_bytes(log if isinstance(log, bytes) else log.data.replace(b"\t/shop\t", b"\t" + here + b"\t"))
    return record.name


def events(developer: Developer) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The one run that waits, and its targets."""
    found = developer.pending()
    assert [one["event"] for one in found if one["event"] != "innerloop.target"] == ["innerloop.run"]
    run, *targets = found
    return run, targets


def shown(targets: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(target["properties"][name] for name in names) for target in targets]


def test_a_target_event_says_which_run_where_in_it_how_long_and_how_it_ended(shop: Developer) -> None:
    log = HandMade()
    log.line("lib.a", 1234, 2234 + 23456)
    log.line("test", 26000, 27000, 2)
    identity = run_with(shop, log, "make", "fail")
    run, (lib, test) = events(shop)
    own = run["properties"]
    assert (own["targets"], own["targets_failed"], own["command"]) == (2, 1, "fail")
    assert UUID4.fullmatch(own["run"])
    assert own["run"] != identity
    assert lib["properties"] == {
        "run": own["run"], "command": "fail", "target": "lib.a", "sequence": 1, "parent": 0, "offset_ms": 1230, "duration_ms": 24500,
        "exit_status": 0, "critical": lib["properties"]["critical"], "start_time": own["start_time"], "is_test": "no",
        "actor": own["actor"], "client": own["client"],
    }  # fmt: skip
    assert shown([test], "target", "sequence", "offset_ms", "duration_ms", "exit_status") == [("test", 2, 26000, 1000, 2)]
    assert lib["timestamp"] == run["timestamp"] == own["start_time"]
    assert lib["userId"] == run["userId"]
    assert len({one["messageId"] for one in (run, lib, test)}) == 3


def test_the_targets_of_a_real_make_leave_with_their_run(shop: Developer, server: Recorder) -> None:
    (shop.directory / "Makefile").write_text("build: s3cr3t lib.a\n\t@true\ns3cr3t:\n\t@sleep 0.1\nlib.a:\n\t@false\n")
    shop.run("true")  # the project file is new: the first command asks the sources, which no make waits for
    assert shop.run("make", "-k", "build", env={"INNERLOOP_PROBE": None}).status == 2
    assert shop.flush().status == 0
    run, *targets = [one for one in server.events if "run" in one["properties"]]
    assert [run["properties"][name] for name in ("command", "exit_status", *OWN[1:])] == ["build", 2, 2, 1]
    assert shown(targets, "target", "sequence", "parent", "exit_status") == [("other", 1, 0, 0), ("lib.a", 2, 0, 1)]
    assert {one["properties"]["run"] for one in targets} == {run["properties"]["run"]}
    assert targets[0]["properties"]["duration_ms"] >= 100
    assert b"s3cr3t" not in server.bytes


def test_two_runs_never_share_a_number(shop: Developer) -> None:
    log = HandMade()
    log.line("test", 0, 1)
    for _ in range(2):
        run_with(shop, log)
    found = [one["properties"]["run"] for one in shop.pending()]
    assert sorted(found.count(one) for one in set(found)) == [2, 2]


def test_of_many_targets_the_failed_and_the_slowest_leave_and_the_rest_is_counted(shop: Developer) -> None:
    log = HandMade()
    for number in range(70):
        log.line(f"t{number}", number * 100, number * 100 + number + 5, flags="k")
    for number in range(3):  # the quickest of all
        log.line(f"broken{number}", 7000 + number, 7001 + number, 1, flags="k")
    run_with(shop, log, "make", "fail")
    run, targets = events(shop)
    assert (run["properties"]["targets"], run["properties"]["targets_failed"]) == (73, 3)
    assert len(targets) == MOST
    assert [place for (place,) in shown(targets, "sequence")] == [*range(24, 71), 71, 72, 73]
    assert shown(targets[-3:], "exit_status") == [(1,)] * 3


def test_an_error_that_make_ignored_is_neither_counted_nor_told_as_a_failure(shop: Developer) -> None:
    log = HandMade()
    log.line("test", 0, 10, 1)
    log.line("build", 20, 30)
    run_with(shop, log)
    run, targets = events(shop)
    assert run["properties"]["targets_failed"] == 0
    assert shown(targets, "target", "exit_status") == [("test", 0), ("build", 0)]


def test_what_nobody_saw_the_end_of_is_unknown(shop: Developer) -> None:
    log = HandMade()
    log.line("test", 0, None)
    run_with(shop, log)
    assert shown(events(shop)[1], "duration_ms", "exit_status") == [(None, None)]


def test_a_log_that_says_impossible_things_keeps_no_run_back(shop: Developer, server: Recorder) -> None:
    log = HandMade()
    log.line("test", -70_000, -60_000)
    log.line("build", 10**12, 3 * 10**12, 99999)
    run_with(shop, log, "make", "fail")
    assert shown(events(shop)[1], "target", "offset_ms", "exit_status") == [("test", 0, 0), ("build", 31_500_000_000, None)]
    assert shop.flush().status == 0
    assert len(server.events) == 3


def test_a_target_names_the_nearest_one_above_that_is_sent(shop: Developer) -> None:
    log = HandMade()
    top = log.line("build", 0, 9000)
    middle = log.line("glue", 1, 3, under=top, make=20)
    log.line("lib.a", 2, 2, under=middle, make=30, level=2)
    log.line("test", 3, 3000, under=top, make=40)
    run_with(shop, log)
    assert shown(events(shop)[1], "target", "sequence", "parent") == [("build", 1, 0), ("other", 2, 1), ("lib.a", 3, 2), ("test", 4, 1)]
    shop.flush()
    for number in range(60):  # slower than what is between
        log.line(f"x{number}", 3000 + number * 10, 3009 + number * 10, under=top, make=40)
    log.line("lib.a", 8000, 8900, under=middle, make=31, level=2)
    run_with(shop, log)
    found = shown(events(shop)[1], "sequence", "parent")
    assert (2, 1) not in found
    assert found[-1] == (65, 1)


def test_names_that_are_not_listed_are_other_and_a_directory_tells_makefiles_apart(shop: Developer) -> None:
    root = str(shop.directory.resolve())
    log = HandMade()
    top = log.line("build", 0, 900, directory=root)
    for number, (name, directory) in enumerate([
        ("test", "services/api"), ("lib.a", "services/api"), ("lib.acme", "services/api"), ("build", "services/api"), ("test", "web"),
        ("s3cr3t", "web"), ("services/api:test", ""), ("test s3cr3t", ""), ("test", "../elsewhere"),
    ]):  # fmt: skip
        place = str(shop.directory.parent.resolve() / "elsewhere") if ".." in directory else f"{root}/{directory}".rstrip("/")
        log.line(name, 10 * number + 1, 10 * number + 5, under=top, make=20 + number, directory=place)
    run_with(shop, log)
    names = [name for (name,) in shown(events(shop)[1], "target")]
    assert names == [
        "build", "services/api:test", "services/api:lib.a", "other", "other", "test", "other", "services/api:test", "other", "other",
    ]  # fmt: skip


def test_the_targets_of_another_project_are_other(shop: Developer) -> None:
    """Its names were never listed here, though they may read alike."""
    inner = shop.directory.resolve() / "vendor" / "lib"
    inner.mkdir(parents=True)
    (inner / "innerloop.toml").write_text("[project]\n")
    log = HandMade()
    top = log.line("build", 0, 900)
    log.line("test", 10, 20, under=top, make=20, directory=str(inner))
    log.line("test", 30, 40, under=top, make=30, directory=str(inner.parent))
    run_with(shop, log)
    assert ["build", "other", "test"] == [name for (name,) in shown(events(shop)[1], "target")]
    (sealed,) = shop.place("sealed")
    assert b"s3cr3t" not in sealed.read_bytes()
    assert b"acme" not in sealed.read_bytes()


def test_a_name_that_was_taken_off_the_list_does_not_leave(shop: Developer, server: Recorder) -> None:
    log = HandMade()
    log.line("lib.a", 0, 10)
    run_with(shop, log)
    shop.edit(names={"allow": ["test"]})
    assert shown(events(shop)[1], "target") == [("other",)]
    shop.flush()
    assert b"lib.a" not in server.bytes


# where no probe looked


@pytest.mark.parametrize("log", [None, b"", b"\0\xff\n\tb\tb\te 1\n" * 40, b"b\t1-2\t\t3"], ids=["none", "empty", "damaged", "torn"])
def test_a_run_without_targets_leaves_all_the_same(shop: Developer, server: Recorder, log: bytes | None) -> None:
    run_with(shop, log)
    run, targets = events(shop)
    assert targets == []
    assert [run["properties"].get(name) for name in OWN[1:]] == ([None, None] if log is None else [0, 0])
    assert ("run" in run["properties"]) == (log is not None)
    assert shop.flush().status == 0
    assert [run] == server.events


def test_a_spool_from_before_there_were_logs_goes_on(shop: Developer, server: Recorder) -> None:
    (shop.spool / "targets").rmdir()
    shop.run("make", "test")
    assert len(shop.pending()) == 1
    assert shop.flush().status == 0
    assert len(server.events) == 1
    assert shop.ledger()["acknowledged"] == 1
    shop.edit(project={"contact": "somebody else"})  # the cache is out of date: the next command makes what is missing
    shop.run("make", "test")
    assert (shop.spool / "targets").is_dir()


def test_without_target_names_only_the_counts_leave(shop: Developer) -> None:
    shop.edit(fields={"target": False})
    log = HandMade()
    log.line("test", 0, 10)
    run_with(shop, log)
    run, targets = events(shop)
    assert targets == []
    assert [run["properties"].get(name) for name in OWN] == [None, 1, 0]


# on the way


def test_what_is_shown_of_targets_is_what_leaves_and_a_run_counts_once(shop: Developer, server: Recorder) -> None:
    log = HandMade()
    for number in range(3):
        log.line("lib.a", number, number + 1, make=number)
    identity = run_with(shop, log)
    lines = shop.innerloop("show", "pending").out
    assert lines.count("innerloop.target") == 3
    (shop.spool / "targets" / identity).write_bytes(b"")  # whatever becomes of the log: sealed is sealed
    assert shop.innerloop("show", "pending").out == lines
    assert shop.innerloop("show", "next").out.count("innerloop.target") == 3
    assert shop.ledger()["queued"] == 1
    assert shop.flush().status == 0
    assert "".join(json.dumps(event) for event in server.events) == "".join(json.dumps(json.loads(line)) for line in lines.splitlines())
    assert shop.innerloop("show", "sent").out == lines
    ledger = shop.ledger()
    assert (ledger["recorded"], ledger["acknowledged"]) == (1, 1)
    assert [line["runs"] for line in shop.innerloop("report", "--json").json["commands"]] == [1]


def test_batches_keep_their_bounds_with_many_targets_and_a_run_is_in_one(shop: Developer, server: Recorder) -> None:
    log = HandMade()
    for number in range(60):
        log.line("lib.a", number * 10, number * 10 + 9, make=number)
    for _ in range(12):
        run_with(shop, log)
    assert shop.flush().status == 0
    sizes = [len(request.events) for request in server.requests]
    assert sizes == [9 * 51, 3 * 51]
    for request in server.requests:
        assert len(request.content) <= 500_000
        numbers = {event["properties"]["run"] for event in request.events}
        assert len(numbers) == len(request.events) / 51
    assert shop.ledger()["acknowledged"] == 12


# the log


def logs(developer: Developer) -> list[Path]:
    return developer.place("targets")


def test_the_log_stays_for_its_developer_when_the_run_has_left(shop: Developer) -> None:
    log = HandMade()
    log.line("test", 0, 1)
    run_with(shop, log)
    before = [path.read_bytes() for path in logs(shop)]
    shop.flush()
    assert [path.read_bytes() for path in logs(shop)] == before != [b""]


def test_old_logs_and_all_but_two_hundred_are_deleted_but_never_one_that_waits(shop: Developer) -> None:
    shop.run("make", "test")
    (waiting,) = shop.place("new")
    now = time.time()
    ages = {f"{number:08x}-0000-4000-8000-000000000000": float(number) for number in range(230)}
    ages |= {"f" * 8 + "-0000-4000-8000-000000000000": 31 * DAY, waiting.name: 40 * DAY}
    for name, age in ages.items():
        path = shop.spool / "targets" / name
        path.write_bytes(b"")
        os.utime(path, (now - age, now - age))
    shop.edit(project={"remotes": ["example.org/shop"]})  # nothing is sealed now: this clone is none of the project's
    shop.make_delivery_due()
    assert shop.innerloop("deliver").status == 0
    left = {path.name for path in logs(shop)}
    assert left == {waiting.name, *sorted(set(ages) - {waiting.name})[:200]}


@pytest.mark.parametrize("way", ["opt-out", "no", "forget"])
def test_whoever_leaves_leaves_no_log(shop: Developer, way: str) -> None:
    log = HandMade()
    log.line("test", 0, 1)
    run_with(shop, log)
    shop.flush()
    run_with(shop, log)
    assert len(logs(shop)) == 2
    said: Any = {
        "opt-out": shop.opt_out,
        "no": lambda: shop.edit(fields={"git_commit_time": True}).opt_in("no"),
        "forget": lambda: shop.at_terminal(shop.command, "forget", types=[("Type yes: ", "yes")]),
    }[way]()
    assert isinstance(said, Said) or said.status == 0
    assert [path for path in shop.state.rglob("*") if path.is_file() and path.parent.name == "targets"] == []


def test_a_run_of_another_answer_is_dropped_with_its_log(shop: Developer) -> None:
    log = HandMade()
    log.line("test", 0, 1)
    identity = run_with(shop, log)
    (record,) = shop.place("new")
    record.write_text(re.sub(r"(?m)^serial .*$", "serial another", record.read_text()))
    assert shop.pending() == []
    assert shop.ledger()["dropped"] == {"withdrawn": 1}
    assert not (shop.spool / "targets" / identity).exists()


# the run's own name


def test_a_make_in_a_directory_with_names_of_its_own_is_called_by_them(shop: Developer) -> None:
    api, web = shop.directory / "services" / "api", shop.directory / "web"
    for place in (api, web):
        place.mkdir(parents=True)
        (place / "Makefile").write_text("test build:\n\t@true\n")
    for command, directory in (
        (("make", "test"), api), (("make", "build"), api), (("make", "-C", "services/api", "test"), shop.directory),
        (("make", "-C", "../services/api/", "test"), web), (("make", "test"), web), (("make", "test"), shop.directory),
    ):  # fmt: skip
        assert shop.run(*command, cwd=directory).status == 0

    def names() -> list[str]:
        return [one["properties"]["command"] for one in shop.pending() if one["event"] == "innerloop.run"]

    expected = ["services/api:test", "other", "services/api:test", "services/api:test", "test", "test"]
    assert sorted(names()) == sorted(expected)
    assert shop.run("make", "build", name="test", cwd=api).status == 0  # a name that was given is that name anywhere
    assert sorted(names()) == sorted([*expected, "test"])


@pytest.mark.parametrize(("directory", "root"), [("/", ""), ("/", "//"), ("", "/a"), ("a", "/a"), ("/srv", "//srv")])
@pytest.mark.timeout(5)
def test_a_directory_that_is_not_below_a_project_is_looked_at_once(directory: str, root: str) -> None:
    assert not target_events._belongs(directory, root)
