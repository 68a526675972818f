"""Make this checkout ready, from a bare Python >= 3.11: uv into .uv/, everything that uv.lock names into .venv/.

`make setup` runs it with whatever `python3` is on PATH. It needs nothing but the standard library. uv comes from the
package index through pip, in the version and with the hashes that uv.lock holds, and may not download an interpreter.
"""

import os
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - this file is also started by the interpreters that it refuses
    version = "{}.{}".format(*sys.version_info[:2])
    sys.exit(
        f"setup: innerloop needs Python 3.11 or newer to be developed; {sys.executable} is {version}. Try: make PYTHON=python3.12 setup"
    )

from locked import ROOT, locked

UV_HOME = ROOT / ".uv"
UV = UV_HOME / "bin" / "uv"


class SetupError(Exception):
    """What stops the set-up, said in one line."""


def main() -> int:
    """Set up, or say in one line what is missing."""
    try:
        install_uv()
        sync()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


def install_uv() -> None:
    """Put the pinned uv into .uv/, unless it is there."""
    package = locked("uv")
    if _version_of_uv() == package.version:
        return
    _make_environment()
    hashes = " ".join(f"--hash=sha256:{wheel.sha256}" for wheel in package.wheels)
    requirements = UV_HOME / "requirements.txt"
    requirements.write_text(f"uv=={package.version} {hashes}\n", encoding="utf-8")
    _run("pip could not install uv", UV_HOME / "bin" / "python", "-m", "pip", "install", "--quiet",
         "--disable-pip-version-check", "--only-binary=:all:", "--require-hashes", "-r", requirements)  # fmt: skip


def sync() -> None:
    """Bring .venv/ to exactly what uv.lock says, with the interpreter that runs this."""
    _run("uv could not install what uv.lock names", UV, "sync", "--quiet", "--locked", "--python", _base_python())


def _version_of_uv() -> str:
    try:
        answer = subprocess.run([UV, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.split()[1]


def _make_environment() -> None:
    if not _has_venv():
        _install_venv()
    _run("python3 -m venv failed", _base_python(), "-m", "venv", "--clear", UV_HOME)


def _has_venv() -> bool:
    """Debian splits ensurepip off: the module `venv` alone says nothing."""
    code = "import ensurepip, venv; ensurepip.version()"
    return subprocess.run([_base_python(), "-c", code], capture_output=True, check=False).returncode == 0


def _install_venv() -> None:
    if os.geteuid() != 0 or not Path("/usr/bin/apt-get").exists():
        raise SetupError("this Python cannot make virtual environments. On Debian: sudo apt-get install python3-venv")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["/usr/bin/apt-get", "install", "-y", "-qq", "python3-venv"]
    if subprocess.run(install, capture_output=True, check=False, env=os.environ | environment).returncode:
        _run("apt-get update failed", "/usr/bin/apt-get", "update", "-qq", **environment)
        _run("apt-get could not install python3-venv", *install, **environment)
    if not _has_venv():
        raise SetupError(f"{_base_python()} cannot make virtual environments, python3-venv or not. Try: make PYTHON=/usr/bin/python3 setup")


def _base_python() -> str:
    return getattr(sys, "_base_executable", None) or sys.executable


def _run(complaint: str, *command: object, **extra: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")}
    environment.update(extra, UV_PYTHON_DOWNLOADS="never")
    try:
        done = subprocess.run([str(word) for word in command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False)
    except OSError as error:
        raise SetupError(f"{complaint}: {error}") from error
    if done.returncode:
        raise SetupError(f"{complaint} (its exit status was {done.returncode}; what it said stands above)")


if __name__ == "__main__":
    sys.exit(main())
