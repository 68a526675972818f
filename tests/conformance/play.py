"""Play a case: lay its directory anew at one and the same path, run it, and write down what anybody can see afterwards."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.conformance.table import Case
from tests.kept import member
from tests.transparency.stage import HANGS, PATIENCE, Stage, eventually, observe

LONG_AGO = 1_600_000_000  # s: the time of the first file of a case; each further one is 10 s younger
COARSE = 20_000_000  # ns by which a file's time may lie before the moment at which it was written


class Way(NamedTuple):
    """A way of running make: where, in which environment, and what stands before it."""

    name: str
    project: Path
    env: dict[str, str]
    prefix: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()  # files of the project that are the way's and not the case's
    gnumakefile: str = ""
    probe: str = ""  # its directory
    log: "Path | None" = None  # the target log, where the way does not make one by itself
    logs: "Path | None" = None  # the directory of target logs, where it does


class File(NamedTuple):
    """What is left of a file, apart from its name."""

    kind: str
    mode: int
    content: str
    when: str


class Seen(NamedTuple):
    """What the target log says: the targets, and how many lines have no end."""

    targets: tuple[str, ...]
    unfinished: int


class Observation(NamedTuple):
    """What can be seen of a case that was played."""

    status: tuple[object, ...]
    out: bytes
    err: bytes
    together: bytes
    files: dict[str, File]
    times: dict[str, int]  # ns, of the files written while it ran
    seen: Seen


def play(case: Case, way: Way) -> Observation:
    """Play a case twice: with two streams, and with one for both, which shows the order of lines."""
    if case.steps:
        with _laid(case, way) as seen:
            screen = observe(lambda stage: _at_a_terminal(case, stage), _stage(way, _environment(case, way)))
            files, times = _look_around(way, 0)
            return Observation((str(screen),), b"", b"", b"", files, {}, seen())
    with _laid(case, way) as seen:
        began = time.time_ns()
        status, out, err = _run(case, way, subprocess.PIPE)
        files, times = _look_around(way, began)
        found = seen()
    together = b""
    if case.merged:
        with _laid(case, way):
            again, together, _ = _run(case, way, subprocess.STDOUT)
        status = status if status == again else (*status, "or", *again)
    return Observation(status, out, err, together, files, times, found)


@contextmanager
def _laid(case: Case, way: Way) -> Iterator[Callable[[], Seen]]:
    """Lay the directory; yield what reads the target log."""
    _clear(way)
    files = {**case.files, **({"GNUmakefile": way.gnumakefile.encode()} if way.gnumakefile else {})}
    stamp = LONG_AGO
    for name, text in sorted(files.items(), key=lambda item: item[0] in case.late):
        path = way.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        path.chmod(case.modes.get(name, 0o644))
        stamp += 10
        os.utime(path, (stamp, stamp))
    if way.log:
        way.log.write_bytes(b"")
    before = set(way.logs.iterdir()) if way.logs and way.logs.is_dir() else set()

    def seen() -> Seen:
        logs = [way.log] if way.log else sorted(set(way.logs.iterdir()) - before) if way.logs and way.logs.is_dir() else []
        return _read(b"".join(log.read_bytes() for log in logs))

    yield seen


def _clear(way: Way) -> None:
    way.project.mkdir(exist_ok=True)
    for path in way.project.iterdir():
        if path.name not in way.keep:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _read(log: bytes) -> Seen:
    begun: dict[bytes, bytes] = {}
    ended = set()
    for line in log.splitlines():
        kind, key, *fields = line.split(b"\t")
        if kind == b"b":
            begun[key] = fields[6]
        else:
            ended.add(key)
    return Seen(tuple(sorted({name.decode("utf-8", "backslashreplace") for name in begun.values()})), len(begun.keys() - ended))


def _environment(case: Case, way: Way) -> dict[str, str]:
    env = {**way.env, **case.env}
    if way.log:
        env["MAKEFILES"] = " ".join(filter(None, (f"{way.probe}/probe.mk", case.env.get("MAKEFILES"))))
        env["__innerloop"] = member(way.log)
    return env


def _stage(way: Way, env: dict[str, str]) -> Stage:
    return Stage(way.name, way.prefix, way.project, env, way.project.parent / "scratch")


def _run(case: Case, way: Way, stderr: int) -> tuple[tuple[object, ...], bytes, bytes]:
    stage = _stage(way, _environment(case, way))
    statuses: list[object] = []
    out, err = [], []
    for command in [("bash", "-c", f"W={stage.words!r}; {case.script}")] if case.script else case.commands:
        argv = (*way.prefix, *command) if command[0] == "make" else command
        with stage.start(*argv, wrapped=False, stdin=subprocess.PIPE, stderr=stderr) as running:
            try:
                said, complained = running.process.communicate(case.stdin, timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                statuses.append(HANGS)
                continue
            statuses.append(running.process.returncode)
            out.append(said)
            err.append(complained or b"")
    return tuple(statuses), _general(b"".join(out), way), _general(b"".join(err), way)


def _general(text: bytes, way: Way) -> bytes:
    """Write names of this measurement's own as PROBE and LOG."""
    for path, word in ((way.probe, b"PROBE"), (str(way.log) if way.log else "", b"LOG")):
        text = text.replace(path.encode(), word) if path else text
    return re.sub(re.escape(str(way.logs).encode()) + rb"/[0-9a-f-]+", b"LOG", text) if way.logs else text


