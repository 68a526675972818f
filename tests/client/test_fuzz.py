"""Fuzzed command lines, environments, places and git states: whatever was typed, an event holds listed names and nothing else of it.

Everything secret in a case holds the word `canary`, in some form; every other word is a listed name that was spoilt. In
this file the cases go through the launcher's own functions in process, by the tens of thousands; test_canaries.py sends
cases of the same making through the built launcher and over the wire.
"""

import base64
import codecs
import json
import os
import random
import re
import tempfile
import time
import tracemalloc
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from innerloop.core.consent.apply import cached_answer
from innerloop.core.consent.resolve import ConsentState, Context, resolve
from innerloop.core.launcher import measure, record
from innerloop.core.launcher.execute import Request
from innerloop.core.outbound import seal
from innerloop.core.shared import cache, paths, untrusted
from innerloop.core.spool import store
from tests.client.people import Developer

EXACT = ("test", "build", "true", "docker compose up", "déploie", "a" * 40 + " " + "b" * 30)


STARRED = ("dev.up.*", "*-shell", "run *")


STEMS = ("lms", "redis")


SEPARATOR = "+"


LISTED = re.compile(
    "|".join(
        [re.escape(name) for name in EXACT]
        + [re.escape(name).replace(r"\*", "(?:(?:lms|redis)(?:[+](?:lms|redis))*)") for name in STARRED]
    )
)  # fmt: skip


NAMES = {"allow": [*EXACT, *STARRED], "stems": list(STEMS), "separator": SEPARATOR}


SPACES = (" ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u00a0", "\u2028", "\u200b", "\u202e", "\x01", "\x7f")


# What a line of a record could be mistaken for.
LINES = ("name {}", "type {}", "actor {}", "test {}", "mode local", "serial {}", "end 0 1 2", "local {}", "digest {}", "root {}")


MARK = "canary7f3a"


MAKE_OPTIONS = ("-j", "-j2", "-C", "-f", "-o", "-W", "-I", "--eval", "--file", "-k", "-sn", "--", "-", "--jobs=3", "--directory=")


VARIABLES = ("USER", "EMAIL", "SECRET_KEY", "GIT_AUTHOR_NAME", "AGENT_NAME", "CI_COMMIT_REF", "SSH_CONNECTION", "HOSTNAME", "PS1")


class Case(NamedTuple):
    """One command line and all around it."""

    argv: list[bytes]
    name: str  # of --name, or ``
    env: dict[bytes, bytes]
    place: bytes  # a directory's name
    branch: str


