"""Nothing of a command line, an environment, a place or a branch leaves, and a name only where the project lists it."""

import random
import string

import pytest

from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder


def word(chance: random.Random, kind: str) -> str:
    """A secret that is easy to find again."""
    return f"{kind}canary{''.join(chance.choices(string.ascii_lowercase + string.digits, k=12))}"


SHAPES = (
    ["sh", "-c", "exit 0", "{secret}"], ["make", "test", "TOKEN={secret}"], ["make", "-s", "--eval={secret}:=1", "build"], ["make", "{name}"],
    ["env", "KEY={secret}", "true"], ["true", "--password", "{secret}"], ["true", "{secret}/../x", "-j2"], ["./{name}", "{secret}"],
    ["make", "-sC", "{secret}", "test"], ["make", "test", "{name}"], ["{secret}/{name}"], ["make", "-f", "{secret}", "test"], ["sh", "-c", "# {secret}"],
)  # fmt: skip


def leaks_nothing(developer: Developer, server: Recorder, runs: int) -> None:
    chance = random.Random(runs)
    secrets, names = [], []
    developer.git("init", "-q")
    developer.git("commit", "-q", "--allow-empty", "-m", word(chance, "secret"))
    top = developer.directory
    for number in range(runs):
        secret, name, value, variable, place, branch = (
            word(chance, kind) for kind in ("secret", "name", "secret", "secret", "secret", "secret")
        )
        secrets += [secret, value, variable, place, branch]
        names.append(name)
        if number % 10 == 0:
            developer.git("checkout", "-q", "-B", branch)
            developer.directory = top / place
            developer.directory.mkdir()
        argv = [part.format(secret=secret, name=name) for part in SHAPES[number % len(SHAPES)]]
        developer.run(*argv, name=name if number % 17 == 3 else "", env={variable: value, "USER": value, "PWD": f"/{value}"})
    developer.directory = top
    assert eventually(lambda: not [path for path in (developer.spool / "run").glob("*.git") if path.stat().st_size == 0], 5)
    developer.pending()
    sealed = [path.read_bytes() for path in developer.place("sealed")]
    assert len(sealed) > runs * 0.8
    developer.flush()
    assert len(server.events) == len(sealed)
    assert developer.ledger()["acknowledged"] == len(sealed)
    assert developer.ledger()["recorded"] == len(sealed)
    events = b"\n".join(data.partition(b"\n")[2] for data in sealed)
    for haystack, needles in ((server.bytes, secrets + names), (events, secrets + names), (b"\n".join(sealed), secrets)):
        assert [needle for needle in needles if needle.encode() in haystack.lower()] == []
    assert b"canary" not in server.bytes.lower()
    assert {event["properties"]["command"] for event in server.events} <= {"test", "build", "true", "other"}


def test_no_canary_of_60_runs_is_on_the_wire_or_in_sealed_files(agreed: Developer, server: Recorder) -> None:
    leaks_nothing(agreed, server, 60)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_canary_of_1000_runs_is_on_the_wire_or_in_sealed_files(agreed: Developer, server: Recorder) -> None:
    leaks_nothing(agreed, server, 1000)


def test_no_answer_names_the_machine_or_its_user(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test", env={"USER": "secretuser", "LOGNAME": "secretuser", "HOSTNAME": "secrethost", "EMAIL": "secret@example"})
    agreed.flush()
    host = agreed.execute("uname", "-n").out.strip()
    for needle in ("secret", host, str(agreed.home), "Europe/", "UTC+", agreed.execute("uname", "-r").out.strip()):
        assert needle.encode() not in server.bytes, needle
