"""Which words name a command, and which name may leave the machine. Imports nothing: the launcher uses it.

Only the words that may name a command are compared with the project's list; no other argument is looked at, kept
or sent. In the list, a name without `*` allows itself. In a name with `*` the star stands for a stem, and only
for stems that the file lists too, so `dev.up.*` with the stems `lms` and `redis` allows `dev.up.redis` but not
`dev.up.acme-secret`. With a separator, `dev.up.lms+redis` is allowed as well. Everything else is `other`.

A name may begin with a directory below the project file's: `services/api:test` is the target `test` of the make that works
there. Where the list has any name of a directory, that directory's targets have no other names.

What is in no list may belong to a group, such as `*.o`: then the group's text leaves, and nothing of the name. A group that begins with
a directory and a colon is of that directory; any other is of all.
"""

TYPE_CHECKING = False  # `typing` would cost a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

OTHER = "other"
LONGEST = 50  # characters that leave of an allowed name, as in the founding system
LONGEST_NAME = 200  # characters of a name that is matched
MOST_WORDS = 8  # of a command line that may name it
MAKES = ("make", "gmake")
GOAL, DIRECTORY, ASKS, VALUE, NUMBER = "goal", "directory", "asks", "value", "number"
# make's options that take the next word as their value, or only where it is a number (GNU make 4.4)
VALUED, COUNTED = b"fIoWE", b"jl"
LONG_VALUED = {
    b"directory": DIRECTORY, b"file": VALUE, b"makefile": VALUE, b"include-dir": VALUE, b"old-file": VALUE, b"assume-old": VALUE,
    b"what-if": VALUE, b"new-file": VALUE, b"assume-new": VALUE, b"eval": VALUE, b"jobs": NUMBER, b"load-average": NUMBER, b"max-load": NUMBER,
}  # fmt: skip
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


def group_of(words: "list[str]", groups: "Collection[str]", prefix: str = "") -> str:
    """Return the first group that a beginning of the words belongs to, in whole words, else `other`. `prefix` is that of the make's directory."""
    beginnings = [" ".join(words[:end]) for end in range(1, min(len(words), MOST_WORDS) + 1)]
    for group in groups:
        own = group.removeprefix(prefix)
        if any(belongs(name, own) for name in beginnings):
            return group
    return OTHER


def belongs(name: str, group: str) -> bool:
    """Tell whether the whole name is of a group: `*` stands for any characters but `/`, `%` for any, each for one at least and for no blank.

    One pass over the name, whatever the group says: bit n of `reached` tells that its first n characters can be what was read so far.
    """
    if len(name) > LONGEST_NAME:
        return False
    places: "dict[str, int]" = {}
    for at, letter in enumerate(group):
        places[letter] = places.get(letter, 0) | 1 << at
    stars, percents = places.pop("*", 0), places.pop("%", 0)
    reached = 1
    for letter in name:
        wild = 0 if letter == " " else percents if letter == "/" else percents | stars
        reached = (reached & (places.get(letter, 0) | wild) | reached >> 1 & wild) << 1
    return reached >> len(group) & 1 == 1


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
    for kind, word in words_of_make(arguments):
        if kind == DIRECTORY and word:
            directory = joined(directory, word)
    return directory


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
    return [word.decode("utf-8", "replace") for kind, word in words_of_make(arguments) if kind == GOAL]


def asks_only(arguments: "list[bytes]") -> bool:
    """Tell whether make, with these arguments, only says what it would do or what it is: that is no build."""
    return any(kind == ASKS for kind, _ in words_of_make(arguments))


def words_of_make(arguments: "list[bytes]") -> "Iterator[tuple[str, bytes]]":
    """Read make's arguments as make does: each goal, each directory to change to, and each option that has it only ask or explain."""
    wants, options = "", True  # what the last option takes as its next word; whether there may be one
    for word in arguments:
        taken = wants if wants != NUMBER or word[:1].isdigit() else ""
        wants = ""
        if taken:
            yield taken, word
        elif options and word[:1] == b"-":
            options = word != b"--"
            found, wants = _long_option(word[2:]) if word[:2] == b"--" else _short_options(word[1:])
            yield from found
        elif b"=" not in word:
            yield GOAL, word


def _long_option(word: bytes) -> "tuple[list[tuple[str, bytes]], str]":
    """What one option says, and what it takes as its next word."""
    name, equals, value = word.partition(b"=")
    kind = ASKS if name in LONG_ASKING else LONG_VALUED.get(name, "")
    return ([(kind, value)], "") if equals or kind == ASKS else ([], kind)


def _short_options(word: bytes) -> "tuple[list[tuple[str, bytes]], str]":
    """What the options say that stand in one word, and what the last of them takes as its next word."""
    found: "list[tuple[str, bytes]]" = []
    for at, letter in enumerate(word, 1):
        if letter in ASKING:
            found.append((ASKS, b""))
        kind = DIRECTORY if letter == 67 else VALUE if letter in VALUED else NUMBER if letter in COUNTED else ""  # C
        if kind or letter == 79:  # O: its value is the rest of the word
            return [*found, (kind, word[at:])], "" if word[at:] else kind
    return found, ""
