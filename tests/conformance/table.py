"""The table of what builds do: cases.toml for what runs to its end by itself, terminal.toml for what a person does to it.

The keys of a case: `makefile`, `files` (name -> text) and `modes` (name -> mode) are the directory; `run` the command or commands
that are typed (default `make`), or `script`, a line for bash in which $W stands before a make; `stdin`, `env`. `late`: files that are newer than all others.
`targets`: those whose recipe lines must be in the target log, no more and no fewer; `seen_since`: those of them that are there only
since a make; `seen = "maybe"`: whether any are is not
asked; `seen = "at least"`: these, and perhaps more. `unordered`: lines of output come in any order. `cut`: patterns that
are cut out of the output before it is compared. `since`: the first make that can do this. `forced = false`: the mode of
the probe matters, so it is left to the probe. `ways`: those in which a case is played beside the core. `deviation`: what differs, exactly, why, and who notices.
"""

import functools
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
Table = dict[str, Any]


class Deviation(NamedTuple):
    """A difference that is known: lines, as patterns, that only one of the two has."""

    title: str
    why: str
    who: str
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()  # which may be gained or not, as often as it likes
    maybe: bool = False  # make may be of a version that has no such difference


class Case(NamedTuple):
    """One row of the table."""

    name: str
    files: dict[str, bytes]
    commands: tuple[tuple[str, ...], ...] = (("make",),)
    script: str = ""
    steps: tuple[tuple[Any, ...], ...] = ()
    modes: dict[str, int] = {}  # noqa: RUF012 (nobody changes it)
    late: tuple[str, ...] = ()
    env: dict[str, str] = {}  # noqa: RUF012
    stdin: bytes = b""
    targets: tuple[str, ...] = ()
    seen: str = "exactly"
    seen_since: dict[str, str] = {}  # noqa: RUF012
    unordered: bool = False
    merged: bool = True
    cut: tuple[str, ...] = ()
    since: str = ""
    forced: bool = True
    ways: tuple[str, ...] = ()
    deviation: "Deviation | None" = None


@functools.cache
def cases() -> dict[str, Case]:
    """Every row, by its name."""
    found = [*_options(_document("cases.toml")), *map(_case, _document("cases.toml")["case"])]
    found += map(_case, _document("terminal.toml")["case"])
    named = {case.name: case for case in found}
    assert len(found) == len(named), "two rows have one name"
    return named


@functools.cache
def make_version(path: str | None = None) -> tuple[int, ...]:
    """The version of the make on a PATH; without one, on ours."""
    make = shutil.which("make", path=path)
    assert make, "there is no make"
    said = subprocess.run([make, "--version"], capture_output=True, text=True, check=True).stdout
    match = re.match(r"GNU Make (\d+)\.(\d+)", said)
    assert match, said
    return int(match[1]), int(match[2])


def playable(case: Case, version: tuple[int, ...]) -> bool:
    """Tell whether a make knows what the case is about."""
    return not case.since or numbers(case.since) <= version


def seen_by(case: Case, version: tuple[int, ...]) -> set[str]:
    """The targets that must be in the target log of a make of this version."""
    return {name for name in case.targets if numbers(case.seen_since.get(name, "0")) <= version}


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    return tuple(map(int, version.split(".")))


def deviations() -> list[Deviation]:
    """Every deviation that is declared, in the order of the table."""
    return [case.deviation for case in cases().values() if case.deviation]


def _document(name: str) -> Table:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def _options(document: Table) -> list[Case]:
    project = document["project"]
    found = []
    for words, targets, *marks in document["options"]["rows"]:
        since = next((mark for mark in marks if mark[0].isdigit()), "")
        reads_gnumakefile = not re.search(r"-f|-C|--file|-I|-E|--eval", words)
        ways = [["attach", "run", ""][len(found) % 3]]
        ways = [way for way in ways if way and (reads_gnumakefile or way != "attach")]
        seen = "maybe" if "maybe" in marks else "exactly"
        row = {"name": f"option {words}", "run": words, "targets": targets, "unordered": "unordered" in marks, "seen": seen, "since": since}
        found.append(_case({**project, **row, "ways": ways}))
    return found


def _case(row: Table) -> Case:
    row = dict(row)
    files = {name: text.encode("latin-1" if row.get("latin1") else "utf-8") for name, text in row.pop("files", {}).items()}
    if "makefile" in row:
        files["Makefile"] = row.pop("makefile").encode("latin-1" if row.get("latin1") else "utf-8")
    run = row.pop("run", "make")
    commands = tuple(tuple(shlex.split(words)) for words in ([run] if isinstance(run, str) else run))
    targets = tuple(sorted(row.pop("targets", ())))
    deviation = row.pop("deviation", None)
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items() if key not in ("latin1", "stdin")}
    return Case(
        files=files, commands=commands, targets=targets, stdin=row.get("stdin", "").encode(),
        deviation=_deviation(deviation) if deviation else None, **given,
    )  # fmt: skip


def _deviation(row: Table) -> Deviation:
    return Deviation(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
