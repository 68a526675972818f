"""The shim ends as its line ended, passes on what it must, leaves alone the rest, and never keeps a line from running."""

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from innerloop.core.probe import place
from tests.kept import member
from tests.needs import need
from tests.probe.conftest import ENVIRONMENT, MAKE, Since, Stage
from tests.transparency.stage import Stage as Terminals

ABOUT = "goal\n\n\n"


def started(stage: Stage, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [MAKE, *words], cwd=stage.work, env=stage.env(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def shim(stage: Stage, *words: str, name: str = "sh", **env: str) -> "subprocess.CompletedProcess[str]":
    """Run the shim as make would, whose own output is the line's: what writes into another pipe is a $(shell)."""
    environment = ENVIRONMENT | {"__innerloop": member(stage.log), "__innerloop_line": ABOUT, "MAKELEVEL": "1"} | env
    out = stage.base / "out"
    with out.open("w") as file:
        done = subprocess.run(
            [stage.probe / name, *words],
            cwd=stage.work,
            env=environment,
            text=True,
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
            timeout=20,
        )
    return subprocess.CompletedProcess(done.args, done.returncode, out.read_text(), done.stderr)


# -- how a line ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGSEGV, signal.SIGHUP, signal.SIGUSR1])
def test_a_line_that_dies_by_a_signal_takes_the_shim_with_it(stage: Stage, number: int) -> None:
    done = shim(stage, "-c", f"kill -{number} $$; sleep 5")

    assert -number == done.returncode
    assert [-number] == [line.status for line in stage.lines()]


@pytest.mark.parametrize("status", [0, 1, 3, 127, 130, 255])
def test_an_exit_status_is_kept(stage: Stage, status: int) -> None:
    assert status == shim(stage, "-c", f"exit {status}").returncode
    assert [status] == [line.status for line in stage.lines()]


def test_one_core_file_is_enough(stage: Stage) -> None:
    def unlimited() -> None:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    environment = ENVIRONMENT | {"__innerloop": member(stage.log), "__innerloop_line": ABOUT}
    done = subprocess.run([stage.probe / "sh", "-c", "kill -ABRT $$"], cwd=stage.work, env=environment, check=False, preexec_fn=unlimited)

    assert -signal.SIGABRT == done.returncode
    assert len(list(stage.work.glob("core*"))) <= 1


# -- what reaches the line, and what is taken out ------------------------------------------------------------------------


def test_the_line_sees_what_it_would_have_seen(stage: Stage) -> None:
    """Descriptors, group, session, mask, dispositions and limits: all but the process ids."""
    script = "print(os.getpgrp(), os.getsid(0), sorted(os.listdir('/proc/self/fd'))[:-1], os.umask(0o77))\n"
    script += "print([line for line in open('/proc/self/status') if line.startswith(('SigP', 'SigB', 'SigI', 'SigC', 'ShdP'))])\n"
    (stage.work / "look.py").write_text("import os, signal\n" + script)
    stage.write("all:\n> @exec python3 -S look.py\n> @exec 7<Makefile; exec python3 -S look.py\n")

    def odd() -> None:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])

    said = [
        subprocess.run([MAKE], cwd=stage.work, env=env, text=True, check=True, capture_output=True, preexec_fn=odd).stdout
        for env in (ENVIRONMENT, stage.env())
    ]
    assert said[0] == said[1]
    assert 2 == len(stage.lines())


def test_nothing_of_ours_but_the_two_variables_is_in_the_environment(stage: Stage) -> None:
    stage.write("all: ; @env\n")
    bare, measured = (dict(line.split("=", 1) for line in ended.out.splitlines()) for ended in (stage.bare(), stage.measured()))

    assert {"MAKEFILES", "__innerloop"} == measured.keys() - bare.keys()
    assert bare == {key: value for key, value in measured.items() if key in bare}
    (line,) = stage.lines()
    assert f"{line.id}:{stage.log}" == measured["__innerloop"]


