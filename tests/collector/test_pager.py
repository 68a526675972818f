"""What is longer than the terminal goes through the reader's pager; a pipe, a file and a dumb terminal never get one."""

import os
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

PRINTS = """
import sys
from innerloop_collector.cli.shared import show
show({"lines": int(sys.argv[1])}, False, lambda answer: "\\n".join(f"\\x1b[1mline {number}\\x1b[0m" for number in range(answer["lines"])))
"""
PAGER = """#!/bin/sh
echo "pager: $LESS $*"
exec cat
"""


@pytest.fixture
def pager(tmp_path: Path) -> Path:
    """A pager that says that it is one."""
    made = tmp_path / "my pager"
    made.write_text(PAGER)
    made.chmod(0o755)
    return made


def shown(lines: int, *, redirected: str = "", **variables: str) -> str:
    """What a terminal of 24 lines shows of so many."""
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", **variables}
    words = ["-c", f'exec "$0" -c "$1" {lines} {redirected}', sys.executable, PRINTS]
    child: Any = pexpect.spawn("/bin/sh", words, env=environment, dimensions=(24, 80), encoding="utf-8", timeout=30)
    text: str = child.read()
    child.close()
    assert 0 == child.exitstatus, text
    return text


def test_what_does_not_fit_goes_through_the_pager_with_its_words_and_less_s_settings(pager: Path) -> None:
    text = shown(100, PAGER=f"'{pager}' --of mine")

    assert text.startswith("pager: FRX --of mine\r\n")
    assert "line 99" in text
    assert "pager: -S " in shown(100, PAGER=f"'{pager}'", LESS="-S")


def test_what_fits_and_what_goes_elsewhere_gets_no_pager(pager: Path, tmp_path: Path) -> None:
    words = f"'{pager}'"

    assert "pager" not in shown(20, PAGER=words)
    assert "pager" not in shown(100, PAGER=words, redirected="| cat")
    assert "" == shown(100, PAGER=words, redirected=f"> '{tmp_path}/file'")
    assert 100 == len((tmp_path / "file").read_text().splitlines())


@pytest.mark.parametrize(
    "variables", [{"PAGER": ""}, {"PAGER": "cat"}, {"PAGER": "no-such-pager"}, {"PAGER": "'unbalanced"}, {"TERM": "dumb", "PAGER": "less"}]
)
def test_where_there_is_no_pager_it_is_printed(variables: dict[str, str]) -> None:
    assert "line 99" in shown(100, **variables)


def test_what_a_pager_cannot_show_that_cannot_be_started_is_printed(tmp_path: Path) -> None:
    made = tmp_path / "of no kind that runs"
    made.write_text("\0")
    made.chmod(0o755)

    assert "line 99" in shown(100, PAGER=f"'{made}'")


def test_a_pager_that_is_left_early_is_no_failure(tmp_path: Path) -> None:
    made = tmp_path / "left"
    made.write_text("#!/bin/sh\nread line\necho left after: $line\n")
    made.chmod(0o755)

    assert "left after: " in shown(100_000, PAGER=str(made))
