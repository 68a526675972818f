"""Make a running service's system calls fail, or take their time."""

import subprocess
import time
from pathlib import Path
from typing import Self

from tests.collector.support import Collector
from tests.needs import need


class Saboteur:
    """Injects faults, in the words of strace: `fdatasync:error=EIO`. From its making until `leave`, or as a context."""

    def __init__(self, collector: Collector, *faults: str) -> None:
        need("strace")
        assert collector.process is not None
        self._log = collector.directory / "trace"
        calls = ",".join(fault.partition(":")[0] for fault in faults)
        words = ["strace", "-f", "-qq", "-p", str(collector.process.pid), "-o", str(self._log), "-e", f"trace={calls}", "-e", "signal=none"]
        self._process = subprocess.Popen([*words, *(word for fault in faults for word in ("-e", f"inject={fault}"))])
        status = Path(f"/proc/{collector.process.pid}/status")
        deadline = time.monotonic() + 20
        while "TracerPid:\t0" in status.read_text() and time.monotonic() < deadline:
            assert self._process.poll() is None, "strace cannot attach here"
            time.sleep(0.02)
        time.sleep(0.3)  # until it has attached to every thread

    def leave(self) -> str:
        """Stop, and return what was traced."""
        self._process.terminate()
        self._process.wait(30)
        return self._log.read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
