"""What innerloop adds to a command's time: ratios to a bare interpreter's start, measured side by side.

usage: python benchmarks/launcher.py [--rounds N] [--json] [--realtime] [--installed DIRECTORY]

Every round runs each command once, in random order, so that whatever else the machine does hits all of them alike.
The command is the installed wheel's, called through the symbolic link that `uv tool install` leaves, with compiled
modules. The floor is the bare start of the same interpreter, `python -I -S -c pass`. It ends with status 0 whatever
the figures are.

A ratio of medians' kind is taken pair by pair: the median of (wrapped - bare) / floor over all rounds. A tail cannot
be, because on a busy machine the floor of one round and the command of another are hit: the 95th percentile of
(wrapped - bare) is divided by the 95th percentile of the floor, like by like. The paired one is printed too.
"""

import argparse
import json
import os
import pty
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.transparency.developer import Developer, hire  # noqa: E402 (the path comes first)
from tests.transparency.trace import Trace  # noqa: E402

PAUSE = 0.01  # seconds between runs: what a run leaves in the background (git) has ended by then
PATH = "/usr/local/bin:/usr/bin:/bin"


class Case(NamedTuple):
    """A command that is timed."""

    argv: list[str]
    developer: Developer
    descriptors: "tuple[int, int, int]"


class Budget(NamedTuple):
    """A bound for what `wrapped` takes beyond `bare`, as a multiple of the interpreter's start."""

    title: str
    wrapped: str
    bare: str
    median: float
    p95: "float | None"


BUDGETS = (
    Budget("true, measured", "measured", "bare", 1.25, 1.5),
    Budget("true, after a no", "refused", "bare", 1.1, None),
    Budget("true, never asked, no terminal", "unasked", "bare", 1.1, None),
    Budget("true, already invited, at a terminal", "invited", "bare at a terminal", 1.1, None),
    Budget("make, measured", "measured make", "bare make", 1.25, 1.5),
)
MOST_CALLS_AFTER_THE_COMMAND = 12


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What innerloop adds to a command's time.")
    parser.add_argument("--rounds", type=int, default=100, help="at least 60; default 100")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--installed", type=Path, help="what tools/install_wheels.py made; by default it is made now")
    parser.add_argument("--realtime", action="store_true", help="run before everything else on this machine (root only)")
    arguments = parser.parse_args()
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    with tempfile.TemporaryDirectory(prefix="innerloop-bench-") as name:
        directory = Path(name)
        installed = arguments.installed or install(directory / "installed")
        terminal = pty.openpty()
        people = hire_everybody(installed, directory, terminal[1])
        result = measure(cases(installed, people, terminal[1]), max(60, arguments.rounds))
        figures: dict[str, Any] = {"ratios": ratios(result), "medians_in_floors": medians(result), "counts": counts(people)}
    print(json.dumps(figures, indent=2) if arguments.json else table(figures))
    return 0


def install(directory: Path) -> Path:
    """Build the wheels and install them."""
    done = subprocess.run([sys.executable, ROOT / "tools" / "install_wheels.py", directory], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the wheels could not be installed:\n{done.stdout}{done.stderr}")
    return directory


def hire_everybody(installed: Path, directory: Path, terminal: int) -> dict[str, Developer]:
    """One developer for each answer, each in a git repository with a trivial Makefile; every first run is done."""
    python = installed / "client" / "bin" / "python"
    subprocess.run([python, "-m", "compileall", "-q", next(installed.glob("client/lib/python3*/site-packages"))], check=True)
    people = {}
    for name, answer in (("measured", "yes"), ("refused", "no"), ("unasked", ""), ("invited", "")):
        (directory / name).mkdir()
        person = people[name] = hire(installed / "home" / ".local" / "bin" / "innerloop", directory / name, answer)
        (person.project / "Makefile").write_text("a:\n\t@true\n")
        if shutil.which("git"):
            commit = ["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--all", "--allow-empty", "--message", "m"]
            for words in (["init", "--quiet"], ["add", "."], commit):
                subprocess.run(["git", *words], cwd=person.project, env=person.env, check=True)
        place_as_uv_does(installed, person)
        streams = (terminal,) * 3 if name == "invited" else (null(),) * 3
        for _ in range(3):
            timed(Case([str(person.innerloop), "run", "--", "true"], person, streams))
    return people


def place_as_uv_does(installed: Path, person: Developer) -> None:
    """Put the installation where `uv tool install` has it, so that the link leads to it without a process."""
    tools = person.home / ".local" / "share" / "uv" / "tools"
    tools.mkdir(parents=True)
    (tools / "innerloop").symlink_to(installed / "client")


def null() -> int:
    """A descriptor of /dev/null, opened once."""
    if not _NULL:
        _NULL.append(os.open(os.devnull, os.O_RDWR))
    return _NULL[0]


_NULL: list[int] = []


def cases(installed: Path, people: dict[str, Developer], terminal: int) -> dict[str, Case]:
    """Everything that is timed, by name."""
    quiet, tty = (null(),) * 3, (terminal,) * 3
    true, make = shutil.which("true", path=PATH) or "/bin/true", shutil.which("make", path=PATH) or "/usr/bin/make"
    measured = people["measured"]
    found = {name: Case([str(person.innerloop), "run", "--", "true"], person, quiet) for name, person in people.items()}
    return found | {
        "invited": found["invited"]._replace(descriptors=tty),
        "bare": Case([true], measured, quiet),
        "bare at a terminal": Case([true], people["invited"], tty),
        "floor": Case([str(installed / "client" / "bin" / "python"), "-I", "-S", "-c", "pass"], measured, quiet),
        "bare make": Case([make, "a"], measured, quiet),
        "measured make": Case([str(measured.innerloop), "run", "--", "make", "a"], measured, quiet),
    }


def timed(case: Case) -> float:
    """Run a command once; return its wall time in seconds."""
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(case.descriptors)]
    os.chdir(case.developer.project)
    began = time.perf_counter()
    pid = os.posix_spawn(case.argv[0], case.argv, case.developer.env, file_actions=actions)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter() - began
    if status:
        sys.exit(f"this should have ended well, and did not: {' '.join(case.argv)} (status {status})")
    time.sleep(PAUSE)
    return took