def test_job_slots_are_as_many_as_without_us(stage: Stage) -> None:
    """Two lines that wait for each other end only where both run at once; a sub-make finds the job server."""
    stage.write(
        "all: a b ; +@$(MAKE) -s c d\n"
        "a: ; @touch $@.up; until test -e b.up; do sleep 0.02; done\nb: ; @touch $@.up; until test -e a.up; do sleep 0.02; done\n"
        "c: ; @touch $@.up; until test -e d.up; do sleep 0.02; done\nd: ; @touch $@.up; until test -e c.up; do sleep 0.02; done\n"
    )
    assert ("", 0) == (stage.measured("-j2").err, stage.measured("-j2").status)


# -- signals -------------------------------------------------------------------------------------------------------------

WAITS = "all: ; @trap 'echo got >&2; sleep 0.1; exit 9' TERM HUP USR1 INT; echo ready; while :; do sleep 0.02; done\n"


def ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()


def test_what_make_sends_to_its_child_reaches_the_line_at_once(stage: Stage) -> None:
    stage.write(WAITS)
    with started(stage) as process:
        ready(process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)

    assert -signal.SIGTERM == process.returncode
    assert 1 == err.count("got")
    assert [9] == [line.status for line in stage.lines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_what_somebody_sends_to_the_shim_alone_reaches_the_line(stage: Stage, number: int) -> None:
    stage.write(WAITS)
    with started(stage) as process:
        ready(process)
        (line,) = stage.lines()
        os.kill(int(line.id.split("-")[0]), number)
        _, err = process.communicate(timeout=20)

    assert 1 == err.count("got")
    assert [9] == [line.status for line in stage.lines()]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_what_is_sent_to_the_whole_group_reaches_a_quick_line_once(stage: Stage, number: int) -> None:
    stage.write(WAITS.replace("sleep 0.1", ":"))
    with started(stage) as process:
        ready(process)
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=20)

    assert 1 == err.count("got")


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "PIPE", "ALRM", "USR2", "ABRT", "PROF"])
def test_a_recipe_that_signals_its_parent_reaches_make(stage: Stage, name: str) -> None:
    stage.write(f"all: ; @kill -{name} $$PPID; sleep 0.3; echo survived\n")
    bare, measured = stage.bare(), stage.measured()

    assert -getattr(signal, f"SIG{name}") == measured.status == bare.status
    assert bare.out == measured.out


def test_a_recipe_that_ends_its_group_signals_make_once(stage: Stage) -> None:
    """A second TERM would end make in the middle of tidying up: half a file would stay."""
    stage.write("half: ; @echo x > half; trap : TERM; kill -TERM 0; sleep 0.2; exit 1\n")
    for env in (ENVIRONMENT, stage.env()):
        done = subprocess.run(
            [MAKE], cwd=stage.work, env=env, start_new_session=True, capture_output=True, text=True, check=False, timeout=20
        )

        assert -signal.SIGTERM == done.returncode
        assert not (stage.work / "half").exists()


def terminal(stage: Stage) -> Terminals:
    return Terminals("make", [], stage.work, stage.env() | {"HOME": str(stage.base)}, stage.base / "scratch")


def test_ctrl_c_ends_the_line_once_and_make_says_so(stage: Stage) -> None:
    stage.write("all: ; @trap 'echo got; sleep 0.2; trap - INT; kill -INT $$$$' INT; echo ready; while :; do sleep 0.02; done\n")
    with terminal(stage).terminal() as screen:
        screen.type("make")
        screen.see("ready")
        screen.press("c")
        screen.see("got")
        assert 130 == screen.prompt()

    assert [-signal.SIGINT] == [line.status for line in stage.lines()]


def test_ctrl_z_stops_and_fg_continues(stage: Stage) -> None:
    stage.write("all: ; @echo ready; sleep 0.5; echo done; exit 4\n")
    with terminal(stage).terminal() as screen:
        for _ in range(3):
            screen.type("make")
            screen.see("ready")
            screen.press("z")
            assert 148 == screen.prompt()
            screen.type("fg")
            screen.see("done")
            assert 2 == screen.prompt()

    assert [4] * 3 == [line.status for line in stage.lines()]


