"""What pages are made of besides figures: other people's files are those that they published, and colours can be told apart."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from innerloop_collector import dashboard
from innerloop_collector.dashboard.static_files import StaticFiles

STATIC = Path(dashboard.__file__).parent / "static"
VENDORED = STATIC / "vendored"
AXE = Path(__file__).parent / "vendored"


@pytest.mark.parametrize("folder", [VENDORED, AXE])
def test_other_peoples_files_are_what_they_published_with_their_licence(folder: Path) -> None:
    known = tomllib.loads((folder / "vendored.toml").read_text())

    assert {path.name for path in folder.glob("*.js")} == set(known), "every one is named"
    for name, one in known.items():
        assert one["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest(), name
        assert re.fullmatch(r"\d+\.\d+\.\d+", one["version"])
        assert len((folder / one["licence"]).read_text()) > 400


def test_an_address_changes_with_the_file() -> None:
    files = StaticFiles()
    for path in (STATIC / "style.css", VENDORED / "d3.min.js"):
        assert files.address(path.name).split(".")[-2] == hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_nothing_of_ours_asks_anybody_else_or_runs_text_as_code() -> None:
    """Neither scripts nor templates hold an address elsewhere, an inline handler, script or style."""
    ours = [*STATIC.glob("*.*"), *(STATIC.parent / "templates").glob("*.html")]
    for path in ours:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|\beval\(|new Function|innerHTML", text), path
        assert path.suffix != ".html" or not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|<style|\sstyle=|hx-on|\|\s*safe", text), path


def tokens() -> dict[str, tuple[str, str]]:
    """The colours of the stylesheet: light and dark."""
    return {
        name: (light, dark)
        for name, light, dark in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", (STATIC / "style.css").read_text())
    }


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(
    ("name", "least"), [("ink", 4.5), ("muted", 4.5), ("data", 4.5), ("worse", 4.5), ("better", 4.5), ("mark", 4.5), ("edge", 3.0)]
)
@pytest.mark.parametrize("ground", ["bg", "surface"])
def test_text_and_marks_stand_out_from_what_they_stand_on(name: str, least: float, ground: str, scheme: int) -> None:
    known = tokens()

    assert contrast(known[name][scheme], known[ground][scheme]) >= least


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("tone", ["worse", "better"])
def test_a_word_stands_out_from_its_own_ground(tone: str, scheme: int) -> None:
    known = tokens()

    assert contrast(known[tone][scheme], known[f"{tone}ground"][scheme]) >= 4.5
