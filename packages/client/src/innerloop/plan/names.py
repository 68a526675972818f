"""Which name of a command may leave the machine. Imports nothing: the launcher uses it before everything else.

A project file lists names. A name without `*` allows itself. In a name with `*` the star stands for a
stem, and only for stems that the file lists too, so `dev.up.*` with the stems `lms` and `redis` allows
`dev.up.redis` but not `dev.up.acme-secret`. With a separator, `dev.up.lms+redis` is allowed as well.
Everything else is `other`.
"""

TYPE_CHECKING = False  # `typing` would cost a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Collection

OTHER = "other"
LONGEST = 50  # characters that leave of an allowed name, as in the founding system


def allowed(name: str, patterns: "Collection[str]", stems: "Collection[str]" = (), separator: str = "") -> bool:
    """Tell whether the whole `name` is listed. `patterns` and `stems` are collections of str."""
    if name in patterns:
        return "*" not in name
    for pattern in patterns:
        star = pattern.find("*")
        if star < 0:
            continue
        tail = pattern[star + 1 :]
        if len(name) <= len(pattern) - 1 or not name.startswith(pattern[:star]) or not name.endswith(tail):
            continue
        stem = name[star : len(name) - len(tail)]
        parts = stem.split(separator) if separator else [stem]
        if all(part in stems for part in parts):
            return True
    return False


def public_name(words: "list[str]", patterns: "Collection[str]", stems: "Collection[str]" = (), separator: str = "") -> str:
    """Return what may leave of a command: its longest listed beginning in whole words, else `other`.

    `words` are those of the command line that name it (`["docker", "compose", "up"]`). The whole name is
    matched first and cut afterwards.
    """
    for end in range(len(words), 0, -1):
        name = " ".join(words[:end])
        if allowed(name, patterns, stems, separator):
            return name[:LONGEST]
    return OTHER
