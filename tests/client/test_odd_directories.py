"""Directories of ours that lead elsewhere, or hold what is not ours: nothing behind them or of others changes."""

import os
import time
from pathlib import Path

import pytest

from innerloop.tools.setup import gnumakefile
from tests.client.people import DAY, Developer
from tests.client.recorder import Recorder, Reply

KEY, DIGEST = "0123456789abcdef01234567", "0123456789ab"


def precious(developer: Developer) -> Path:
    """Somebody's own directory, with files and a directory that are called as ours are."""
    directory = developer.base / "precious"
    (directory / DIGEST).mkdir(parents=True)
    for name in ("thesis.txt", "settings.json", f"{KEY}.json", "1-2", f"{DIGEST}/file"):
        (directory / name).write_text("mine")
    for path in (*directory.rglob("*"), directory):
        os.utime(path, (time.time() - 100 * DAY,) * 2)
    return directory


def contents(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() if path.is_file() else "" for path in directory.rglob("*")}


@pytest.mark.parametrize("place", ["hot", "forget", "probe", "spool"])
def test_where_a_directory_of_ours_is_a_link_nothing_behind_it_changes(agreed: Developer, place: str) -> None:
    mine = precious(agreed)
    before = contents(mine)
    agreed.run("true")
    if (agreed.state / place).exists():
        (agreed.state / place).rename(agreed.base / "old")
    (agreed.state / place).symlink_to(mine)
    for words in (["deliver"], ["status"], ["doctor"], ["run", "--", "true"], ["deliver"], ["opt-out"]):
        assert "Traceback" not in agreed.innerloop(*words).err
    agreed.opt_in("yes")
    for words in (["run", "--", "true"], ["deliver"], ["opt-out", "--all"], ["uninstall"]):
        assert "Traceback" not in agreed.innerloop(*words).err

    assert before == contents(mine)


def test_a_link_in_the_place_of_the_erasures_is_moved_aside_and_an_erasure_waits_in_a_directory_of_ours(
    agreed: Developer, server: Recorder
) -> None:
    mine = precious(agreed)
    before = contents(mine)
    agreed.run("true")
    (agreed.state / "forget").symlink_to(mine)
    server.always(Reply(503))
    agreed.at_terminal(agreed.command, "forget", types=[("Type yes: ", "yes")])

    assert before == contents(mine)
    assert not (agreed.state / "forget").is_symlink()
    assert 1 == len(list((agreed.state / "forget").iterdir()))
    assert 1 == len(list(agreed.state.glob("forget.odd-*")))


@pytest.mark.parametrize("words", [["opt-out", "--all"], ["deliver"]], ids=" ".join)
def test_what_has_no_name_of_ours_in_a_directory_of_ours_stays(agreed: Developer, words: list[str]) -> None:
    agreed.run("true")
    (agreed.state / "forget").mkdir(exist_ok=True)
    strangers = [
        agreed.state / place / name for place in ("hot", "forget") for name in ("thesis.txt", "2026-11 notes.txt", "settings.json")
    ]
    for path in strangers:
        path.write_text("mine")
    assert 0 == agreed.innerloop(*words).status

    assert [] == [path for path in strangers if not path.exists()]


def test_a_spool_that_leads_elsewhere_holds_up_no_other(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.pending()
    agreed.let_releases_pass()
    agreed.make_delivery_due()
    far = agreed.base / "far"
    far.mkdir()
    (far / "next").touch()
    os.utime(far / "next", (0, 0))
    (agreed.state / "spool" / ("0" * 24)).symlink_to(far)
    agreed.innerloop("deliver")

    assert server.events
    assert [far / "next"] == list(far.iterdir())


@pytest.mark.parametrize("place", ["spool", f"spool/{KEY}"])
def test_a_spool_behind_a_link_is_none_of_this_machines(agreed: Developer, place: str) -> None:
    far = agreed.base / "far"
    spool = far if KEY in place else far / KEY
    spool.mkdir(parents=True)
    (spool / "about.json").write_text('{"consent": "shop-01234567-0123456789ab.json", "project": "behind-the-link"}')
    (agreed.base / "clone").mkdir()
    (agreed.base / "clone" / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
    (spool / "roots").write_text(f"{agreed.base}/clone/innerloop.toml\0")
    before = contents(far)
    agreed.run("true")
    if place == "spool":
        (agreed.state / place).rename(agreed.base / "old")
    (agreed.state / place).symlink_to(far)
    told = agreed.innerloop("uninstall", "--dry-run", "--json").json
    done = agreed.innerloop("opt-out", "--all")

    assert "clone" not in str(told)
    assert "behind-the-link" not in done.out + done.err
    assert before == contents(far)
