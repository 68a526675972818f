"""Read what the launcher and git wrote down about one run."""

import os
import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Optional

HEAD = "innerloop-run 1"
LATEST = 4_102_444_800  # s since 1970: the year 2100
LONGEST = 1 << 62  # ns that any machine was up
STATUSES = range(-128, 256)  # an exit status, or minus the signal
_NUMBER = re.compile("-?[0-9]{1,19}")
SUSPENDED_AFTER = 1_000_000_000  # ns by which the clocks differ when the machine slept


class Unreadable(ValueError):
    """A record cannot be read: it was cut short by a power failure, or is not ours."""


class GitFacts(NamedTuple):
    """The checkout when the run started."""

    commit_time: float  # s since 1970
    commit_iso: str  # committer date with its offset, as git prints it
    branch: str  # full name of the branch that HEAD names, or ``
    default: str  # full name of origin's default branch, or ``

    @property
    def on_master(self) -> bool:
        """Whether HEAD symbolically is master (the founding system's meaning)."""
        return self.branch == "refs/heads/master"

    @property
    def on_default(self) -> bool:
        """Whether HEAD symbolically is the default branch; main or master where origin does not say."""
        if self.default:
            return self.branch.rpartition("/")[2] == self.default.rpartition("/")[2]
        return self.branch in ("refs/heads/main", "refs/heads/master")


class RunFacts(NamedTuple):
    """One run, exact, as only this machine knows it. Times in ns; no end where the launcher was killed."""

    id: str
    serial: str
    digest: str
    mode: str  # on, or local: then it is for this machine's eyes only, whatever holds later
    name: str  # the listed name, or other
    local_name: str  # as typed: never leaves
    type: str
    actor: str
    test: str
    root: str  # path of the project file
    wall: int
    awake: int
    boot: int
    container: bool = False  # whether it ran in a container; a record that does not say so is not counted as one
    end: "Optional[tuple[Optional[int], int, int]]" = None  # status (None where nobody could read it), awake, boot
    git: Optional[GitFacts] = None
    changes: "Optional[tuple[str, ...]]" = None  # the open ones that the checkout had, where that was looked for
    inferred: bool = False  # whether the exit status is what the targets tell, because nobody could read it

    @property
    def start(self) -> float:
        """Start, s since 1970."""
        return self.wall / 1e9

    @property
    def ended(self) -> float:
        """End, s since 1970; the start where the launcher was killed."""
        return (self.wall + (self.end[2] - self.boot if self.end else 0)) / 1e9

    @property
    def status(self) -> Optional[int]:
        """Exit status, or minus the signal; None where the launcher was killed, or nobody could read it."""
        return self.end[0] if self.end else None

    @property
    def duration_ms(self) -> Optional[int]:
        """How long the machine was awake meanwhile (ms): sleeping is not waiting."""
        return max(self.end[1] - self.awake, 0) // 1_000_000 if self.end else None

    @property
    def suspended(self) -> bool:
        """Whether the machine slept during the run."""
        return bool(self.end) and (self.end[2] - self.boot) - (self.end[1] - self.awake) > SUSPENDED_AFTER  # type: ignore[index]


def parse(run_id: str, text: str, sidecar: str = "") -> RunFacts:
    """Read a record and git's sidecar. Raises Unreadable."""
    head, *lines = text.split("\n")
    values = dict(line.split(" ", 1) for line in lines if " " in line)
    try:
        if head != HEAD:
            raise Unreadable("not a record of this version")
        wall, awake, boot = map(_number, values["start"].split())
        end = None
        if "end" in values and lines[-1] == "":  # a line that was written whole
            status, end_awake, end_boot = values["end"].split()
            end = (None if status == "-" else _number(status), _number(end_awake), _number(end_boot))
        if not _may_be(wall, awake, boot, end):
            raise Unreadable("a number of it cannot be")
        if not is_plain(values["root"]):
            raise Unreadable("its project file has no absolute path")
        return RunFacts(
            run_id, values["serial"], values["digest"], values["mode"], values["name"], values["local"], values["type"],
            values["actor"], values["test"], values["root"], wall, awake, boot, values.get("container") == "1", end, parse_git(sidecar),
            tuple(values["changes"].split()) if "changes" in values else None,
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise Unreadable(f"cut short: {error}") from error


def _may_be(wall: int, awake: int, boot: int, end: "Optional[tuple[Optional[int], int, int]]") -> bool:
    """Whether the numbers of a record are ones that the launcher could write: moments that some field of the plan can say."""
    status, end_awake, end_boot = end or (None, awake, boot)
    moments = (wall, wall + end_boot - boot)
    return (
        all(0 <= moment < LATEST * 1_000_000_000 for moment in moments)
        and all(0 <= clock < LONGEST for clock in (awake, boot, end_awake, end_boot))
        and (status is None or status in STATUSES)
    )


def is_plain(path: str) -> bool:
    """Whether a project file's path is absolute and as short as it can be: it means one file, wherever we stand."""
    return path.startswith("/") and not path.startswith("//") and path != "/" and os.path.normpath(path) == path


def _number(word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise ValueError("no number, or one that is too large")
    return int(word)


def parse_git(sidecar: str) -> Optional[GitFacts]:
    """Read what git wrote; None outside a checkout, or where git had not finished, or where the commit names a time before 1970 or after 2099."""
    values = dict(line.split(" ", 1) for line in sidecar.splitlines() if " " in line)
    words = values.get("commit", "").split()
    if len(words) != 2 or "default" not in values:
        return None
    try:
        seconds = int(words[0])
        if not 0 <= seconds < LATEST:  # no value of the plan says when that was, and the run must not stay for it
            return None
        moment = datetime.fromtimestamp(seconds, _zone(words[1]))
    except (ValueError, OverflowError, OSError):  # a commit holds what its author wrote
        return None
    return GitFacts(moment.timestamp(), moment.isoformat(), values.get("head", "").strip(), values.get("default", "").strip())


def _zone(offset: str) -> timezone:
    """The time zone of a commit, such as +0530; UTC where it is none, as git has it."""
    if not re.fullmatch("[+-][0-9]{4}", offset):
        return timezone.utc
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes)) if minutes < 1440 else timezone.utc
