"""What a command is called: names that are listed or made of listed stems, and `other` for the rest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerloop.core.plan.check import Names
from innerloop.core.plan.names_table import MOST_NAMES
from innerloop.core.shared.names import (
    LONGEST,
    MOST_WORDS,
    OTHER,
    allowed,
    asks_only,
    directory_prefix,
    make_directory,
    naming_words,
    public_name,
)

WORD = st.text("ab.+-*1", min_size=1, max_size=6)


LISTS = st.lists(WORD, max_size=5)


SEPARATOR = st.sampled_from(["", "+", "."])


@given(name=WORD, patterns=LISTS, stems=LISTS, separator=SEPARATOR)
def test_an_allowed_name_is_listed_or_made_of_a_pattern_and_listed_stems(
    name: str, patterns: list[str], stems: list[str], separator: str
) -> None:
    def made() -> bool:
        for pattern in patterns:
            head, star, tail = pattern.partition("*")
            if not star and name == pattern:
                return True
            if star and name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail):
                stem = name[len(head) : len(name) - len(tail)]
                if all(part in stems for part in (stem.split(separator) if separator else [stem])):
                    return True
        return False

    if allowed(name, patterns, stems, separator):
        assert made() or "*" in name
    elif not any(name in patterns for _ in (0,)):
        assert not made()


@given(words=st.lists(st.text("ab.+", min_size=1, max_size=40), min_size=1, max_size=4), allow=st.lists(st.text("ab.+*", min_size=1, max_size=70), max_size=4),
       stems=st.lists(st.text("ab.", min_size=1, max_size=40), max_size=4), separator=SEPARATOR)  # fmt: skip
def test_what_the_client_calls_a_command_passes_the_law(words: list[str], allow: list[str], stems: list[str], separator: str) -> None:
    allow = [*allow, " ".join(words[:2])]
    name = public_name(words, allow, stems, separator)
    assert len(name) <= LONGEST
    assert Names(tuple(allow), tuple(stems), separator).holds(name)


@given(words=st.lists(st.text("ab+ ", max_size=4), min_size=1, max_size=12), allow=st.lists(st.text("ab+* ", max_size=12), max_size=5),
       stems=st.lists(st.text("ab ", max_size=4), max_size=4), separator=st.sampled_from(["", "+", " "]))  # fmt: skip
def test_of_a_command_the_longest_listed_beginning_counts(words: list[str], allow: list[str], stems: list[str], separator: str) -> None:
    beginnings = [" ".join(words[:end]) for end in range(min(len(words), MOST_WORDS), 0, -1)]
    listed = [name for name in beginnings if allowed(name, allow, stems, separator)]
    assert public_name(words, allow, stems, separator) == (listed[0] if listed else OTHER)


class Counted(list[str]):
    """Words, and how many of them were asked for."""

    taken = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.taken += len(found) if isinstance(key, slice) else 1
        return found

    def __iter__(self) -> Any:
        self.taken += len(self)
        return super().__iter__()


def test_what_a_name_costs_does_not_grow_with_the_words_of_a_command() -> None:
    patterns = ["docker compose up", "x *"]
    few, many = (Counted(["true", *map(str, range(number))]) for number in (10, 20_000))
    assert public_name(few, patterns, ["web"]) == public_name(many, patterns, ["web"]) == OTHER
    assert few.taken == many.taken <= 6


def test_a_list_of_names_is_read_a_few_times_however_many_words_there_are() -> None:
    patterns, stems = (Counted(f"{number}{end}" for number in range(MOST_NAMES)) for end in (" a b c d e f g h i*", ""))
    assert public_name(["true"] * 300, patterns, stems) == OTHER
    assert (patterns.taken <= 3 * MOST_NAMES, stems.taken <= 3 * MOST_NAMES) == (True, True)


@pytest.mark.parametrize(
    "pattern", ["a" * 49, "a" * 50, "a" * 51, "a" * 60, "a" * 48 + "*", "a" * 49 + "*", "a" * 50 + "*", "a" * 60 + "*", "a*" + "b" * 60]
)
@pytest.mark.parametrize("separator", ["", "+"])
def test_long_names_are_matched_whole_and_then_cut(pattern: str, separator: str) -> None:
    names = Names((pattern,), ("x", "longer-stem"), separator)
    for stem in ("x", "longer-stem", *(["x+longer-stem"] if separator else [])):
        name = public_name([pattern.replace("*", stem)], *names[:3])
        assert name == pattern.replace("*", stem)[:LONGEST]
        assert names.holds(name)
    assert public_name([pattern.replace("*", "secret") + "s"], *names[:3]) == OTHER


@given(name=st.text(max_size=60))
def test_nothing_but_other_passes_an_empty_list(name: str) -> None:
    assert Names().holds(name) == (name == OTHER)
    assert public_name([name or "x"], ()) == OTHER


PLACES: list[tuple[str, list[str], str]] = [
    ("/shop", ["test"], ""), ("/shop", ["api:test"], ""), ("/shop/api", ["test"], ""), ("/shop/api", ["api:build"], "api:"),
    ("/shop/services/api", ["services/api:test"], "services/api:"), ("/shop/services/api", ["api:test"], ""),
    ("/shop/services/api/sub", ["services/api:test"], ""), ("/shopping/api", ["api:test"], ""), ("/elsewhere", ["elsewhere:test"], ""),
    ("/shop/ap", ["api:test"], ""), ("/shop/api/", ["api:test"], "api:"),
]  # fmt: skip


@pytest.mark.parametrize(("directory", "patterns", "prefix"), PLACES)
def test_a_directory_counts_only_where_the_list_has_names_of_it(directory: str, patterns: list[str], prefix: str) -> None:
    assert directory_prefix(directory, "/shop", patterns) == prefix


def test_a_project_may_be_the_root_of_a_file_system() -> None:
    assert (directory_prefix("/api", "/", ["api:test"]), directory_prefix("/", "/", ["api:test"])) == ("api:", "")


def test_the_law_takes_names_with_a_directory_as_they_are_listed() -> None:
    names = Names(("test", "services/api:test", "web:up.*"), ("redis",))
    good = ["test", "services/api:test", "web:up.redis", "other"]
    bad = ["services/web:test", "api:test", "services/api:build", "services/api:", ":test", "web:test", "web:up.acme", "up.redis"]
    assert [name for name in (*good, *bad) if names.holds(name)] == good


WORKS_IN: list[tuple[str, str]] = [
    ("test", "/shop"), ("-C api test", "/shop/api"), ("-Capi test", "/shop/api"), ("-kC api", "/shop/api"), ("-kCapi", "/shop/api"),
    ("-C services -C api", "/shop/services/api"), ("-C api -C ../web", "/shop/web"), ("-C /x/y test", "/x/y"), ("-C ./api/ test", "/shop/api"),
    ("--directory api test", "/shop/api"), ("--directory=api test", "/shop/api"), ("-j2 -C api", "/shop/api"), ("-j -C api", "/shop/api"),
    ("-fCapi test", "/shop"), ("-C ../.. test", "/"), ("-C", "/shop"), ("C=api test", "/shop"), ("--no-print-directory -C api", "/shop/api"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "directory"), WORKS_IN, ids=[line[0] for line in WORKS_IN])
def test_where_make_works(line: str, directory: str) -> None:
    assert make_directory([word.encode() for word in line.split()], b"/shop") == directory.encode()


COMMAND_LINES: list[tuple[str, str, list[str]]] = [
    ("make", "make", ["make"]), ("make test", "make", ["test"]), ("/usr/bin/make test lint", "make", ["test", "lint"]), ("gmake test", "make", ["test"]),
    ("make -j2 CFLAGS=-g test", "make", ["test"]), ("make -j 4 test", "make", ["test"]), ("make -j test", "make", ["test"]), ("make -C dir test", "make", ["test"]),
    ("make -f other.mk test", "make", ["test"]), ("make --directory dir test", "make", ["test"]), ("make --directory=dir test", "make", ["test"]),
    ("make -Cdir test", "make", ["test"]), ("make -kC dir test", "make", ["test"]), ("make -sf other.mk test", "make", ["test"]), ("make -sj 4 test", "make", ["test"]),
    ("make TOKEN=secret test", "make", ["test"]), ("make TOKEN:=secret test", "make", ["test"]), ("make -- test", "make", ["test"]), ("make -l 2.5 test", "make", ["test"]),
    ("make -nB test", "make", ["test"]), ("make --eval x:=1 test", "make", ["test"]), ("make -E x:=1 test", "make", ["test"]),
    ("npm run build", "command", ["npm", "run", "build"]), ("./node_modules/.bin/jest -t x", "command", ["jest", "-t", "x"]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind", "words"), COMMAND_LINES, ids=[line[0] for line in COMMAND_LINES])
def test_which_words_name_a_command(line: str, kind: str, words: list[str]) -> None:
    assert naming_words([word.encode() for word in line.split()]) == (kind, words)


ASKS = [
    "-n",
    "-kn",
    "-n test",
    "--dry-run test",
    "--just-print",
    "--recon",
    "-q",
    "--question",
    "-t test",
    "-p",
    "-v",
    "--version",
    "-h",
    "-j2 -n",
    "-C dir -n",
]


BUILDS = [
    "",
    "test",
    "-j2 test",
    "-C n test",
    "-Cn test",
    "-f -n",
    "-fn",
    "-j n",
    "-I q test",
    "-Otarget",
    "-W t test",
    "--eval -n",
    "-- -n",
    "X=-n test",
    "-d",
    "--trace",
]


@pytest.mark.parametrize(("line", "asks"), [*((line, True) for line in ASKS), *((line, False) for line in BUILDS)])
def test_which_make_only_asks(line: str, asks: bool) -> None:
    assert asks_only([word.encode() for word in line.split()]) == asks


@given(argv=st.lists(st.binary(max_size=20), min_size=1, max_size=6))
def test_any_bytes_may_be_a_command_line(argv: list[bytes]) -> None:
    kind, words = naming_words(argv)
    assert kind in ("make", "command")
    assert words
    assert public_name(words, ["make"]) in ("make", OTHER)
    assert make_directory(argv, b"/shop").startswith(b"/")
    assert asks_only(argv) in (True, False)
