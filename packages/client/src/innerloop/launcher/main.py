"""`innerloop run` and `innerloop wrap`: measure one command, or get out of its way.

Whatever goes wrong here, the command runs as it would without us, and nothing of ours is printed.

Imported before the spawn is only what decides; `record`, `command` and `names` follow while the command runs.

May import: posix, time, environment, places and this package; `innerloop.consent` and `innerloop.cli` while the
command runs or after it, only where the hot file cannot answer or a developer at a terminal is to be invited.
"""

import posix
import time

from innerloop import environment, places
from innerloop.launcher import hot
from innerloop.launcher.child import Child, become, complain, end_like, quiet_interrupt

TYPE_CHECKING = False  # `typing` costs a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from innerloop.launcher.record import Record

BARE, RESOLVE, MEASURE, INVITE = "bare", "resolve", "measure", "invite"
LONGEST_LOCAL_NAME = 200  # characters
BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


class Request:
    """What was typed: the command to run, and what it is called where that was said."""

    def __init__(self, argv: "list[bytes]", name: str = "", wrap: bool = False) -> None:
        self.argv = argv
        self.name = name
        self.wrap = wrap


class Moment:
    """The clocks at one moment: wall, awake and boot time (ns). Boot time goes on while the machine sleeps."""

    def __init__(self) -> None:
        self.wall = time.time_ns()
        self.awake = time.monotonic_ns()
        self.boot = self.awake if BOOTTIME is None else time.clock_gettime_ns(BOOTTIME)


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
    """Give an argument its bytes back, whatever they were."""
    return word.encode("utf-8", "surrogateescape")


def decide(request: "Request", env: "dict[bytes, bytes]") -> "tuple[str, hot.Hot | None]":
    """What to do with this run, from the environment and the hot file alone."""
    euid = posix.geteuid()
    if hot.forbidden(env, euid):
        return BARE, None
    if not request.wrap and env.get(b"MAKELEVEL", b"0") not in (b"", b"0"):
        return BARE, None  # the make above us is the run
    found = hot.find_project(euid)
    if found is None:
        return BARE, None
    state = places.state(env)
    answer = hot.read(hot.path_for(state, found[1]), euid, places.config(env))
    if answer is None:
        unknown = at_terminal() or hot.fingerprint(state + b"/enabled") != b"-"
        return (RESOLVE if unknown else BARE), None
    if environment.test_value(env, answer.testvar):
        return RESOLVE, None
    return course(answer, env), answer


def course(answer: "hot.Hot", env: "dict[bytes, bytes]") -> str:
    """What a known answer means for this run."""
    testing = environment.test_value(env, answer.testvar)
    actor = "human" if testing else environment.actor(env)
    if actor == "ci":
        return BARE
    if answer.measures():
        return MEASURE
    if actor == "human" and at_terminal() and (answer.mode == b"off" if testing else answer.invitation_due(int(time.time()) // 86400)):
        return INVITE
    return BARE


def at_terminal() -> bool:
    """Whether a person sits at all three standard streams."""
    return posix.isatty(0) and posix.isatty(1) and posix.isatty(2)


def facts(request: "Request", answer: "hot.Hot", env: "dict[bytes, bytes]", started: "Moment") -> "list[bytes]":
    """The lines that a record starts with. Only `local` may hold a name that is not listed; it never leaves.

    The local name holds no argument either, but for make's goals.
    """
    from innerloop.launcher.command import naming_words  # noqa: PLC0415
    from innerloop.plan.names import public_name  # noqa: PLC0415

    testing = environment.test_value(env, answer.testvar)
    kind, words = naming_words(request.argv)
    if request.name:
        words = [request.name]
    local = " ".join(" ".join(words if kind == "make" else words[:1]).split())[:LONGEST_LOCAL_NAME]
    name = public_name(words, answer.patterns, answer.stems, answer.separator)
    return [
        b"start %d %d %d" % (started.wall, started.awake, started.boot),
        b"serial " + answer.serial,
        b"digest " + answer.digest,
        b"name " + name.encode(),
        b"type " + kind.encode(),
        b"actor " + (b"human" if testing else environment.actor(env).encode()),
        b"test " + (testing or "no").encode(),
        b"root " + answer.project_file.replace(b"\n", b""),
        b"local " + local.encode("utf-8", "replace"),
    ]


class Run:
    """One command under way, from the spawn to our own end."""

    def __init__(self, request: "Request", answer: "hot.Hot | None") -> None:
        self.request = request
        self.answer = answer
        self.record: "Record | None" = None
        self.git = 0
        self.env = posix.environ

    def begin(self, started: "Moment") -> None:
        """Begin the record while the command runs; resolve the answer first where it is not known."""
        from innerloop.launcher import record  # noqa: PLC0415

        if self.answer is None:
            from innerloop.consent.resolve import for_launcher  # noqa: PLC0415

            self.answer = for_launcher(self.env)
        answer = self.answer
        if answer is None or course(answer, self.env) != MEASURE:
            return
        self.record = record.begin(answer.spool, facts(self.request, answer, self.env, started))
        if self.record and answer.git:
            self.git = record.ask_git(self.record, self.env)

    def finish(self, status: int) -> None:
        """Finish the record and start the sender where it is due."""
        ended = Moment()
        answer = self.answer
        if self.record is None or answer is None:
            return
        from innerloop.launcher import record  # noqa: PLC0415

        if hot.fingerprint(answer.consent) != answer.consent_print and not self.still_agreed(answer):
            self.record.withdraw()
            self.record = None
            return
        self.record.finish(status, ended.awake, ended.boot)
        if record.delivery_due(answer.spool):
            record.start_delivery(self.env, answer.testvar)

    def still_agreed(self, answer: "hot.Hot") -> bool:
        """The consent file changed meanwhile: tell whether the answer in it is still the same."""
        from innerloop.consent.resolve import for_launcher  # noqa: PLC0415

        now = for_launcher(self.env)
        return now is not None and (now.serial, now.mode) == (answer.serial, answer.mode)

    def talk(self, status: int) -> None:
        """Invite the developer, or print a test's event: only where somebody waits for it."""
        answer = self.answer
        if answer is None:
            return
        testing = environment.test_value(self.env, answer.testvar)
        if course(answer, self.env) == INVITE and (status == 0 or testing):
            from innerloop.cli.after import invite  # noqa: PLC0415

            invite(self.env)
        elif testing and self.record is not None:
            from innerloop.cli.after import print_event  # noqa: PLC0415

            print_event(self.env, self.record.id.decode(), self.git)


def main(arguments: "list[str]") -> None:
    """Run the command line of `innerloop run` or `innerloop wrap`. Does not return."""
    quiet_interrupt()
    request = parse(arguments)
    if request is None:
        from innerloop.cli.main import main as explain  # noqa: PLC0415

        explain(arguments)
        return
    try:
        what, answer = decide(request, posix.environ)
    except Exception:  # noqa: BLE001 (the border: our own failure must not be the developer's)
        what, answer = BARE, None
    if what == BARE:
        become(request.argv)
    run = Run(request, answer)
    started = Moment()
    try:
        child = Child(request.argv)
    except OSError as error:
        posix._exit(complain(request.argv, error))
    guarded(run.begin, started)
    child.wait()
    guarded(run.finish, child.exit_status())
    guarded(run.talk, child.exit_status())
    end_like(child, as_number=request.wrap)


def guarded(step: "Callable[[Any], None]", argument: "Any") -> None:
    """The border: whatever fails in a step of ours stays here."""
    try:
        step(argument)
    except Exception:  # noqa: BLE001, S110
        pass
