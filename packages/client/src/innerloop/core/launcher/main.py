"""`innerloop run` and `innerloop wrap`: measure one command, or get out of its way.

Whatever goes wrong here, the command runs as it would without us, and nothing of ours is printed.

Imports only what decides, so that a command that is not measured costs next to nothing.
"""

import posix
import sys
import time

from innerloop.core.launcher.execute import Request, become, is_make, quiet_interrupt
from innerloop.core.shared import cache, environment, paths
from innerloop.core.shared.cache import BARE, RESOLVE, action_of, at_terminal


def parse(arguments: "list[str]") -> "Request | None":
    """Read `run [--name NAME] [--] CMD...` or `wrap TARGET`. None means: let the command line explain."""
    verb, rest = arguments[0], arguments[1:]
    if verb == "wrap":
        if len(rest) != 1 or rest[0].startswith("-"):
            return None
        return Request([b"make", b"impl-" + encode(rest[0])], rest[0], wrap=True)
    name = ""
    if rest[:1] == ["--name"]:
        name, rest = (rest[1:2] or [""])[0], rest[2:]
        if not name:
            return None
    if rest[:1] == ["--"]:
        rest = rest[1:]
    elif rest[:1] and rest[0].startswith("-"):
        return None
    return Request([encode(word) for word in rest], name) if rest else None


def encode(word: str) -> bytes:
    """Give an argument its bytes back, whatever they were and whatever the locale is."""
    return word.encode(sys.getfilesystemencoding(), "surrogateescape")


def decide(request: "Request", env: "dict[bytes, bytes]", today: int) -> "tuple[str, cache.CachedAnswer | None]":
    """What to do with this run on a day (since 1970), from the environment and the hot file alone."""
    home = paths.Home(env)
    if cache.forbidden(env, home):
        return BARE, None
    if not request.wrap and env.get(b"MAKELEVEL", b"0") not in (b"", b"0"):
        from innerloop.core.shared.processes import below_make  # noqa: PLC0415

        if below_make(posix.getpid()):
            return BARE, None  # the make above us is the run
    if (request.wrap and dry(env.get(b"MAKEFLAGS", b""))) or (not request.wrap and asks_only(request.argv, env)):
        return BARE, None
    found = cache.find_project(home.uid, posix.getcwdb())
    if found is None:
        return BARE, None
    if cache.ci_job(env):
        return RESOLVE, None  # it runs under no person's answer
    answer = cache.read(home, *found, today)
    if answer is None:
        unknown = at_terminal() or cache.fingerprint(home.state + b"/enabled") != b"-"
        return (RESOLVE if unknown else BARE), None
    if environment.test_value(env, answer.testvar):
        return RESOLVE, None
    return action_of(answer, env, today), answer


def dry(makeflags: bytes) -> bool:
    """Tell whether the make above only prints, asks or touches (-n, -q, -t): then nothing is run."""
    letters = makeflags.split(b" ", 1)[0]
    return not letters.startswith(b"-") and b"=" not in letters and any(letter in letters for letter in b"nqt")


def asks_only(argv: "list[bytes]", env: "dict[bytes, bytes]") -> bool:
    """Tell whether this is a make that only prints, asks or touches, or says what it is: nothing is built, so it is no run."""
    if not is_make(argv):
        return False
    if dry(env.get(b"MAKEFLAGS", b"")):
        return True
    if not any(word[:1] == b"-" for word in argv[1:]):
        return False  # nearly always
    from innerloop.core.shared import names  # noqa: PLC0415

    return names.asks_only(argv[1:])


def answer_make(arguments: "list[str]") -> None:
    """Run `innerloop attach PID GOALS [again]`: what STATE/attach.mk asks while make reads its files. Does not return."""
    try:
        from innerloop.core.launcher.attach import attach  # noqa: PLC0415

        goals = [encode(word) for word in arguments[1].split()]
        if not paths.may_hang(posix.environ):
            attach(Request([b"make", *goals]), int(arguments[0]), arguments[2:] == ["again"], today())
    except BaseException:  # noqa: BLE001, S110 (the border: make goes on without us)
        pass
    posix._exit(0)


def today() -> int:
    """The day by this machine's clock, in days since 1970."""
    return int(time.time()) // 86400


def main(arguments: "list[str]") -> None:
    """Do what `innerloop run`, `wrap` or `attach` asks for. Returns only where something else was typed."""
    if arguments[0] == "attach":
        if len(arguments) > 2:
            answer_make(arguments[1:])
        return
    quiet_interrupt()
    request = parse(arguments)
    if request is None:
        return
    far, day = False, today()
    try:
        far = paths.may_hang(posix.environ)
        if far:
            from innerloop.core.shared.deadline import PATIENCE, in_time  # noqa: PLC0415

            what, answer = in_time(PATIENCE, decide, request, posix.environ, day)
        else:
            what, answer = decide(request, posix.environ, day)
    except BaseException:  # noqa: BLE001 (the border: our own failure, or a home that hangs, must not be the developer's)
        what, answer = BARE, None
    if what == BARE:
        become(request.argv)
    try:
        from innerloop.core.launcher.measure import measure  # noqa: PLC0415
    except BaseException:  # noqa: BLE001 (as above)
        become(request.argv)
    else:
        measure(request, answer, day, far)
