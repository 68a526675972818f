"""The page packages/client/READING.md: which files of the client a sceptic reads before a yes, in which order, and how long they are."""

import ast
from dataclasses import dataclass
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent / "packages" / "client"
PACKAGE = CLIENT / "src" / "innerloop"
PAGE = CLIENT / "READING.md"
MOST = 2500  # lines in all


@dataclass(frozen=True)
class Part:
    """One question of a sceptic, and the files that answer it, in the order to read them."""

    title: str
    about: str
    most: int  # lines
    files: tuple[str, ...]

    @property
    def lines(self) -> int:
        """How many lines its files have."""
        return sum(map(lines, self.files))


PARTS = (
    Part(
        "Before a yes",
        "What runs when you type a measured command and have not agreed to anything: these files, and no other. They look for a project "
        "file and for your answer, and then become your command.",
        800,
        (
            "start.py", "core/launcher/main.py", "core/shared/environment.py", "core/shared/paths.py", "core/shared/cache.py",
            "core/launcher/execute.py",
        ),
    ),
    Part(
        "What decides",
        "Whether anything is recorded or sent, from your answer, the project file, this machine's file and the environment. It is asked again before each batch.",
        300,
        ("core/consent/resolve.py",),
    ),
    Part(
        "What leaves",
        "From a finished run to the bytes on the wire: the only files that decide what leaves, and the only one that opens a socket. "
        "`innerloop show next` prints those bytes.",
        1300,
        (
            "core/plan/tracking.py", "core/plan/granularity.py", "core/plan/check.py", "core/outbound/event.py", "core/outbound/target_events.py",
            "core/outbound/seal.py", "core/outbound/batches.py", "core/outbound/sender.py", "core/outbound/http_client.py",
            "core/outbound/connection.py",
        ),
    ),
)  # fmt: skip


def lines(file: str) -> int:
    """How many lines a file of the client has, with its comments and blank lines."""
    return len((PACKAGE / file).read_text(encoding="utf-8").splitlines())


def total() -> int:
    """The lines of the whole path."""
    return sum(part.lines for part in PARTS)


def folder_lines(folder: str) -> int:
    """The lines of Python in a folder of the client."""
    return sum(lines(str(path.relative_to(PACKAGE))) for path in (PACKAGE / folder).rglob("*.py"))


def page(notice: str) -> str:
    """Write the page."""
    text = [notice, "# Read it before you say yes\n", _ABOUT.format(total=total(), core=folder_lines("core"), tools=folder_lines("tools"))]
    for number, part in enumerate(PARTS, 1):
        text += [f"## {number}. {part.title} ({part.lines:,} lines)\n", f"{part.about}\n", "| file | lines | what it is |\n|---|---:|---|"]
        text += [f"| [`{file}`](src/innerloop/{file}) | {lines(file)} | {_purpose(file)} |" for file in part.files]
        text.append("")
    return "\n".join([*text, _AND_THEN])


def _purpose(file: str) -> str:
    """The first sentence of a module's docstring."""
    words = ast.get_docstring(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))) or ""
    first = words.split("\n\n")[0].replace("\n", " ")
    return first.split(". ")[0].rstrip(".")


_ABOUT = """\
innerloop asks whether your commands may be measured. You need not take anybody's word for the answer: these {total:,} lines are all
that you need to read. The client has no dependencies, so there is nothing behind them but Python's standard library.

Two folders hold the client. [`core`](src/innerloop/core) ({core:,} lines) is everything that runs for a measured command, for delivery, for the question
and for leaving; [`tools`](src/innerloop/tools) ({tools:,} lines) holds conveniences such as `report` and `timeline`, which run only when you type them. `core` never
imports `tools`. Tests hold each of these sentences: they compare what a run, a delivery, a yes and a no really load and open.
"""
_AND_THEN = """\
## And then

- [`core/plan/plan.json`](src/innerloop/core/plan/plan.json) is the tracking plan: every field that can leave, why, how exact, with an
  example. [The same as a page](../../docs/reference/plan.md).
- [`core/consent`](src/innerloop/core/consent) has the words of the question and the file that keeps your answer;
  [`core/asking`](src/innerloop/core/asking) asks it, and removes everything when you opt out.
- [`core/spool`](src/innerloop/core/spool) is the queue on your disk; [`core/probe`](src/innerloop/core/probe) is what make sees.
- On your own machine, `innerloop describe` says what would be collected here, and `innerloop show next` prints what would leave.
"""
