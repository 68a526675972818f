"""What seeing make's targets costs: per recipe line, per make and in a real build, beside bare make and the founding way.

usage: python benchmarks/probe.py [--quick] [--json] [--realtime] [--installed DIRECTORY]

All of it is taken side by side, in random order with a fixed seed, so that whatever else the machine does hits all
alike. A cost per line is (measured - bare) / lines of one round, divided by what spawning `true` takes in the same
round; the figure is the median over the rounds. A real build is compared by the cpu time of its whole tree, pair by pair,
with a bootstrap interval; its wall time says nothing on a machine that does other things as well. It ends with status 0 whatever the
figures are.

The founding way is a stand-in: each target's recipe goes through a Python script that imports what a sender of metrics
needs, runs the command with subprocess, asks git twice and posts one event to a server on this machine.
"""

import argparse
import http.server
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.launcher import hire_everybody, install  # noqa: E402 (the path comes first)
from innerloop.core.probe import place  # noqa: E402
from innerloop.tools.setup import gnumakefile  # noqa: E402
from tests.conformance.ways import Core, force  # noqa: E402
from tests.kept import member  # noqa: E402
from tests.transparency.developer import Developer  # noqa: E402

LINES = 2000
FOUNDING_LINES = 20  # a line of it takes some 100 ms
SPAWNS = 200
PAIRS = 30
SEED = 1
FOUNDING = """
import argparse, datetime, json, os, subprocess, sys, time, urllib.request, uuid
start = time.time()
status = subprocess.run(sys.argv[2:]).returncode
for words in (["rev-parse", "--abbrev-ref", "HEAD"], ["log", "-1", "--format=%cI"]):
    subprocess.run(["git", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
event = {"event": "command.run", "userId": str(uuid.uuid4()), "duration": time.time() - start, "status": status}
request = urllib.request.Request(sys.argv[1], json.dumps(event).encode(), {"Content-Type": "application/json"})
urllib.request.urlopen(request, timeout=8).read()
sys.exit(status)
"""


class Cost(NamedTuple):
    """What is compared with a budget."""

    title: str
    value: float
    unit: str
    budget: "float | None"
    note: str = ""

    @property
    def verdict(self) -> str:
        """Say whether it is kept."""
        return "" if self.budget is None else "met" if self.value <= self.budget else "MISSED"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes an event and says nothing."""

    def do_POST(self) -> None:
        """Read all of it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What seeing make's targets costs.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to see that it works")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--installed", type=Path, help="what tools/install_wheels.py made; by default it is made now")
    parser.add_argument("--realtime", action="store_true", help="run before everything else on this machine (root only)")
    arguments = parser.parse_args()
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    with tempfile.TemporaryDirectory(prefix="innerloop-bench-") as name:
        core = Core(Path(name))
        costs = [*per_line(core, quick=arguments.quick)]
        costs += real_build(core, per_line=costs[0].value, quick=arguments.quick)
        costs += per_make(Path(name), arguments.installed, quick=arguments.quick)
    print(json.dumps([cost._asdict() | {"verdict": cost.verdict} for cost in costs], indent=2) if arguments.json else table(costs))
    return 0


# ---- per recipe line -------------------------------------------------------------------------------------------------


