"""Measure one command: spawn it, keep its record while it runs, finish the record, end as it ended.

`record` and `names` are imported while the command runs already.

`probe` is imported before make starts, and for make alone.
"""

import posix
import time

from innerloop.core.launcher.child import Child, end_like
from innerloop.core.launcher.execute import Request, become, child_environment, complain, is_make
from innerloop.core.shared import cache, environment, paths
from innerloop.core.shared.cache import INVITE, MEASURE, action_of

TYPE_CHECKING = False  # `typing` costs a third of the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from innerloop.core.launcher.record import Record
    from innerloop.core.shared.deadline import RecordThread

LONGEST_LOCAL_NAME = 200  # characters
NO_PROCESS = (11, 12)  # EAGAIN, ENOMEM: there is no room for one process more
BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


class Moment:
    """The clocks at one moment: wall, awake and boot time (ns). Boot time goes on while the machine sleeps."""

    def __init__(self) -> None:
        self.wall = time.time_ns()
        self.awake = time.monotonic_ns()
        self.boot = self.awake if BOOTTIME is None else time.clock_gettime_ns(BOOTTIME)


def facts(request: "Request", answer: "cache.CachedAnswer", home: "paths.Home", started: "Moment", pid: int) -> "list[bytes]":
    """The lines that a record starts with. `pid` is the process that the run is. Only `local` may hold a name that is not listed; it never leaves.

    The local name holds no argument either, but for make's goals.
    """
    from innerloop.core.launcher.record import changes_held, namespace  # noqa: PLC0415
    from innerloop.core.shared.container import container_mark  # noqa: PLC0415
    from innerloop.core.shared.names import OTHER, group_of, naming_words, public_name  # noqa: PLC0415

    env = home.env
    testing = environment.test_value(env, answer.testvar)
    kind, words = naming_words(request.argv)
    if request.name:
        words = [request.name]
    local = " ".join(" ".join(words if kind == "make" else words[:1]).split())[:LONGEST_LOCAL_NAME]
    goals = kind == "make" and (request.wrap or not request.name)
    first = (prefix(request, answer, answer.patterns) if goals else "") + words[0]
    name = public_name([first, *words[1:]], answer.patterns, answer.stems, answer.separator)
    if name == OTHER and answer.groups:
        name = group_of(words, answer.groups, prefix(request, answer, answer.groups) if goals else "")
    return [
        b"start %d %d %d" % (started.wall, started.awake, started.boot),
        b"pid %d %s" % (pid, namespace()),
        b"serial " + answer.serial,
        b"mode " + (b"local" if environment.local_only(env) else answer.mode),
        b"digest " + answer.digest,
        b"name " + name.encode(),
        b"type " + kind.encode(),
        b"actor " + (b"human" if testing else environment.actor(env).encode()),
        b"test " + (testing or "no").encode(),
        b"container %d" % (container_mark(home) != b""),
        b"root " + answer.project_file.replace(b"\n", b""),
        *(changes_held(answer.project_file, answer.changes) if answer.changes else ()),
        b"local " + local.encode("utf-8", "replace"),
    ]


def prefix(request: "Request", answer: "cache.CachedAnswer", names: "list[str]") -> str:
    """What this make's directory puts before its name, where some of these names tell the project's Makefiles apart by directory."""
    from innerloop.core.shared.names import directory_prefix, make_directory  # noqa: PLC0415

    try:
        here = posix.getcwdb()
    except OSError:  # the command has removed it
        return ""
    at, root = make_directory(request.argv[1:], here), answer.project_file.rpartition(b"/")[0]
    return directory_prefix(at.decode("utf-8", "replace"), root.decode("utf-8", "replace"), names)