def measure(what: dict[str, Case], rounds: int) -> dict[str, list[float]]:
    """Time everything in random order, round by round."""
    chance = random.Random(1)
    result: dict[str, list[float]] = {name: [] for name in what}
    order = list(what)
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            result[name].append(timed(what[name]))
    os.chdir("/")
    return result


def ratios(result: dict[str, list[float]]) -> list[dict[str, object]]:
    """Compare every budget with what was measured: (wrapped - bare) / floor, paired by round."""
    rows: list[dict[str, object]] = []
    for budget in BUDGETS:
        paired = [
            (wrapped - bare) / floor
            for wrapped, bare, floor in zip(result[budget.wrapped], result[budget.bare], result["floor"], strict=True)
        ]
        added = [wrapped - bare for wrapped, bare in zip(result[budget.wrapped], result[budget.bare], strict=True)]
        median, p95 = statistics.median(paired), tail(added) / tail(result["floor"])
        passed = median <= budget.median and (budget.p95 is None or p95 <= budget.p95)
        row = {"what": budget.title, "median": round(median, 3), "p95": round(p95, 3), "p95_paired": round(tail(paired), 3)}
        rows.append(row | {"budget_median": budget.median, "budget_p95": budget.p95, "verdict": "PASS" if passed else "MISSED"})
    return rows


def tail(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def medians(result: dict[str, list[float]]) -> dict[str, float]:
    """The median of each command's time, as a multiple of the floor's."""
    floor = statistics.median(result["floor"])
    return {name: round(statistics.median(times) / floor, 3) for name, times in sorted(result.items())}


def counts(people: dict[str, Developer]) -> "dict[str, object] | None":
    """Programs executed and system calls made, where strace can count them."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    found: dict[str, object] = {}
    for name, person in people.items():
        if name == "invited":
            continue  # without a terminal it is `unasked`
        trace = Trace(person.stage(name), strace, "true")
        found[f"{name}: programs executed"] = len(trace.executed())
        found[f"{name}: processes"] = len({call.pid for call in trace.calls})
        found[f"{name}: system calls of the launcher's process"] = len(trace.of_launcher())
        if name == "measured":
            after = len(trace.after_the_reap())
            found["measured: system calls after the command"] = after
            found["measured: verdict"] = "PASS" if after <= MOST_CALLS_AFTER_THE_COMMAND else "MISSED"
    return found


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = ["added wall time, as a multiple of `python -I -S -c pass`", ""]
    for row in figures["ratios"]:
        bound = f"<= {row['budget_median']:.2f}" + (f", p95 <= {row['budget_p95']:.2f}" if row["budget_p95"] else "")
        lines.append(
            f"  {row['what']:<40} median {row['median']:.2f}  p95 {row['p95']:.2f} (paired {row['p95_paired']:.2f})  (budget {bound})  {row['verdict']}"
        )
    lines += ["", "median wall time, as a multiple of the same", ""]
    lines += [f"  {name:<40} {value:.2f}" for name, value in figures["medians_in_floors"].items()]
    if figures["counts"] is None:
        return "\n".join([*lines, "", "strace is not installed: programs and system calls were not counted"])
    lines += ["", "counted by strace", ""]
    return "\n".join([*lines, *(f"  {name:<55} {value}" for name, value in figures["counts"].items())])


if __name__ == "__main__":
    sys.exit(main())
