"""Text that came from elsewhere, as a terminal may be given it.

Names, goals and reasons are what clients, project files and other services wrote. What moves a cursor, rings, colours or turns the
direction of writing is shown as its escape, so that nobody can draw over what we say.
"""

from typing import Any


def printable(text: str) -> str:
    """A text on one line, of which a terminal prints every character and obeys none."""
    return text if text.isprintable() else "".join(map(_shown, text))


def lines(text: str) -> str:
    """The same of a text that may have several lines."""
    return "\n".join(map(printable, text.split("\n")))


def cleaned(answer: Any) -> Any:
    """An answer with every text in it made printable, also the names of its members."""
    if isinstance(answer, str):
        return printable(answer)
    if isinstance(answer, dict):
        return {cleaned(name): cleaned(value) for name, value in answer.items()}
    return [cleaned(one) for one in answer] if isinstance(answer, list | tuple) else answer


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() and character not in "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029" else _escape(character)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
