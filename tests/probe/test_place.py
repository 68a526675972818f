"""The probe's directory is made whole or not at all, says why it cannot be, and old ones stay while builds may use them."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from innerloop.core.probe import place


@pytest.fixture
def state(shims: Path, tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_it_is_made_once_and_only_for_its_owner(state: Path) -> None:
    directory, reason = place.prepare(str(state))

    assert ("", "") == (reason, place.usable(directory))
    files = {str(path.relative_to(directory)) for path in Path(directory).rglob("*") if path.is_file()}
    assert {*place.LINKS, "probe.mk", "exec.sh", *(f"{old}/exec.sh" for old in place.OLD)} == files
    assert 0o700 == os.stat(directory).st_mode & 0o777
    before = os.stat(f"{directory}/sh").st_ino
    assert (directory, "") == place.prepare(str(state))
    assert before == os.stat(f"{directory}/sh").st_ino
    assert 1 == len({os.stat(f"{directory}/{name}").st_ino for name in place.LINKS})
    assert "@DIR@" not in Path(directory, "probe.mk").read_text() + Path(directory, "exec.sh").read_text()


@pytest.mark.parametrize("name", ["with blank", "dollar$", "colon:", "hash#", "ünï", "per%cent", "quo'te"])
def test_a_path_that_make_would_not_take_is_refused(shims: Path, tmp_path: Path, name: str) -> None:
    directory, reason = place.prepare(str(tmp_path / name))

    assert "" == directory
    assert "characters" in reason
    assert [] == os.listdir(tmp_path)


def test_an_unwritable_place_is_a_reason_and_no_exception(shims: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("somebody else's")

    directory, reason = place.prepare(str(tmp_path / "state" / "innerloop"))
    assert "" == directory
    assert str(tmp_path) in reason
    assert ["state"] == os.listdir(tmp_path)


def test_what_is_broken_is_replaced(state: Path) -> None:
    directory, _ = place.prepare(str(state))
    os.unlink(f"{directory}/exec")

    assert "exec is missing" in place.usable(directory)
    assert (directory, "") == place.prepare(str(state))
    assert "" == place.usable(directory)


def test_a_shim_that_cannot_be_run_is_noticed(state: Path) -> None:
    directory, _ = place.prepare(str(state))
    os.chmod(f"{directory}/sh", 0o600)

    assert "cannot be run" in place.usable(directory)


def test_a_file_system_without_execution_is_noticed(state: Path, tmp_path: Path) -> None:
    script = f"""
        mount -t tmpfs -o noexec none {tmp_path} || exit 77
        python3 -c "import sys; sys.path.insert(0, '{Path(place.HERE).parents[2]}')
from innerloop.core.probe import place; print(place.prepare('{tmp_path}/state'))"
    """
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system can be mounted here (root only): noexec is not tried")

    assert "noexec" in done.stdout, done.stderr


def test_other_versions_stay_for_a_month(state: Path) -> None:
    directory, _ = place.prepare(str(state))
    young, old, foreign = (state / "probe" / name for name in ("0123456789ab", "ba9876543210", "notes"))
    for path in (young, old, foreign):
        path.mkdir()
    for path in (old, foreign):
        os.utime(path, (0, time.time() - 31 * 24 * 3600))
    place.prepare(str(state))

    assert {os.path.basename(directory), young.name, foreign.name} == set(os.listdir(state / "probe"))


def test_without_hard_links_there_are_copies(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    directory, reason = place.prepare(str(state))

    assert ("", "") == (reason, place.usable(directory))


def test_where_no_compiled_shim_fits_there_is_the_one_in_sh(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "machine", lambda: "haiku-m68k")
    directory, reason = place.prepare(str(state))

    assert "" == reason
    assert Path(directory, "sh").read_bytes().startswith(b"#!/bin/sh")


def test_two_at_once_make_one(state: Path, shims: Path) -> None:
    source = Path(place.HERE).parents[2]
    code = f"import sys; sys.path.insert(0, '{source}')\nfrom innerloop.core.probe import place\nprint(*place.prepare('{state}'))"
    both = [subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {process.communicate()[0].strip() for process in both}

    assert 1 == len(said)
    assert "" == place.usable(said.pop())
    assert 1 == len(os.listdir(state / "probe"))
    shutil.rmtree(state)
