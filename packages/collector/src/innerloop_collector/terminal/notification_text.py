"""Channels and digests as text."""

from typing import Any

from rich.text import Text

from innerloop_collector.terminal.drawing import draw, table


def status(answer: dict[str, Any]) -> str:
    """How channels are doing."""
    channels = answer["channels"]
    rows = [
        (
            one["channel"],
            one["kind"],
            ", ".join(one["sends"]),
            one["state"],
            str(one["waiting"]),
            f"{one['sent']:,}",
            str(one["left_out"]),
        )
        for one in channels
    ]
    titles = ("channel", "kind", "sends", "state", "waiting", "sent", "left out")
    shown = table(titles, rows, "no channel is configured; docs/guides/alerts.md says how one is")
    wrong = [(one["channel"], why) for one in channels for why in (one["last_error"] or one["complaint"], *one["misses"]) if why]
    return "\n".join([shown, *([""] if wrong else []), *(draw(Text(f"{name}: {why}")) for name, why in wrong)])


def render(answer: dict[str, Any]) -> str:
    """A digest."""
    parts = [Text(answer["title"])]
    for one in answer["parts"]:
        parts += [Text(""), *([Text(one["heading"], style="bold")] if one["heading"] else [])]
        parts += [Text(f"- {sentence}") for sentence in one["sentences"]]
        parts += [Text(f"  {link['label']}: {link['url']}", style="dim") for link in one["links"]]
    return draw(*parts)
