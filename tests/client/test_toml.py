"""The client's TOML reader: what it reads tomllib reads alike, and what it refuses it explains in one sentence."""

import tomllib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from innerloop.core.plan import toml

# Documents of the subset, written out by hand-made strategies so that every spelling turns up.

BLANK = st.sampled_from(["", "", " ", "\t", "  "])
NEWLINE = st.sampled_from(["\n", "\n", "\r\n"])
PRINTABLE = st.characters(exclude_categories=["Cs", "Cc"])
COMMENT = st.one_of(st.just(""), st.text(PRINTABLE | st.just("\t"), max_size=8).map(lambda text: "#" + text))
ESCAPE = st.one_of(
    st.sampled_from([r"\b", r"\t", r"\n", r"\f", r"\r", r"\"", r"\\", r"\u0000", r"\u00e9", r"\uD7FF", r"\uE000", r"\U0010FFFF"]),
    st.integers(0, 0xD7FF).map("\\u{:04X}".format),
    st.integers(0xE000, 0x10FFFF).map("\\U{:08x}".format),
)
LINE_ENDING_BACKSLASH = st.builds("\\{}{}{}".format, BLANK, NEWLINE, st.text("\n \t", max_size=3))
BASIC = st.lists(PRINTABLE.filter(lambda c: c not in '"\\') | ESCAPE | st.just("\t"), max_size=8).map(
    lambda parts: '"' + "".join(parts) + '"'
)
LITERAL = st.text(PRINTABLE.filter(lambda c: c != "'") | st.just("\t"), max_size=8).map(lambda text: f"'{text}'")
LINES = st.builds(
    '"""{}{}{}"""'.format,
    st.sampled_from(["", "\n", "\r\n", "\n\n"]),
    st.lists(
        PRINTABLE.filter(lambda c: c not in '"\\') | ESCAPE | NEWLINE | LINE_ENDING_BACKSLASH | st.sampled_from(['"a', '""b', "\t"]),
        max_size=8,
    ).map("".join),
    st.sampled_from(["", '"', '""']),
)
LITERAL_LINES = st.builds(
    "'''{}{}{}'''".format,
    st.sampled_from(["", "\n", "\r\n"]),
    st.lists(PRINTABLE.filter(lambda c: c != "'") | NEWLINE | st.sampled_from(["'a", "''b", "\\"]), max_size=8).map("".join),
    st.sampled_from(["", "'", "''"]),
)
INTEGER = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.integers(0, 2**63 - 1).map("+{}".format),
    st.integers(0, 2**63 - 1).map("{:_}".format),
    st.sampled_from(["-0", "+0", "1_2_3"]),
)
GAP = st.lists(st.one_of(BLANK, NEWLINE, st.builds("{}{}".format, COMMENT, NEWLINE)), max_size=3).map("".join)


def _array(values: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    item = st.builds("{}{}{}".format, GAP, values, GAP)
    return st.builds("[{}{}]".format, st.lists(item, max_size=4).map(",".join), GAP) | st.lists(item, min_size=1, max_size=3).map(
        lambda items: "[" + ",".join(items) + ", ]"
    )


SCALAR = st.one_of(BASIC, LITERAL, LINES, LITERAL_LINES, INTEGER, st.sampled_from(["true", "false"]))
VALUE = st.recursive(SCALAR, _array, max_leaves=6)
KEY = st.one_of(st.text("abcAB019_-", min_size=1, max_size=2), BASIC, LITERAL)
END = st.builds("{}{}{}".format, BLANK, COMMENT, NEWLINE)
ASSIGNMENT = st.builds("{}{}{}={}{}{}".format, BLANK, KEY, BLANK, BLANK, VALUE, END)
NAME = st.lists(st.builds("{}{}{}".format, BLANK, KEY | st.sampled_from("ab"), BLANK), min_size=1, max_size=3).map(".".join)
HEADER = st.builds("{}[{}]{}".format, BLANK, NAME, END) | st.builds("{}[[{}]]{}".format, BLANK, NAME, END)
DOCUMENT = st.lists(st.one_of(ASSIGNMENT, ASSIGNMENT, HEADER, END), max_size=10).map("".join)


def _alike(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down (True == 1 is not enough)."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_alike(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_alike, left, right))
    return bool(left == right)


def _read(read: Any, text: str) -> Any:
    try:
        return read(text)
    except (toml.TomlError, tomllib.TOMLDecodeError) as error:
        return error


@settings(max_examples=200, deadline=None)
@given(DOCUMENT)
def test_every_document_of_the_subset_is_read_as_tomllib_reads_it(text: str) -> None:
    """Same value or both an error: a document of the subset is never refused by one of them only."""
    ours, theirs = _read(toml.loads, text), _read(tomllib.loads, text)

    assert isinstance(ours, Exception) == isinstance(theirs, Exception), (ours, theirs)
    assert isinstance(ours, Exception) or _alike(ours, theirs)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(DOCUMENT, st.data())
def test_what_a_damaged_document_still_says_tomllib_reads_alike(text: str, data: st.DataObject) -> None:
    """Characters removed, doubled, replaced: what is accepted is accepted by tomllib, with the same value."""
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 3)))
        text = text[:start] + data.draw(st.text("\"'[]=.,#\\\n\r\t {}01_-+aeuxT:\x00\x7f\x1f\u2028", max_size=3)) + text[end:]
    _accepted_implies_alike(text)


@settings(max_examples=600, deadline=None)
@given(st.text("ab01_-+.=,#[]{}\"'\\\n\r\t uUex:T\x00\x7f") | st.text())
@example("a = 1\r")
@example("\ufeffa = 1")
def test_what_random_text_says_tomllib_reads_alike(text: str) -> None:
    """No text at all is accepted that tomllib refuses, and no error but TomlError is raised."""
    _accepted_implies_alike(text)


