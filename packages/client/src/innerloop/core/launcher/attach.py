"""`innerloop attach PID GOALS [again]`: a make that was started without us asks whether its targets are to be seen.

STATE/attach.mk, which a project's GNUmakefile includes, calls this while make reads its files. It answers at once: with
the probe's directory and what makes it a member of the run, or with nothing. Where the run is measured it leaves a watcher behind
that keeps the record until make ends; make stays its caller's own process, so nothing of how it ends can change.

The watcher reads make's exit status from the kernel where that tells somebody who is not the parent (Linux 6.15,
pidfd_open(2) and PIDFD_GET_INFO in linux/pidfd.h). Elsewhere the record says that nobody could, and readers infer it.
"""

import _signal  # type: ignore[import-not-found]
import posix
import sys
import time

from innerloop.core.launcher import nesting
from innerloop.core.launcher.execute import Request
from innerloop.core.launcher.measure import Moment, Run
from innerloop.core.launcher.probe import begin_log, member
from innerloop.core.shared import cache, environment, paths, processes
from innerloop.core.shared.cache import MEASURE

GET_INFO = 0xC0000000 | 64 << 16 | 0xFF << 8 | 11  # _IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info of 64 bytes)
INFO_EXIT = 1 << 3  # PIDFD_INFO_EXIT: set in the answer once the process was reaped
EXIT_CODE = slice(60, 64)  # pidfd_info.exit_code, as wait(2) gives it
REAPED_WITHIN = 60.0  # s after make's end in which its parent is expected to look at it
LOOK_EVERY = 0.1  # s, where the system has no pidfd


def attach(request: "Request", pid: int, again: bool, today: int) -> None:
    """Answer the make whose process is `pid`: print two words or nothing. `again`: it has started over. Raises whatever went wrong, for its caller to swallow."""
    env = posix.environ
    home = paths.Home(env)
    answer = _decide(env, home, today)
    if answer is None and (again or not cache.find_project(home.uid, posix.getcwdb())):
        return  # no project, or its first watcher is asking the sources already
    if answer is not None and cache.action_of(answer, env, today) != MEASURE:
        return
    run = Run(request, answer, today, pid)
    log = b""
    if answer is not None:
        within = _outer(answer, pid, again)
        if within:
            _tell(answer, pid, _outer_log(answer, within, env))
            return
    if env.get(b"MAKELEVEL", b"0") not in (b"", b"0") and processes.below_make(pid):
        return  # that make is the run, or none
    if answer is not None:
        log = run.begin_log(home)
    _leave_watcher(run, home, Moment())
    if answer is not None:
        _tell(answer, pid, log)


def _outer(answer: "cache.CachedAnswer", pid: int, again: bool) -> bytes:
    """The id of the run that this make is part of; one that has started over is its own, once its first watcher has begun the record."""
    until = time.monotonic() + nesting.BEGUN_WITHIN
    while True:
        within = nesting.outer(answer.spool, pid)
        if within or not again or time.monotonic() > until:
            return within
        time.sleep(0.002)


def _tell(answer: "cache.CachedAnswer", pid: int, log: bytes) -> None:
    if log:
        posix.write(1, b"%s %s\n" % (answer.probe, member(pid, log)))


def _decide(env: "dict[bytes, bytes]", home: "paths.Home", today: int) -> "cache.CachedAnswer | None":
    """The answer that the hot file holds; None where the sources must be asked. Raises PermissionError where nothing may be recorded."""
    if cache.forbidden(env, home):
        raise PermissionError
    found = cache.find_project(home.uid, posix.getcwdb())
    if found is None or cache.ci_job(env):
        return None
    answer = cache.read(home, *found, today)
    return None if answer is None or environment.test_value(env, answer.testvar) else answer


def _outer_log(answer: "cache.CachedAnswer", within: bytes, env: "dict[bytes, bytes]") -> bytes:
    """The log of the run that this make is part of, made where it has none yet: a script that was measured as a command calls make."""
    log = b"%s/targets/%s" % (answer.spool, within)
    try:
        posix.stat(log)
    except OSError:
        return begin_log(answer.probe, answer.spool, within, env)
    return log if answer.probe else b""


def _leave_watcher(run: "Run", home: "paths.Home", started: "Moment") -> None:
    """Fork the watcher, out of reach of make's terminal, and return once it holds the log; it never does."""
    try:
        handle = posix.pidfd_open(run.pid)
    except (AttributeError, OSError):  # another system, or Linux before 5.3
        handle = -1
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT, _signal.SIGHUP, _signal.SIGTERM, _signal.SIGQUIT))
    holds, held = posix.pipe()
    if posix.fork():
        posix.close(held)
        posix.read(holds, 1)  # or it ended
        return
    try:
        posix.setsid()
        _let_go(handle, run.hold_log(home), held)
        posix.close(held)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
        _watch(run, started, handle)
    except BaseException:  # noqa: BLE001, S110 (nobody is there who could be told)
        pass
    posix._exit(0)


def _let_go(*kept: int) -> None:
    """Hold nothing of make's but the handle, and the log: an open pipe would keep make waiting, or a job server's slot."""
    from innerloop.core.launcher.record import open_descriptors  # noqa: PLC0415

    null = posix.open(b"/dev/null", posix.O_RDWR | posix.O_CLOEXEC)
    for number in (0, 1, 2):
        posix.dup2(null, number)
    for number in open_descriptors():
        if number > 2 and number not in kept:
            posix.close(number)


def _watch(run: "Run", started: "Moment", handle: int) -> None:
    """Keep the record until make ends."""
    run.begin(started)
    if run.record is None:
        return
    if handle >= 0:
        _wait_for_end(handle, run)
        run.ended = Moment()
        run.finish(_status_of(handle))
    else:
        _wait_until_gone(run.pid, run)
        run.finish(None)


def _wait_for_end(handle: int, run: "Run") -> None:
    import select  # noqa: PLC0415

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    git = posix.pidfd_open(run.git) if run.git else -1
    if git >= 0:
        poll.register(git, select.POLLIN)
    while handle not in (ended := [number for number, _ in poll.poll()]):
        run.reap_git()
        for number in ended:
            poll.unregister(number)


def _status_of(handle: int) -> "int | None":
    """The exit status of a process that ended, or minus its signal; None where the kernel does not tell.

    It tells once the process was reaped by its parent, who may be reading its output to the end first.
    """
    import fcntl  # noqa: PLC0415

    until = time.monotonic() + REAPED_WITHIN
    pause = 0.001
    while True:
        info = bytearray(64)
        info[0] = INFO_EXIT
        try:
            fcntl.ioctl(handle, GET_INFO, info)
        except OSError as error:
            if error.errno != 3:  # ESRCH: not reaped yet. Anything else: a kernel that does not know the call
                return None
        else:
            if info[0] & INFO_EXIT:
                return posix.waitstatus_to_exitcode(int.from_bytes(info[EXIT_CODE], sys.byteorder))
        if time.monotonic() > until:
            return None
        time.sleep(pause)
        pause = min(pause * 2, 0.25)


def _wait_until_gone(pid: int, run: "Run") -> None:
    """Wait until a process is no more, where the system has no handles of processes; how it ended is not known (macOS, untested)."""
    while True:
        try:
            posix.kill(pid, 0)
        except PermissionError:
            pass
        except OSError:
            return
        run.reap_git()
        time.sleep(LOOK_EVERY)