class Run:
    """One command under way, from the spawn to our own end."""

    def __init__(self, request: "Request", answer: "cache.CachedAnswer | None", today: int, pid: int = 0) -> None:
        """`today` is the day of its start (since 1970); `pid` is the process that the run is: the launcher itself, unless it attached to another."""
        self.request = request
        self.answer = answer
        self.today = today
        self.pid = pid or posix.getpid()
        self.id = self.log = b""  # chosen before the command starts only where it has a target log
        self.record: "Record | None" = None
        self.git = 0
        self.env = posix.environ
        self.home: "paths.Home | None" = None  # found where it cannot hold the command up
        self.ended: "Moment | None" = None  # where the command's end was noticed before its status was known

    def environment(self) -> "dict[bytes, bytes]":
        """The command's environment: as we got it, and for make with the probe in it. Whatever fails, make is left alone."""
        env = child_environment()
        answer = self.answer
        if answer is None or not answer.probe or not (self.request.wrap or b"make" in self.request.argv[0]):
            return env
        try:
            from innerloop.core.launcher import probe  # noqa: PLC0415

            home = paths.Home(self.env)
            if (
                not self.is_in_log_of_another(env, answer)
                and is_make(self.request.argv)
                and self.begin_log(home)
                and self.hold_log(home) >= 0
            ):
                return probe.environment(env, answer.probe, self.log)
        except BaseException:  # noqa: BLE001, S110 (the border)
            pass
        return env

    def is_in_log_of_another(self, env: "dict[bytes, bytes]", answer: "cache.CachedAnswer") -> bool:
        """Whether this make's targets belong to a run that goes on around it."""
        from innerloop.core.launcher import probe  # noqa: PLC0415

        if probe.VARIABLE not in env or (self.request.wrap and answer.seed):
            return False
        from innerloop.core.launcher.nesting import is_member  # noqa: PLC0415

        return is_member(env[probe.VARIABLE], answer.spool, posix.getpid())

    def begin_log(self, home: "paths.Home") -> bytes:
        """Choose the run's id and make its target log; b"" where targets cannot be seen."""
        from innerloop.core.launcher import probe, record  # noqa: PLC0415

        assert self.answer is not None
        run_id = record.random_id().encode()
        home.owner.enter()
        try:
            self.log = probe.begin_log(self.answer.probe, self.answer.spool, run_id, self.env)
        finally:
            home.owner.leave()
        self.id = run_id if self.log else b""
        return self.log

    def hold_log(self, home: "paths.Home") -> int:
        """Lock the target log, for as long as this process lives; return the descriptor that must stay open, or -1 where there is none."""
        from innerloop.core.launcher import probe  # noqa: PLC0415

        if not self.log:
            return -1
        home.owner.enter()
        try:
            return probe.hold(self.log)
        except OSError:  # a file system without locks: nothing is written into the log
            return -1
        finally:
            home.owner.leave()

    def begin(self, started: "Moment") -> None:
        """Begin the record while the command runs. Whatever fails stays here."""
        guarded(self, self._begin, started)

    def finish(self, status: "int | None") -> bool:
        """Finish the record and start the sender where it is due. Whatever fails stays here. Returns True: we are done with it."""
        guarded(self, self._finish, status)
        return True

    def _begin(self, started: "Moment") -> None:
        """Resolve the answer first where it is not known."""
        from innerloop.core.launcher import record  # noqa: PLC0415
        from innerloop.core.shared import container, names  # noqa: F401, PLC0415 (imports come before `enter`: root's own may be root's alone)

        self.home = paths.Home(self.env)
        if self.home.shared:
            from innerloop.core.launcher import nesting  # noqa: F401, PLC0415 (as above; `is_inside` may need it)
        late = self.answer is None
        if late:
            from innerloop.core.consent.apply import for_launcher  # noqa: PLC0415

            self.home.owner.enter()
            self.answer = for_launcher(self.env, time.time)
        answer = self.answer
        if answer is None or action_of(answer, self.env, self.today) != MEASURE:
            return
        self.home.owner.enter()
        if not (self.request.wrap and answer.seed) and self.is_inside(answer.spool, late):
            self.discard_log()
            return
        self.record = record.begin(answer.spool, facts(self.request, answer, self.home, started, self.pid), self.id)
        if self.record is None:
            self.discard_log()
        if self.record and answer.git:
            project = answer.project_file.rpartition(b"/")[0]
            self.git = record.ask_git(self.record, self.home, project)

    def is_inside(self, spool: bytes, late: bool) -> bool:
        """Whether this command is part of a run that is being measured already. Nearly always no other run is under way."""
        others = [name for name in posix.listdir(spool + b"/run") if len(name) == 36]  # what git said has longer names
        if not late and not others:
            return False
        from innerloop.core.launcher import nesting  # noqa: PLC0415

        above = self.pid if self.pid != posix.getpid() else posix.getppid()
        return nesting.outer(spool, above, late) != b""

    def discard_log(self) -> None:
        """Take the target log away again: there is no record that it belongs to."""
        if self.log:
            posix.unlink(self.log)

    def _finish(self, status: "int | None") -> None:
        ended = self.ended or Moment()
        answer = self.answer
        if self.record is None or self.home is None or answer is None:
            return
        from innerloop.core.launcher import record  # noqa: PLC0415

        self.home.owner.enter()
        self.record.finish(status, ended.awake, ended.boot)
        # Only now: whoever leaves writes the no first and empties `new` afterwards, so one of us sees the other.
        if cache.fingerprint(answer.consent) != answer.consent_print and not self.still_agreed(answer):
            self.record.withdraw()
            self.record = None
            return
        self.reap_git()  # the first process of a container may never do that for us
        if not answer.away and record.delivery_due(answer.spool, time.time()):
            self.home.owner.leave()
            record.start_delivery(self.env, answer.testvar)

    def reap_git(self) -> None:
        """Let git's process go once it has said what it knows: a zombie below us could be seen."""
        try:
            if self.git and posix.waitpid(self.git, posix.WNOHANG)[0]:
                self.git = 0
        except ChildProcessError:  # a thread of ours was faster
            self.git = 0

    def still_agreed(self, answer: "cache.CachedAnswer") -> bool:
        """The consent file changed meanwhile: tell whether the answer in it is still the same."""
        from innerloop.core.consent.apply import for_launcher  # noqa: PLC0415

        now = for_launcher(self.env, time.time)
        return now is not None and (now.serial, now.mode) == (answer.serial, answer.mode)

    def talk(self, status: int) -> None:
        """Invite the developer, or print a test's event: only where somebody waits for it."""
        answer = self.answer
        if answer is None or self.home is None:
            return
        testing = environment.test_value(self.env, answer.testvar)
        if action_of(answer, self.env, self.today) == INVITE and (status == 0 or testing):
            from innerloop.core.asking.invitation import invite  # noqa: PLC0415

            self.home.owner.enter()
            invite(self.env, time.time)
        elif testing and self.request.wrap and self.record is not None:
            from innerloop.core.asking.invitation import print_event  # noqa: PLC0415

            self.home.owner.enter()
            print_event(self.env, time.time, self.record.id.decode(), self.git)


