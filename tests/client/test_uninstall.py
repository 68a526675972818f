"""`innerloop uninstall`: nothing of ours is left but what a person keeps or nobody else could do, and nothing else is touched."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder, Reply
from tests.conftest import ROOT, Installed


def uninstall(developer: Developer, *words: str) -> dict[str, Any]:
    done = developer.innerloop("uninstall", "--json", *words)
    assert done.status == 0, done.err
    document: dict[str, Any] = done.json
    return document


@pytest.fixture
def measured(agreed: Developer) -> Developer:
    """Somebody with everything: runs, targets, an answer, a second project with a no."""
    agreed.env.pop("INNERLOOP_PROBE")
    agreed.run("make", "test")
    agreed.flush()
    agreed.run("make", "fail")
    first = agreed.directory
    agreed.project("other", project={"id": "other"}).opt_in("no")
    agreed.directory = first
    return agreed


def test_nothing_of_ours_is_left(measured: Developer) -> None:
    assert (measured.state / "attach.mk").exists()
    removed = uninstall(measured)["removed"]

    assert {} == measured.files()
    assert not measured.state.exists()
    assert not measured.config.exists()
    assert str(measured.state / "attach.mk") in removed
    assert 0 == measured.run("make", "test").status
    assert {} == measured.files(), "nothing is measured afterwards"


def test_a_dry_run_says_it_and_removes_nothing(measured: Developer) -> None:
    before = measured.files()
    told = uninstall(measured, "--dry-run")

    assert before == measured.files()
    assert told["removed"] == uninstall(measured)["removed"]


def test_answers_stay_where_that_is_wished_with_the_reason(measured: Developer) -> None:
    answers = {name: data for name, data in measured.files().items() if name.startswith(".config")}
    told = uninstall(measured, "--keep-answers")

    assert answers == measured.files()
    assert 2 == len(answers) == sum("you keep your answers: a no stays a no" in one["why"] for one in told["stays"])


def test_at_a_terminal_it_asks_what_becomes_of_the_answers(measured: Developer) -> None:
    question = r"Enter: not now\. "
    before = measured.files()
    said = measured.at_terminal(measured.command, "uninstall", types=[(question, "")])
    assert (1, before) == (said.status, measured.files())
    assert "1 of them holds the only key by which a collector erases what it has of you" in " ".join(said.text.split())

    assert 0 == measured.at_terminal(measured.command, "uninstall", types=[(question, "keep")]).status
    assert {".config"} == {name.split("/")[0] for name in measured.files()}
    assert 0 == measured.at_terminal(measured.command, "uninstall", types=[(question, "yes")]).status
    assert {} == measured.files()


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pyz") / "innerloop.pyz"
    subprocess.run([sys.executable, ROOT / "tools" / "build_pyz.py", path], check=True, capture_output=True)
    return path


def test_what_a_killed_command_left_of_the_probe_goes_too(measured: Developer) -> None:
    """Made as the probe's own directories are: under a name of tempfile's, to be moved into place."""
    left = [tempfile.mkdtemp(prefix=prefix, dir=measured.state / "probe") for prefix in (".new-", ".old-") for _ in range(3)]
    (Path(left[0]) / "sh").write_text("x")
    removed = uninstall(measured)["removed"]

    assert set(left) <= set(removed)
    assert not measured.state.exists()


STRANGERS = ("state/mine", "state/spool/mine", "state/hot/mine", "state/probe/.new-s", "state/probe/.old-notes.txt", "config/mine.txt")


def test_what_innerloop_did_not_make_stays_and_is_named(measured: Developer, tmp_path: Path) -> None:
    places = {"state": measured.state, "config": measured.config}
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("mine")
    for name in STRANGERS:
        base, _, rest = name.partition("/")
        (places[base] / rest).write_text("mine")
    links = {measured.state / "spool" / ("0" * 24): tmp_path / "precious", measured.config / "x.json": tmp_path / "precious" / "file"}
    for link, target in links.items():
        link.symlink_to(target)
    os.mkfifo(measured.state / "receipts")
    told = uninstall(measured)

    assert len(STRANGERS) == len(measured.files())
    assert "mine" == (tmp_path / "precious" / "file").read_text()
    named = {one["path"] for one in told["stays"]}
    assert {str(places[name.partition("/")[0]] / name.partition("/")[2]) for name in STRANGERS} <= named
    assert {str(link) for link in links} | {str(measured.state / "receipts")} <= named


def test_a_state_directory_that_is_a_link_is_not_followed(measured: Developer, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "hot").mkdir(parents=True)
    (elsewhere / "hot" / "1-2").write_text("x")
    link = measured.state / "hot"
    for file in link.iterdir():
        file.unlink()
    link.rmdir()
    link.symlink_to(elsewhere / "hot")
    told = uninstall(measured)

    assert (elsewhere / "hot" / "1-2").exists()
    assert str(link) in {one["path"] for one in told["stays"]}


def test_hook_lines_are_named_and_left(measured: Developer) -> None:
    line = 'command -v innerloop >/dev/null && eval "$(innerloop hook bash)"'
    texts = {".bashrc": f"# mine\n{line}\n", ".zshrc": "x=innerloop\n", ".config/fish/conf.d/a.fish": "innerloop hook fish | source\n"}
    for name, text in texts.items():
        (measured.home / name).parent.mkdir(parents=True, exist_ok=True)
        (measured.home / name).write_text(text)
    told = uninstall(measured)

    assert {name: text.encode() for name, text in texts.items()} == measured.files()
    named = {one["path"] for one in told["stays"] if "loads the hook" in one["why"]}
    assert {f"{measured.home}/.bashrc:2", f"{measured.home}/.config/fish/conf.d/a.fish:1"} == named


def test_gnumakefiles_are_named_and_do_nothing_afterwards(measured: Developer) -> None:
    assert 0 == measured.innerloop("init").status
    told = uninstall(measured)

    path = measured.directory / "GNUmakefile"
    assert path.exists()
    assert str(path) in {one["path"] for one in told["stays"]}
    done = measured.execute("make", "fail")
    assert (2, "") == (done.status, done.out)
    assert {} == measured.files()


def test_an_erasure_that_waits_is_done(measured: Developer, server: Recorder) -> None:
    server.always(Reply(503))
    measured.at_terminal(measured.command, "forget", types=[("Type yes: ", "yes")])
    assert list((measured.state / "forget").iterdir())
    ids = json.loads(next((measured.state / "forget").iterdir()).read_text())["ids"]
    receipt = {"success": True, "receipt": "abcdefgh12345678", "ids": [{"userId": one, "state": "erased", "events": 1} for one in ids]}
    server.always(Reply(200, {"Content-Type": "application/json"}, json.dumps(receipt).encode()))
    uninstall(measured)

    assert {} == measured.files()


def test_an_erasure_that_nobody_confirms_is_said_and_stays(measured: Developer, server: Recorder) -> None:
    server.always(Reply(503))
    measured.at_terminal(measured.command, "forget", types=[("Type yes: ", "yes")])
    done = measured.innerloop("uninstall")

    assert 1 == done.status
    assert "has not confirmed an erasure yet" in done.out
    (left,) = measured.files()
    assert left.startswith(".local/state/innerloop/forget/")


def test_a_running_build_keeps_what_it_uses(measured: Developer) -> None:
    (measured.directory / "Makefile").write_text(
        "waits:\n\t@touch started; while [ ! -e go ]; do sleep 0.05; done\n\t@echo done > finished; true\n"
    )
    build = measured.start(measured.command, "run", "--", "make", "waits")
    assert eventually((measured.directory / "started").exists)
    done = measured.innerloop("uninstall")
    assert 1 == done.status
    assert "1 measured command is running" in done.err
    (measured.directory / "go").touch()

    assert 0 == build.wait(30)
    assert (measured.directory / "finished").exists()
    uninstall(measured)
    assert {} == measured.files()


def test_a_coding_agent_may_not(measured: Developer) -> None:
    before = measured.files()

    assert 1 == measured.innerloop("uninstall", env={"CLAUDECODE": "1"}).status
    assert before == measured.files()


def test_twice_is_once(measured: Developer) -> None:
    uninstall(measured)
    done = measured.innerloop("uninstall")

    assert (0, True) == (done.status, "There is nothing of innerloop to remove here." in done.out)
    assert "There is nothing" in measured.innerloop("uninstall", env={"XDG_STATE_HOME": "/nonexistent"}).out


def test_the_package_is_named_with_how_it_goes(measured: Developer, hire: Callable[..., Developer], installed: Installed) -> None:
    assert "pip uninstall innerloop" in uninstall(measured)["package"]
    link = installed.directory / "home" / ".local" / "bin" / "innerloop"
    assert link.is_symlink(), "what a package manager installed is its own to remove"


def test_what_the_one_file_installed_goes_too(developer: Developer, pyz: Path) -> None:
    def python(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["python3", str(pyz), *words], cwd=developer.directory, env=developer.env, capture_output=True, text=True, check=False
        )

    assert 0 == python("install").returncode
    command = developer.home / ".local" / "bin" / "innerloop"
    assert command.is_symlink()
    (developer.home / ".local" / "bin" / "other").symlink_to("/bin/true")
    done = developer.execute(command, "uninstall")
    assert (0, "") == (done.status, done.err)
    assert [".local/bin/other"] == [str(path.relative_to(developer.home)) for path in developer.home.rglob("*") if not path.is_dir()]

    assert 0 == python("install").returncode
    told = python("uninstall")
    assert (0, True) == (told.returncode, "delete the file innerloop.pyz" in told.stdout)
    assert not os.path.lexists(command)


def test_a_place_of_ones_own_is_found_by_the_program_in_it(developer: Developer, pyz: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    subprocess.run(["python3", str(pyz), "install", "--to", str(place)], env=developer.env, capture_output=True, check=True)
    (place / "bin" / "mine").write_text("mine")
    assert 0 == developer.execute(place / "bin" / "innerloop", "uninstall").status

    assert ["bin", "bin/mine", "share"] == sorted(str(path.relative_to(place)) for path in place.rglob("*"))
