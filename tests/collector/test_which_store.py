"""A command says which store it was about, where that may not be the one that was meant."""

import pytest

from tests.collector.support import PROJECT, Collector


def test_a_second_store_beside_a_running_service_is_said(idle: Collector) -> None:
    """As `init` prints the command, it means the default directory; the service runs elsewhere."""
    idle.start_with()
    file = str(idle.write(PROJECT))
    done = idle.cli("projects", "apply", file, env={"INNERLOOP_COLLECTOR_DATA": ""})
    home = idle.directory / ".local" / "share" / "innerloop-collector"
    assert 0 == done.returncode, done.stderr
    assert f"\nin {home}\n" in done.stdout
    assert f"note: a new store was made in {home}\n" in done.stderr
    assert (
        f"note: this was done in {home}, and a service of yours runs on {idle.data} ({idle.url}); for that one say --data {idle.data}\n"
        in done.stderr
    )
    assert "a service of yours" in idle.cli("keys", "list", "--data", str(home)).stderr, "whatever is asked"

    done = idle.cli("projects", "apply", file)
    assert f"\nin {idle.data}\n" in done.stdout
    assert "note: this was done" not in done.stderr
    link = idle.directory / "link"
    link.symlink_to(idle.data)
    assert "a service of yours" not in idle.cli("keys", "list", "--data", str(link)).stderr
    idle.kill()
    assert "a service of yours" not in idle.cli("keys", "list", "--data", str(home)).stderr


def test_where_nothing_is_known_of_services_nothing_is_said_and_everything_works(idle: Collector) -> None:
    idle.environment["HOME"] = "/dev/null"
    idle.start_with()

    assert "" == idle.cli("keys", "list").stderr


@pytest.mark.parametrize("words", [("projects", "apply"), ("serve", "--port", "0", "--project-file")], ids=["apply", "serve"])
@pytest.mark.parametrize("text", [None, "[project", '[project]\nid = "acme"\n'], ids=["missing", "no TOML", "no project"])
def test_a_file_that_cannot_be_applied_makes_no_store(idle: Collector, words: tuple[str, ...], text: str | None) -> None:
    path = idle.directory / "innerloop.toml"
    if text is not None:
        path.write_text(text)
    done = idle.cli(*words, str(path))

    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines())), done.stderr
    assert not any((idle.data / name).exists() for name in ("secret", "store", "erasures.log"))
