"""Whoever follows a build from inside its processes, or traces it, sees what they would see without us."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.needs import need
from tests.probe.conftest import Since, Stage

HERE = Path(__file__).resolve().parent
# Two lines that make starts by itself, one that needs a shell, a sub-make, and a function.
MAKEFILE = """\
all: a b c ; @$(MAKE) -s d; : $(shell /bin/echo x)
a: ; @/bin/echo -n a
b: ; @/usr/bin/env true
c: ; @x=c; /bin/echo $$x
d: ; @/bin/true d
"""


@pytest.fixture(scope="session")
def spy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library to preload."""
    library = tmp_path_factory.mktemp("spy") / "spy.so"
    cache = str(ROOT / ".cache" / "zig")
    command = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "spy.c"]
    subprocess.run(command, check=True, env=os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache})
    return library


def noted(stage: Stage, spy: Path, *, measured: bool) -> list[str]:
    notes = stage.base / "notes"
    notes.write_text("")
    run = stage.measured if measured else stage.bare
    assert 0 == run(LD_PRELOAD=str(spy), SPY=str(notes)).status
    return notes.read_text().splitlines()


@pytest.mark.slow
def test_a_library_that_is_preloaded_sees_each_program_that_a_build_starts(stage: Stage, spy: Path) -> None:
    stage.write(MAKEFILE)
    bare = noted(stage, spy, measured=False)

    assert {"/bin/echo -n a ", "/usr/bin/env true ", "/bin/echo c ", "/bin/true d "} <= set(bare), "the spy sees something"
    assert bare == noted(stage, spy, measured=True)
    assert [] == stage.lines()


@pytest.mark.parametrize("name", ["LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES"])
def test_a_variable_that_is_empty_or_the_makefiles_own_hides_nothing(stage: Stage, name: str) -> None:
    """What a Makefile exports reaches the lines' processes, with us as without us, and not make."""
    stage.write(f'export {name} :=\nall: ; @echo "[$${name}]"\n')
    stage.same(**{name: ""})

    assert ["all"] == stage.targets()


@pytest.mark.parametrize("name", ["LD_AUDIT", "DYLD_INSERT_LIBRARIES"])
def test_the_probe_steps_aside_for_other_ways_to_preload(stage: Stage, name: str) -> None:
    stage.write("all: ; @echo x\n")
    stage.measured(**{name: "/nowhere.so"})

    assert [] == stage.lines()


def test_a_line_that_preloads_by_itself_does_so(stage: Stage, spy: Path, version: tuple[int, ...]) -> None:
    notes = stage.base / "notes"
    stage.write(
        f"export LD_PRELOAD := {spy}\nexport SPY := {notes}\nall: ; @/bin/sh -c '/bin/echo seen; :'\nb: ; @/usr/bin/env /bin/echo b\n"
    )
    seen = []
    for run in (stage.bare, stage.measured):
        notes.write_text("")
        assert "seen\nb\n" == run("all", "b").out
        seen.append(notes.read_text())

    assert "/bin/echo seen" in seen[0]
    assert seen[0] == seen[1]
    assert stage.targets() == (["all", "b"] if version >= (4, 2) or version < (4, 0) else []), (
        "4.0 and 4.1 need the other mode, which would be seen"
    )


def traced(stage: Stage, strace: str, env: dict[str, str]) -> list[str]:
    out = stage.base / "trace"
    words = [strace, "-f", "-qq", "-s", "200", "-e", "trace=execve", "-o", out, "make"]
    subprocess.run(words, cwd=stage.work, env=env | {"PATH": os.environ["PATH"]}, check=True, capture_output=True)
    calls = [line.split(" ", 1)[1].strip() for line in out.read_text().splitlines() if "execve(" in line]
    return [call[: call.rindex("], ")] for call in calls if "], " in call]


def test_a_tracer_sees_the_calls_that_it_would_see_without_us(stage: Stage, since: Since) -> None:
    since(4, 2)
    strace = need("strace")
    stage.write(MAKEFILE)
    bare = traced(stage, strace, {"LC_ALL": "C"})

    assert 5 < len(bare)
    assert bare == traced(stage, strace, stage.env())
    assert [] == stage.lines()


@pytest.mark.parametrize("tool", ["fakeroot", "faketime", "bear"])
def test_a_tool_that_preloads_finds_what_it_finds_without_us(stage: Stage, tool: str) -> None:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed: it is NOT tried beside the probe (a library of our own is)")
    stage.write(
        "all: a.o b.o ; @id -u; date +%Y; touch made; chown 0:0 made; stat -c %u made\n%.o: %.c ; gcc -c -o $@ $<\nb.o: b.c\n\td=.; gcc -c -o $@ $$d/$<\n"
    )
    for name in "ab":
        stage.write(f"int {name};\n", f"{name}.c")
    words = {"fakeroot": [found], "faketime": [found, "2001-02-03"], "bear": [found, "--output", "commands.json", "--"]}[tool]
    ends = []
    for env in (stage.env() | {"MAKEFILES": "", "__innerloop": ""}, stage.env()):
        for made in stage.work.glob("*.o"):
            made.unlink()
        (stage.work / "commands.json").unlink(missing_ok=True)
        done = subprocess.run(
            [*words, "make"],
            cwd=stage.work,
            env=env | {"PATH": os.environ["PATH"], "HOME": str(stage.base)},
            capture_output=True,
            text=True,
            check=True,
        )
        commands = stage.work / "commands.json"
        ends.append((done.stdout, commands.read_text() if commands.exists() else ""))

    assert ends[0] == ends[1]
    assert [] == stage.lines()
