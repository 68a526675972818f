"""Find and execute a command as a shell would, leaving nothing of ours in it."""

import _signal  # type: ignore[import-not-found]
import posix
import sys

from innerloop.core.shared import paths

TYPE_CHECKING = False  # `typing` costs a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable

# Python ignores these two when it starts; a command must not inherit that.
IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)
COERCED = (b"C.UTF-8", b"C.utf8", b"UTF-8")  # what PEP 538 sets LC_CTYPE to
NOT_FOUND, NOT_EXECUTABLE = 127, 126
MAKES = (b"make", b"gmake")


class Request:
    """What was typed: the command to run, and what it is called where that was said."""

    def __init__(self, argv: "list[bytes]", name: str = "", wrap: bool = False) -> None:
        self.argv = argv
        self.name = name
        self.wrap = wrap


def is_make(argv: "list[bytes]") -> bool:
    """Tell whether a command is GNU make by its name."""
    return argv[0][argv[0].rfind(b"/") + 1 :] in MAKES


def quiet_interrupt() -> None:
    """Let Ctrl-C end us as it ends any program, instead of raising KeyboardInterrupt."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def child_environment() -> "dict[bytes, bytes]":
    """The environment as we got it.

    Python changes its own: it sets LC_CTYPE in the C locale (PEP 538), and takes a variable away of which the start
    script tells us by an option.
    """
    if posix.environ.get(b"LC_CTYPE") not in COERCED and not sys._xoptions:
        return posix.environ
    try:
        data = paths.read_whole(b"/proc/self/environ")
    except OSError:
        return posix.environ
    return dict(entry.split(b"=", 1) for entry in data.split(b"\0") if b"=" in entry)


def candidates(command: bytes, env: "dict[bytes, bytes]") -> "list[bytes]":
    """The files that a command may mean, in the order of PATH, as execvp(3) looks for them."""
    if b"/" in command:
        return [command]
    path = env.get(b"PATH", b"/bin:/usr/bin")
    return [(directory + b"/" if directory else b"") + command for directory in path.split(b":")]


def attempt(start: "Callable[[bytes, list[bytes]], int]", argv: "list[bytes]", env: "dict[bytes, bytes]") -> int:
    """Call `start(path, argv)` for the file that the command means and return what it returns.

    A file without a `#!` line is given to /bin/sh, as shells do. Raises OSError where nothing can be started.
    """
    failure: OSError = FileNotFoundError(2, "not found")
    for path in candidates(argv[0], env):
        try:
            posix.stat(path)
        except PermissionError as error:
            failure = error
            continue
        except OSError:
            continue
        try:
            return start(path, argv)
        except PermissionError as error:
            failure = error
        except OSError as error:
            if error.errno == 8:  # ENOEXEC
                return start(b"/bin/sh", [b"sh", path, *argv[1:]])
            raise
    raise failure


def complain(argv: "list[bytes]", error: "OSError") -> int:
    """Say on stderr that a command cannot be started, as shells do; return the status that they give."""
    name = argv[0]
    shown = "".join(one if one.isprintable() else "?" for one in name.decode("utf-8", "replace")).encode()
    missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
    text = (b"not found" if b"/" not in name else b"No such file or directory") if missing else (error.strerror or "").encode()
    try:
        posix.write(2, b"innerloop: %s: %s\n" % (shown, text))
    except OSError:
        pass
    return NOT_FOUND if missing else NOT_EXECUTABLE


def become(argv: "list[bytes]") -> None:
    """Turn into the command: after this nothing of us is left. Does not return."""
    env = child_environment()
    for number in IGNORED_BY_PYTHON:
        _signal.signal(number, _signal.SIG_DFL)

    def start(path: bytes, words: "list[bytes]") -> int:
        posix.execve(path, words, env)
        return 0

    try:
        attempt(start, argv, env)
    except OSError as error:
        posix._exit(complain(argv, error))
