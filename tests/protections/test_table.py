"""The table of protections fits the sources wherever they were moved to, and says so clearly where it does not."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import protections
import pytest
import requirements
from protections import SOURCES, MisfitError, Protection

TABLE = protections.protections()
CODE = '''\
"""A module."""

LIMIT = 3


def take(items: "list[int]") -> bool:
    """Take them, but not too many."""
    if len(items) > LIMIT:
        return False
    items.sort(key=abs)
    return True
'''
ROW = Protection("any number is taken", "take", "if False:", "test_it", old="if len(items) > LIMIT:", distribution="client")


@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.name)
def test_a_protection_can_be_taken_out(one: Protection) -> None:
    """Its definition is there, its text stands there once, what is left is Python and imports what there is."""
    sources = SOURCES[one.distribution]
    file, text = one.patched(sources)
    if file.endswith(".py"):
        imported = _imports(text) - _imports((sources / file).read_text(encoding="utf-8"))
        known = protections.definitions(sources)
        assert imported <= {one.name for one in known} | {one.file.removesuffix(".py").replace("/", ".") for one in known}


def _imports(text: str) -> set[str]:
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}.{one.name}" for node in nodes for one in node.names}


def test_no_patch_uses_a_name_that_is_not_there(tmp_path: Path) -> None:
    """It would fail every test, and show nothing of its protection."""
    for number, one in enumerate(TABLE):
        file, text = one.patched(SOURCES[one.distribution])
        if file.endswith(".py"):
            (tmp_path / f"{number}_{Path(file).name}").write_text(text)
    words = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--quiet", "--select", "F821,F823", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.name)
def test_the_test_of_a_protection_is_there(one: Protection) -> None:
    """It bears one of the protection's numbers, or none at all."""
    name = one.test.partition("[")[0]
    requirements.test_named(name)
    number = re.match(r"test_c(\d\d)_", name)
    assert number is None or int(number[1]) in one.requirements
    assert set(one.requirements) <= {row.number for row in requirements.requirements()}


def test_protections_are_told_apart_by_name() -> None:
    names = [one.name for one in TABLE]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("file", ["one.py", "other.py", "deeper/still/one.py"])
def test_a_definition_is_found_wherever_its_file_is(file: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(CODE)

    assert (file, CODE.replace("if len(items) > LIMIT:", "if False:")) == ROW.patched(tmp_path)


@pytest.mark.parametrize(
    "condition",
    [
        "if len(\n        items\n    ) > LIMIT:",
        "if len(items,) > LIMIT:",
        "if len(items) > LIMIT :",
        "if len(items) > (  # most\n        LIMIT):",
    ],
)
def test_a_text_is_found_however_it_is_formatted(condition: str, tmp_path: Path) -> None:
    row = ROW._replace(old="len(items) > LIMIT" if "(  #" not in condition else "len(items) > (LIMIT)", new="False")
    (tmp_path / "one.py").write_text(CODE.replace("if len(items) > LIMIT:", condition))
    _, text = row.patched(tmp_path)

    assert re.search(r"if False ?:\n        return False", text)


def test_a_body_is_replaced_but_for_its_docstring_and_a_constant_but_for_its_name(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(CODE)
    _, body = ROW._replace(old="", new="items.clear()\nreturn True").patched(tmp_path)
    _, value = ROW._replace(definition="one.LIMIT", old="", new="1_000").patched(tmp_path)

    assert body.endswith('"""Take them, but not too many."""\n    items.clear()\n    return True\n')
    assert CODE.replace("LIMIT = 3", "LIMIT = 1_000") == value


def test_of_two_definitions_of_one_name_the_text_tells_which(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(CODE)
    (tmp_path / "two.py").write_text("def take(item: int) -> bool:\n    return True\n")

    assert "one.py" == ROW.patched(tmp_path)[0]


def test_a_variable_of_a_makefile_is_found_with_its_further_lines(tmp_path: Path) -> None:
    (tmp_path / "one.mk").write_text(".here := a \\\n    b\n.here += c\nall: .here\n")
    row = Protection("", ".here", "d", "", old="b")

    assert ("one.mk", ".here := a \\\n    d\n.here += c\nall: .here\n") == row.patched(tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ROW._replace(definition="took"), r"nothing is named took; its text stands in one\.take \(one\.py\)"),
        (ROW._replace(definition="took", old="if None:"), "nothing is named took; its text stands nowhere"),
        (ROW._replace(old="LIMIT = 3"), r"`LIMIT = 3` does not stand in one\.take \(one\.py\); its text stands in one\.LIMIT"),
        (ROW._replace(old="items"), r"take is not one place but 3: one\.take"),
        (ROW._replace(new="if False"), "one.take: patched, line 8 of one.py is no Python"),
        (ROW._replace(new=ROW.old), "one.take: the patch changes nothing"),
    ],
)
def test_what_does_not_fit_says_where_it_may_be_now(row: Protection, said: str, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(CODE)
    with pytest.raises(MisfitError, match=said):
        row.patched(tmp_path)
