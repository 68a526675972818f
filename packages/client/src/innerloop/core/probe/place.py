"""Where the probe is kept, ready for make: STATE/probe/DIGEST/, which outlives the package it came from.

A Makefile may write the shim's path into files that it makes, and builds may be running while innerloop is upgraded or
removed: so a directory is never changed, a new version is a new directory, and old ones stay for a month.
"""

import errno
import functools
import hashlib
import os
import re
import shutil
import tempfile

from innerloop.core.shared import files

HERE = os.path.dirname(__file__)
SHELLS = ("sh", "bash", "dash", "ksh", "rksh", "zsh", "ash", "other", "exec")  # make treats shells by their names
OLD = ("make-4.2", "make-3.81")  # the shim does as these makes did, where it is called by a name below them
LINKS = tuple(f"{old}{name}" for old in ("", *(f"{name}/" for name in OLD)) for name in SHELLS)
PLAIN = re.compile(r"/[A-Za-z0-9._/+@,-]+")  # what make and every shell take as it stands
KEEP = 30 * 24 * 3600  # s that a directory of another version stays after it was last prepared
DIGEST = re.compile(r"[0-9a-f]{12}")
UNFINISHED = re.compile(r"\.(?:new|old)-[a-z0-9_]{8}")  # a directory that is being built, or that makes room: tempfile's names


def prepare(state: str) -> "tuple[str, str]":
    """Make the directory where it is not there already.

    Returns its path and "", or "" and why there is none. Raises nothing that comes of the file system.
    """
    if not PLAIN.fullmatch(state):
        return "", f"{state} has characters that make does not accept in a file's name"
    if not os.access("/bin/sh", os.X_OK):
        return "", "there is no /bin/sh"
    contents = _loaded(machine())
    if not contents:
        return "", f"{HERE} cannot be read"
    digest = hashlib.sha256(b"".join(b"%s\0%d\0%s" % (name.encode(), len(text), text) for name, text in sorted(contents.items())))
    directory = f"{state}/probe/{digest.hexdigest()[:12]}"
    try:
        files.within(state, "probe")
        if os.path.islink(directory):
            files.move_aside(directory)
        if not usable(directory):
            os.utime(directory)
        else:
            _build(directory, contents)
        _tidy(f"{state}/probe", os.path.basename(directory))
    except OSError as error:
        return "", f"{state}/probe: {error.strerror}"
    reason = usable(directory)
    return ("", reason) if reason else (directory, "")


def usable(directory: str) -> str:
    """Say why make cannot use a directory of `prepare`, or return an empty string."""
    for name in ("probe.mk", "exec.sh", *(f"{old}/exec.sh" for old in OLD)):
        if not os.access(f"{directory}/{name}", os.R_OK):
            return f"{directory}/{name} is missing"
    for name in LINKS:
        if not os.path.isfile(f"{directory}/{name}"):
            return f"{directory}/{name} is missing"
        if not os.access(f"{directory}/{name}", os.X_OK):
            return f"{directory}/{name} cannot be run: its mode, or the file system is mounted noexec"
    return ""


def machine() -> str:
    """Name the compiled shim that fits this machine, such as linux-x86_64; there may be none."""
    system = os.uname()
    architecture = {"amd64": "x86_64", "arm64": "aarch64"}.get(system.machine, system.machine)
    return f"{system.sysname.lower()}-{architecture}"


@functools.lru_cache(maxsize=None)
def _loaded(kind: str) -> "dict[str, bytes]":
    """The files by their names for a kind of machine, or none of them where they cannot be read. Out of a zip file as well."""
    try:
        try:
            shim = _read(f"bin/{kind}")
        except OSError:
            shim = _read("shim.sh")
        return {"probe.mk": _read("probe.mk"), "exec.sh": _read("exec.sh"), "sh": shim}
    except OSError:
        return {}


def _read(name: str) -> bytes:
    loader = globals()["__loader__"]
    data: bytes = loader.get_data(os.path.join(HERE, *name.split("/")))
    return data


def _build(directory: str, contents: "dict[str, bytes]") -> None:
    """Make a directory beside its place, then move it there, unless somebody else was faster. A broken one is moved out of the way."""
    parent = os.path.dirname(directory)
    new = tempfile.mkdtemp(prefix=".new-", dir=parent)
    try:
        _fill(new, directory, contents)
        if not _move(new, directory) and usable(directory):
            os.rename(directory, tempfile.mkdtemp(prefix=".old-", dir=parent))
            _move(new, directory)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _move(new: str, directory: str) -> bool:
    try:
        os.rename(new, directory)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        return False
    return True


def _fill(new: str, directory: str, contents: "dict[str, bytes]") -> None:
    for name, text in contents.items():
        _write(f"{new}/{name}", text if name == "sh" and not text.startswith(b"#!") else text.replace(b"@DIR@", directory.encode()))
    for old in OLD:
        os.mkdir(f"{new}/{old}", 0o700)
        os.chmod(f"{new}/{old}", 0o700)
        _write(f"{new}/{old}/exec.sh", contents["exec.sh"].replace(b"@DIR@", f"{directory}/{old}".encode()))
    for name in LINKS[1:]:
        try:
            os.link(f"{new}/sh", f"{new}/{name}")
        except OSError:
            shutil.copy(f"{new}/sh", f"{new}/{name}")


def _write(path: str, text: bytes) -> None:
    mode = 0o700 if os.path.basename(path) == "sh" else 0o600
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(text)
    os.chmod(path, mode)  # whatever the umask took away


def _tidy(parent: str, current: str) -> None:
    """Remove what other versions left, when no build can be using it any more."""
    before = os.lstat(f"{parent}/{current}").st_mtime - KEEP  # it was prepared just now
    for name in os.listdir(parent):
        ours = DIGEST.fullmatch(name) or UNFINISHED.fullmatch(name)
        if ours and name != current and os.lstat(f"{parent}/{name}").st_mtime < before:
            shutil.rmtree(f"{parent}/{name}", ignore_errors=True)


# Read at once: whoever acts as the owner of shared files later (root in a container) may no longer read their own package.
_loaded(machine())
