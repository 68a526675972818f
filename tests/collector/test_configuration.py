"""What an operator sets reaches the service, and what sets nothing is refused with one line."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from innerloop_collector.config import configuration, loading
from tests.collector.support import PROJECT, UNLIMITED, Collector
from tests.conftest import ROOT

WRONG = {
    "[server]\nprot = 1\n": "collector.toml: [server] has an unknown key: prot",
    "[sever]\nport = 1\n": "collector.toml: the file has an unknown key: sever",
    '[server]\nport = "many"\n': "collector.toml: server.port: expected `int`, got `str`",
    "[server\n": "collector.toml is not valid TOML",
    "server = 3\n": "collector.toml: server: expected `object`, got `int`",
    '[server]\nlog_level = "verbose"\n': "server.log_level: invalid enum value 'verbose'; choose debug, error, info, warning",
    '[destinations.a]\nkind = "otlp"\n[destinations.nr]\nkind = "newrelc"\n': "destinations.nr.kind: invalid enum value 'newrelc'; choose newrelic, otlp",
    '[destinations.nr]\nkind = "otlp"\nkey_fil = "x"\n': "[destinations.nr] has an unknown key: key_fil; did you mean key_file?",
    "[limits]\nbody = 0\n": "limits.body: expected `int` >= 1",
    "[limits]\nconnections = 0\n": "limits.connections: expected `int` >= 1",
    "[store]\nlinger_seconds = -4\n": "store.linger_seconds: expected `float` >= 0.0",
    "[store]\nwaiting_rows = 0\n": "store.waiting_rows: expected `int` >= 1",
    '[backup]\njournals = ["relative.log"]\n': "backup: journals: 'relative.log' is no absolute path",
}
OTLP = '[destinations.otlp]\nkind = "otlp"\nrecipient = "r"\n'
UNUSABLE = {
    '[server]\nmetrics_token_file = "/nowhere"\n': "cannot read /nowhere, the metrics_token_file",
    '[destinations.otlp]\nkind = "otlp"\n': "destinations.otlp.recipient is missing",
    OTLP + 'endpoint = "http://example.org"\n': "destinations.otlp.endpoint has no TLS",
    OTLP + 'endpoint = "https://user:pw@example.org"\n': "destinations.otlp.endpoint must be like",
    '[destinations."a/b"]\nkind = "otlp"\n': "a destination's name is",
    '[store]\nurl = "https://user:pw@db.example"\n': "store.url holds a password",
    '[store]\nurl = "db.example"\n': "store.url must look like",
    '[store]\nurl = "https://db.example"\npassword_file = "/nowhere"\n': "store.password_file: cannot read /nowhere",
    '[access]\ntrusted_proxies = ["10.0.0.500"]\n': "trusted_proxies: '10.0.0.500' is neither",
    '[access]\nproxy_user_header = "X-User"\n': "proxy_user_header needs",
    '[access.proxy_roles]\nalice = "boss"\n': "alice has no role that exists",
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


@pytest.mark.parametrize("text", UNUSABLE, ids=list(UNUSABLE.values()))
def test_what_the_service_would_not_start_with_is_found_before_it_is_started(idle: Collector, text: str) -> None:
    write(idle, text)
    done = idle.cli("config", "check")

    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines())), done.stderr
    assert UNUSABLE[text] in done.stderr
    assert "pw" not in done.stderr


def test_what_the_service_starts_without_is_a_note(idle: Collector) -> None:
    journal = idle.directory / "away" / "erasures.log"
    write(idle, f'{OTLP}endpoint = "https://example.org"\nkey_file = "/nowhere"\n[backup]\njournals = ["{journal}"]\n')
    done = idle.cli("config", "check", "--json")

    assert (0, True) == (done.returncode, json.loads(done.stdout)["ok"])
    assert ["the copy", "destinations.otlp: key_file cannot be read"] == [
        re.split(f" {journal}|: No such", note)[0] for note in json.loads(done.stdout)["notes"]
    ]
    assert 2 == done.stderr.count("note: ")


def test_of_a_destination_only_what_was_set_is_marked_and_no_query_is_shown(idle: Collector) -> None:
    write(idle, OTLP + 'endpoint = "https://example.org/?token=open-sesame"\n')
    text = idle.cli("config", "show").stdout.partition("[destinations.otlp]")[2]

    assert "open-sesame" not in text
    assert ["endpoint", "kind", "recipient"] == sorted(line.split()[0] for line in text.splitlines() if line.endswith("# set"))


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


@pytest.mark.parametrize(
    ("document", "pattern", "found"),
    [
        ({"server": {"prot": 1}}, loading._UNKNOWN, ("prot", "server")),
        ({"sever": {}}, loading._UNKNOWN, ("sever", None)),
        ({"server": {"port": "many"}}, loading._WRONG, ("Expected `int`, got `str`", "server.port")),
        ({"destinations": {"nr": {"kind": "x"}}}, loading._WRONG, ("Invalid enum value 'x'", "destinations[...].kind")),
    ],
)
def test_msgspec_says_what_is_wrong_in_the_words_that_our_lines_are_made_of(document: Any, pattern: "re.Pattern[str]", found: Any) -> None:
    """It has no codes for what it finds."""
    with pytest.raises(msgspec.ValidationError) as said:
        msgspec.convert(document, configuration.Configuration)
    words = pattern.fullmatch(str(said.value))
    assert words is not None, said.value
    assert found == words.groups()
