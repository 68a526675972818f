"""What an operator relies on: `check` finds what is wrong, with the service and without it; a service that cannot start says why in one line."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from innerloop_collector.access.principal import OPERATOR, Role
from innerloop_collector.admin import checks
from innerloop_collector.admin.api import Admin, Call
from innerloop_collector.admin.operation import Answer, Area, operation
from innerloop_collector.admin.operations import Operations
from innerloop_collector.config.configuration import Check, Limits
from innerloop_collector.errors import InvalidArguments
from innerloop_collector.monitoring.status import DestinationStatus
from tests.collector.support import KEY, PROJECT, Collector, fill, run_event
from tests.conftest import ROOT
from tests.needs import need

UNIT = ROOT / "deploy" / "innerloop-collector.service"


def wrong(collector: Collector) -> list[str]:
    """What `check` finds, one line each. Nothing: it exits with 0."""
    done = collector.cli("check")
    lines = done.stderr.splitlines()
    assert (done.returncode == 0) == (lines == []), done.stderr
    assert all(line.startswith("innerloop-collector: ") for line in lines)
    return [line.removeprefix("innerloop-collector: ") for line in lines]


def test_a_collector_that_is_well_says_so_with_the_service_and_without_it(collector: Collector) -> None:
    collector.send(run_event())
    assert [] == wrong(collector)
    running = collector.ask("check")
    collector.stop()
    assert [] == wrong(collector)

    assert (True, [], 1) == (running["ok"], running["findings"], running["events"])
    stopped = collector.ask("check")
    for volatile in ("disk_free_bytes", "store_bytes"):
        assert 0 < running.pop(volatile)
        assert 0 < stopped.pop(volatile)
    assert running == stopped


def test_parts_that_the_engine_set_aside_are_found(collector: Collector) -> None:
    collector.send(run_event())
    part = next((collector.data / "store").rglob("checksums.txt")).parent
    shutil.copytree(part, part.parent / "detached" / f"broken-on-start_{part.name}")

    assert ["detached"] == [word for line in wrong(collector) for word in re.findall("detached", line)]
    collector.stop()
    assert 1 == len(wrong(collector))


def test_a_disk_that_fills_is_found_before_it_is_full(idle: Collector, small_disk: Path) -> None:
    idle.environment["INNERLOOP_COLLECTOR_DATA"] = str(small_disk / "data")
    idle.start_with()
    assert [] == wrong(idle)
    fill(small_disk / "filler")
    with (small_disk / "filler").open("r+b") as file:
        file.truncate(os.path.getsize(small_disk / "filler") - 2_000_000)

    [line] = wrong(idle)
    assert re.match(r"0\.0 GB are free \(\d%\)", line)
    fill(small_disk / "rest")
    assert ["0.0 GB are free (0%)", "no file can be made in the data directory"] == [line.partition(";")[0] for line in wrong(idle)]
    assert "innerloop_disk_free_bytes 0.0" in idle.http.get(idle.url + "/metrics").text


@pytest.fixture
def clock() -> Iterator[Callable[[str | None], str]]:
    """Makes servers that say what time it is (None: the true one); their addresses."""
    servers: list[HTTPServer] = []

    def make(date: str | None) -> str:
        class Clock(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response_only(200)
                if date != "":
                    self.send_header("Date", date or self.date_time_string())
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Clock))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_clock_that_is_off_is_found(idle: Collector, clock: Callable[[str | None], str]) -> None:
    idle.apply(PROJECT)
    variable = "INNERLOOP_COLLECTOR_CHECK_CLOCK_URL"
    idle.environment[variable] = clock(None)
    assert [] == wrong(idle)

    idle.environment[variable] = clock("Tue, 01 Jan 2030 00:00:00 GMT")
    [line] = wrong(idle)
    assert re.match(r"this machine's clock is -\d+ s from that of check.clock_url", line)


def test_an_address_that_tells_no_time_is_found(clock: Callable[[str | None], str]) -> None:
    for address in (clock(""), clock("yesterday"), "http://127.0.0.1:1/", "nonsense"):
        [finding] = checks.of_another_clock(Check(clock_url=address))
        assert finding.text.startswith("check.clock_url tells no time")


def test_backups_that_stopped_are_found(idle: Collector) -> None:
    idle.apply(PROJECT)
    backups = idle.directory / "backups"
    idle.environment["INNERLOOP_COLLECTOR_CHECK_BACKUPS"] = str(backups)
    assert [f"cannot look into {backups}: No such file or directory; correct check.backups"] == wrong(idle)

    def found() -> list[str]:
        return [one.text.partition(";")[0] for one in checks.of_the_backups(time.time(), Check(backups=str(backups)))]

    backups.mkdir()
    assert [f"there is no backup in {backups}"] == found()
    for name, days in (("no backup", None), ("first", 30), ("second", 9)):
        (backups / name).mkdir()
        made = datetime.now(UTC) - timedelta(days=days or 0)
        (backups / name / "manifest.json").write_text(json.dumps({"made": made.isoformat()} if days else {}))
    assert [f"the newest backup in {backups} is 9 days old"] == found()
    (backups / "third").mkdir()
    (backups / "third" / "manifest.json").write_text(json.dumps({"made": datetime.now(UTC).isoformat()}))
    assert [] == found()


def test_a_copy_of_the_erasure_journal_that_cannot_be_used_is_found_and_no_command_logs(idle: Collector) -> None:
    away = idle.directory / "away"
    idle.environment["INNERLOOP_COLLECTOR_BACKUP_JOURNALS"] = str(away / "erasures.log")
    idle.apply(PROJECT)
    erased = idle.cli("erase", "acme", "--id", "nobody")
    assert (0, ["note: nothing was kept of acme under what was given; see whether it is written right, or was erased before"]) == (
        erased.returncode, erased.stderr.splitlines(),
    )  # fmt: skip

    [line] = wrong(idle)
    assert line.startswith(
        f"the copy {away / 'erasures.log'} of the erasure journal cannot be read and written ({away}: No such file or directory)"
    )
    (away / "erasures.log").mkdir(parents=True)
    assert ["the erasure journal cannot be read and written (it is no file)"] == [
        line.partition(" of ")[2].partition(",")[0] for line in wrong(idle)
    ]
    (away / "erasures.log").rmdir()
    assert [] == wrong(idle)


def test_a_copy_of_the_erasure_journal_that_misses_somebody_is_found_and_brought_up_to_date(idle: Collector) -> None:
    copy = idle.directory / "copy.log"
    idle.environment["INNERLOOP_COLLECTOR_BACKUP_JOURNALS"] = str(copy)
    idle.start_with()
    idle.send(*(run_event(f"user {number}") for number in range(3)))
    idle.ask("erase", "acme", "--id", "user 0")
    stale = copy.read_bytes()
    assert [] == [one["text"] for one in idle.check()["findings"] if one["about"] == "erasures"]
    idle.ask("erase", "acme", "--id", "user 1")
    whole = copy.read_bytes()
    for content in (stale, b"", whole[:-20]):
        copy.write_bytes(content)
        done = idle.cli("check")
        assert 1 == done.returncode
        assert f"the copy {copy} of the erasure journal misses" in done.stderr
    copy.unlink()
    assert f"the copy {copy} of the erasure journal misses 2 of 2 erased ids" in idle.cli("check").stderr
    idle.ask("retain")

    assert 0 == idle.cli("check").returncode
    assert 2 == len(copy.read_text().splitlines())


def test_a_paused_destination_does_not_fail() -> None:
    status = DestinationStatus("d", "failing", 3, 1.0, 0, 0, 2, "the connection was refused")
    paused = msgspec.structs.replace(status, state="paused")

    assert [False] == [one.note for one in checks.of_the_destinations([status])]
    assert [True] == [one.note for one in checks.of_the_destinations([paused])]


def test_more_new_ids_than_a_key_may_bring_are_found(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY"] = "2"
    idle.start_with()
    idle.send(*[run_event() for _ in range(5)])

    [line] = wrong(idle)
    assert line.startswith("acme: 3 events wait in quarantine (too many new ids), ")
    assert "innerloop-collector ids release acme" in line
    assert 0 == idle.cli("ids", "release", "acme").returncode
    assert [] == wrong(idle)


def fails(collector: Collector, *words: str) -> str:
    """The one line with which a command ends."""
    done = collector.cli(*words)
    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines())), done.stderr
    return done.stderr.removeprefix("innerloop-collector: ").rstrip("\n")


def test_a_busy_port_is_said_in_one_line_and_the_store_is_left_alone(idle: Collector) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = fails(idle, "serve", "--port", str(port))

    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --port, 0 takes any" == line
    assert not (idle.data / "store").exists()


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("198.51.100.1", "Cannot assign requested address"),
        ("no-such-host.invalid", "Name or service not known"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}" * 70, "that is no name of a machine"),
    ],
)
def test_an_address_that_is_not_here_is_said_in_one_line_and_no_other_port_is_asked_for(idle: Collector, host: str, why: str) -> None:
    line = fails(idle, "serve", "--port", "0", "--host", host)

    assert (True, True) == (line.startswith("cannot listen on "), f" port 0: {why}" in line), line
    assert line.endswith("; give a name or an address of this machine with --host")


def test_two_services_on_one_directory_are_refused_and_the_first_goes_on(collector: Collector) -> None:
    assert collector.process is not None
    line = fails(collector, "serve", "--port", "0")

    assert f"{collector.data} is in use by process {collector.process.pid} (it listens on {collector.url})" in line
    collector.send(run_event())


def test_what_the_engine_cannot_start_on_is_said_in_one_line(idle: Collector) -> None:
    idle.apply(PROJECT)
    strange = idle.data / "store" / "metadata" / "default" / "notes.txt"
    strange.write_text("mine")

    for words in (["serve", "--port", "0"], ["check"]):
        line = fails(idle, *words)
        assert f"the store in {idle.data / 'store'} cannot be opened: " in line
        assert "notes.txt" in line, "the engine names the file, and it says so on stderr only"
    strange.unlink()
    assert [] == wrong(idle)


def test_a_directory_that_cannot_be_written_is_said_in_one_line(idle: Collector, small_disk: Path) -> None:
    idle.environment["INNERLOOP_COLLECTOR_DATA"] = str(small_disk / "data")
    idle.apply(PROJECT)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    for words in (["serve", "--port", "0"], ["check"]):
        assert f"cannot use {small_disk / 'data'} as data directory: Read-only file system" in fails(idle, *words)


class Supervisor:
    """What systemd is to a service: a socket that hears it."""

    def __init__(self, directory: Path) -> None:
        self.address = str(directory / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(30)

    def hear(self) -> str:
        return self._socket.recv(1024).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor."""
    made = Supervisor(tmp_path)
    yield made
    made.close()


