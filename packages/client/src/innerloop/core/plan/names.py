"""Which words name a command, and which name may leave the machine. Imports nothing: the launcher uses it.

Only the words that may name a command are compared with the project's list; no other argument is looked at, kept
or sent. In the list, a name without `*` allows itself. In a name with `*` the star stands for a stem, and only
for stems that the file lists too, so `dev.up.*` with the stems `lms` and `redis` allows `dev.up.redis` but not
`dev.up.acme-secret`. With a separator, `dev.up.lms+redis` is allowed as well. Everything else is `other`.

A name may begin with a directory below the project file's: `services/api:test` is the target `test` of the make that works
there. Where the list has any name of a directory, that directory's targets have no other names.
"""

TYPE_CHECKING = False  # `typing` would cost a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Collection

OTHER = "other"
LONGEST = 50  # characters that leave of an allowed name, as in the founding system
MOST_WORDS = 8  # of a command line that may name it
MAKES = ("make", "gmake")
# make's options that take the next word as their value, and those that take it only where it is a number (GNU make 4.4)
VALUED, COUNTED = b"CfIoWE", b"jl"
LONG_VALUED = (
    b"directory",
    b"file",
    b"makefile",
    b"include-dir",
    b"old-file",
    b"assume-old",
    b"what-if",
    b"new-file",
    b"assume-new",
    b"eval",
)
LONG_COUNTED = (b"jobs", b"load-average", b"max-load")
# ... and those with which it prints, asks, touches or explains, and builds nothing
ASKING = b"nqtpvh"
LONG_ASKING = (b"just-print", b"dry-run", b"recon", b"question", b"touch", b"print-data-base", b"version", b"help")


def allowed(name: str, patterns: "Collection[str]", stems: "Collection[str]" = (), separator: str = "") -> bool:
    """Tell whether the whole `name` is listed. `patterns` and `stems` are collections of str."""
    return "*" not in name if name in patterns else is_made(name, with_star(patterns), stems, separator)


def with_star(patterns: "Collection[str]") -> "list[str]":
    """Return the listed names that have a `*`."""
    return [pattern for pattern in patterns if "*" in pattern]


def is_made(name: str, stars: "list[str]", stems: "Collection[str]", separator: str) -> bool:
    """Tell whether a name is one of those with a `*` in them, with listed stems in its place."""
    for pattern in stars:
        star = pattern.find("*")
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
    matched first and cut afterwards. More than the first eight words name nothing.
    """
    listed, stars, known = frozenset(patterns), with_star(patterns), frozenset(stems)  # once: a command may have 100,000 words
    for end in range(min(len(words), most_words(listed, stars, known, separator)), 0, -1):
        name = " ".join(words[:end])
        if "*" not in name if name in listed else is_made(name, stars, known, separator):
            return name[:LONGEST]
    return OTHER


def most_words(patterns: "Collection[str]", stars: "Collection[str]", stems: "Collection[str]", separator: str) -> int:
    """Return how many words a listed name can have, at most: those of the longest, or any number where a stem has a blank."""
    if stars and (separator == " " or any(" " in stem for stem in stems)):
        return MOST_WORDS
    return min(max([pattern.count(" ") + 1 for pattern in patterns], default=0), MOST_WORDS)


def directory_prefix(directory: str, root: str, patterns: "Collection[str]") -> str:
    """Return what a make's directory puts before its names, such as `services/api:`; empty where the list has no name of it.

    Both are absolute paths; `root` is the project file's directory.
    """
    top = root.rstrip("/") + "/"
    prefix = directory[len(top) :].rstrip("/") + ":"
    if prefix == ":" or not directory.startswith(top):
        return ""
    return prefix if any(pattern.startswith(prefix) for pattern in patterns) else ""


def make_directory(arguments: "list[bytes]", directory: bytes) -> bytes:
    """Return where a make with these arguments works that was started in a directory: each -C counts from where the last one led."""
    wants = False
    for word in arguments:
        to = b""
        if wants:
            to, wants = word, False
        elif word.startswith(b"--directory"):
            to, wants = word[12:], word == b"--directory"
        elif word[:1] == b"-" and word[:2] != b"--":
            to, wants = short_directory(word)
        if to:
            directory = joined(directory, to)
    return directory


def short_directory(option: bytes) -> "tuple[bytes, bool]":
    """Read one of make's words of short options: the directory in it, and whether the next word is one."""
    for at, letter in enumerate(option[1:], 2):
        if letter == 67:  # C
            return option[at:], at == len(option)
        if letter in VALUED or letter in COUNTED:
            break
    return b"", False


def joined(directory: bytes, to: bytes) -> bytes:
    """Follow a path from a directory, by its words alone: a symbolic link in it is not looked at."""
    parts = [] if to[:1] == b"/" else directory.split(b"/")
    for part in to.split(b"/"):
        if part == b"..":
            parts = parts[:-1]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/" + b"/".join(part for part in parts if part)


def naming_words(argv: "list[bytes]") -> "tuple[str, list[str]]":
    """Return the command's type and the words that may name it.

    For make these are its goals (`make -j2 CFLAGS=-g test` -> `["test"]`), or `["make"]` where none is given.
    For others the program's name and all its words: the project's list decides how many of them count.
    """
    words = [word.decode("utf-8", "replace") for word in argv]
    program = words[0][words[0].rfind("/") + 1 :]
    if program in MAKES:
        return "make", goals(argv[1:]) or ["make"]
    return "command", [program, *words[1:]]


def goals(arguments: "list[bytes]") -> "list[str]":
    """Return the goals among make's arguments: what is neither an option, nor its value, nor a variable."""
    found = []
    wants = ""
    for word in arguments:
        if wants == "value" or (wants == "number" and word[:1].isdigit()):
            wants = ""
        elif word.startswith(b"-"):
            wants = wanted_by(word)
        elif b"=" not in word:
            found.append(word.decode("utf-8", "replace"))
    return found


def asks_only(arguments: "list[bytes]") -> bool:
    """Tell whether make, with these arguments, only says what it would do or what it is: that is no build."""
    wants = ""
    for word in arguments:
        if wants == "value" or (wants == "number" and word[:1].isdigit()):
            wants = ""
        elif word == b"--":
            return False
        elif word.startswith(b"--"):
            if word[2:] in LONG_ASKING:
                return True
            wants = wanted_by(word)
        elif word.startswith(b"-"):
            for letter in word[1:]:
                if letter in ASKING:
                    return True
                if letter in VALUED or letter in COUNTED or letter == 79:  # O: its value is the rest of the word
                    break
            wants = wanted_by(word)
    return False


def wanted_by(option: bytes) -> str:
    """Tell whether one of make's options takes the next word: a value, a number if it is one, or nothing."""
    if option.startswith(b"--"):
        return "value" if option[2:] in LONG_VALUED else "number" if option[2:] in LONG_COUNTED else ""
    for at, letter in enumerate(option[1:], 2):
        last = at == len(option)
        if letter in VALUED:
            return "value" if last else ""
        if letter in COUNTED:
            return "number" if last else ""
    return ""