# -- whatever goes wrong, the line runs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "env",
    [
        {"__innerloop": ""}, {"__innerloop": "nothing"}, {"__innerloop": ":"}, {"__innerloop": ":relative"}, {"__innerloop": "1:/nowhere/log"},
        {"__innerloop": f"{'1' * 100}:/tmp/log"}, {"__innerloop": f":/{'x' * 5000}"}, {"__innerloop": ":/dev/null"}, {"__innerloop": ":/"},
        {"__innerloop_line": ""}, {"__innerloop_line": "\n\n\n\n"}, {"__innerloop_line": "goal"}, {"__innerloop_line": "\n" * 100},
    ],
)  # fmt: skip
def test_a_strange_environment_keeps_no_line_from_running(stage: Stage, env: dict[str, str]) -> None:
    done = shim(stage, "-c", "echo $0 ran; env | grep innerloop_line; exit 5", **env)

    assert (5, "/bin/sh ran\n", "") == (done.returncode, done.stdout, done.stderr)
    assert [] == stage.targets()


def test_a_log_that_is_a_link_or_somebody_elses_is_left_alone(stage: Stage) -> None:
    link = stage.base / "link"
    link.symlink_to(stage.log)
    foreign = stage.base / "foreign"
    foreign.touch()
    if os.geteuid() == 0:
        os.chown(foreign, 12345, 12345)
    for path in (link, foreign) if os.geteuid() == 0 else (link,):
        assert "ran\n" == shim(stage, "-c", "echo ran", __innerloop=member(path)).stdout

    assert b"" == stage.log.read_bytes() == foreign.read_bytes()


def test_the_log_is_never_made(stage: Stage) -> None:
    stage.log.unlink()

    assert "ran\n" == shim(stage, "-c", "echo ran").stdout
    assert not stage.log.exists()


def test_a_shell_that_is_the_shim_itself_is_not_started_for_ever(stage: Stage) -> None:
    assert "/bin/sh ran\n" == shim(stage, f"@{stage.probe}/./sh", "-c", "echo $0 ran").stdout
    assert "/bin/bash ran\n" == shim(stage, f"@{stage.probe}/./bash", "-c", "echo $0 ran", name="other").stdout
    assert "/bin/dash ran\n" == shim(stage, f"{stage.probe}/dash", "-c", "echo $0 ran", name="exec").stdout
    assert "/bin/sh ran\n" == shim(stage, f"@{stage.probe}/other", "-c", "echo $0 ran", name="other").stdout


def test_a_shell_that_is_missing_is_reported_as_make_does(stage: Stage) -> None:
    stage.write("SHELL := /no/such/bash\nall: ; @echo x\n")

    bare, measured = stage.bare(), stage.measured()
    assert (bare.status, bare.out) == (measured.status, measured.out)
    assert bare.err == measured.err


def test_a_full_disk_is_not_the_builds_trouble(stage: Stage) -> None:
    script = f"""
        mount -t tmpfs -o size=64k none {stage.base}/full || exit 77
        : > {stage.base}/full/log
        head -c 100000 /dev/zero > {stage.base}/full/zero 2>/dev/null
        {MAKE} all
    """
    (stage.base / "full").mkdir()
    stage.write("all:\n> @echo one; :\n> @echo two\n> @exit 3\n")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], cwd=stage.work, env=stage.env(__innerloop=member(stage.base / "full" / "log")),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system can be mounted here (root only): a full disk is not tried")

    bare = stage.bare("all")
    assert (bare.status, bare.out, bare.err) == (done.returncode, done.stdout, done.stderr)


def test_a_log_that_vanishes_in_the_middle_costs_the_rest_of_the_facts_only(stage: Stage) -> None:
    stage.write("all: one two\none: ; @rm $(LOG); echo one\ntwo: ; @echo two; $(MAKE) -s three\nthree: ; @echo three\n")
    done = stage.measured(f"LOG={stage.log}")

    assert (0, "one\ntwo\nthree\n", "") == (done.status, done.out, done.err)
    assert not stage.log.exists()


