"""make's own regression suite cannot tell that it is measured. Runs where MAKE_SOURCE names GNU make's unpacked and built source."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_makes_own_suite_fails_nothing_more_with_the_probe() -> None:
    source = os.environ.get("MAKE_SOURCE")
    if source is None:
        pytest.skip("MAKE_SOURCE is not set: make's own suite is NOT run (tools/make_suite.py says where to get it)")
    command = [sys.executable, ROOT / "tools" / "make_suite.py", source, "--make", os.environ.get("MAKE_UNDER_TEST", f"{source}/make")]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT / "tools")}, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