def _at_a_terminal(case: Case, stage: Stage) -> list[object]:
    """Do what a person would; return what the screen showed and which statuses the shell told."""
    found: list[object] = []
    with stage.terminal() as terminal:
        for word, *operands in case.steps:
            _step(word, operands, terminal, stage, found)
    return found


def _step(word: str, operands: list[Any], terminal: Any, stage: Stage, found: list[object]) -> None:
    if word == "type":
        terminal.type(operands[0])
    elif word == "press":
        terminal.press(operands[0])
    elif word == "see":
        found.append(terminal.see(operands[0]).split())
    elif word == "prompt":
        found.append((terminal.prompt(), str(terminal.child.before).split()))
    elif word == "send":
        terminal.child.send(operands[0])
    elif word == "wait":
        time.sleep(operands[0])
    elif word == "hang up":
        terminal.hang_up()
    elif word == "file":
        found.append((operands[0], eventually((stage.cwd / operands[0]).exists)))
    else:
        raise LookupError(word)


def _look_around(way: Way, began: int) -> tuple[dict[str, File], dict[str, int]]:
    """Everything that lies in the directory; `began` is when it started, in ns."""
    ended = time.time_ns()
    found, times = {}, {}
    for path in sorted(way.project.rglob("*")):
        name = str(path.relative_to(way.project).as_posix().encode("utf-8", "surrogateescape").decode("latin-1"))
        if name in way.keep or name == "GNUmakefile":
            continue
        state = path.lstat()
        kind, content = _content(path, state)
        when = _when(state.st_mtime_ns, began, ended) if began and kind == "file" else ""
        found[name] = File(kind, stat.S_IMODE(state.st_mode), content, when)
        if when == "meanwhile":
            times[name] = state.st_mtime_ns
    return found, times


def _content(path: Path, state: os.stat_result) -> tuple[str, str]:
    if stat.S_ISREG(state.st_mode):
        return "file", hashlib.sha256(path.read_bytes()).hexdigest()
    if stat.S_ISLNK(state.st_mode):
        return "link", str(path.readlink())
    return ("directory" if stat.S_ISDIR(state.st_mode) else "other"), ""


def _when(modified: int, began: int, ended: int) -> str:
    """A file's time in words; the exact time, where it is none of this run."""
    return "meanwhile" if began - COARSE <= modified <= ended else str(modified)
