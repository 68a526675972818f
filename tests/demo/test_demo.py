"""The demo, as `make demo` runs it: the installed command, real builds, and nothing left behind."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pexpect
import pytest

from tests.conftest import ENVIRONMENT, ROOT, Installed

SOURCE = ROOT / ".cache" / "lua-5.1"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory for temporary files, which must be empty when the demo has ended."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    yield directory
    assert [] == list(directory.rglob("*"))


def command(installed: Installed) -> list[str]:
    """Return the command line of the demo."""
    return [str(installed.collector), "demo", "--source", str(SOURCE)]


def environment(place: Path, tmp_path: Path, **extra: str) -> dict[str, str]:
    """Return an environment full of what must not reach the developers of the demo."""
    marks = {"CI": "true", "DO_NOT_TRACK": "1", "CLAUDECODE": "1", "MAKELEVEL": "1", "MAKEFLAGS": "-n", "INNERLOOP_MODE": "off"}
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": ENVIRONMENT["PATH"], "HOME": str(home), "TMPDIR": str(place), **marks, **extra}


def processes_with(text: str) -> list[str]:
    """List the command lines of processes that mention a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line and path.parent.name != str(os.getpid()):
            found.append(line)
    return found


@pytest.mark.timeout(240)
def test_it_shows_real_figures_and_leaves_nothing(installed: Installed, place: Path, tmp_path: Path) -> None:
    """Both reports hold figures of the builds, whatever the caller's environment says, and everything is gone afterwards."""
    done = subprocess.run(command(installed), env=environment(place, tmp_path), capture_output=True, text=True, timeout=230, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    assert "\x1b" not in done.stdout

    assert "May The demo measure how Lua commands run on this machine?" in done.stdout
    assert "Lua: may run times be measured? So far nothing is recorded." in done.stdout
    assert "69 recorded = 69 acknowledged + 0 queued + 0 quarantined + 0 dropped" in done.stdout

    team = part(done.stdout, "What the team sees")
    assert re.search(r"^\W*generic\s+30\s+5 to 9\b.*%", team, re.MULTILINE)
    assert re.search(r"^\W*test\s+15\s+5 to 9\b", team, re.MULTILINE)
    assert re.search(r"^\W*clean\s+20\s+5 to 9\b", team, re.MULTILINE)
    assert "echo" not in team, "what too few ran is not named"
    assert "THROW-AWAY STORE" in team
    assert "min_active_weeks = 1" in team

    own = part(done.stdout, "What only anna sees")
    generic, total = (re.search(rf"^\W*{name}\s+(\d+)\s+(\d+)\s+(\d+)\s", own, re.MULTILINE) for name in ("generic", "total"))
    assert generic
    assert total
    # Ctrl-C stops make, which now and then calls that a failure of its own ("wait: No child processes")
    assert generic.groups() in (("5", "1", "1"), ("5", "2", "0"))
    assert total.groups() in (("12", "2", "1"), ("12", "3", "0"))

    assert [] == [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert [] == processes_with(str(place))


ENDINGS = {"is killed": "trap - INT; kill -INT $$", "fails": "echo wait: No child processes; exit 2", "works": "exit 0"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_however_make_ends_after_ctrl_c_the_story_goes_on(installed: Installed, place: Path, tmp_path: Path, ending: str) -> None:
    """Nothing of the demo is left to chance: GNU make itself ends in each of these ways now and then."""
    programs, source = tmp_path / "bin", tmp_path / "source"
    programs.mkdir()
    source.mkdir()
    (programs / "make").write_text(f"#!/bin/sh\ntrap '{ENDINGS[ending]}' INT\necho ready\nwhile :; do sleep 0.05; done\n")
    (programs / "make").chmod(0o755)
    code = (
        "import sys; from pathlib import Path; from innerloop_collector.demo.builds import Build;"
        "from innerloop_collector.demo.developers import Developer;"
        "print(Developer('anna', Path(sys.argv[1]), Path(sys.argv[2]), '').build(Build('generic', 'is interrupted', interrupt_at='ready')))"
    )
    words = [installed.collector.with_name("python"), "-c", code, tmp_path / "people", source]
    path = f"{programs}:{ENVIRONMENT['PATH']}"
    done = subprocess.run(words, env=environment(place, tmp_path, PATH=path), capture_output=True, text=True, timeout=60, check=False)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.slow
def test_it_leaves_nothing_when_it_is_stopped(installed: Installed, place: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle ends the collector and every build, and removes their files."""
    with subprocess.Popen(
        command(installed), env=environment(place, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout
        for line in demo.stdout:
            if "are asked the same" in line:
                break
        time.sleep(1)  # into the builds
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate(timeout=60)

    assert (130, "\ninnerloop-collector demo: stopped; nothing is left behind\n") == (demo.returncode, errors)
    assert [] == processes_with(str(place))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "say where its sources are with --source"),
        (["--source", "/nowhere"], "/nowhere does not hold the sources of Lua 5.1"),
        (["--source", str(SOURCE), "--keep", str(ROOT)], "is not empty; --keep needs a new or empty directory"),
    ],
)
def test_wrong_options_are_one_clear_line(installed: Installed, tmp_path: Path, place: Path, arguments: list[str], complaint: str) -> None:
    """Exit status 1 and one line on stderr, before anything is started."""
    line = [str(installed.collector), "demo", *arguments]
    done = subprocess.run(line, env=environment(place, tmp_path), capture_output=True, text=True, check=False)

    assert (1, "") == (done.returncode, done.stdout)
    assert 1 == done.stderr.count("\n")
    assert complaint in done.stderr


def test_without_a_compiler_it_says_what_to_install(installed: Installed, tmp_path: Path, place: Path) -> None:
    """A machine without gcc gets the Debian command."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    line = command(installed)
    done = subprocess.run(line, env=environment(place, tmp_path, PATH=str(tools)), capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert "innerloop-collector demo: the builds need gcc and ar and ranlib. On Debian: apt-get install gcc binutils\n" == done.stderr


def test_keep_leaves_the_files_where_it_was_told(installed: Installed, tmp_path: Path, place: Path) -> None:
    """Covered cheaply: the directory is taken when it is new or empty, and made private."""
    code = f"from innerloop_collector.demo.place import kept; from pathlib import Path; kept(Path({str(tmp_path / 'kept')!r}))"
    subprocess.run([installed.directory / "collector" / "bin" / "python", "-c", code], check=True)

    assert 0o700 == (tmp_path / "kept").stat().st_mode & 0o777


def part(output: str, heading: str) -> str:
    """Return the part of the story under a heading."""
    _, _, rest = output.partition(heading)
    assert rest, f"no {heading!r} in:\n{output}"
    return rest.partition("\nWhat ")[0]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_at_a_terminal_it_ends_with_the_dashboard_open_until_enter(installed: Installed, place: Path, tmp_path: Path) -> None:
    program, *arguments = command(installed)
    of_a_person = {name: value for name, value in environment(place, tmp_path).items() if name != "CI"}
    demo = pexpect.spawn(program, arguments, env={**of_a_person, "TERM": "dumb"}, timeout=200, encoding="utf-8", dimensions=(50, 200))
    demo.expect(r"signs you in once: (http://\S+)")
    with httpx2.Client(trust_env=False, follow_redirects=False) as browser:
        signed_in = browser.get(demo.match[1])
        assert 303 == signed_in.status_code
        cookie = signed_in.headers["set-cookie"].partition(";")[0]
        address = demo.match[1].partition("/sign-in")[0]
        assert "What people run and wait for" in browser.get(f"{address}/p/lua", headers={"Cookie": cookie}).text
    demo.expect("ends the demo")
    demo.sendline("")
    demo.expect("The collector has ended")
    demo.expect(pexpect.EOF)
    demo.close()

    assert 0 == demo.exitstatus
