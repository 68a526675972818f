"""The programs that innerloop itself starts, beside the developer's command: which file, in which environment, for how long.

docs/transparency.md lists them. A repository is somebody else's: it may stand where PATH has a relative entry, and what is
started may be told by its files to wait for ever. So a program is taken from an absolute entry of PATH outside of the
project, gets a few variables and none of the caller's others, and is ended with everything that it started.

The launcher uses this: only `output` imports more than posix.
"""

import posix

PATH = b"/usr/local/bin:/usr/bin:/bin"  # where the environment names none
KEPT = (b"HOME", b"XDG_CONFIG_HOME")  # where programs find what their user configured
MOST_PRINTED = 16 << 20  # bytes; what prints more is not listened to


def environment(env: "dict[bytes, bytes]") -> "dict[bytes, bytes]":
    """What a program of ours gets of an environment. LD_LIBRARY_PATH is not in it: an empty entry there is the working directory."""
    kept = {key: env[key] for key in KEPT if env.get(key, b"").startswith(b"/")}
    return {**kept, b"LC_ALL": b"C", b"PATH": b":".join(_absolute(env)) or PATH}


def _absolute(env: "dict[bytes, bytes]") -> "list[bytes]":
    return [directory for directory in env.get(b"PATH", PATH).split(b":") if directory.startswith(b"/")]


def find(name: bytes, env: "dict[bytes, bytes]", project: bytes) -> bytes:
    """The file of a program, by PATH without its relative entries and without what is in the project; b"" where there is none."""
    for directory in _absolute(env):
        path = directory + b"/" + name
        try:
            if posix.stat(path).st_mode & 0o170000 == 0o100000 and posix.access(path, posix.X_OK) and not _is_inside(directory, project):
                return path
        except OSError:
            continue
    return b""


def _is_inside(directory: bytes, project: bytes) -> bool:
    """Whether a directory is the project's or below it, by whatever name."""
    if not project:
        return False
    top = posix.stat(project)
    while directory:
        found = posix.stat(directory)
        if (found.st_dev, found.st_ino) == (top.st_dev, top.st_ino):
            return True
        directory = directory.rstrip(b"/").rpartition(b"/")[0]
    return False


def output(argv: "list[bytes]", directory: str, env: "dict[bytes, bytes]", patience: float) -> "bytes | None":
    """What a program prints; None where it cannot be started, fails, takes longer than `patience` (s) or prints too much.

    Whatever it started in its process group is ended with it. Raises nothing.
    """
    import os  # noqa: PLC0415 (the launcher imports this module, and never calls this)
    import signal  # noqa: PLC0415
    import subprocess  # noqa: PLC0415
    import time  # noqa: PLC0415

    until = time.monotonic() + patience
    try:
        process = subprocess.Popen(
            argv,
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    assert process.stdout is not None
    with process.stdout as pipe:
        try:
            data = _read(pipe.fileno(), until)
            status = process.wait(max(until - time.monotonic(), 0))
        except (TimeoutError, subprocess.TimeoutExpired):
            return None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except OSError:
                pass  # nobody is left in it
            process.wait()
    return data if status == 0 else None


def _read(descriptor: int, until: float) -> bytes:
    """Read a pipe to its end. Raises TimeoutError where that takes too long or too much comes."""
    import os  # noqa: PLC0415
    import select  # noqa: PLC0415
    import time  # noqa: PLC0415

    data = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while len(data) <= MOST_PRINTED and poll.poll(max(until - time.monotonic(), 0) * 1000):
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return data
        data += chunk
    raise TimeoutError