def test_its_supervisor_hears_when_it_is_ready_that_it_lives_and_that_it_stops(idle: Collector, supervisor: Supervisor) -> None:
    idle.environment |= {"NOTIFY_SOCKET": supervisor.address, "WATCHDOG_USEC": "600000"}
    idle.start_with()
    heard = [supervisor.hear() for _ in range(4)]
    assert idle.process is not None
    idle.process.terminate()
    while heard[-1] != "STOPPING=1":
        heard.append(supervisor.hear())

    assert {"READY=1": 1, "STOPPING=1": 1}.items() <= {word: heard.count(word) for word in heard}.items()
    assert 3 <= heard.count("WATCHDOG=1")
    assert 0 == idle.stop()


def test_a_service_that_hangs_stops_feeding_the_watchdog(idle: Collector, supervisor: Supervisor) -> None:
    idle.environment |= {"NOTIFY_SOCKET": supervisor.address, "WATCHDOG_USEC": "600000"}
    idle.start_with()
    while supervisor.hear() != "READY=1":
        pass
    supervisor.hear()
    assert idle.process is not None
    idle.process.send_signal(signal.SIGSTOP)
    supervisor._socket.settimeout(1.5)
    heard = 0
    with contextlib.suppress(TimeoutError):
        while heard < 10:
            supervisor.hear()
            heard += 1
    idle.process.send_signal(signal.SIGCONT)

    assert heard < 10


