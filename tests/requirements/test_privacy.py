"""What leaves, what cannot, and how anybody can see that (C20 to C26, C46, C51, C54)."""

import json
import random
import re
import string
import subprocess
import uuid
from pathlib import Path
from typing import Any

from innerloop.core.plan.founding import DEVSTACK
from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.conftest import ROOT, Installed
from tests.requirements.support import everything_kept, quiet

CANARY = "canary7f3a"
LEAKY = {
    "a password as an option's value": ["env", "--", "true", "--password", f"{CANARY}-hunter2"],
    "a token behind an equals sign": ["true", f"--token={CANARY}"],
    "an address with credentials as the third word": ["true", "connect", f"postgres://u:{CANARY}@db.example/x"],
    "an option that nobody knows": ["true", f"--{CANARY}"],
    "a variable for make": ["make", "test", f"API_KEY={CANARY}"],
    "a short option with its value": ["make", "test", f"-I{CANARY}"],
    "a variable before the command": ["env", f"SECRET={CANARY}", "true"],
    "a script": ["sh", "-c", f"# {CANARY}"],
    "a name that was given to it": ["true"],
    "a program's own name": [f"./{CANARY}"],
}  # fmt: skip


def test_c20_no_argument_is_kept_for_sending_or_sent(agreed: Developer, server: Recorder) -> None:
    program = agreed.directory / CANARY
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for leak, command in LEAKY.items():
        name = CANARY if "given" in leak else ""
        assert 0 == agreed.run(*command, name=name, env={"PASSWORD": CANARY}).status, leak
        assert CANARY.encode() not in everything_kept(agreed), leak
    found = agreed.pending()
    events = [path.read_bytes().partition(b"\n")[2] for path in agreed.place("sealed")]
    assert 0 == agreed.flush().status

    assert CANARY.encode() not in b"".join(events) + server.bytes
    assert len(LEAKY) == len(found) == len(server.events)
    assert {"test", "true", "other"} == {event["properties"]["command"] for event in found}


def test_c20_even_for_oneself_no_argument_is_kept(agreed: Developer) -> None:
    """Of a command that is not listed its developer's own report has the program's name, of make the goals."""
    for command in (
        ["sh", "-c", f"# {CANARY}"],
        ["true", "--password", CANARY],
        ["make", "test", f"KEY={CANARY}"],
        ["env", f"X={CANARY}", "true"],
    ):
        assert 0 == agreed.run(*command).status
    names = {line["name"] for line in agreed.innerloop("report", "--json").json["commands"]}

    assert {"sh", "true", "test", "env"} == names
    assert [] == [name for name, data in agreed.files().items() if CANARY.encode() in data]