def measure(request: "Request", answer: "cache.CachedAnswer | None", today: int, far: bool = False) -> None:
    """Run the command with its record. Does not return.

    `answer` is None where the sources must be asked; `far` says that our files may hang.
    """
    run = Run(request, answer, today)
    started = Moment()
    try:
        child = Child(request.argv, run.environment())
    except OSError as error:
        if error.errno in NO_PROCESS:
            become(request.argv)
        posix._exit(complain(request.argv, error))
    record: "Run | RecordThread" = run
    if far:
        from innerloop.core.shared.deadline import RecordThread  # noqa: PLC0415

        record = RecordThread(run.begin, run.finish)
    record.begin(started)
    try:
        child.wait(run.reap_git)
    except BaseException:  # noqa: BLE001 (the command runs already: whatever fails, it must be waited for)
        child.status = posix.waitpid(child.pid, 0)[1]
    if record.finish(child.exit_status()):  # else our files hang, and nothing is said after the command
        guarded(run, run.talk, child.exit_status())
    end_like(child, as_number=request.wrap)


def guarded(run: "Run", step: "Callable[[Any], None]", argument: "Any") -> None:
    """The border: whatever fails in a step of ours stays here, and whoever it acted as, we are ourselves again."""
    try:
        step(argument)
    except BaseException:  # noqa: BLE001, S110
        pass
    try:
        if run.home is not None:
            run.home.owner.leave()
    except BaseException:  # noqa: BLE001, S110
        pass
