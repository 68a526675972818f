"""Can the developer's home hold a spool? Asked before a command touches it, when a person agrees, and by `doctor`."""

import os
import secrets

from innerloop.core.consent.resolve import Context
from innerloop.core.shared import files, mounts, paths
from innerloop.core.shared.deadline import TooLate, in_time
from innerloop.core.shared.terminal import Failure
from innerloop.core.spool import layout

PATIENCE = 3.0  # s that a home may take to answer a person


def network(context: Context) -> str:
    """Name the kind of file system that the state directory is on where it is one that may hang, else return an empty string."""
    try:
        kind = mounts.kind_of(os.fsencode(context.state), paths.mount_table())
    except OSError:
        return ""
    return kind.decode("ascii", "replace") if kind.startswith(paths.MAY_HANG) else ""


def answer_in_time(context: Context) -> None:
    """Raise Failure instead of hanging where the home does not answer."""
    if not paths.may_hang(context.env):
        return
    home = os.fsdecode(context.env.get(b"HOME", b""))
    try:
        in_time(PATIENCE, lambda: [os.path.exists(path) for path in (home, context.state, context.config)])
    except TooLate:
        raise Failure(
            f"{home} did not answer within {PATIENCE:.0f} s, so nothing was read or changed; commands run unmeasured. Try again when it does."
        ) from None


def carries(context: Context, key: str) -> None:
    """Try what a spool needs: a directory, a file, a lock and a rename. Raises Failure; leaves no file."""
    path = f"{context.spool(key)}/trial-{secrets.token_hex(4)}"
    try:
        for directory in (context.state, os.path.dirname(context.spool(key)), context.spool(key)):
            files.private_directory(directory)
        with layout.locked(context.spool(key), os.path.basename(path)):
            os.rename(path, f"{path}.renamed")
    except (OSError, files.UnusableFile) as error:
        raise Failure(
            f"nothing was agreed to, because runs cannot be kept here: {error}. Set XDG_STATE_HOME to a directory that works."
        ) from error
    finally:
        files.remove(path)
        files.remove(f"{path}.renamed")


def note(context: Context) -> str:
    """What somebody should know who agrees with such a home; empty where it is on this machine."""
    kind = network(context)
    return kind and (
        f"Your home is on a file system that may hang ({kind}). Commands do not wait for it, but runs may go unrecorded "
        "while it does. XDG_STATE_HOME can name a directory of this machine instead."
    )
