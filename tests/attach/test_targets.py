"""Whichever way a make was started, its targets are in the run's log; whatever is missing, make runs as without us."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.attach.test_attach import make, recorded, watchers
from tests.transparency.developer import Developer
from tests.transparency.stage import Ended, eventually

TREE = """\
all: first second
first: ; @echo first
second: first below ; @echo second
below: ; @$(MAKE) --no-print-directory -C sub one
shell: ; @echo $(SHELL)
fail: ; @exit 3
"""
SUB = "one: ; @echo one; make --no-print-directory two\ntwo: ; @echo two\n"


class Line(NamedTuple):
    """One recipe line that started."""

    id: str
    up: str
    target: str
    status: str  # empty: it did not end


def lines(developer: Developer) -> list[Line]:
    """What the newest target log says."""
    logs = sorted((developer.spool / "targets").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    ended, found = {}, []
    for text in logs[-1].read_text().splitlines():
        fields = text.split("\t")
        if fields[0] == "e":
            ended[fields[1]] = fields[3]
        else:
            found.append(fields)
    return [Line(fields[1], fields[2], fields[8], ended.get(fields[1], "")) for fields in found]


def attached(developer: Developer, *words: str) -> Ended:
    return make(developer, *words)


def launched(developer: Developer, *words: str) -> Ended:
    return developer.stage("run").run("make", *words)


def scripted(developer: Developer, *words: str) -> Ended:
    """A script that is measured as a command, and calls make."""
    return developer.stage("run").run("sh", "-c", 'make "$@"', "sh", *words)


WAYS = [attached, launched, scripted]


@pytest.fixture
def tree(somebody: Developer) -> Developer:
    (somebody.project / "Makefile").write_text(TREE)
    (somebody.project / "sub").mkdir()
    (somebody.project / "sub" / "Makefile").write_text(SUB)
    return somebody


@pytest.mark.parametrize("way", WAYS)
def test_every_target_that_ran_is_in_the_log_with_the_line_above_it(tree: Developer, way: Callable[..., Ended]) -> None:
    assert Ended(0, b"first\none\ntwo\nsecond\n", b"") == way(tree, "all")

    recorded(tree)
    found = {line.target: line for line in lines(tree)}
    assert {"first", "below", "one", "two", "second"} == set(found)
    assert ("", "", "", found["below"].id, found["one"].id) == tuple(found[name].up for name in ("first", "second", "below", "one", "two"))
    assert {"0"} == {line.status for line in found.values()}
    assert 1 == tree.recorded()


@pytest.mark.parametrize("way", WAYS)
def test_the_default_goal_is_the_projects(tree: Developer, way: Callable[..., Ended]) -> None:
    assert Ended(0, b"first\none\ntwo\nsecond\n", b"") == way(tree)

    recorded(tree)
    assert 5 == len(lines(tree))


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_is_in_the_log(tree: Developer, way: Callable[..., Ended]) -> None:
    assert 2 == way(tree, "fail").status

    assert [("fail", "3")] == [(line.target, line.status) for line in lines(tree)]


def test_switched_off_by_its_developer_runs_are_recorded_and_targets_are_not(tree: Developer) -> None:
    make(tree, "all", INNERLOOP_PROBE="off")

    recorded(tree)
    assert [] == list((tree.spool / "targets").iterdir())


def test_leaving_takes_the_logs_along_and_no_recipe_makes_them_anew(tree: Developer) -> None:
    (tree.project / "Makefile").write_text("test: ; @echo ready; sleep 1\n\t@echo later\n")
    with tree.stage("make", []).start("make", "test") as running:
        running.see(b"ready")
        assert [line.target for line in lines(tree)] == ["test"]
        assert 0 == tree.stage("leave", [str(tree.innerloop)]).run("opt-out").status
        assert Ended(0, b"ready\nlater\n", b"") == running.end()

    assert eventually(lambda: watchers(tree) == [])
    assert [] == list((tree.state / "spool").rglob("targets/*"))


def test_the_package_may_go_while_make_runs(tree: Developer, tmp_path: Path) -> None:
    """What make needs is kept beside the spool, so `uv tool uninstall` in the middle breaks no recipe."""
    shell = next((tree.state / "probe").iterdir()) / "sh"

    assert shell.is_file()
    assert tree.innerloop.resolve().parent.parent not in shell.resolve().parents
    assert tmp_path in shell.parents


@pytest.mark.parametrize("harm", ["missing", "not executable"])
@pytest.mark.parametrize("way", WAYS)
def test_a_broken_shim_breaks_no_build(tree: Developer, way: Callable[..., Ended], harm: str) -> None:
    for directory in (tree.state / "probe").iterdir():
        for path in directory.rglob("*"):
            if path.suffix == ".mk" or path.is_dir():
                continue
            path.unlink()
            if harm != "missing":
                path.touch(0o600)

    assert Ended(0, b"first\none\ntwo\nsecond\n", b"") == way(tree, "all")
    assert 1 == len(recorded(tree))


@pytest.mark.parametrize("options", ["noexec", "ro", "size=1m"])
@pytest.mark.parametrize("way", WAYS)
def test_where_the_state_is_kept_does_not_matter_to_a_build(tree: Developer, way: Callable[..., Ended], options: str) -> None:
    """Not executable, read-only, full: in a mount namespace of its own."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("no mount namespaces here: noexec, read-only and full state directories were not tried")
    words = {attached: "make all", launched: "innerloop run -- make all", scripted: "innerloop run -- sh -c 'make all'"}[way]
    kept = tree.home.parent / "kept"
    shutil.copytree(tree.state, kept, symlinks=True)
    script = f"""set -e
mount -t tmpfs -o mode=700,{options if options.startswith("size") else "rw"} none {tree.state}
cp -a {kept}/. {tree.state}/
case {options} in size*) dd if=/dev/zero of={tree.state}/filler bs=1k count=2000 2>/dev/null || true ;; *) mount -o remount,{options} {tree.state} ;; esac
exec {words}"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=tree.project, env=tree.env, capture_output=True, check=False)

    assert Ended(0, b"first\none\ntwo\nsecond\n", b"") == Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("goal", "status"), [("all", 0), ("fail", 2)])
def test_a_status_that_nobody_could_read_is_inferred_and_marked_so(tree: Developer, goal: str, status: int) -> None:
    """As on a kernel that tells it to the parent alone."""
    make(tree, goal)
    recorded(tree)
    (record,) = (tree.spool / "new").iterdir()
    text = record.read_text()
    record.write_text(text.replace(f"\nend {status} ", "\nend - "))
    assert text != record.read_text()
    for _ in ("as recorded", "as sealed"):
        shown = tree.stage("look", [str(tree.innerloop)]).run("timeline", "--json").out
        assert (status, "inferred") == (json.loads(shown)["exit_status"], json.loads(shown)["exit"])
        tree.stage("flush", [str(tree.innerloop)]).run("flush")
    sealed = next((tree.spool / "sealed").iterdir()).read_text().splitlines()[1]
    assert status == json.loads(sealed)["properties"]["exit_status"]
