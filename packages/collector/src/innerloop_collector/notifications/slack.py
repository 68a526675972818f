"""Slack's incoming webhooks (https://api.slack.com/messaging/webhooks), and what takes the same.

Names are anybody's, and a message must not call a channel, show a link or pretend to be formatted by them. Slack shows the blocks, in which sentences are plain
text; whatever knows no blocks shows `text`, where they stand in a fence of code, in which neither Slack's nor Markdown's marks mean anything.
"""

import json
from collections.abc import Iterator
from typing import Any

from innerloop_collector.notifications.notice import Link, Notice, Part
from innerloop_collector.notifications.post import post

_LONGEST_TITLE, _LONGEST_TEXT, _MOST_BLOCKS = 150, 3_000, 50  # that Slack takes
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FENCE = "```"


class Slack:
    """A way to one incoming webhook."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds

    def send(self, notice: Notice) -> str:
        """Deliver a notice. Raises SendError."""
        post(self._url, json.dumps(message(notice)).encode("ascii"), {}, self._seconds)
        return ""


def message(notice: Notice) -> dict[str, Any]:
    """A notice as Slack takes it."""
    title = {"type": "header", "text": _plain(notice.title, _LONGEST_TITLE)}
    blocks = [title, *(block for one in notice.parts for block in _blocks(one))]
    return {"text": _text(notice), "mrkdwn": True, "unfurl_links": False, "unfurl_media": False, "blocks": blocks[:_MOST_BLOCKS]}


def _blocks(part: Part) -> Iterator[dict[str, Any]]:
    lines = ([part.heading] if part.heading else []) + [f"• {sentence}" for sentence in part.sentences]
    yield {"type": "section", "text": _plain("\n".join(lines), _LONGEST_TEXT)}
    if part.links:
        yield {"type": "context", "elements": [{"type": "mrkdwn", "text": " · ".join(map(_link, part.links))}]}


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:longest], "emoji": False}


def _link(link: Link) -> str:
    return f"<{link.url.translate(_ENTITIES).replace('|', '%7C')}|{link.label}>"


def _text(notice: Notice) -> str:
    """The title is ours. What else there is stands in the fence, which no text can end."""
    lines = [line for one in notice.parts for line in (*([one.heading] if one.heading else []), *(f"- {each}" for each in one.sentences))]
    inside = "\n".join(lines).replace("`", "'").translate(_ENTITIES)
    links = [link.url.translate(_ENTITIES) for one in notice.parts for link in one.links]
    return "\n".join([f"*{notice.title.translate(_ENTITIES)}*", _FENCE, inside, _FENCE, *links])
