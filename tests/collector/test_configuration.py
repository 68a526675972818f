"""What an operator sets reaches the service, and what sets nothing is refused with one line."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.collector.support import PROJECT, UNLIMITED, Collector
from tests.conftest import ROOT

WRONG = {
    "[server]\nprot = 1\n": "collector.toml: [server] has an unknown key: prot",
    "[sever]\nport = 1\n": "collector.toml: the file has an unknown key: sever",
    '[server]\nport = "many"\n': "collector.toml: server.port: expected `int`, got `str`",
    "[server\n": "collector.toml is not valid TOML",
    "server = 3\n": "collector.toml: server: expected `object`, got `int`",
}


def write(collector: Collector, text: str) -> Path:
    """Make a configuration file the one that is used."""
    path = collector.directory / "collector.toml"
    path.write_text(text)
    collector.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(path)
    return path


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_a_file_that_says_something_else_is_refused_with_one_line(idle: Collector, text: str) -> None:
    write(idle, text)
    done = idle.cli("check")

    assert 1 == done.returncode
    assert WRONG[text] in done.stderr
    assert 1 == len(done.stderr.splitlines())


def test_a_variable_that_sets_nothing_is_refused(idle: Collector) -> None:
    done = idle.cli("check", env={"INNERLOOP_COLLECTOR_SERVER_PROT": "1"})

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "INNERLOOP_COLLECTOR_SERVER_PROT" in done.stderr


def test_the_file_sets_a_limit_and_the_environment_wins(idle: Collector) -> None:
    write(idle, "[limits]\nbody = 10\nevents = 1\n")
    idle.environment["INNERLOOP_COLLECTOR_LIMITS_BODY"] = "1000"
    idle.start_with()

    assert 413 == idle.post("/v1/batch", b"x" * 2000).status_code
    assert 200 == idle.post("/v1/batch", {"batch": []}).status_code
    assert 413 == idle.post("/v1/batch", {"batch": [{}, {}]}).status_code


def test_the_data_directory_can_be_configured(idle: Collector) -> None:
    elsewhere = idle.directory / "elsewhere"
    del idle.environment["INNERLOOP_COLLECTOR_DATA"]
    write(idle, f'[server]\ndata = "{elsewhere}"\n')
    idle.apply(PROJECT)

    assert str(elsewhere) == idle.ask("check")["data"]


def test_an_unknown_key_is_refused_and_the_nearest_named(idle: Collector) -> None:
    write(idle, "[server]\nprot = 1\n")

    assert "[server] has an unknown key: prot; did you mean port?" in idle.cli("config", "check").stderr
    said = idle.cli("config", "check", env={"INNERLOOP_COLLECTOR_SERVER_PROT": "1", "INNERLOOP_COLLECTOR_CONFIG": ""}).stderr
    assert "INNERLOOP_COLLECTOR_SERVER_PROT sets nothing; did you mean INNERLOOP_COLLECTOR_SERVER_PORT?" in said


def test_a_configuration_is_checked_without_a_store(idle: Collector) -> None:
    path = write(idle, "[server]\nport = 99999\n")
    done = idle.cli("config", "check")
    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "server.port" in done.stderr

    write(idle, "[server]\nport = 9999\n")
    assert (0, f"{path}: well\n") == ((done := idle.cli("config", "check")).returncode, done.stdout)
    assert not idle.data.exists()


def test_what_is_in_force_is_shown_and_what_was_set_is_marked(idle: Collector) -> None:
    write(idle, "[limits]\nevents = 7\n")
    env = {"INNERLOOP_COLLECTOR_SERVER_PORT": "1"}
    for variable in UNLIMITED:
        del idle.environment[variable]

    assert {"events": 7, "body": 512_000}.items() <= json.loads(idle.cli("config", "show", "--json", env=env).stdout)["limits"].items()
    lines = idle.cli("config", "show", env=env).stdout.splitlines()
    assert ["port = 1  # set", "events = 7  # set"] == [line for line in lines if "# set" in line]


def test_no_password_is_shown(idle: Collector) -> None:
    write(idle, '[check]\nclock_url = "https://alice:open-sesame@time.example/"\n')

    for words in (["config", "show"], ["config", "show", "--json"], ["config", "check"]):
        done = idle.cli(*words)
        assert (0, False) == (done.returncode, "open-sesame" in done.stdout + done.stderr)


def test_the_example_file_names_every_key_with_its_default(idle: Collector) -> None:
    text = (ROOT / "deploy" / "innerloop-collector.toml").read_text()
    everything = re.sub(r"^# (?=\w+ = )", "", text.partition("# [")[0], flags=re.MULTILINE)
    write(idle, everything)
    with_all = idle.cli("config", "show", "--json")
    without = idle.cli("config", "show", "--json", env={"INNERLOOP_COLLECTOR_CONFIG": ""})

    assert (0, without.stdout) == (with_all.returncode, with_all.stdout), with_all.stderr
    keys = {
        (section, key)
        for section, table in json.loads(without.stdout).items()
        for key, value in table.items()
        if not isinstance(value, dict)
    }
    written = tomllib.loads(everything)
    assert keys == {(section, key) for section, table in written.items() for key, value in table.items() if not isinstance(value, dict)}
