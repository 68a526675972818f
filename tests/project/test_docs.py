"""Documentation that cannot rot: generated pages are current, links resolve, and what is named exists."""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from innerloop.core.plan import project, project_reader
from innerloop.tools.arguments import parser
from innerloop_collector.cli.main import commands
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ELSEWHERE = {"devstack.md", "platform-engineers.md", "timeline.md"}  # about other projects' Makefiles
INTERNAL = {"deliver", "attach"}  # started by the client itself
COMMANDS_PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
WORDS = ["run", "target", "probe", "consent", "event", "batch", "spool", "delivery", "collector", "ingest", "pipeline", "violation", "quarantine", "store", "exporter", "destination", "retention", "erasure", "installation", "change", "impact", "report", "dashboard", "actor"]  # fmt: skip


def named(page: Path) -> str:
    """Name a page in a test's id."""
    return str(page.relative_to(ROOT))


def code(page: Path) -> list[str]:
    """Return the lines of code in a page: of its blocks, and what stands between back quotes."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [line.strip() for line in [*"".join(blocks).split("\n"), *re.findall(r"`([^`]+)`", prose)]]


def anchors(page: Path) -> set[str]:
    """Return what links into a page may point to, as GitHub makes anchors of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def client_commands() -> Mapping[str, argparse.ArgumentParser]:
    """Return the client's commands, as its own parser knows them."""
    return {name: command for name, command in parser().commands.items() if name not in INTERNAL}


def collector_commands(group: click.Group = commands, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Walk through the collector's commands."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from collector_commands(command, f"{path}{name} ")
        else:
            yield path + name, command


def row_of(command: str) -> str:
    """Return the rows of the commands' page that are about a command."""
    rows = [row for row in COMMANDS_PAGE.split("\n") if re.match(rf"\| `{re.escape(command)}[ `]", row)]
    assert rows, f"`{command}` is not in docs/reference/commands.md"
    return "\n".join(rows)


def test_generated_pages_are_current() -> None:
    """`make docs` was run after the last change of what pages derive from."""
    command = [sys.executable, ROOT / "tools" / "generate_docs.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_between_pages_resolve(page: Path) -> None:
    """Every relative link leads to a file that is there, and to a heading in it."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.is_file(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(path), f"{link}: no such heading"


def links(page: Path) -> set[Path]:
    """Return the pages of ours that a page links to."""
    found = re.findall(r"\]\(([^)\s#]+\.md)", page.read_text(encoding="utf-8"))
    return {(page.parent / link).resolve() for link in found if ":" not in link}


def test_every_page_can_be_reached_from_the_index() -> None:
    """Nobody has to guess that a page is there."""
    seen: set[Path] = set()
    waiting = {ROOT / "docs" / "index.md"}
    while waiting:
        seen |= waiting
        waiting = {link for page in waiting for link in links(page)} - seen

    assert set() == set((ROOT / "docs").rglob("*.md")) - seen


@pytest.mark.parametrize("start", ["README.md", "docs/index.md"])
def test_every_guide_and_concept_is_two_links_away(start: str) -> None:
    """Whoever you are, your page is close to where you begin."""
    near = links(ROOT / start)
    near |= {link for page in near for link in links(page)}

    assert set() == {page for folder in ("guides", "concepts") for page in (ROOT / "docs" / folder).glob("*.md")} - near


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in ELSEWHERE], ids=named)
def test_make_targets_exist(page: Path) -> None:
    """Every `make TARGET` in a page of ours is one of the Makefile's."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^impl-([a-z-]+):", makefile, re.MULTILINE)) | {"help", "metrics-opt-in", "metrics-opt-out"}
    targets |= {f"impl-{target}" for target in targets} | {"impl-TARGET", "impl-dev"}
    for line in [line for line in code(page) if line.startswith("make ")]:
        for word in re.sub(r"#.*", "", line).split()[1:]:
            if "=" in word:
                break
            assert word in targets, f"`{line}`"


@pytest.mark.parametrize("name", sorted(client_commands()))
def test_every_command_of_the_client_is_documented(name: str) -> None:
    """With each of its options and choices."""
    row = row_of(f"innerloop {name}")
    for action in client_commands()[name]._actions:
        for word in [*action.option_strings, *(action.choices or ())]:
            assert word in ("-h", "--help") or word in row, word


@pytest.mark.parametrize(("name", "command"), sorted(collector_commands(), key=lambda item: item[0]), ids=str)
def test_every_command_of_the_collector_is_documented(name: str, command: click.Command) -> None:
    """With each of its options; what says which collector it is about is said once for all of them."""
    row = row_of(f"innerloop-collector {name}")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.opts[0] not in ("--data", "--config", "--url", "--token-file"):
            assert parameter.opts[0] in row, parameter.opts


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_in_pages_exist(page: Path) -> None:
    """No page tells anybody to type a command that is not there."""
    known = {name.split(" ", maxsplit=1)[0] for name, _ in collector_commands()}
    for line in code(page):
        for program, command in re.findall(r"^(innerloop(?:-collector)?) ([a-z][a-z-]*)", line):
            assert command in (known if program == "innerloop-collector" else {*client_commands(), *INTERNAL}), f"`{line}`"


def test_every_key_of_the_project_file_is_documented() -> None:
    """The keys that the reader asks for, all of them, stand in the reference."""
    source = Path(project_reader.__file__).read_text(encoding="utf-8")
    keys = set(re.findall(r'(?:text|take|strings)\("(\w+)", "(\w+)"', source)) | {
        ("project", "organisation"),
        ("project", "write_key"),
        *(("names", key) for key in ("allow", "stems", "groups", "sessions", "checks")),
    }
    keys |= {("wording", key) for key in project_reader.WORDING} | {("recipients", key) for key in project.Recipient._fields}
    page = (ROOT / "docs" / "reference" / "project-file.md").read_text(encoding="utf-8")

    assert len(keys) > 25
    assert set() == {(table, key) for table, key in keys if f"`{key}`" not in page and f"`{table}.{key}`" not in page}


def test_every_test_that_the_threat_models_name_exists() -> None:
    """A row of SECURITY.md without its test would be a promise that nobody holds."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    client, collector = text.split("### At a collector")
    named = [
        (part, name)
        for part, page in (("client", client), ("collector", collector))
        for name in re.findall(r"`([\w/]*test_\w+\.py)`", page)
    ]

    assert len(named) > 40
    assert [] == [name for part, name in named if not (ROOT / (name if "/" in name else f"tests/{part}/{name}")).is_file()]


@pytest.mark.parametrize(
    ("package", "sources", "folders"),
    [("collector", "src/innerloop_collector", ["*"]), ("client", "src/innerloop", ["core/*", "tools/*"])],
)
def test_the_readme_of_a_package_names_every_part(package: str, sources: str, folders: list[str]) -> None:
    """Whoever opens the sources finds each folder explained, and no folder that is gone."""
    source = ROOT / "packages" / package / sources
    there = [path.parent for pattern in folders for path in source.glob(f"{pattern}/__init__.py")]
    page = (ROOT / "packages" / package / "README.md").read_text(encoding="utf-8")

    assert sorted(str(path.relative_to(source)) for path in there) == sorted(re.findall(r"^\| `([\w/]+)` \|", page, re.MULTILINE))


def test_the_glossary_defines_every_word() -> None:
    """One definition for each word of the design, and no word twice."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    defined = re.findall(r"^\*\*(.+)\*\*$", page, re.MULTILINE)

    assert set() == {*WORDS, "tracking plan", "write key"} - set(defined)
    assert len(set(defined)) == len(defined)
