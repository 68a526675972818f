"""The host's time zone, its clock's habits and what its engine finds amiss change nothing that a collector keeps or prints."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.collector.support import COMMAND, PROJECT, Collector, run_event
from tests.pairs import some

NO_ZONES = ["CST6CDT,M3.2.0,M11.1.0", "<+03>-3", "/path/of/a/tzfile", "Foo/Bar", ":Foo/Bar", "", "../../etc/passwd"]


@pytest.mark.parametrize("zone", some(NO_ZONES, "<+03>-3", "Foo/Bar"))
def test_a_collector_works_under_any_time_zone_that_a_host_may_name(idle: Collector, zone: str) -> None:
    idle.environment["TZ"] = zone
    idle.apply(PROJECT)
    done = idle.cli("projects", "list", "--json")
    assert (0, "") == (done.returncode, done.stderr)
    assert "acme" in done.stdout


def test_an_engine_that_cannot_be_loaded_is_told_as_what_it_is(idle: Collector) -> None:
    idle.apply(PROJECT)
    broken = idle.directory / "broken" / "chdb"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libsomething.so.1: wrong ELF class')\n")
    done = idle.cli("check", env={"PYTHONPATH": f"{broken.parent}{os.pathsep}{idle.environment['PYTHONPATH']}"})

    assert (1, "") == (done.returncode, done.stdout)
    assert "innerloop-collector: the embedded engine cannot be loaded: libsomething.so.1: wrong ELF class\n" == done.stderr


def test_a_directory_that_the_engine_would_not_find_is_one_line_and_nothing_is_made_elsewhere(idle: Collector) -> None:
    file = str(idle.write(PROJECT))
    done = idle.cli("projects", "apply", file, "--data", str(idle.directory / "some?where=else"))

    assert (1, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
    assert "the engine takes what follows a question mark for settings" in done.stderr
    assert not (idle.directory / "some").exists()
    assert (
        "in " + str(idle.directory / 'odd % name"')
        in idle.cli("projects", "apply", file, "--data", str(idle.directory / 'odd % name"')).stdout
    )


def _kept(collector: Collector, zone: str) -> str:
    """What is stored of some events on a host in a zone, and what commands say of it."""
    collector.environment["TZ"] = zone
    collector.start_with()
    stamps = ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00+00:00", "2026-03-29T01:30:00Z", "2026-11-01T06:30:00Z", "2026-06-30T23:59:00Z")
    for number, stamp in enumerate(stamps):
        collector.send(run_event(f"user {number}", message=f"m{number}", start_time=stamp) | {"timestamp": stamp}, sent_at="no time")
    collector.send(run_event(command="waits", message="waits"))
    listed = [collector.ask("quarantine", "list"), collector.ask("projects", "list"), collector.ask("retain", "--dry-run")["today"]]
    collector.stop()
    columns = (
        "toString(event_time), toString(corrected_time), toString(received_day), toString(keep_until), toUnixTimestamp64Milli(event_time)"
    )
    rows = collector.rows_of(f"SELECT {columns} FROM events ORDER BY event_time", "SELECT toString(received_day) FROM quarantine")
    return json.dumps([listed, rows])


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_zone_of_the_host_changes_nothing_that_is_kept(tmp_path: Path) -> None:
    found = {}
    for zone in ("UTC", "Europe/Berlin", "Pacific/Kiritimati", "EST5EDT,M3.2.0,M11.1.0"):
        directory = tmp_path / zone.replace("/", "-")
        directory.mkdir()
        collector = Collector(directory)
        try:
            found[zone] = _kept(collector, zone)
        finally:
            collector.close()

    assert {found["UTC"]} == set(found.values())


def test_what_the_engine_says_when_it_starts_goes_to_the_log_and_to_nobody_else(idle: Collector) -> None:
    """Where no file of a control group is mounted, as in a chroot, it says 36 lines."""
    hidden = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"', "sh")
    if shutil.which("unshare") is None or subprocess.run([*hidden, "true"], capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: nothing can be mounted here, so no host without control groups can be made")
    idle.apply(PROJECT)

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*hidden, *COMMAND, *words], capture_output=True, text=True, env=idle.environment, timeout=60, check=False)

    done = run("projects", "list", "--json")
    assert (0, "") == (done.returncode, done.stderr)
    assert "acme" in json.loads(done.stdout)["projects"][0]["project"]
    done = run("report", "unknown")
    assert (1, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
    idle.start(under=hidden)
    assert 0 == idle.stop()
    (said,) = (line for line in map(json.loads, idle.log.splitlines()) if line["event"] == "the engine said something")
    assert "cgroups" in said["text"]
