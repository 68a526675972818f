"""Which words of a command line name the command. Imports nothing.

Only these words are compared with the project's list; no other argument is looked at, kept or sent.
"""

MAKES = ("make", "gmake")
# make's options that take the next word as their value (GNU make 4.4, `make --help`)
VALUED = (b"-C", b"-f", b"-I", b"-o", b"-W", b"-E", b"--directory", b"--file", b"--makefile", b"--include-dir",
          b"--old-file", b"--assume-old", b"--what-if", b"--new-file", b"--assume-new", b"--eval")  # fmt: skip
COUNTED = (b"-j", b"-l", b"--jobs", b"--load-average", b"--max-load")  # these take it only where it is a number


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
    skip = number = False
    for word in arguments:
        if skip or (number and word[:1].isdigit()):
            skip = number = False
        elif word in VALUED:
            skip = True
        elif word in COUNTED:
            number = True
        elif not word.startswith(b"-") and b"=" not in word:
            found.append(word.decode("utf-8", "replace"))
    return found