class Maker:
    """Makes cases, the same ones for the same number."""

    def __init__(self, number: int, mark: str = MARK) -> None:
        self.chance = random.Random(number)
        self.mark = mark  # lower-case letters and digits

    def canary(self) -> str:
        """A secret in one of its forms; always found again by `traces`."""
        mark = self.mark + format(self.chance.getrandbits(32), "x")
        forms: tuple[Callable[[str], str], ...] = (
            str, str.upper, str.title, lambda text: "=" + text, lambda text: f"/home/{text}/.ssh/id", lambda text: f"https://u:{text}@h.example/x?k=1",
            lambda text: text + "é", lambda text: "\u202e" + text, lambda text: text * 90, lambda text: f"'{text}\"$(x)`", lambda text: f"{text}@h.example",
            lambda text: base64.b64encode(text.encode()).decode(), lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
            lambda text: "".join(chr(ord(letter) + 0xFEE0) for letter in text), lambda text: f"{text}\n{text}", lambda text: text.encode().hex(),
            lambda text: self.chance.choice(SPACES) + self.chance.choice(LINES[:4]).format(text) + self.chance.choice(SPACES),
        )  # fmt: skip
        return self.chance.choice(forms)(mark)

    def listed(self) -> str:
        """A name that may leave."""
        name = self.chance.choice((*EXACT, *STARRED))
        return name.replace("*", SEPARATOR.join(self.chance.choices(STEMS, k=self.chance.choice((1, 1, 2)))))

    def spoilt(self) -> str:
        """A name that differs from a listed one."""
        name, space = self.listed(), self.chance.choice(SPACES)
        ways: tuple[Callable[[], str], ...] = (
            name.upper, name.title, lambda: name + space, lambda: space + name, lambda: name + "x", lambda: name[:-1], lambda: "x" + name,
            lambda: name + self.canary(), lambda: self.canary() + name, lambda: name.replace("lms", self.canary()), lambda: name + SEPARATOR + self.canary(),
            lambda: name + SEPARATOR, lambda: name.replace("lms", "lms" + SEPARATOR + "LMS"), lambda: self.chance.choice(STARRED), lambda: "*",
            lambda: name * 5, lambda: name.replace(" ", space), lambda: f"{name}\n{self.chance.choice(LINES).format(name)}", lambda: f"./{name}",
        )  # fmt: skip
        return self.chance.choice(ways)()

    def word(self) -> bytes:
        """A word of a command line: no NUL, anything else."""
        if self.chance.random() < 0.1:
            return self.mark.encode() + bytes(self.chance.choices(range(1, 256), k=12))
        text = self.chance.choices((self.canary, self.spoilt, self.listed), (5, 4, 2))[0]()
        return text.encode("utf-8", "surrogateescape").replace(b"\0", b"")

    def words(self, most: int = 5) -> list[bytes]:
        return [self.word() for _ in range(self.chance.randint(0, most))]

    def argv(self) -> list[bytes]:
        """A command line."""
        kind = self.chance.randrange(4)
        if kind == 0:
            return [self.chance.choice((b"make", b"gmake", b"/usr/bin/make")), *self.make_words()]
        if kind == 1:
            return [*self.listed().encode().split(b" "), *self.words()]
        if kind == 2:
            return [self.chance.choice((b"sh", b"env", b"true", b"docker", b"run")), *self.words()]
        return [self.word() or b"x", *self.words()]

    def make_words(self) -> list[bytes]:
        """Options, variables and goals of make."""
        found = []
        for word in self.words(6):
            kind = self.chance.randrange(4)
            option = self.chance.choice(MAKE_OPTIONS).encode()
            found += [[word], [option, word], [option + word], [b"V" + word[:5] + b"=" + word]][kind]
        return found

    def case(self) -> Case:
        name = self.chance.choice((self.spoilt, self.listed, self.canary))() if self.chance.random() < 0.25 else ""
        env = {key.encode(): self.word() for key in self.chance.sample(VARIABLES, 2)} | {f"X_{self.mark}_{uuid.uuid4().hex}".encode(): b"1"}
        place = self.word().replace(b"/", b"_")[:100] or b"x"
        branch = re.sub(r"[^a-z0-9é\u202e]", "-", self.canary())[:60].strip("-") or "x"
        return Case(self.argv(), name.replace("\0", ""), env, place, branch)


def traces(mark: str) -> re.Pattern[bytes]:
    """A pattern that finds a mark in any spelling that JSON, a URL or a well-meaning encoder could give it."""
    plain = mark.encode()
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in mark)
    spellings = {plain, plain.hex().encode(), codecs.encode(mark, "rot13").encode(), mark.encode("utf-16-le"), plain[::-1], wide.encode()}
    spellings |= {"".join(f"%{byte:02x}" for byte in plain).encode(), urllib.parse.quote(wide).lower().encode()}
    spellings |= {"".join(f"\\u{ord(letter):04x}" for letter in text).encode() for text in (mark, wide)}
    for shift in range(3):  # base64 depends on where a word begins: what is left of its first and last group is cut off
        for text in (plain, plain.upper(), plain.title()):
            spelling = base64.b64encode(b"\0" * shift + text)
            whole = (shift + len(text)) // 3 * 4
            spellings.add(spelling[4 if shift else 0 : whole])
    return re.compile(b"|".join(map(re.escape, sorted(spellings))), re.IGNORECASE)


def holds_listed_name(command: str) -> bool:
    """The list, read another way than the client's own: `other`, a listed name, or the beginning of a long one."""
    long = [name for name in EXACT if len(name) > 50]
    return command == "other" or LISTED.fullmatch(command) is not None or any(command == name[:50] for name in long)


def expected_name(case: Case) -> str | None:
    """What leaves of a command line, worked out anew; None for make, whose options decide what is a goal."""
    words = [word.decode("utf-8", "replace") for word in case.argv]
    program = words[0].rpartition("/")[2]
    if program in ("make", "gmake") and not case.name:
        return None
    words = [case.name] if case.name else [program, *words[1:]]
    beginnings = (" ".join(words[:end]) for end in range(len(words), 0, -1))
    return next((name[:50] for name in beginnings if LISTED.fullmatch(name)), "other")


