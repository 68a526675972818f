"""What packages/client/READING.md promises: it is short, and nothing else runs before a yes."""

import re

import pytest
import reading_path

from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.conftest import ROOT

START = (
    "import sys; sys.argv[1:] = ['run', '--', 'true']; exec(compile(open(%r).read(), %r, 'exec'), {'__name__': '__main__', '__file__': %r})"
)


def loaded(developer: Developer) -> set[str]:
    """The files of the client that a run loads before it becomes its command, or until it ends."""
    start = str(reading_path.PACKAGE / "start.py")
    done = developer.execute("python3", "-I", "-S", "-v", "-c", START % (start, start, start))
    names = set(re.findall(r"^import '(innerloop[\w.]*)'", done.err, re.MULTILINE))
    assert "innerloop.core.launcher.main" in names, done.err[-2000:]
    paths = [reading_path.PACKAGE.parent / name.replace(".", "/") for name in names]
    return {str(path.with_suffix(".py").relative_to(reading_path.PACKAGE)) for path in paths if path.with_suffix(".py").is_file()}


def test_the_path_and_its_parts_are_as_short_as_promised() -> None:
    assert [] == [f"{part.title}: {part.lines} lines" for part in reading_path.PARTS if part.lines > part.most]
    assert reading_path.total() <= reading_path.MOST


def test_each_file_stands_in_the_path_once() -> None:
    files = [file for part in reading_path.PARTS for file in part.files]

    assert len(files) == len(set(files))


@pytest.mark.parametrize("answer", ["no", "outside"])
def test_nothing_but_the_first_part_runs_for_somebody_who_did_not_agree(developer: Developer, server: Recorder, answer: str) -> None:
    if answer == "no":
        developer.opt_in("no")
    else:
        developer.directory = developer.base
    before = reading_path.PARTS[0]

    assert loaded(developer) <= set(before.files)
    assert not server.requests


def test_more_of_it_runs_for_somebody_who_agreed(agreed: Developer) -> None:
    """So the test above can fail."""
    assert loaded(agreed) - set(reading_path.PARTS[0].files)


def test_the_readme_says_how_long_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"\[([\d,]+) lines\]\(packages/client/READING.md\)", readme)

    assert reading_path.total() == pytest.approx(int(said.replace(",", "")), rel=0.05)
