"""What a test needs of the system. Where it is not there the test is skipped, loudly: tools/system_packages.py lists what Debian calls it."""

import pytest

from tools.system_packages import PACKAGES, found  # by its folder: programs of tests import this too, without pytest's path


def need(wanted: str) -> str:
    """Find a command, or a file that matches a pattern; skip the test where there is none."""
    if there := found(wanted):
        return there
    pytest.skip(reason(wanted))


def reason(wanted: str) -> str:
    """Say what was not tested for lack of something."""
    return f"NOT TESTED: {wanted} is not here (Debian: {PACKAGES[wanted]})"


def lacking(error: BaseException) -> str:
    """Say what a test lacked, where that alone is why it failed; else nothing."""
    name = str(error.filename) if isinstance(error, FileNotFoundError) else ""
    return reason(name) if name in PACKAGES and found(name) is None else ""