def python(installed: Installed, code: str, *words: str) -> Any:
    """Run a piece of Python with the installed client and read what it prints as JSON."""
    done = subprocess.run([installed.client_python, "-I", "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


NAMES = """
import json, sys
from innerloop.core.shared.names import naming_words, public_name
found = []
for argv in json.load(open(sys.argv[1])):
    words = naming_words([word.encode("utf-8", "surrogateescape") for word in argv])[1]
    found.append(public_name(words, ("test", "make test", "docker compose up", "dev.up.*", "true"), ("lms", "redis"), "+"))
print(json.dumps(found))
"""


def test_c20_twenty_thousand_command_lines_have_listed_names_or_none(installed: Installed, tmp_path: Path) -> None:
    """The installed client's own filter; whole lines through the launcher are tried elsewhere."""
    chance = random.Random(20)
    pieces = [
        "make",
        "/usr/bin/make",
        "docker",
        "compose",
        "up",
        "test",
        "dev.up.",
        "dev.up.lms",
        "-C",
        "-j",
        "-j4",
        "--eval=",
        "--",
        "=",
        "A=",
        "true",
        "-f",
    ]
    lines = []
    for _ in range(20_000):
        secret = CANARY + "".join(chance.choices(string.printable, k=chance.randrange(8)))
        words = [chance.choice((piece := chance.choice(pieces), piece, piece + secret, secret)) for _ in range(chance.randrange(1, 7))]
        lines.append(words)
    (tmp_path / "lines").write_text(json.dumps(lines))
    found = python(installed, NAMES, str(tmp_path / "lines"))

    assert 20_000 == len(found)
    assert {"test", "docker compose up", "dev.up.lms", "true", "other"} == set(found)


STEMS = {
    "dev.up.lms": "dev.up.lms", "dev.up.lms+redis": "dev.up.lms+redis", "dev.up.acme-secret": "other", "dev.up.lms+acme-secret": "other",
    "dev.up.": "other", "dev.up.*": "other", "dev.up.lms.extra": "other", "dev.up": "other", "test": "test", "tests": "other",
}  # fmt: skip


def test_c21_a_pattern_allows_only_stems_that_are_listed(agreed: Developer, server: Recorder) -> None:
    agreed.edit(names={"allow": ["test", "dev.up.*"], "stems": ["lms", "redis"], "separator": "+"})
    (agreed.directory / "Makefile").write_text("test tests:\n\t@true\ndev.%:\n\t@true\n")
    seen = {}
    for target in STEMS:
        before = {event["messageId"] for event in agreed.pending()}
        assert 0 == agreed.run("make", "-s", target).status
        (event,) = (event for event in agreed.pending() if event["messageId"] not in before)
        seen[target] = event["properties"]["command"]
    agreed.flush()

    assert STEMS == seen
    assert b"acme-secret" not in server.bytes


SCHEMA = """
import json, sys
from innerloop.core.plan.check import Names, conforms
from innerloop.core.plan.tracking import PLAN
texts = json.load(open(sys.argv[1]))
passed = {}
for field in PLAN.fields.values():
    for exactness in field.granularities:
        for text in texts:
            if conforms(text, field, exactness, Names(("test",))):
                passed.setdefault(field.name, []).append(text)
print(json.dumps({"types": sorted({field.type for field in PLAN.fields.values()}), "passed": passed}))
"""
FREE = [
    "/home/alice/project",
    "Error: no such file",
    "alice",
    "acme.example",
    "main",
    "feature/secret",
    "a b",
    "C:\\Users\\alice",
    "x" * 40,
    "Europe/Berlin",
]


def test_c22_no_field_of_the_plan_can_hold_free_text(installed: Installed, tmp_path: Path) -> None:
    """Every type is a closed set, a number, an instant, a random id or listed names; only the label of tests is a short word."""
    (tmp_path / "texts").write_text(json.dumps(FREE))
    found = python(installed, SCHEMA, str(tmp_path / "texts"))

    known = {"boolean", "changes", "cohort", "commit_time", "enum", "id", "instant", "integer", "label", "name", "version"}
    assert known == set(found["types"])
    assert {} == {name: texts for name, texts in found["passed"].items() if name != "is_test"}
    assert ["alice", "main"] == found["passed"].get("is_test"), "a-z 0-9 and -, at most 16, set by the developer's own test variable only"


def test_c22_a_failure_is_an_exit_status(agreed: Developer, server: Recorder) -> None:
    script = f"echo 'fatal: {CANARY}: /home/alice: permission denied' >&2; echo {CANARY}; exit 13"
    assert 13 == agreed.run("sh", "-c", script, name="test").status
    assert 0 == agreed.flush().status
    (event,) = server.events

    assert 13 == event["properties"]["exit_status"]
    assert CANARY.encode() not in everything_kept(agreed) + server.bytes
    texts = {key: value for key, value in event["properties"].items() if isinstance(value, str)}
    assert {"command", "command_type", "attempt", "is_test", "os", "arch", "actor", "client", "start_time"} >= set(texts)


def test_c23_what_is_described_is_what_is_sent(agreed: Developer, server: Recorder) -> None:
    """`describe` names every field of the plan, as on or off, and an event has no other."""
    plan = json.loads((ROOT / "packages/client/src/innerloop/core/plan/plan.json").read_text())
    agreed.run("make", "test")
    agreed.flush()
    described = agreed.innerloop("describe", "--json").json
    (event,) = server.events
    on = {field["name"] for field in described["fields"]}

    assert {field["name"] for field in plan["fields"]} == on | set(described["off"])
    assert set() == on & set(described["off"])
    assert set(event["properties"]) <= on
    assert set(event) <= on | {"type", "event", "properties", "messageId"}


def test_c23_the_published_page_has_every_field_with_its_purpose() -> None:
    """And `make lint` fails where it is not current."""
    plan = json.loads((ROOT / "packages/client/src/innerloop/core/plan/plan.json").read_text())
    page = (ROOT / "docs/reference/plan.md").read_text()
    for field in plan["fields"]:
        assert f"### `{field['name']}`" in page
        assert field["purpose"] in page
    assert "generate_docs.py --check" in (ROOT / "Makefile").read_text()


def sent_at(content: bytes) -> bytes:
    """A batch without the one value that is set when it is sent."""
    return re.sub(rb'"sentAt":"[^"]*"', b'"sentAt":""', content)


def test_c24_what_is_shown_is_what_leaves_also_offline(agreed: Developer, server: Recorder, namespace: Any) -> None:
    for target in ("test", "build", "fail"):
        agreed.run("make", target)
    offline = [*namespace("net"), str(agreed.command)]
    coming, pending, document = (
        agreed.execute(*offline, "show", *words).out.encode() for words in (["next"], ["pending"], ["pending", "--json"])
    )
    assert 0 == agreed.flush().status
    sent = agreed.execute(*offline, "show", "sent").out.encode()
    (request,) = server.requests

    assert sent_at(request.content) == sent_at(coming.removesuffix(b"\n"))
    for line in pending.splitlines() + sent.splitlines():
        assert line in request.content
    assert (3, 3) == (len(pending.splitlines()), len(sent.splitlines()))
    assert json.loads(document) == request.events


def test_c25_copies_of_what_left_stay_for_a_month(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    assert 0 == agreed.flush().status
    (event,) = server.events
    for _ in range(2):
        agreed.run("make", "test")
        agreed.flush()

    (copies,) = ({one["messageId"]: one for one in agreed.innerloop("show", "sent", "--json").json},)
    assert event == copies.get(event["messageId"])
    assert 3 == len(copies)


LOOKS = (
    ["show", "next"],
    ["show", "pending"],
    ["show", "sent", "--json"],
    ["status"],
    ["describe"],
    ["doctor"],
    ["report"],
    ["--version"],
    ["--help"],
)


def test_c26_looking_never_transmits(strace: str, queued: Developer, server: Recorder) -> None:
    """Although three runs may leave and a delivery is due."""
    for words in LOOKS:
        ended, calls = queued.strace(queued.command, *words, terminal=False)
        assert 0 == ended.status, words
        assert not [line for line in calls.splitlines() if "socket(" in line or '"deliver"' in line], words

    assert quiet(queued)
    assert 0 == server.connections


def test_c46_ids_are_random(hire: Any, installed: Installed) -> None:
    """The same person on the same machine in the same project gets another one each time."""
    found = set()
    for number in range(3):
        developer = hire(f"developer-{number}").project()
        developer.opt_in("yes")
        found.add(json.loads(developer.consent_file.read_text())["anonymous_user_id"])

    assert 3 == len(found)
    for one in map(uuid.UUID, found):
        assert (4, uuid.RFC_4122) == (one.version, one.variant)


FOUNDING = r"anonymous_user_id|anonymousId|Allow devstack to report anonymized usage metrics\?"  # others' keys, and the words of devstack's own script


def test_c46_it_is_called_pseudonymous(developer: Developer, installed: Installed) -> None:
    """Nothing of ours that we print or publish says anonymous without a not before it; what other systems wrote is what it is."""
    said = (
        developer.opt_in("?", "yes").text
        + developer.opt_out().err
        + developer.innerloop("describe").out
        + developer.innerloop("status").out
    )
    assert "pseudonymous, not anonymous" in " ".join(said.split())
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.name not in ("requirements.md", "devstack.md", "seed-mode.md")]
    package = [path for path in package_of(installed).rglob("*") if path.suffix in (".py", ".json")]
    for text in [" ".join(said.split()), *(" ".join(path.read_text().split()) for path in pages + package)]:
        claims = re.findall(r"(?i)(?<!not )(?<!pseud)\banonym\w*(?![\w`\"':]|: )", re.sub(FOUNDING, "", text))
        assert [] == claims, text[:200]


def package_of(installed: Installed) -> Path:
    (package,) = installed.directory.glob("client/lib/python3*/site-packages/innerloop")
    return package


def test_c51_there_is_no_key_and_no_address_in_the_code(installed: Installed) -> None:
    """But the one that a founding system's old yes counts for, which a project file must name as well before anything goes there."""
    for path in package_of(installed).rglob("*"):
        if path.suffix in (".py", ".json", ".mk", ".c", ".sh") or path.parent.name == "bin":
            text = path.read_text(errors="replace")
            address = f'endpoint="{DEVSTACK.endpoint}"' if path.name == "founding.py" else "\0"
            assert [] == re.findall(
                r"https?://[^\s\"')]*\.(?:com|org|io|net|dev)\b[^\s\"')]*",
                re.sub(r"https://(?:github\.com/a/b|innerloop\.example\.com)", "", text.replace(address, "")),
            ), path
            assert not re.search(r"write_key\s*=\s*[\"'][^\"']", text), path


def test_c51_a_fork_records_for_itself_and_sends_nothing(agreed: Developer, server: Recorder) -> None:
    """The upstream's project file in a clone that has only the fork as its remote, of somebody who agreed for the upstream."""
    agreed.edit(project={"remotes": ["git.example/upstream/shop"]})
    agreed.git("init", "-q")
    agreed.git("remote", "add", "origin", "https://git.example/forker/shop.git")
    for _ in range(2):
        agreed.run("make", "test")
    agreed.make_delivery_due()
    agreed.innerloop("deliver")
    assert 1 == agreed.flush().status
    assert (0, "local") == (server.connections, agreed.status()["mode"])
    assert "this clone has none of the project's remotes" in agreed.innerloop("status").out

    agreed.git("remote", "add", "upstream", "git@git.example:upstream/shop.git")
    agreed.run("make", "test")
    assert 0 == agreed.flush().status
    assert 1 == len(server.events), "what was recorded in the fork alone stays there"


ACTORS: dict[str, tuple[dict[str, str], str | None]] = {
    "nobody's mark": ({}, "human"), "an agent": ({"CLAUDECODE": "1"}, "agent"), "an agent that sets CI": ({"CURSOR_AGENT": "1", "CI": "true"}, "agent"),
    "two agents": ({"CLAUDECODE": "1", "AI_AGENT": "other"}, "agent"), "three marks": ({"CODEX_SANDBOX": "x", "GEMINI_CLI": "1", "CI": "1"}, "agent"),
    "an agent's mark that says no": ({"CLAUDECODE": "0"}, "human"), "CI that says no": ({"CI": "false", "GITHUB_ACTIONS": "true"}, "human"),
    "CI": ({"CI": "true"}, None), "CI that counts": ({"CI": "true", "INNERLOOP_CI": "1"}, "ci"),
}  # fmt: skip


def test_c54_people_agents_and_ci_are_told_apart(agreed: Developer) -> None:
    agreed.edit(project={"ci": True})
    seen: dict[str, str | None] = {}
    known: set[str] = set()
    for who, (env, actor) in ACTORS.items():
        agreed.run("make", "test", env=env)
        events = agreed.innerloop("show", "pending", "--json", env=env if actor == "ci" else None).json
        new = [event for event in events if event["messageId"] not in known]
        known |= {event["messageId"] for event in new}
        seen[who] = new[0]["properties"]["actor"] if new else None
        assert [actor == "ci"] * len(new) == ["userId" not in event for event in new], who

    assert {who: actor for who, (_, actor) in ACTORS.items()} == seen
