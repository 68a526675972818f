"""Variables outlive the run that set them: what is started with them later is a run of its own, and an ended run gets nothing more."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attach.test_attach import recorded
from tests.attach.test_targets import lines
from tests.kept import keep, member
from tests.transparency.developer import Developer, hire
from tests.transparency.stage import eventually

# `up` starts a shell that outlives it, as tmux, screen, an IDE or `nohup` do; what is written into `in` is typed there.
MAKEFILE = """\
build: one ; @echo build
one: ; @echo one
up: ; @setsid -f bash server </dev/null >/dev/null 2>&1
dev: ; @setsid -f bash server </dev/null >/dev/null 2>&1; touch up; while [ ! -e down ]; do sleep 0.02; done
late: ; @touch waits; while [ ! -e go ]; do sleep 0.02; done; $(MAKE) build; touch gone
"""
SERVER = "trap '' HUP; echo $$ >pid; while read -r line <in; do eval \"$line\" >said 2>&1; echo $? >done.new; mv done.new done; done\n"


class Pane:
    """The shell that a recipe started."""

    def __init__(self, developer: Developer) -> None:
        """Prepare what it needs."""
        self.at = developer.project
        (self.at / "Makefile").write_text(MAKEFILE)
        (self.at / "server").write_text(SERVER)
        os.mkfifo(self.at / "in")

    def type(self, line: str) -> str:
        """Run a line there; return what it said."""
        (self.at / "done").unlink(missing_ok=True)
        assert eventually((self.at / "pid").exists)
        (self.at / "in").write_text(line + "\n")
        assert eventually((self.at / "done").exists)
        assert "0" == (self.at / "done").read_text().strip(), (self.at / "said").read_text()
        return (self.at / "said").read_text()

    def close(self) -> None:
        """End it."""
        if (self.at / "pid").exists():
            os.kill(int((self.at / "pid").read_text()), signal.SIGKILL)


@pytest.fixture
def pane(somebody: Developer) -> Iterator[Pane]:
    """A pane of somebody's, closed in the end."""
    pane = Pane(somebody)
    yield pane
    pane.close()


def run(developer: Developer, way: str, goal: str) -> None:
    assert 0 == developer.stage(way, [str(developer.innerloop), "run", "--"] if way == "launched" else []).run("make", goal).status


def logs(developer: Developer) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (developer.spool / "targets").iterdir()}


@pytest.mark.parametrize("way", ["attached", "launched"])
def test_what_is_typed_in_a_shell_that_outlived_its_run_is_recorded_and_the_run_gets_nothing_more(
    somebody: Developer, pane: Pane, way: str
) -> None:
    run(somebody, way, "up")
    recorded(somebody)
    before = logs(somebody)
    assert "make[1]" in pane.type("make -w build"), "MAKELEVEL is that of the run that ended"
    pane.type("innerloop run -- make build")
    pane.type("innerloop run -- true")

    assert ["up", "build", "build", "true"] == [one.local for one in recorded(somebody, 4)]
    after = logs(somebody)
    assert before == {name: text for name, text in after.items() if name in before}
    assert 3 == len(after)
    assert ["one", "build"] == [line.target for line in lines(somebody)]
    assert {"0"} == {line.status for line in lines(somebody)}


@pytest.mark.parametrize("way", ["attached", "launched"])
def test_what_is_typed_in_a_shell_of_its_own_beside_a_run_that_goes_on_is_recorded_too(somebody: Developer, pane: Pane, way: str) -> None:
    words = [str(somebody.innerloop), "run", "--", "make", "dev"] if way == "launched" else ["make", "dev"]
    with subprocess.Popen(words, cwd=somebody.project, env=somebody.env) as outer:
        assert eventually((somebody.project / "up").exists)
        pane.type("make build")
        pane.type("innerloop run -- make build")
        (somebody.project / "down").touch()
        assert 0 == outer.wait(20)

    assert sorted(["build", "build", "dev"]) == sorted(one.local for one in recorded(somebody, 3))
    seen = sorted(text.count(b"b\t") for text in logs(somebody).values())
    assert [1, 2, 2] == seen