def test_the_probe_may_be_removed_in_the_middle_of_a_build(stage: Stage) -> None:
    """`innerloop uninstall` leaves the directory to running builds; this one is gone all the same."""
    stage.write("all: one two\none: ; @echo one\ntwo: ; @echo two\n")
    stage.write("one: ; @rm -r $(PROBE)\n", "rm.mk")
    done = stage.measured(f"PROBE={stage.probe}")

    assert ("one\ntwo\n", 0) == (done.out, done.status)


def test_a_long_line_runs(stage: Stage) -> None:
    words = "x" * 100 + " "
    assert words.strip() + "\n" == shim(stage, "-c", f"echo {words}").stdout
    many = "x " * 60_000
    assert len(many) == len(shim(stage, "-c", f"/bin/echo {many}").stdout)


def test_lines_of_a_parallel_build_are_never_mixed_up(stage: Stage) -> None:
    names = " ".join(f"t{number}" for number in range(400))
    stage.write(f"all: {names}\n{names}: ; @true\n")
    stage.measured("-j8")

    lines = stage.lines()
    assert 400 == len(lines) == len({line.id for line in lines})
    assert {0} == {line.status for line in lines}


def test_a_log_names_no_prerequisites_any_more_when_it_is_long(stage: Stage) -> None:
    stage.write("all: one | two ; @true\none two: ; @true\n")
    with stage.log.open("ab") as file:
        file.write(b"\n" * (4 << 20))
    stage.measured()

    records = stage.log.read_bytes().strip().split(b"\n")
    assert [b"one", b"two", b"all"] == [record.split(b"\t")[8] for record in records if record.startswith(b"b")]
    assert {(b"", b"")} == {tuple(record.split(b"\t")[9:]) for record in records if record.startswith(b"b")}
    assert 3 == sum(record.startswith(b"e") for record in records)


def test_a_log_that_is_full_counts_lines_and_ends_at_17_mb(stage: Stage) -> None:
    names = " ".join(f"t{number}" for number in range(9))
    stage.write(f"all: {names} ; @echo all\n{names}: ; @true\n")
    os.truncate(stage.log, 16 << 20)
    stage.same()
    assert b"c\n" * 10 == stage.log.read_bytes()[16 << 20 :]

    os.truncate(stage.log, (17 << 20) - 4)
    stage.same()
    assert 17 << 20 == stage.log.stat().st_size


@pytest.mark.slow
def test_five_thousand_targets(stage: Stage) -> None:
    names = " ".join(f"dir/t{number}" for number in range(5000))  # below 96 KB: beyond that the line of `all` is not looked at
    stage.write(f"all: {names} ; @echo all\n{names}: ; @true $@\n")
    assert "all\n" == stage.measured("-j8").out

    lines = stage.lines()
    assert 5001 == len(lines) == len({line.target for line in lines})
    assert {0} == {line.status for line in lines}


# -- the shims of other machines -----------------------------------------------------------------------------------------


def test_the_shim_for_aarch64_does_the_same(stage: Stage, shims: Path) -> None:
    qemu = shutil.which("qemu-aarch64") or need("qemu-aarch64-static")
    program = shims / "linux-aarch64"
    environment = ENVIRONMENT | {"__innerloop": member(stage.log), "__innerloop_line": "go al\na b\nc\n"}
    out = stage.base / "out"
    with out.open("w") as file:
        done = [
            subprocess.run([qemu, "-0", f"{stage.probe}/sh", program, "-c", line], env=environment, stdout=file, check=False)
            for line in ("echo $0 ran; exit 3", "true", "kill -TERM $$", "nosuchcommand")
        ]

    assert [3, 0, -signal.SIGTERM, 127] == [ended.returncode for ended in done]
    assert "/bin/sh ran\n" == out.read_text()
    lines = stage.lines()
    assert [3, 0, -signal.SIGTERM, 127] == [line.status for line in lines]
    assert ("go al", ("a", "b"), ("c",)) == lines[0][7:10]


