"""The command line, with the service running and without, and when what it is given is wrong."""

import json
import os
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from innerloop_collector.cli.connection import call_remote
from innerloop_collector.cli.remote import remote
from innerloop_collector.errors import UsageError
from tests.collector.support import COMMAND, KEY, PROJECT, Collector, project, run_event, toml


@pytest.mark.parametrize("running", [False, True], ids=["store itself", "service"])
def test_every_command_works_on_the_service_and_on_the_store_itself(idle: Collector, *, running: bool) -> None:
    if running:
        idle.start()
    applied = idle.apply(PROJECT, "--min-active-weeks", "1")
    key = idle.cli("keys", "create", "acme")

    assert (1, 1, True) == (applied["version"], applied["min_active_weeks"], applied["changed"])
    assert key.stdout.startswith("acme.")
    assert "not shown again" in key.stderr
    assert ["acme"] == [one["project"] for one in idle.ask("projects", "list")["projects"]]
    assert [False] == [one["revoked"] for one in idle.ask("keys", "list")["keys"]]
    assert [] == idle.ask("quarantine", "list")["quarantine"]
    assert "not published yet" == idle.ask("report", "acme")["state"]
    assert True is idle.ask("check")["ok"]
    for words in (["projects", "list"], ["keys", "list"], ["quarantine", "list"], ["report", "acme"], ["check"]):
        done = idle.cli(*words)
        assert (0, "") == (done.returncode, done.stderr)
        assert done.stdout.strip()


def test_applying_again_changes_nothing_and_keeps_the_setting(idle: Collector) -> None:
    assert 3 == idle.apply(PROJECT)["min_active_weeks"]
    assert 2 == idle.apply(PROJECT, "--min-active-weeks", "2")["min_active_weeks"]
    again = idle.apply(PROJECT)
    wider = idle.apply(project(fields={"arch": False}))

    assert (False, 2) == (again["changed"], again["min_active_weeks"])
    assert (True, 2, 3) == (wider["changed"], wider["min_active_weeks"], wider["version"])


def test_a_project_is_applied_before_it_has_a_key_and_its_real_key_changes_nothing(idle: Collector) -> None:
    """The collector makes keys for projects that it knows: neither may wait for the other."""
    waiting = idle.write(project(project={"write_key": "acme.to-be-created"}))
    first = idle.cli("projects", "apply", str(waiting))
    assert (0, True) == (first.returncode, "is not accepted yet" in first.stderr)
    key = idle.cli("keys", "create", "acme").stdout.strip()
    again = idle.apply(project(project={"write_key": key}))

    assert (True, False) == (again["write_key_known"], again["changed"])


def test_a_place_for_a_key_never_becomes_one(idle: Collector) -> None:
    idle.start_with(project(project={"write_key": "acme.to-be-created"}))

    assert [] == idle.ask("keys", "list")["keys"]


def test_a_second_service_is_refused_and_told_who_is_there(collector: Collector) -> None:
    assert collector.process is not None
    second = collector.cli("serve", "--port", "0")

    assert (1, "") == (second.returncode, second.stdout)
    assert f"process {collector.process.pid}" in second.stderr
    assert collector.url in second.stderr
    assert 1 == second.stderr.count("\n")


