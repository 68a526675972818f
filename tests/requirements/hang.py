"""Run a command on a machine where a file system hangs. Started inside a mount namespace.

usage: hang.py DIRECTORY COMMAND...

Whoever asks DIRECTORY anything waits until the command is over, as with a file server that does not answer.
"""

import ctypes
import os
import subprocess
import sys

NOT_TRIED = 77  # as automake's tests say it


def main() -> int:
    """Mount over the directory what never answers, run the command, end as it ended (128 + n for a signal)."""
    directory, command = sys.argv[1], sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        print(f"/dev/fuse: {error.strerror}", file=sys.stderr)
        return NOT_TRIED
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"hung", os.fsencode(directory), b"fuse", 0, options):
        print(f"mount: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        return NOT_TRIED
    status = subprocess.run(command, check=False).returncode
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
