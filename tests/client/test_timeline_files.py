"""What `innerloop timeline --format` writes for others to open: one HTML file that needs nothing else, and trace files that keep to their formats."""

import base64
import hashlib
import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from innerloop.tools.timeline import traces
from innerloop.tools.timeline.explanation import explain
from innerloop.tools.timeline.page import page
from innerloop.tools.timeline.runs import ENDED, Known
from tests.client.people import Developer
from tests.client.target_logs import BASE, HandMade, books, understand
from tests.client.test_timeline import remember

VENDORED = Path(__file__).parent / "vendored"
SPEEDSCOPE = jsonschema_rs.Draft7Validator(json.loads((VENDORED / "speedscope.schema.json").read_text()))
NASTY = "</script><img src=x onerror=alert(1)>&lt;\u2028\x1b[31m\u202e'\"]]>-->"
# What the Trace Event Format says of the two kinds of events that we write (complete and metadata events), and of the object around them. It has
# no schema of its own, only a text: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
TRACE: dict[str, Any] = {
    "type": "object",
    "required": ["traceEvents"],
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object"},
        "traceEvents": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["ph", "pid", "tid", "name"],
                "properties": {
                    "pid": {"type": "integer"},
                    "tid": {"type": "integer"},
                    "name": {"type": "string"},
                    "args": {"type": "object"},
                },
                "oneOf": [
                    {
                        "properties": {
                            "ph": {"const": "X"},
                            "ts": {"type": "number"},
                            "dur": {"type": "number", "minimum": 0},
                            "cat": {"type": "string", "pattern": "^[a-z]+(,[a-z]+)*$"},
                        },
                        "required": ["ts", "dur"],
                    },
                    {
                        "properties": {
                            "ph": {"const": "M"},
                            "name": {"enum": ["process_name", "thread_name"]},
                            "args": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
                        },
                        "required": ["args"],
                    },
                ],
            },
        },
    },
}
TRACE_EVENTS = jsonschema_rs.Draft7Validator(TRACE)


def known(status: int | None = 0) -> Known:
    return Known("0f3c", "make all", 0.0, ENDED, status, awake_ns=BASE)


def written(book: HandMade, run: Known | None = None) -> str:
    log = understand(book.data, (run or known()).status)
    return page(run or known(), log, explain(run or known(), log, 4), "24 Nov 10:12:07", "done")


class Read(HTMLParser):
    """What a browser would make of a file, as far as that matters here."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.blocks: dict[str, list[str]] = {}
        self.policy = self.inside = ""
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        self.inside = f"{tag} {given.get('type', '')}".strip()

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside.partition(" ")[0] in ("script", "style"):
            self.blocks.setdefault(self.inside, []).append(data)
        else:
            self.words.append(data)


def digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_page_allows_its_own_script_and_style_and_nothing_else() -> None:
    read = Read(written(HandMade().recursive(), known(2)))
    (script,), (style,), (_,) = read.blocks["script"], read.blocks["style"], read.blocks["script application/json"]

    assert (
        read.policy
        == f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}'; base-uri 'none'; form-action 'none'"
    )
    assert not read.attributes & {"src", "href", "style", "action", "srcset"}
    assert not [name for name in read.attributes if name.startswith("on")]
    assert not re.search(r"https?:|innerHTML|eval\(|new Function|document\.write|fetch\(|import\(", script + style)


def test_the_page_says_what_happened_and_what_would_have_helped() -> None:
    text = " ".join(Read(written(HandMade().recursive(), known(2))).words)

    assert "600 ms of waiting; 1 of 9 targets was on the critical path." in text
    assert "First failure: lua.a in deps/lua, exit status 1, 590 ms into the run." in text
    assert "If one of these were instant: server.o -166 ms" in text
    for title in ("Longest steps on the critical path", "Failed", "Longest targets", "The run otherwise, as predicted", "with -j4"):
        assert title in text


def test_nothing_from_a_log_is_more_than_text_on_the_page() -> None:
    book = HandMade()
    above = book.line(NASTY, 0, 900, 2, directory=f"/shop/{NASTY}", needs=NASTY + "2", flags="j")
    book.line(NASTY + "2", 1, 500, 1, directory=f"/shop/{NASTY}/x", under=above, make=20, flags="j")
    text = written(book, known(2)._replace(name=f"make {NASTY}"))
    read, plain = Read(text), Read(written(HandMade().recursive(), known(2)))

    assert text.isascii()
    assert set(read.tags) <= set(plain.tags)
    assert read.attributes <= plain.attributes
    data = json.loads(read.blocks["script application/json"][0])
    assert any("<img src=x onerror=alert(1)>" in name for name in data["names"])
    assert "\x1b" not in json.dumps(data)


@settings(deadline=None, max_examples=20)
@given(books())
def test_the_page_of_any_log_holds_each_target_once(book: HandMade) -> None:
    read = Read(written(book))
    data = json.loads(read.blocks["script application/json"][0])
    bars = [data["bars"][at : at + 7] for at in range(0, len(data["bars"]), 7)]

    assert len(bars) == len(understand(book.data, 0).targets)
    for name, place, row, start, length, _, parent in bars:
        assert name < len(data["names"])
        assert place < len(data["places"])
        assert row < data["rows"]
        assert 0 <= start <= start + length <= data["length"] + 1
        assert parent < len(bars)


def test_a_run_without_targets_has_a_page_too() -> None:
    read = Read(written(HandMade()))

    assert "No recipe ran: there was nothing to do." in " ".join(read.words)
    assert "script" not in read.blocks


@settings(deadline=None, max_examples=30)
@given(books())
def test_a_speedscope_file_keeps_to_the_schema_that_speedscope_publishes(book: HandMade) -> None:
    SPEEDSCOPE.validate(traces.speedscope(known(2), understand(book.data, 2)))
    SPEEDSCOPE.validate(traces.speedscope(known(0), understand(b"", 0)))


@settings(deadline=None, max_examples=30)
@given(books())
def test_a_perfetto_file_keeps_to_the_trace_event_format(book: HandMade) -> None:
    TRACE_EVENTS.validate(traces.perfetto(known(2), understand(book.data, 2)))


def test_schemas_refuse_what_is_none() -> None:
    for broken in ({"traceEvents": [{"ph": "X", "pid": 1, "tid": 1, "name": "a", "ts": 1}]}, {"traceEvents": [{"ph": "B"}]}, {}):
        with pytest.raises(jsonschema_rs.ValidationError):
            TRACE_EVENTS.validate(broken)
    document = traces.speedscope(known(2), understand(HandMade().recursive().data, 2))
    del document["profiles"][0]["unit"]
    with pytest.raises(jsonschema_rs.ValidationError):
        SPEEDSCOPE.validate(document)


def test_the_schema_is_what_speedscope_published_with_its_licence() -> None:
    known_files = tomllib.loads((VENDORED / "vendored.toml").read_text())

    assert {path.name for path in VENDORED.glob("*.json")} == set(known_files)
    for name, one in known_files.items():
        assert one["sha256"] == hashlib.sha256((VENDORED / name).read_bytes()).hexdigest()
        assert len((VENDORED / one["licence"]).read_text()) > 400


def test_the_installed_command_writes_the_page(agreed: Developer) -> None:
    remember(agreed, "make", "fail")
    done = agreed.innerloop("timeline", "--format", "html")

    assert (0, "") == (done.status, done.err)
    assert done.out.startswith("<!doctype html>")
    assert done.out.endswith("</html>\n")
    assert digest(Read(done.out).blocks["script"][0]) in Read(done.out).policy
