"""How things are put in words about consent: plain ASCII, 80 columns, and what a project file says of itself marked as the project's."""

import re
import textwrap
from collections.abc import Sequence

from innerloop.core.plan.project import Project, Recipient
from innerloop.core.plan.tracking import PLAN, Field

WIDTH = 80
PURPOSE = "to find slow or failing commands and check that changes help"
GROUP = 5  # the smallest group of people that a report shows
EVERYBODY = "everybody, since they are open data"
EXACTNESS = {"minute": "to the minute", "second": "exact time", "exact": "exact time", "hour": "to the hour"}
PLAIN_WORDS, PLAIN_LENGTH = 3, 40  # of a name that needs no quotation marks
_TELLING = frozenset(
    ["yes", "no", "y", "n", "l", "k", "local", "type", "enter", "answer", "press", "keep", "share", "never", "nothing", "agree", "refuse"]
)
_FOREIGN = re.compile(r"[^\w\s.,&@/:#'()+-]|_")
_ADDRESS = re.compile(r"[A-Za-z0-9.+-]+@[A-Za-z0-9.-]+|https?://[A-Za-z0-9./-]+")


def opt_in_command(project: Project) -> str:
    """The command that this project's developers type to agree."""
    return project.wording.get("opt_in_command", "innerloop opt-in")


def opt_out_command(project: Project) -> str:
    """The command that this project's developers type to leave."""
    return project.wording.get("opt_out_command", "innerloop opt-out")


def claimed(text: str) -> str:
    """What a project file says of itself, in the middle of our words: in quotation marks where it could be read as ours."""
    words = {word.lower() for word in re.split(r"[\W_]+", text) if word}
    name = len(words) <= PLAIN_WORDS and len(text) <= PLAIN_LENGTH and not _FOREIGN.search(text)
    plain = (name or _ADDRESS.fullmatch(text)) and not words & _TELLING
    return text if plain else in_quotes(text)


def in_quotes(text: str) -> str:
    """Words that are not ours, which cannot close the quotation marks themselves."""
    return '"' + text.replace('"', "'") + '"'


def quoted(project: Project, key: str) -> "list[str]":
    """The project's own words for something, marked as such, where it has any."""
    words = project.wording.get(key)
    return [fold(f"{claimed(project.name)} says: {in_quotes(words)}")] if words else []


def label(field: Field, exactness: str) -> str:
    """How the question calls a field, with its granularity where that matters."""
    if field.type == "instant":
        return f"{field.label} ({EXACTNESS[exactness]})"
    if field.type == "commit_time":
        return "exact commit time" if exactness == "exact" else "commit week"
    return f"exact {field.label}" if exactness == "exact" and "3digits" in field.granularities else field.label


def labels(fields: "dict[str, str]") -> "list[str]":
    """The labels of fields that are on, each once, what tells of the work first."""
    ordered = sorted(fields, key=lambda name: PLAN.fields[name].category != "interaction")
    return list(dict.fromkeys(label(PLAN.fields[name], fields[name]) for name in ordered))


def group_list(groups: "Sequence[str]", most: int = 0) -> str:
    """Groups of names in the project's words, at most so many of them (0: all)."""
    shown = groups[:most] if most else groups
    return ", ".join(map(in_quotes, shown)) + (f" and {len(groups) - len(shown)} more, listed above" if len(shown) < len(groups) else "")


def entry(title: str, text: str) -> str:
    """One titled paragraph of a question, wrapped under itself."""
    return textwrap.fill(text, WIDTH, initial_indent=f"{title:<7}", subsequent_indent=" " * 7, break_on_hyphens=False)


def fold(*lines: str) -> str:
    """Join lines, each wrapped to the width; a path or address is never broken."""
    return "\n".join(textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in "\n".join(lines).split("\n"))


def beside(first: str, second: str) -> str:
    """Two sentences in a line where they fit, else in two."""
    return f"{first} {second}" if len(first) + 1 + len(second) <= WIDTH else f"{fold(first)}\n{fold(second)}"


def recipient_line(recipient: Recipient) -> str:
    """Who gets what, where it goes with that, and how long it is kept there."""
    region = f", in {claimed(recipient.region)}" if recipient.region else ""
    kept = f", kept {claimed(recipient.retention)}" if recipient.retention else ""
    return f"{claimed(recipient.name)} gets {recipient.receives}{region}{kept}"


def recipient_entry(recipient: Recipient) -> str:
    """A recipient as a titled paragraph."""
    return entry("To", recipient_line(recipient))
