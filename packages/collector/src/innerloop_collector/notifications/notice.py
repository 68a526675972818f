"""A notice: something that a channel is told, once. Whatever comes from outside is printed as a terminal's text is: on one line, and obeyed by nobody."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from innerloop_collector.terminal.escaping import printable

LONGEST = 700  # characters of a sentence
CONFIRMED, DIGEST, TEST = "alert.confirmed", "digest.weekly", "test"


class Link(NamedTuple):
    """A page to open."""

    label: str  # our words
    url: str


class Part(NamedTuple):
    """Sentences that belong together."""

    heading: str
    sentences: tuple[str, ...]
    links: tuple[Link, ...] = ()


class Notice(NamedTuple):
    """What is sent. The same thing has the same id at each attempt, so that a receiver can drop a repetition."""

    id: str
    kind: str
    title: str
    made: datetime
    parts: tuple[Part, ...]
    data: dict[str, Any]  # for programs, as JSON can say it


def part(heading: str, sentences: Iterable[str], links: Iterable[Link] = ()) -> Part:
    """Make a part of texts that may be anybody's."""
    return Part(line(heading), tuple(map(line, sentences)), tuple(links))


def line(text: str) -> str:
    """A text on one line, of bounded length."""
    shown = printable(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def id_of(channel: str, kind: str, *what: str) -> str:
    """The id of what a channel is told. It holds no full stop, which divides what a webhook's signature is made of."""
    told = "\0".join((channel, kind, *what))
    return f"notice_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def as_text(notice: Notice) -> str:
    """A notice as plain text."""
    lines = [notice.title]
    for one in notice.parts:
        lines += ["", one.heading] if one.heading else [""]
        lines += [f"- {sentence}" for sentence in one.sentences]
        lines += [f"  {link.label}: {link.url}" for link in one.links]
    return "\n".join(lines)


class Pages:
    """Addresses of the dashboard, where its readers reach it."""

    def __init__(self, base: str) -> None:
        """`base` empty: nobody said where that is, so there are no links."""
        self._base = base.rstrip("/")

    def links(self, project: str, *pages: tuple[str, str]) -> tuple[Link, ...]:
        """Links to pages of a project: label, and the path below the project's."""
        below = f"{self._base}/p/{quote(project, safe='')}"
        return tuple(Link(label, f"{below}{path}") for label, path in pages) if self._base else ()

    def cell(self, project: str, by: str, name: str) -> tuple[Link, ...]:
        """A link to the page of a command or target."""
        return self.links(project, (f"this {by}", f"/{by}s/{quote(name, safe='')}"))
