"""A project file comes with a clone: whatever it holds costs the collector no more time and memory than its size allows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.asking import asked
from tests.collector.support import PROJECT, Collector, toml

_MEGABYTES = 120  # more than a service that was used takes, less than any of these files took
_HEAD = toml(PROJECT)
HOSTILE = {
    "a dotted key of 100,000 parts": "a." * 100_000 + "b = 1",
    "a table's name of 100,000 parts": "[" + "a." * 100_000 + "b]",
    "dotted keys side by side": "".join(f"k{number}.{'a.' * 500}b = 1\n" for number in range(240)),
    "lists in lists": "a = " + "[" * 100_000,
    "tables in braces": "a = " + "{a=" * 50_000,
    "a text that never ends": 'a = """' + "\\\n" * 100_000,
    "ten megabytes": "#" * 10_000_000,
    "a name as long as the file": _HEAD + f'[rename]\n"{"x" * 200_000}" = "y"\n',
    "a megabyte of recipients": _HEAD + "".join(f"[[recipients]]\nname = 'x'\nk{number} = 1\n" for number in range(40_000)),
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A service that is asked all of it."""
    collector = Collector(tmp_path_factory.mktemp("busy"))
    try:
        yield collector.start_with()
    finally:
        collector.close()


def _peak(collector: Collector) -> int:
    """The most memory that the service ever took, in megabytes."""
    assert collector.process is not None
    status = Path(f"/proc/{collector.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_project_file_is_refused_at_once_and_takes_no_memory(busy: Collector, what: str) -> None:
    before = _peak(busy)
    body = {"operation": "projects.apply", "arguments": {"toml": HOSTILE[what], "source": "innerloop.toml"}}
    busy.http.timeout = 20
    answer = asked(busy, **{"operation": body["operation"], **body["arguments"]})  # type: ignore[arg-type]

    assert 400 <= answer.status_code < 500, answer.text
    assert len(answer.text) < 1_000
    assert _peak(busy) - before < _MEGABYTES


@pytest.mark.parametrize("what", ["a dotted key of 100,000 parts", "lists in lists", "ten megabytes", "a name as long as the file"])
def test_the_command_says_it_in_one_line(busy: Collector, what: str) -> None:
    path = busy.directory / "hostile.toml"
    path.write_text(HOSTILE[what])
    done = busy.cli("projects", "apply", str(path))

    assert (1, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines())), done.stderr[:500]
    assert len(done.stderr) < 1_000


def test_a_file_without_an_end_is_read_no_further_than_the_limit(busy: Collector) -> None:
    done = busy.cli("projects", "apply", "/dev/zero")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "cannot read /dev/zero: it has more than 262144 bytes" in done.stderr


def test_a_file_with_very_many_unknown_keys_names_a_few(busy: Collector) -> None:
    path = busy.directory / "long.toml"
    path.write_text(_HEAD + "[[recipients]]\nname = 'x'\n" + "".join(f"k{number} = 1\n" for number in range(20_000)))
    done = busy.cli("projects", "apply", str(path))

    assert 0 == done.returncode, done.stderr
    assert 11 == len(done.stderr.splitlines())
    assert "19990 more keys are not known either" in done.stderr


@pytest.mark.parametrize("text", [b"[" * 200_000, b'{"operation": "check", "arguments": {"a": ' + b'{"a": ' * 200_000, b"\xff", b"null"])
def test_a_body_that_is_nested_without_end_is_a_bad_request(busy: Collector, text: bytes) -> None:
    token = (busy.data / "admin-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    said = [busy.http.post(busy.url + path, content=text, headers=headers).status_code for path in ("/admin/v1/call", "/v1/session")]
    said += [busy.post(path, text).status_code for path in ("/v1/batch", "/v1/forget", "/v1/access")]

    assert all(400 <= status < 500 for status in said), said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a." * 100_000 + "b = 1", "has a key of more than 16 parts"),
        ('server."a"' + '."b\\"c"' * 30_000 + " = 1", "has a key of more than 16 parts"),
        ("server = {" + "a." * 30_000 + "b = 1}", "has a key of more than 16 parts"),
        ("[" + "a ." * 30_000 + "b]", "has a key of more than 16 parts"),
        ("a = " + "[" * 100_000, "is nested too deep"),
        ("#" * 300_000, "it has more than 262144 bytes"),
    ],
)
def test_a_configuration_that_no_parser_should_see_is_one_line(idle: Collector, text: str, said: str) -> None:
    path = idle.directory / "collector.toml"
    path.write_text(text)
    done = idle.cli("config", "check", "--config", str(path))

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr[:500]
    assert said in done.stderr