def test_after_a_kill_the_directory_is_free_again(collector: Collector) -> None:
    collector.send(run_event())
    collector.kill()

    assert 1 == collector.stored


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project\n", "not valid TOML"),
        ("", "project.id"),
        (toml(project(project={"endpoint": "ftp://x"})), "project.endpoint"),
        (toml(project(fields={"arch": "exactly"})), "fields.arch"),
        (toml(project(project={"write_key": " ", "organisation": ""})), "project.organisation, project.write_key are missing"),
    ],
    ids=["syntax", "empty", "endpoint", "field", "not filled in"],
)
def test_a_bad_project_file_is_one_clear_line(idle: Collector, text: str, said: str) -> None:
    path = idle.directory / "bad.toml"
    path.write_text(text)
    done = idle.cli("projects", "apply", str(path))

    assert (1, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert str(path) in done.stderr
    assert 1 == done.stderr.count("\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["projects", "apply", "/nowhere/innerloop.toml"], "cannot read"),
        (["keys", "create", "acme"], "projects apply"),
        (["report", "acme"], "projects apply"),
        (["keys", "revoke", "0123"], "name the collector's data directory"),
        (["serve", "--port", "0", "--host", "192.0.2.1"], "cannot listen"),
        (["serve", "--port", "0", "--project-file", "/nowhere"], "cannot read"),
        (["check", "--data", "/dev/null/x"], "--data"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(idle: Collector, words: list[str], said: str) -> None:
    done = idle.cli(*words)

    assert (1, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert 1 == done.stderr.count("\n")


def as_somebody_with_no_privileges(collector: Collector, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to which the permissions of files apply, also where the tests run as root."""
    prefix = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("NOT TESTED: permissions do not apply to root, and setpriv is not here (Debian: util-linux)")
        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    return subprocess.run([*prefix, *COMMAND, *words], capture_output=True, text=True, env=collector.environment, timeout=60, check=False)


@pytest.mark.parametrize("closed", ["", "lock", "secret", "store", "scratch"])
def test_a_data_directory_that_is_not_ours_is_one_clear_line(idle: Collector, closed: str) -> None:
    idle.apply(PROJECT)
    path = idle.data / closed
    if not path.exists():
        pytest.skip("NOT TESTED by URL: the store's directory is the server's")
    mode = path.stat().st_mode
    path.chmod(0o500 if path.is_dir() else 0o000)
    for words in (["check"], ["serve", "--port", "0"]):
        done = as_somebody_with_no_privileges(idle, *words)

        assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
        within = f"{path}: " if closed else ""
        assert f"cannot use {idle.data} as data directory: {within}Permission denied; run this as the user" in done.stderr
    path.chmod(mode)


@pytest.mark.parametrize("name", ["lock", "secret"])
def test_a_directory_in_the_place_of_a_file_is_one_clear_line(idle: Collector, name: str) -> None:
    idle.apply(PROJECT)
    (idle.data / name).unlink()
    (idle.data / name).mkdir()
    done = idle.cli("check")

    assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
    assert f"{idle.data / name}: Is a directory" in done.stderr


@pytest.mark.parametrize("words", [["check"], ["tokens", "list"], ["report", "acme"], ["keys", "create", "acme"], ["backup", "b"]])
def test_a_mistyped_data_directory_is_said_and_nothing_is_made(idle: Collector, words: list[str]) -> None:
    done = idle.cli(*words, "--data", str(idle.directory / "mistyped"))

    assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n"))
    assert f" in {idle.directory / 'mistyped'}; name the collector's data directory with --data DIR" in done.stderr
    assert not (idle.directory / "mistyped").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["trends"],
        ["serve", "--port", "x"],
        ["projects", "apply", "f", "--min-active-weeks", "0"],
        ["check", "--jso"],
        ["proj", "list"],
        ["check", "--he"],
        ["demo", "--ke", "x"],
    ],
)
def test_wrong_usage_exits_with_2(idle: Collector, words: list[str]) -> None:
    assert 2 == idle.cli(*words).returncode


def test_the_last_key_goes_with_a_warning_and_no_key_is_repeated(idle: Collector) -> None:
    idle.apply(PROJECT)
    key = idle.cli("keys", "create", "acme").stdout.strip()
    mistaken = idle.cli("keys", "revoke", key)
    assert (1, False) == (mistaken.returncode, key in mistaken.stderr)
    assert "keys list" in mistaken.stderr

    [only] = [one["id"] for one in idle.ask("keys", "list")["keys"]]
    assert "note: acme has no key left" in idle.cli("keys", "revoke", only).stderr


@pytest.mark.parametrize("body", [b'{"success": true}', b"<html>", b"[1]", b"{}", b'"text"'])
def test_an_address_that_is_no_collector_is_one_clear_line(idle: Collector, body: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for words in (["report", "acme"], ["keys", "list"], ["check"]):
            address = f"http://127.0.0.1:{server.server_port}"
            done = idle.cli(*words, "--url", address, env={"INNERLOOP_COLLECTOR_TOKEN": "t"})

            assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
            assert "check the address" in done.stderr
        server.shutdown()


@pytest.mark.parametrize("address", ["http://[::1", "https://h:abc", "https://h:70000", "https://[::1]x", "https://h\x7f", "https://a..ä"])
def test_what_is_no_address_is_one_clear_line(address: str) -> None:
    with pytest.raises(UsageError) as found:
        call_remote(remote(address, None, {"INNERLOOP_COLLECTOR_TOKEN": "t"}), "check", {})
    assert f"{address!r} is no address of a collector" in str(found.value)
    assert 1 == len(str(found.value).splitlines())


def test_unknown_keys_of_a_newer_file_are_named_and_count_as_off(idle: Collector) -> None:
    path = idle.write(project(future={"switch": True}))
    done = idle.cli("projects", "apply", str(path))

    assert 0 == done.returncode
    assert "future" in done.stderr


def test_a_project_file_with_an_unknown_key_says_what_to_do(idle: Collector) -> None:
    done = idle.cli("projects", "apply", str(idle.write(PROJECT)))

    assert "keys create" in done.stderr
    assert KEY not in done.stdout + done.stderr


def test_a_store_without_its_secret_is_not_opened(collector: Collector) -> None:
    collector.stop()
    (collector.data / "secret").unlink()
    done = collector.cli("check")

    assert 1 == done.returncode
    assert "secret" in done.stderr


def test_help_and_json_need_no_terminal_and_use_no_colour(idle: Collector) -> None:
    idle.apply(PROJECT)
    for words in (["--help"], ["serve", "--help"], ["report", "acme"]):
        assert "\x1b" not in idle.cli(*words, env={"COLUMNS": "60"}).stdout
    assert json.loads(idle.cli("report", "acme", "--json").stdout)["project"] == "acme"
