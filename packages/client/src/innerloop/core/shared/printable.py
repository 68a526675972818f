"""Text from elsewhere, without what could hide or forge something on a terminal."""

import unicodedata

# Controls, formats (bidirectional, zero-width, tags), surrogates, private and unassigned ones, separators of lines.
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Me")
# Letters and marks that show nothing (Unicode, DerivedCoreProperties: Default_Ignorable_Code_Point, all but those of the categories above).
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10))))
MOST_MARKS = 2  # combining marks on one letter: more of them reach into the lines above


def clean(text: str, keep_lines: bool = False) -> str:
    """Remove every character that could hide or forge something on a terminal."""
    kept, marks = [], 0
    for one in text:
        category = unicodedata.category(one)
        marks = marks + 1 if category == "Mn" else 0
        hidden = category in _HIDDEN or one in _BLANK or "\U000e0100" <= one <= "\U000e01ef" or marks > MOST_MARKS
        if not hidden or (keep_lines and one == "\n"):
            kept.append(one)
    return "".join(kept)
