"""Whether this runs in a container: the one judge for events, the question and doctor."""

import posix

from innerloop.core.shared.paths import MOUNT, Home

MARKS = (b"/.dockerenv", b"/run/.containerenv", b"/run/systemd/container")  # of Docker, Podman; of LXC and nspawn where systemd starts
KEYS = (b"container", b"KUBERNETES_SERVICE_HOST")  # what engines, and Kubernetes, put into the environment


def container_mark(home: Home) -> bytes:
    """What says that this is a container, the engine's mark or our own; b"" where nothing does."""
    if home.shared:
        return MOUNT
    for mark in MARKS:
        try:
            posix.stat(mark)
        except OSError:
            continue
        return mark
    for key in KEYS:
        if home.env.get(key):
            return key
    return b""
