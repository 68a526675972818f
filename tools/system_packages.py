"""What the tests need of the system beyond what the README names, and how Debian calls it.

usage: system_packages.py

Installs what is missing where it may: as root, with apt. Elsewhere it says in one line what is missing. Nothing fails here:
a test that needs what is not there is skipped, and the end of the test run lists these packages once more.

It runs before anything else is installed, so it needs nothing but the standard library.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# what a test asks for (a command, or a pattern of files) -> the package that brings it
PACKAGES = {
    "git": "git",
    "strace": "strace",
    "ps": "procps",
    "ip": "iproute2",
    "openssl": "openssl",
    "zsh": "zsh",
    "fish": "fish",
    "/usr/share/bash-completion/bash_completion": "bash-completion",
    "/usr/lib/*/faketime/libfaketime.so.1": "faketime",
    "bindfs": "bindfs",
    "debootstrap": "debootstrap",
    "qemu-aarch64-static": "qemu-user-static",
    "systemd-analyze": "systemd",
    "sudo": "sudo",
    "npm": "npm",
    "/usr/lib/*/perl/*/Time/HiRes.pm": "perl",  # the base system's perl has no clock
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "chromium": "chromium",
}
# Unpacked below the checkout and not installed: Debian starts them as services.
UNPACKED = {"prometheus": ROOT / ".cache" / "prometheus"}


def main() -> int:
    """Install what is missing, or say what is."""
    wanted = missing()
    if not wanted:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"setup: some tests will be skipped, for they need what only root can install, on Debian: {' '.join(wanted)}")
        return 0
    print(f"setup: installing what the tests need, with apt: {' '.join(wanted)}", flush=True)
    _apt("update")
    installed = [package for package in wanted if package not in UNPACKED]
    if installed and not _install(*installed):  # one that cannot be had must not keep the others away
        for package in installed:
            _install(package)
    for package in set(wanted) & UNPACKED.keys():
        _unpack(package, UNPACKED[package])
    if left := missing():
        print(f"setup: apt could not bring these, and the tests that need them are skipped: {' '.join(left)}", file=sys.stderr)
    return 0


def found(wanted: str) -> str | None:
    """Find a command, or a file that matches a pattern."""
    if wanted.startswith("/"):
        return next(iter(sorted(glob.glob(wanted))), None)
    unpacked = UNPACKED.get(PACKAGES.get(wanted, ""))
    return shutil.which(wanted) or (shutil.which(wanted, path=str(unpacked / "usr" / "bin")) if unpacked else None)


def missing() -> list[str]:
    """List the packages of whatever is not here."""
    return list(dict.fromkeys(package for wanted, package in PACKAGES.items() if found(wanted) is None))


def _install(*packages: str) -> bool:
    return _apt("install", "-y", "--no-install-recommends", *packages)


def _unpack(package: str, directory: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        if _apt("-o", "APT::Sandbox::User=root", "download", package, directory=place):
            for archive in Path(place).glob("*.deb"):
                subprocess.run(["dpkg-deb", "--extract", archive, directory], check=False)


def _apt(*words: str, directory: str | None = None) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *words]
    done = subprocess.run(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"setup: {' '.join(command)} failed: {done.stderr.strip()[-300:]}", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