def _accepted_implies_alike(text: str) -> None:
    ours = _read(toml.loads, text)
    if not isinstance(ours, toml.TomlError):
        assert _alike(ours, tomllib.loads(text))


ACCEPTED = {
    "nothing": "",
    "only a comment": "# a",
    "no newline at the end": "a = 1",
    "a table opened after its child": "[a.b]\nx = 1\n[a]\ny = 2\n",
    "a child of an array's last table": "[[a]]\n[a.b]\nx = 1\n[[a]]\n[a.b]\nx = 2\n[[a.c]]\n[[a.c]]\n",
    "quoted and blank-separated names": '[ \'a\' . "b c" ]\n"" = 1\n1 = 2\n',
    "a mixed array over lines": "a = [ # x\n 1, 'b', # y\n\n [true, [ ]],\n]\n",
    "quotes before the closing ones": "a = \"\"\"b\"\"\"\"\"\nc = '''d'''''\n",
    "a joined line": 'a = """b \\ \t\n\n   c"""',
    "a trimmed newline": "a = '''\r\nb\r\n'''",
    "the largest and the smallest number": "a = 9_223_372_036_854_775_807\nb = -9223372036854775808",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_the_corners_of_the_subset_are_accepted(text: str) -> None:
    """Each corner is read, not only agreed with by refusing it."""
    assert _alike(toml.loads(text), tomllib.loads(text))


REFUSED = {
    "a = {b = 1}": "line 1: tables in braces are not read here, write a [table]",
    "\na = 1.5": "line 2: fractions are not read here, write a whole number",
    "a = 1e5": "line 1: fractions are not read here, write a whole number",
    "a = -inf": "line 1: fractions are not read here, write a whole number",
    "a = 2026-01-02": "line 1: dates and times are not read here, write a string",
    "a = 07:32:00": "line 1: dates and times are not read here, write a string",
    "a = 0x1F": "line 1: only decimal numbers are read here",
    "a = 007": "line 1: a number must not begin with a zero",
    "a = 1__0": "line 1: this is not a whole number",
    "a = 9223372036854775808": "line 1: the number does not fit in 64 bits",
    "a = True": "line 1: true and false are written in small letters",
    "a = yes": "line 1: a value should stand here; text needs quotes",
    "a =": "line 1: a value should stand here; text needs quotes",
    "a.b = 1": "line 1: a dotted key is only read between brackets, as a table's name",
    "a 1": "line 1: the key 'a' should be followed by '='",
    "= 1": "line 1: a key should stand here: letters, digits, '_' and '-', or anything in quotes",
    "é = 1": "line 1: a key should stand here: letters, digits, '_' and '-', or anything in quotes",
    "a = 1\n\n'a' = 2": "line 3: the key 'a' is there twice",
    "a = 1 b = 2": "line 1: the line should end here",
    "[a]\n[a]": "line 2: 'a' is there twice",
    "[a]\n[[a]]": "line 2: 'a' is already there, and is no array of tables",
    "[[a]]\n[a]": "line 2: 'a' is there twice",
    "a = []\n[[a]]": "line 2: 'a' is already there, and is no array of tables",
    "a = [[1]]\n[a.b]": "line 2: 'a' is already a value, so it cannot be a table",
    "[a": "line 1: the table's name should end with ]",
    "[[a] ]": "line 1: the table's name should end with ]]",
    "[a.]": "line 1: a key should stand here: letters, digits, '_' and '-', or anything in quotes",
    "a = [1 2]": "line 1: the array's values should be separated by ',' and end with ']'",
    "a = [\n1,": "line 2: a value should stand here; text needs quotes",
    "a = [,]": "line 1: a value should stand here; text needs quotes",
    "a = 'b\n'": "line 1: a quote is not closed on its line",
    'a = """\nb': 'line 2: a text in """ is never closed',
    r'a = "\x41"': "line 1: there is no such escape; a backslash itself is written \\\\",
    r'a = "\ud800"': r"line 1: \u needs 4 hexadecimal digits that name a character",
    r'a = "\U00110000"': r"line 1: \U needs 8 hexadecimal digits that name a character",
    r'a = "\u12"': r"line 1: \u needs 4 hexadecimal digits that name a character",
    "a = 'b\x00'": "line 1: a control character must be written as an escape, in double quotes",
    "# a\rb": "line 1: a control character must be written as an escape, in double quotes",
    "a = " + "[" * 17: "line 1: arrays are nested more than 16 deep",
    "[" + ".".join("a" * 17) + "]": "line 1: a table's name has more than 16 parts",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=[repr(text[:20]) for text in REFUSED])
def test_a_refusal_names_the_line_and_what_is_wrong(text: str, message: str) -> None:
    """The whole message is compared, because it is all that the author of a project file sees."""
    with pytest.raises(toml.TomlError) as caught:
        toml.loads(text)

    assert message == str(caught.value)


def test_a_name_from_the_file_cannot_write_to_the_terminal_through_an_error() -> None:
    """Names in messages are plain printable ASCII, and cut."""
    with pytest.raises(toml.TomlError) as caught:
        toml.loads('"\\u001b]0;x\\u0007\\u202e' + "y" * 80 + '" 1')

    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 120


def test_a_hostile_depth_is_an_error_and_not_a_crash() -> None:
    """A file that comes with a clone cannot exhaust the stack."""
    with pytest.raises(toml.TomlError):
        toml.loads("a = " + "[" * 100_000)