def test_the_search_itself_finds_a_secret_in_every_form_that_is_planted() -> None:
    maker, pattern = Maker(1), traces(MARK)
    for _ in range(3000):
        secret = maker.canary()
        assert pattern.search(secret.encode("utf-8", "surrogateescape")), secret


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: two files are written for each case."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        yield Path(directory)


def through_the_filter(developer: Developer, memory: Path, number: int, cases: int) -> None:
    """What the launcher writes, read back from disk, sealed: the bytes that would leave."""
    developer.edit(names=NAMES).opt_in("yes")
    env = {os.fsencode(key): os.fsencode(value) for key, value in developer.environment().items()}
    context = Context(env, str(developer.directory), time.time)
    state = resolve(context)
    assert state.mode == "on"
    answer = cache.parse(cache.render(cached_answer(state, context)))
    assert answer is not None
    maker, pattern, spool = Maker(number), traces(MARK), memory / "records"
    for place in ("new", "run"):
        (spool / place).mkdir(parents=True)
    others = 0
    for _ in range(cases):
        case = maker.case()
        event = one_event(case, answer, env, state, spool)
        assert pattern.search(event) is None, (case, event)
        command = re.search(rb'"command":"((?:[^"\\]|\\.)*)"', event)
        assert command is not None
        name = command[1].decode()
        assert holds_listed_name(name), (case, name)
        assert expected_name(case) in (None, name), (case, name)
        others += name == "other"
    assert cases * 0.3 < others < cases * 0.95


def one_event(case: Case, answer: cache.CachedAnswer, env: dict[bytes, bytes], state: ConsentState, spool: Path) -> bytes:
    """Write a record as the launcher does, with git's facts beside it, and make the bytes that leave of it."""
    answer.project_file = os.fsencode(state.path)[: -len("innerloop.toml")] + case.place + b"/innerloop.toml"
    lines = measure.facts(Request(case.argv, case.name), answer, paths.Home(env | case.env), measure.Moment(), 1)
    run = "0" * 36
    (spool / "new" / run).write_bytes(b"\n".join([record.HEAD, *lines, b"end 0 1 2\n"]))
    sidecar = f"commit 1700000000 +0000\nhead refs/heads/{case.branch}\ndefault refs/remotes/origin/{case.branch}\n"
    (spool / "run" / f"{run}.git").write_text(sidecar)
    read = store.read_facts(str(spool), "new", run)
    for place in (f"new/{run}", f"run/{run}.git"):
        (spool / place).unlink()  # a new file is cheaper than one that is truncated
    (event,) = seal.seal(state, read).events
    return event


def test_no_canary_of_2000_cases_passes_the_filter(developer: Developer, memory: Path) -> None:
    through_the_filter(developer, memory, 1, 2000)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_canary_of_98000_cases_passes_the_filter(developer: Developer, memory: Path) -> None:
    through_the_filter(developer, memory, 2, 98_000)


@pytest.mark.parametrize("filling", [b'"x', b'""', b"\\\\", b"x"], ids=["texts", "quotes", "backslashes", "letters"])
def test_reading_what_may_be_anybodys_takes_little_memory(filling: bytes) -> None:
    """Two megabytes of it, behind enough brackets to be looked at closely."""
    data = b'["' + b"[" * 40 + b'",' + (b'"' if filling in (b"x", b"\\\\") else b"") + filling * ((2 << 20) // len(filling))
    tracemalloc.start()
    with pytest.raises(ValueError):
        untrusted.parse(data)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert most < 16 << 20


@pytest.mark.parametrize(
    ("text", "deep"),
    [('["' + "[" * 40 + '"]', False), ('["\\"' + "[" * 40 + '"]', False), ('["\\\\"' + "," + "[" * 40, True), ("[" * 33, True)],
)
def test_only_brackets_outside_of_texts_lie_in_each_other(text: str, deep: bool) -> None:
    if not deep:
        assert json.loads(text) == untrusted.parse(text.encode())
        return
    with pytest.raises(ValueError, match="deep"):
        untrusted.parse(text.encode())
