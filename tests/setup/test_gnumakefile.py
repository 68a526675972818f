"""A GNUmakefile of ours changes nothing that make shows, for a colleague who has no innerloop, and for one who has."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from innerloop.tools.setup import gnumakefile
from tests.setup.conftest import Repository, programs
from tests.transparency.developer import Developer
from tests.transparency.stage import Ended

SHOWS = """\
$(info parse [$(MAKEFILE_LIST)] [$(firstword $(MAKEFILE_LIST))] [$(lastword $(MAKEFILE_LIST))] [$(.DEFAULT_GOAL)] [$(origin MAKEFILE_LIST)])
first: second ; @echo 'first [$(MAKEFILE_LIST)] [$(.DEFAULT_GOAL)]' && touch first
second: ; @echo second $@ $(MAKELEVEL) && touch second
help: ; @grep -h second: $(MAKEFILE_LIST)
sub: ; @$(MAKE) --no-print-directory help
fails: ; @exit 3
environment: ; @env | grep -v -e ^MAKEFILES= -e ^__innerloop= | sort
"""
CATCH_ALL = "force: ;\n%: force ; @echo caught $@\n" + SHOWS
DOUBLE_COLON = SHOWS + "%:: ; @echo caught $@\n%:: Makefile ; @echo caught $@\n"
DEFAULT = SHOWS + ".DEFAULT: ; @echo default $@\n"
EXPORTED = ".EXPORT_ALL_VARIABLES:\n" + SHOWS
SECOND = ".SECONDEXPANSION:\n.POSIX:\n" + SHOWS + "x: $$(MAKEFILE_LIST) ; @echo $^\n"
GENERATED = SHOWS + "include generated.mk\ngenerated.mk: ; echo made := yes > $@\n"
KINDS = {
    "plain": SHOWS, "catch-all": CATCH_ALL, "double-colon": DOUBLE_COLON, "default": DEFAULT, "exported": EXPORTED, "second": SECOND,
    "generated": GENERATED, "no-target": "X := 1\n", "goal": ".DEFAULT_GOAL := help\n" + SHOWS, "broken": SHOWS + "oops\n", "empty": "",
}  # fmt: skip
WORDS = [
    [], ["-n"], ["-q"], ["-t"], ["-B"], ["-k", "fails", "second"], ["nosuch"], ["--warn-undefined-variables"], ["help"], ["sub"], ["-j2"], ["-s", "-r", "-R"],
    ["-Bn"], ["-Bt", "second"], ["environment"], ["-e", "help"], ["-w", "second"], ["--trace", "second"], ["-W", "second", "first"], ["x"],
]  # fmt: skip
SILENT_ENVIRONMENTS: dict[str, dict[str, str]] = {
    "usual": {}, "without HOME": {"HOME": ""}, "relative XDG": {"XDG_STATE_HOME": "x"}, "blanks": {"HOME": "/home/a b"},
    "MAKEFILES": {"MAKEFILES": "more.mk"},
}  # fmt: skip


def play(path: Path, words: list[str], env: dict[str, str]) -> tuple[Ended, set[str]]:
    """Run make in a fresh copy and return what was seen, with the files that are there afterwards."""
    stage = path.parent / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(path, stage)
    done = subprocess.run(["make", *words], cwd=stage, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30)
    return Ended(done.returncode, done.stdout, done.stderr), set(os.listdir(stage)) - {"GNUmakefile"}


def both(path: Path, words: list[str], env: dict[str, str]) -> tuple[object, object]:
    """What make shows without our file and with it."""
    bare = play(path, words, env)
    (path / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
    ours = play(path, words, env)
    (path / "GNUmakefile").unlink()
    return bare, ours


@pytest.mark.parametrize("kind", KINDS)
def test_make_shows_the_same_to_a_colleague_without_innerloop(tmp_path: Path, kind: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "Makefile").write_text(KINDS[kind])
    (project / "more.mk").write_text("more: ; @echo more\n")
    for words in WORDS:
        bare, ours = both(project, words, {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})

        assert bare == ours, words


@pytest.mark.parametrize("name", SILENT_ENVIRONMENTS)
def test_it_is_silent_in_every_environment(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "Makefile").write_text(CATCH_ALL)
    (project / "more.mk").write_text("more: ; @echo more\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | SILENT_ENVIRONMENTS[name]
    env = {key: value for key, value in env.items() if value}
    for words in ([], ["--warn-undefined-variables"], ["-k", "help"]):
        bare, ours = both(project, words, env)

        assert bare == ours, words


def test_it_starts_no_process(tmp_path: Path, strace: str) -> None:
    (tmp_path / "Makefile").write_text("test: ; @true\n")
    (tmp_path / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))

    assert ["make", "true"] == programs(
        strace, tmp_path / "trace", ["make"], cwd=tmp_path, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    )


@pytest.mark.parametrize("variable", ["HOME", "XDG_STATE_HOME"])
def test_it_includes_the_file_where_a_developer_agreed(tmp_path: Path, variable: str) -> None:
    state = tmp_path / ("x" if variable == "XDG_STATE_HOME" else ".local/state") / "innerloop"
    state.mkdir(parents=True)
    (state / "attach.mk").write_text("$(info attached)\n")
    (tmp_path / "Makefile").write_text("$(info [$(MAKEFILE_LIST)])\ntest: ; @echo tested\n")
    (tmp_path / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | (
        {"XDG_STATE_HOME": str(tmp_path / "x")} if variable == "XDG_STATE_HOME" else {}
    )
    done = subprocess.run(["make"], cwd=tmp_path, env=env, capture_output=True, check=True)

    assert b"attached\n[Makefile]\ntested\n" == done.stdout.replace(b"[ Makefile]", b"[Makefile]")


def test_a_home_with_blanks_reads_no_other_file(tmp_path: Path) -> None:
    """`/home/a b` must not be read as `/home/a`, which may be somebody else's."""
    for home in ("a", "a b"):
        (tmp_path / home / ".local/state/innerloop").mkdir(parents=True)
        (tmp_path / home / ".local/state/innerloop/attach.mk").write_text("$(info attached)\n")
        (tmp_path / home / "innerloop").mkdir()
        (tmp_path / home / "innerloop/attach.mk").write_text("$(info attached)\n")
    (tmp_path / "Makefile").write_text("test: ; @echo tested\n")
    (tmp_path / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
    for variable in ("HOME", "XDG_STATE_HOME"):
        env = {"PATH": os.environ["PATH"], variable: f"{tmp_path}/a b"}
        done = subprocess.run(["make"], cwd=tmp_path, env=env, capture_output=True, check=True)

        assert (b"tested\n", b"") == (done.stdout, done.stderr)


def test_a_file_that_vanishes_meanwhile_is_nobodys_catch_all(tmp_path: Path) -> None:
    """A developer opts out between make's look and its reading: a catch-all rule of the project must not make that file."""
    (tmp_path / "Makefile").write_text("force: ;\n%: force ; @echo caught $@\ntest: ; @echo tested\n.DEFAULT_GOAL := test\n")
    gone = f"-include {tmp_path}/innerloop/attach.mk"
    lines = gnumakefile.whole("Makefile").decode().splitlines()
    (tmp_path / "GNUmakefile").write_text("\n".join(gone if line.startswith("-include") else line for line in lines))
    done = subprocess.run(["make"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)

    assert b"caught Makefile\ntested\n" == done.stdout


@pytest.mark.parametrize("kind", ["plain", "catch-all", "exported", "goal", "generated"])
def test_a_measured_make_shows_the_same(hire: Callable[[str], Developer], kind: str) -> None:
    developer = hire("yes")
    (developer.project / "Makefile").write_text(KINDS[kind])
    assert (developer.state / "attach.mk").exists()
    for words in ([], ["-n"], ["-k", "fails", "second"], ["help"], ["sub"], ["-B", "-j2"], ["--warn-undefined-variables"], ["environment"]):
        bare, ours = both(developer.project, words, developer.env)

        assert bare == ours, words


OWN = "$(info [$(MAKEFILE_LIST)] [$(lastword $(MAKEFILE_LIST))])\nown: ; @echo own [$(MAKEFILE_LIST)]\ninclude Makefile\n"


@pytest.mark.parametrize("kind", ["plain", "catch-all", "goal"])
def test_a_gnumakefile_of_the_projects_own_is_measured_and_shows_the_same(hire: Callable[[str], Developer], kind: str) -> None:
    developer = hire("yes")
    (developer.project / "GNUmakefile").write_text(KINDS[kind])
    for words in ([], ["-n"], ["help"], ["sub"], ["-B"], ["--warn-undefined-variables"]):
        bare = play(developer.project, words, developer.env)
        (developer.project / "GNUmakefile").write_bytes(gnumakefile.attach(KINDS[kind].encode()))
        ours = play(developer.project, words, developer.env)
        (developer.project / "GNUmakefile").write_text(KINDS[kind])

        assert bare == ours, words


def test_a_gnumakefile_of_the_projects_own_gets_two_lines(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @echo tested\n")
    repository.write("GNUmakefile", OWN)
    before = [repository.run("make", *words) for words in ([], ["test"], ["-n"], ["--warn-undefined-variables"])]
    assert 0 == repository.init().status

    assert OWN.encode() == repository.bytes("GNUmakefile").split(b"\n", 2)[2]
    assert before == [repository.run("make", *words) for words in ([], ["test"], ["-n"], ["--warn-undefined-variables"])]


@pytest.mark.parametrize(
    "text", [b"", b"a: ; x", b"#!/usr/bin/make -f\na: ; x\n", b"\xef\xbb\xbfa: ; x\n", b"a: ; x\r\nb: ; y\r\n", b"#!/usr/bin/make -f"]
)
def test_attaching_and_detaching_leave_every_byte(text: bytes) -> None:
    attached = gnumakefile.attach(text)

    assert gnumakefile.is_attached(attached)
    assert not gnumakefile.is_attached(text)
    assert (text, "", False) == gnumakefile.detach(attached)
    assert attached[:3] == text[:3] or not text.startswith((b"#!/usr/bin/make -f\n", b"\xef"))


POSTGRESQL = "all clean:\n\t@test -f GNUmakefile || { echo 'run ./configure first'; exit 1; }\n\t@unset MAKELEVEL; make $@\n"
RE_ENTRIES = {
    "as PostgreSQL does": POSTGRESQL,
    "env -u": "all: ; @test -f GNUmakefile && env -u MAKELEVEL make $@\n",
    "an empty level": "all: ; @MAKELEVEL= make $@\n",
    "level 0": "all: ; @MAKELEVEL=0 $(MAKE) $@\n",
    "unexported": "unexport MAKELEVEL\nall: ; @test ! -f GNU* || make $@\n",
    "in an included file": "include more.mk\n",
    "a level that is kept": "all: ; @test ! -f GNUmakefile || make $@\n",
    "a script": "all: ; @./script\n",
    "another goal each time": "all: ; @unset MAKELEVEL; make -f GNUmakefile clean\nclean: ; @unset MAKELEVEL; make all\n",
    "keep going": "all: ; -@unset MAKELEVEL; make -k all\n",
}


@pytest.mark.parametrize("kind", RE_ENTRIES)
@pytest.mark.parametrize("answered", ["nothing", "yes"])
def test_a_make_that_would_start_itself_for_ever_ends(hire: Callable[[str], Developer], kind: str, answered: str) -> None:
    """Whatever came into the Makefile after `init`, also for somebody who never agreed to anything; the processes it took are few."""
    developer = hire(answered)
    project, env = developer.project, developer.env
    (project / "Makefile").write_text("all: ; @true\n")
    subprocess.run([developer.innerloop, "init"], cwd=project, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    (project / "Makefile").write_text(RE_ENTRIES[kind])
    (project / "more.mk").write_text(POSTGRESQL)
    (project / "script").write_text("#!/bin/sh\ntest -f GNUmakefile && make all\n")
    (project / "script").chmod(0o755)
    most, shown = watched(["make"], project, env)

    assert most < MOST_PROCESSES
    assert b"make starts itself for ever, because there is a GNUmakefile here" in shown


MOST_PROCESSES = 150


def watched(words: list[str], directory: Path, env: dict[str, str]) -> tuple[int, bytes]:
    """Run a command in a session of its own, and end all of it where it takes too many processes; how many it took, and its errors."""
    most = 0
    with (directory / "shown").open("wb") as shown:
        child = subprocess.Popen(
            words, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=shown, stderr=shown, start_new_session=True
        )
    while child.poll() is None and most < MOST_PROCESSES:
        most = max(most, sum(member(stat, child.pid) for stat in Path("/proc").glob("[0-9]*/stat")))
    for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: one that is killed may have started another meanwhile
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
    child.wait()
    return most, (directory / "shown").read_bytes()


def member(stat: Path, session: int) -> bool:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3]) == session
    except OSError:
        return False


@pytest.mark.parametrize("version", ["3.81", "4.1"])
def test_the_guard_shows_in_no_environment_but_where_it_may_be_needed(tmp_path: Path, version: str) -> None:
    """A mark stands in the environment only where a level could be hidden from make, or where make cannot tell."""
    shown = "all: ; @env | grep -c __innerloop || true\n"
    plain = [shown, f"ifeq (0,$(MAKELEVEL))\n{shown}endif\n", f"ifneq (,${{MAKELEVEL}})\nendif\n{shown}"]
    (tmp_path / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
    for text, expected in [*((text, b"0\n") for text in plain), (f"# unset MAKELEVEL\n{shown}", b"1\n")]:
        (tmp_path / "Makefile").write_text(text)
        done = subprocess.run(["make"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)
        assert (0, expected, b"") == (done.returncode, done.stdout, done.stderr)
    old = subprocess.run(
        ["make", f"MAKE_VERSION={version}"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False
    )
    assert b"1\n" == old.stdout


def test_makes_below_each_other_are_no_loop(tmp_path: Path) -> None:
    """Six directories deep, each with a file of ours and a Makefile that may hide its level."""
    text = (
        "all: ; @echo $(MAKELEVEL); unset MAKELEVEL; test ! -d d || $(MAKE) --no-print-directory -C d && $(MAKE) -s again\nagain: ; @true\n"
    )
    for depth in range(6):
        directory = tmp_path.joinpath(*["d"] * depth)
        directory.mkdir(exist_ok=True)
        (directory / "Makefile").write_text(text)
        (directory / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
    done = subprocess.run(["make"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)

    assert (0, b"0\n" * 6, b"") == (done.returncode, done.stdout, done.stderr)
