"""What kinds of file system a path leads over, by the text of proc(5)'s `mountinfo`. Read only where one of this machine's may hang."""

import posix

MOST_LINKS = 40  # as path_resolution(7)


def leads_to(path: bytes, mounts: bytes, kinds: "tuple[bytes, ...]") -> bool:
    """Follow a path from the front, links too, and stop at the first part that is on such a file system."""
    at, parts, links = b"", path.split(b"/"), 0
    while parts:
        part = parts.pop(0)
        if part in (b"", b"."):
            continue
        if part == b"..":
            at = at.rpartition(b"/")[0]
            continue
        if kind_of(at + b"/" + part, mounts).startswith(kinds):
            return True
        try:
            target = posix.readlink(at + b"/" + part)
        except OSError:
            at += b"/" + part
            continue
        links += 1
        if links > MOST_LINKS:
            return False
        at = b"" if target.startswith(b"/") else at
        parts = target.split(b"/") + parts
    return False


def kind_of(path: bytes, mounts: bytes) -> bytes:
    """Name the kind of file system that a path is on: that of the longest mount point above it, the last one if several are."""
    longest, kind = 0, b""
    for line in mounts.split(b"\n"):
        before, _, after = line.partition(b" - ")
        words = before.split(b" ")
        if len(words) < 5:
            continue
        point = words[4].replace(b"\\040", b" ").rstrip(b"/")
        if len(point) >= longest and (path + b"/").startswith(point + b"/"):
            longest, kind = len(point), after.partition(b" ")[0]
    return kind
