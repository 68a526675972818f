"""Run GNU make's own regression suite bare and with the probe, and list what only the probe makes fail.

usage: make_suite.py SOURCE [--make PROGRAM] [--modes bare,chosen,shell,flags,sh] [CATEGORY...]

  SOURCE    GNU make's source, unpacked, such as Debian's make-dfsg_4.4.1.orig.tar.xz. It holds tests/run_make_tests.pl.
  --make    the make that is tested, of the same version; without it SOURCE/make
  --modes   bare    as it is
            chosen  with the probe, in the mode that it chooses by itself
            shell   with the probe, always in SHELL mode, whatever the Makefile does with $(SHELL)
            flags   with the probe, always in FLAGS mode
            sh      with the shim that is written in sh, in the mode that the probe chooses
            Several, separated by commas; each but `bare` is compared with `bare`, which runs first.
  CATEGORY  such as features/errors; none: all of them

Every run of make in the suite goes through a wrapper that puts the probe into its environment, as a measured make has it,
and keeps the name it was called by. It ends with 1 where the probe fails something that is not in EXPECTED.

To get the source: `apt-get source make`, or pool/main/m/make-dfsg/ of a Debian mirror; then ./configure && make. (Debian's
tarball has no doc/: an empty doc/make.1 and a doc/Makefile.in with a target `all` stand in.)
"""

import argparse
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import build_shim

from innerloop.core.probe import place

MODES = ("bare", "chosen", "shell", "flags", "sh")
EXACT = re.compile(r"^\.innerloop-exact = .*$", re.MULTILINE)
CATEGORY = re.compile(r"^(\w+/\S+) \.\.+")
RESULT = re.compile(r"(?:ok +|FAILED )\((\d+)(?:/(\d+))? passed\)")
# What cannot be as without the probe, by mode: category, how many of its checks, why. docs/transparency.md says it to developers.
EXPECTED: dict[tuple[str, str], tuple[int, str]] = {
    ("shell", "variables/SHELL"): (3, "the test prints $(SHELL); the probe chooses FLAGS mode for such a Makefile"),
}
FLAGS_PM = """\
%CONFIG_FLAGS = (
    AM_LDFLAGS => '-Wl,--export-dynamic', AR => 'ar', CC => 'gcc', CFLAGS => '-g -O2', CPP => 'gcc -E', CPPFLAGS => '',
    GUILE_CFLAGS => '', GUILE_LIBS => '', LDFLAGS => '', LIBS => '', USE_SYSTEM_GLOB => 'yes'
);
1;
"""
Counts = dict[str, tuple[int, int]]  # passed and all, by category


def main() -> int:
    """Run it and compare."""
    parser = argparse.ArgumentParser(description="Run GNU make's suite bare and measured.")
    parser.add_argument("source", type=Path)
    parser.add_argument("--make", type=Path)
    parser.add_argument("--modes", default="bare,chosen")
    parser.add_argument("--keep", type=Path, help="a directory for the suite's work files")
    parser.add_argument("categories", nargs="*")
    arguments = parser.parse_intermixed_args()
    source = arguments.source.absolute()
    program = (arguments.make or source / "make").absolute()
    if not (source / "tests" / "run_make_tests.pl").exists() or not program.exists():
        print(f"make_suite: {source} is not GNU make's source, or there is no {program}", file=sys.stderr)
        return 2
    build_shim.build()
    bare: Counts = {}
    worse = 0
    for mode in [mode for mode in MODES if mode in arguments.modes.split(",")]:
        base = Path(tempfile.mkdtemp(prefix=f"make-suite-{mode}-", dir=arguments.keep))
        found = run(source, program, mode, base, arguments.categories)
        print(f"{mode}: {sum(passed for passed, _ in found.values())} of {sum(of for _, of in found.values())} checks passed")
        if mode == "bare":
            bare = found
        elif bare:
            worse += compare(mode, bare, found)
        if not arguments.keep:
            shutil.rmtree(base)
    return 1 if worse else 0


def run(source: Path, program: Path, mode: str, base: Path, categories: list[str]) -> Counts:
    """Run the suite in a copy of its own; return what it said by category."""
    tests = base / "tests"
    shutil.copytree(source / "tests", tests, symlinks=True)
    (tests / "config-flags.pm").write_text(FLAGS_PM)
    wrapper = base / "make"
    wrapper.write_text(wrap(program, probe_for(mode, base), base / "log"))
    wrapper.chmod(0o755)
    where = ["-srcdir", str(source)] if (source / "src" / "gnumake.h").exists() else []
    done = subprocess.run(
        ["perl", "./run_make_tests.pl", *where, "-make", wrapper, *categories], cwd=tests, text=True, check=False, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=foreground,
    )  # fmt: skip
    (base / "output").write_text(done.stdout)
    return counts(done.stdout)


def foreground() -> None:
    """Let the suite's commands die of Ctrl-C, whoever started us."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def probe_for(mode: str, base: Path) -> str:
    """Make the probe for a mode; return its directory, or an empty string."""
    if mode == "bare":
        return ""
    if mode == "sh":
        place.machine = lambda: "no such machine"
    directory, reason = place.prepare(str(base))
    if not directory:
        raise SystemExit(f"make_suite: {reason}")
    makefile = Path(directory, "probe.mk")
    text = makefile.read_text()
    if mode in ("shell", "flags"):
        text, found = EXACT.subn(f".innerloop-exact := {'yes' if mode == 'flags' else ''}", text)
        assert found == 1
    makefile.write_text(text)
    return directory


def wrap(program: Path, probe: str, log: Path) -> str:
    """The script that stands for make in the suite."""
    if not probe:
        return f'#!/bin/bash\nexec -a "$0" {program} "$@"\n'
    lock = os.open(log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # as long as we live
    fcntl.lockf(lock, fcntl.LOCK_EX)
    return f"""#!/bin/bash
[[ $MAKEFILES == *{probe}/probe.mk* ]] || {{ export MAKEFILES="{probe}/probe.mk${{MAKEFILES:+ $MAKEFILES}}" __innerloop={os.getpid()}:{log}; }}
exec -a "$0" {program} "$@"
"""


def counts(output: str) -> Counts:
    """Read the suite's lines: `features/errors ....... ok     (10 passed)`; a failure may stand some lines below its name."""
    found: Counts = {}
    category = ""
    for line in output.splitlines():
        if match := CATEGORY.match(line):
            category = match[1]
        if match := RESULT.search(line):
            found[category] = int(match[1]), int(match[2] or match[1])
    return found


def compare(mode: str, bare: Counts, found: Counts) -> int:
    """Print what fails with the probe alone; return how much of that nobody expected."""
    worse = 0
    for category in sorted(bare):
        lost = bare[category][0] - found.get(category, (0, 0))[0]
        expected, why = EXPECTED.get((mode, category), (0, ""))
        if lost:
            print(f"  {category}: {lost} fewer than bare{f' ({expected} expected: {why})' if why else ''}")
        worse += lost > expected
    return worse


if __name__ == "__main__":
    sys.exit(main())