def systemd_analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Have systemd judge a unit, without a running systemd."""
    return subprocess.run([need("systemd-analyze"), *words], capture_output=True, text=True, check=False)


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/innerloop/bin/innerloop-collector", sys.executable))
    judged = systemd_analyze("verify", "--man=no", str(unit))

    assert (0, "") == (judged.returncode, judged.stderr)


def test_the_unit_exposes_little(tmp_path: Path) -> None:
    judged = systemd_analyze("security", "--offline=true", "--no-pager", "--threshold=20", str(UNIT))

    assert 0 == judged.returncode, judged.stdout


def test_the_unit_waits_longer_than_draining_takes() -> None:
    settings = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#"))

    assert 30 < int(settings["TimeoutStopSec"])
    assert ("notify", "main") == (settings["Type"], settings["NotifyAccess"])
    command = settings["ExecStart"].split()
    assert ["serve", "--config", "/etc/innerloop-collector.toml"] == command[1:]


def test_a_container_image_runs_as_nobody_and_says_how_it_is() -> None:
    lines = (ROOT / "deploy" / "Containerfile").read_text()

    assert re.search(r"^USER (?!0)\d+:\d+$", lines, re.MULTILINE)
    assert re.search(r"^VOLUME /var/lib/innerloop-collector$", lines, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", lines, re.MULTILINE)
    assert KEY not in lines


class Broken(Area):
    """An operation with a fault in it."""

    @operation("broken", Role.VIEWER)
    def broken(self, project: str) -> Answer:
        """Fail."""
        return {"length": len(project) + None}  # type: ignore[operator]


def test_an_error_inside_an_operation_is_not_taken_for_its_callers() -> None:
    operations = Operations([Broken()])
    with pytest.raises(InvalidArguments):
        operations.call("broken", {"nonsense": 1})
    with pytest.raises(InvalidArguments):
        operations.call("broken", {"project": 3})
    with pytest.raises(TypeError):
        operations.call("broken", {"project": "acme"})


def test_only_arguments_that_do_not_fit_are_answered_as_the_callers_mistake() -> None:
    with ThreadPoolExecutor(1) as readers:
        api = Admin(Operations([Broken()]).call, None, Limits(), readers)  # type: ignore[arg-type] # who asks is known
        answer = asyncio.run(api._run(Call("broken", {"nonsense": 1}), OPERATOR))
        assert (400, "invalid_request") == (answer.status_code, json.loads(bytes(answer.body))["code"])
        with pytest.raises(TypeError):
            asyncio.run(api._run(Call("broken", {"project": "acme"}), OPERATOR))