def test_a_run_whose_launcher_was_killed_gets_nothing_more(somebody: Developer, pane: Pane) -> None:
    del pane
    words = [str(somebody.innerloop), "run", "--", "make", "late"]
    with subprocess.Popen(words, cwd=somebody.project, env=somebody.env) as outer:
        assert eventually((somebody.project / "waits").exists)
        (before,) = logs(somebody).values()
        outer.kill()
    (somebody.project / "go").touch()
    assert eventually((somebody.project / "gone").exists)

    assert before.startswith(b"b\t")
    assert [before] == list(logs(somebody).values())


def test_a_level_that_no_make_is_above_counts_for_nothing(somebody: Developer, pane: Pane) -> None:
    del pane
    for words in (["make", "build"], [str(somebody.innerloop), "run", "--", "make", "build"], [str(somebody.innerloop), "run", "true"]):
        subprocess.run(words, cwd=somebody.project, env=somebody.env | {"MAKELEVEL": "1"}, check=True, capture_output=True)

    assert ["build", "build", "true"] == [one.local for one in recorded(somebody, 3)]


def test_a_make_below_one_that_is_not_measured_is_no_run(somebody: Developer, pane: Pane) -> None:
    del pane
    (somebody.project / "outer.mk").write_text("all: ; @$(MAKE) build; innerloop run -- true; cd . && make one\n")
    subprocess.run(["make", "-f", "outer.mk"], cwd=somebody.project, env=somebody.env, check=True, capture_output=True)

    assert 0 == somebody.recorded()


def test_a_variable_that_names_a_living_process_and_a_living_run_makes_nobody_a_member(somebody: Developer, pane: Pane) -> None:
    """Process ids are used again: it has to be one above us."""
    del pane
    run(somebody, "launched", "one")
    (finished,) = logs(somebody)
    log = somebody.spool / "targets" / finished
    lock = keep(log)
    before = log.read_bytes()
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        for words in (["make", "build"], [str(somebody.innerloop), "run", "--", "make", "build"]):
            env = somebody.env | {"__innerloop": f"{sleeper.pid}:{log}", "MAKELEVEL": "1"}
            subprocess.run(words, cwd=somebody.project, env=env, check=True, capture_output=True)
            (somebody.project / "GNUmakefile").unlink(missing_ok=True)  # which would ask once more
        sleeper.kill()
    os.close(lock)

    assert ["one", "build", "build"] == [one.local for one in recorded(somebody, 3)]
    assert before == log.read_bytes()
    assert [1, 2, 2] == sorted(text.count(b"b\t") for text in logs(somebody).values())


def test_a_process_above_us_makes_nobody_a_member_of_a_run_that_ended(somebody: Developer, pane: Pane) -> None:
    del pane
    run(somebody, "launched", "one")
    (finished,) = logs(somebody)
    log = somebody.spool / "targets" / finished
    before = log.read_bytes()
    words = [str(somebody.innerloop), "run", "--", "make", "build"]
    subprocess.run(words, cwd=somebody.project, env=somebody.env | {"__innerloop": member(log)}, check=True, capture_output=True)

    assert ["one", "build"] == [one.local for one in recorded(somebody, 2)]
    assert before == log.read_bytes()
    assert ["one", "build"] == [line.target for line in lines(somebody)]


def test_a_run_of_another_project_gets_no_targets_of_this_one(somebody: Developer, pane: Pane, tmp_path: Path) -> None:
    del pane
    (tmp_path / "other").mkdir()
    other = hire(somebody.innerloop, tmp_path / "other", "yes")
    (other.project / "Makefile").write_text(MAKEFILE)
    log = somebody.spool / "targets" / "00000000-0000-4000-8000-000000000000"
    lock = keep(log)
    env = other.env | {"__innerloop": member(log)}
    subprocess.run([str(other.innerloop), "run", "--", "make", "build"], cwd=other.project, env=env, check=True, capture_output=True)
    os.close(lock)

    assert b"" == log.read_bytes()
    assert ["one", "build"] == [line.target for line in lines(other)]