def test_both_shims_are_static_and_small(shims: Path) -> None:
    for machine, number in (("linux-x86_64", 62), ("linux-aarch64", 183)):
        data = (shims / machine).read_bytes()
        assert (b"\x7fELF\x02\x01", number) == (data[:6], int.from_bytes(data[18:20], "little"))
        assert len(data) < 40_000
        assert b"/lib/ld" not in data


@pytest.fixture
def in_sh(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The same with the shim that is written in sh."""
    monkeypatch.setattr(place, "machine", lambda: "none")
    directory, reason = place.prepare(str(stage.base))
    assert reason == ""
    stage.probe = Path(directory)
    return stage


def test_the_shim_in_sh_records_the_same_facts(in_sh: Stage, since: Since) -> None:
    since(4, 2)  # others refuse this Makefile
    in_sh.write("all: one | two ; @exit 3\none two 100% with\\ blank: ; @sleep 0.1; $(MAKE) -v >/dev/null\nsub: ; @$(MAKE) -s one\n")
    in_sh.same("-k", "sub", "100%", "with blank", "all")

    assert ["sub", "one", "100%", "with blank", "one", "two", "all"] == in_sh.targets()
    lines = {line.target: line for line in in_sh.lines()}
    assert (("one",), ("two",), 3, str(in_sh.work)) == (lines["all"].normal, lines["all"].order, lines["all"].status, lines["all"].cwd)
    assert lines["one"].end is not None
    assert 50_000_000 <= lines["one"].end - lines["one"].start < 10_000_000_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGSEGV])
def test_the_shim_in_sh_says_nothing_when_a_line_is_killed(in_sh: Stage, number: int) -> None:
    done = shim(in_sh, "-c", f"kill -{number} $$; sleep 5")

    assert (128 + number, "", "") == (done.returncode, done.stdout, done.stderr)
    assert [128 + number] == [line.status for line in in_sh.lines()]


def test_the_shim_in_sh_without_a_clock_runs_the_line(in_sh: Stage) -> None:
    text = (in_sh.probe / "sh").read_text()
    (in_sh.probe / "dash").unlink()
    (in_sh.probe / "dash").write_text(text.replace("/proc/uptime", "/nowhere").replace("perl", "no-such-perl"))
    (in_sh.probe / "dash").chmod(0o755)
    assert "ran\n" == shim(in_sh, "-c", "echo ran", name="dash").stdout
    assert [] == in_sh.lines()

    need("/usr/lib/*/perl/*/Time/HiRes.pm")
    (in_sh.probe / "dash").write_text(text.replace("/proc/uptime", "/nowhere"))
    assert "ran\n" == shim(in_sh, "-c", "echo ran", name="dash").stdout
    (line,) = in_sh.lines()
    assert line.end is not None
    assert abs(time.monotonic_ns() - line.start) < 60_000_000_000


def test_the_shim_in_sh_leaves_exported_variables_as_they_are(in_sh: Stage) -> None:
    names = "base real about log up nl clock idle field name rest tail char version target normal order options letters flags id path level"
    names += " why status spare now escape begin missing"
    names = " ".join({*names.split(), *re.findall(r"\b[a-z]+(?==)", (in_sh.probe / "sh").read_text())})
    in_sh.write(
        "".join(f"export {name} := kept\n" for name in names.split()) + "all: ; @env | grep -v -e ^MAKE -e ^__innerloop= -e ^_= | sort\n"
    )
    in_sh.same()

    assert ["all"] == in_sh.targets()


@pytest.mark.parametrize("language", ["c", "sh"])
def test_a_limit_on_the_size_of_files_is_not_the_logs_trouble(language: str, stage: Stage, request: pytest.FixtureRequest) -> None:
    if language == "sh":
        request.getfixturevalue("in_sh")
    stage.write(
        "all: ; @ulimit -f 1; for i in 1 2 3 4 5 6 7 8 9; do $(MAKE) -s sub || exit 1; done\n"
        "sub: ; @echo a; grep SigIgn /proc/self/status\nafter: ; @true\n"
    )
    assert 0 == stage.same("all", "after").status

    seen = dict.fromkeys(stage.targets())
    assert {"c": ["all", "sub", "after"], "sh": ["all", "after"]}[language] == list(seen)
