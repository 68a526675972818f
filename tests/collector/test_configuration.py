"""What an operator sets reaches the service, and what sets nothing is refused with one line."""

from pathlib import Path

import pytest

from tests.collector.support import Collector

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

    assert str(elsewhere) == idle.ask("check")["data"]
