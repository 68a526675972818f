"""Text in files that a spreadsheet opens: a name is never a formula there."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with what begins what a spreadsheet would run
RULE = "In CSV, a text that a spreadsheet would take for a formula has an apostrophe before it."


def harmless(text: str) -> str:
    """A text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