def per_line(core: Core, *, quick: bool) -> list[Cost]:
    """What one line of `true` costs in each mode, in units of spawning `true`."""
    lines, rounds = (LINES // 10, 3) if quick else (LINES, 7)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    runs = line_runs(core, lines, f"http://127.0.0.1:{server.server_address[1]}/")
    taken = interleaved(runs, rounds)
    server.shutdown()
    spawn = [seconds / SPAWNS for seconds in taken["spawn"]]
    bare = {"true": taken["bare"], "few": taken["bare, few lines"]}
    budgets = (("shell", "SHELL mode", 0.6), ("flags", "FLAGS mode", 2.2), ("fallback", "the shim in sh", 1.6))
    costs = [
        Cost(f"per recipe line, {title}", added(taken[name], bare["true"], lines, spawn), "x spawn", budget)
        for name, title, budget in budgets
    ]
    founding = added(taken["founding"], bare["few"], FOUNDING_LINES, spawn)
    note = f"spawning `true` takes {statistics.median(spawn) * 1000:.2f} ms, a line of bare make {statistics.median(bare['true']) / lines * 1000:.2f} ms"
    return [*costs, Cost("per recipe line, the founding way", founding, "x spawn", None, note)]


def added(measured: list[float], bare: list[float], lines: int, spawn: list[float]) -> float:
    """The median over the rounds of what a line costs more, in spawns."""
    return statistics.median((one - other) / lines / unit for one, other, unit in zip(measured, bare, spawn, strict=True))


def line_runs(core: Core, lines: int, address: str) -> dict[str, Callable[[], float]]:
    """Everything that is timed, by name; each returns seconds."""
    core.project.mkdir(exist_ok=True)
    names = " ".join(f"t{number}" for number in range(lines))
    few = " ".join(f"t{number}" for number in range(FOUNDING_LINES))
    script = core.base / "founding.py"
    script.write_text(FOUNDING)
    rule = f".PHONY: all {names}\nall: {{0}}\n{names}: ; @{{1}}\n"
    for name, goals, recipe in (
        ("Makefile", names, "true"),
        ("few.mk", few, "true"),
        ("founding.mk", few, f"{sys.executable} {script} {address} true"),
    ):
        (core.project / name).write_text(rule.format(goals, recipe))
    runs: dict[str, Callable[[], float]] = {
        "spawn": spawn_true,
        "bare": lambda: make(core, None),
        "bare, few lines": lambda: make(core, None, "few.mk"),
        "founding": lambda: make(core, None, "founding.mk"),
    }
    for mode in ("shell", "flags", "fallback"):
        probe = core.way(mode).probe if mode != "fallback" else str(fallback(core))
        runs[mode] = lambda probe=probe: make(core, probe)  # type: ignore[misc]
    return runs


def fallback(core: Core) -> Path:
    """The probe with the shim in sh, in SHELL mode."""
    return core.changed("fallback", {"shim": (Path(place.HERE) / "shim.sh").read_text(), "probe.mk": force("shell")})


def spawn_true() -> float:
    """Spawn `true` many times; the time of all of them."""
    began = time.perf_counter()
    for _ in range(SPAWNS):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return time.perf_counter() - began


def make(core: Core, probe: "str | None", file: str = "Makefile", *words: str) -> float:
    """Run make once, measured by a probe or bare; return its wall time."""
    env = core.env
    if probe:
        log = core.base / "log"
        log.write_bytes(b"")
        env = env | {"MAKEFILES": f"{probe}/probe.mk", "__innerloop": member(log)}
    began = time.perf_counter()
    subprocess.run(
        ["make", "-f", file, *words], cwd=core.project, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    took = time.perf_counter() - began
    if probe and not log.stat().st_size:
        sys.exit(f"nothing was seen with {probe}")
    return took


def interleaved(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run everything in random order, round by round; the first round warms up and does not count."""
    chance = random.Random(SEED)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for count in range(rounds + 1):
        for name in chance.sample(list(runs), len(runs)):
            seconds = runs[name]()
            if count:
                taken[name].append(seconds)
    return taken


# ---- a real build ----------------------------------------------------------------------------------------------------


def real_build(core: Core, per_line: float, *, quick: bool) -> list[Cost]:
    """Lua with -j2: what its lines come to, and the paired cpu time of the whole tree."""
    source = ROOT / ".cache" / "lua-5.1"
    if not source.is_dir():
        sys.exit("Lua's sources are missing. Try: make setup")
    probe, chance, pairs = core.way("probe").probe, random.Random(SEED), []
    for _ in range(3 if quick else PAIRS):
        cpu = {}
        for name in chance.sample(["bare", "measured"], 2):
            shutil.rmtree(core.project)
            shutil.copytree(source, core.project)
            before = cpu_of_children()
            make(core, probe if name == "measured" else None, "Makefile", "-j2", "posix")
            cpu[name] = cpu_of_children() - before
        pairs.append((cpu["bare"], cpu["measured"]))
    lines = (core.base / "log").read_bytes().count(b"b\t")
    spawn = spawn_true() / SPAWNS
    bare = statistics.median(first for first, _ in pairs)
    low, middle, high = interval([second / first - 1 for first, second in pairs], chance)
    note = f"{lines} lines, {bare:.2f} s of cpu, {len(pairs)} pairs, median {middle:+.2%}, 95 % [{low:+.2%}, {high:+.2%}]"
    return [
        Cost("Lua with -j2: lines x cost per line", 100 * lines * per_line * spawn / bare, "%", 1.0),
        Cost("Lua with -j2: cpu, upper 95 % bound", 100 * high, "%", 3.0, note),
    ]


def cpu_of_children() -> float:
    """Seconds of cpu of everything that ended below us."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def interval(values: list[float], chance: random.Random) -> tuple[float, float, float]:
    """The median with its bootstrap interval."""
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(2000))
    return medians[49], statistics.median(values), medians[1949]


# ---- per make --------------------------------------------------------------------------------------------------------


def per_make(directory: Path, installed: "Path | None", *, quick: bool) -> list[Cost]:
    """What a GNUmakefile costs a make of one line: without consent, and with a watcher left behind."""
    people = hire_everybody(installed or install(directory / "installed"), directory, os.open(os.devnull, os.O_RDWR))
    runs: dict[str, Callable[[], float]] = {}
    for name in ("measured", "unasked"):
        (people[name].project / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
        runs[name] = lambda person=people[name]: one_make(person, "GNUmakefile")  # type: ignore[misc]
    runs["bare"] = lambda: one_make(people["unasked"], "Makefile")
    taken = interleaved(runs, 10 if quick else 100)
    milliseconds = {
        name: 1000 * statistics.median(one - other for one, other in zip(taken[name], taken["bare"], strict=True))
        for name in ("unasked", "measured")
    }
    executed = {file: execve(people["unasked"], file) for file in ("GNUmakefile", "Makefile")}
    note = f"bare make of one line: {1000 * statistics.median(taken['bare']):.2f} ms"
    return [
        Cost("per make, GNUmakefile without consent", milliseconds["unasked"], "ms", 0.2, note),
        Cost("per make, GNUmakefile without consent: programs executed more", executed["GNUmakefile"] - executed["Makefile"], "", 0),
        Cost("per make, attached to (one interpreter, a watcher, one line)", milliseconds["measured"], "ms", None),
    ]


def one_make(person: Developer, file: str) -> float:
    """Run a make of one line."""
    argv = ["make", "a"] if file == "GNUmakefile" else ["make", "-f", file, "a"]
    began = time.perf_counter()
    subprocess.run(argv, cwd=person.project, env=person.env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def execve(person: Developer, file: str) -> int:
    """Count the programs that a make of one line executes, where strace can."""
    strace = shutil.which("strace")
    if strace is None:
        return 0
    argv = ["make", "a"] if file == "GNUmakefile" else ["make", "-f", file, "a"]
    trace = [strace, "-f", "-qq", "-e", "trace=execve", "-o", "/dev/stderr", *argv]
    done = subprocess.run(trace, cwd=person.project, env=person.env, capture_output=True, text=True, check=True)
    return sum("execve(" in line and line.rstrip().endswith("= 0") for line in done.stderr.splitlines())


def table(costs: list[Cost]) -> str:
    """The figures for people."""
    lines = []
    for cost in costs:
        budget = "" if cost.budget is None else f"(budget {cost.budget:g})  {cost.verdict}"
        lines.append(f"  {cost.title:<66} {cost.value:>7.2f} {cost.unit:<8} {budget}".rstrip())
        lines += [f"      {cost.note}"] if cost.note else []
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
