"""Make this checkout ready, from a bare Python >= 3.11: uv into .uv/, everything that uv.lock names into .venv/.

`make setup` runs it with whatever `python3` is on PATH. It needs nothing but the standard library, not even `venv`, which
Debian splits off. uv is one file out of the wheel whose address and SHA-256 uv.lock holds. It may not download an interpreter.
"""

import io
import os
import platform
import subprocess
import sys
import zipfile

if sys.version_info < (3, 11):  # noqa: UP036 - this file is also started by the interpreters that it refuses
    version = "{}.{}".format(*sys.version_info[:2])
    sys.exit(
        f"setup: innerloop needs Python 3.11 or newer to be developed; {sys.executable} is {version}. Try: make PYTHON=python3.12 setup"
    )

from locked import ROOT, Artefact, download, locked

UV = ROOT / ".uv" / "bin" / "uv"


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
    wheel = _fitting(package.wheels)
    try:
        with zipfile.ZipFile(io.BytesIO(download(wheel))) as archive:
            program = archive.read(f"uv-{package.version}.data/scripts/uv")
        UV.parent.mkdir(parents=True, exist_ok=True)
        temporary = UV.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(program)
        temporary.chmod(0o755)
        temporary.replace(UV)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SetupError(f"uv could not be fetched from {wheel.url}, and the first set-up needs a network: {error}") from error


def sync() -> None:
    """Bring .venv/ to exactly what uv.lock says, with the interpreter that runs this."""
    python = getattr(sys, "_base_executable", None) or sys.executable
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    command = [UV, "sync", "--quiet", "--locked", "--python", python]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=False)
    except OSError as error:
        raise SetupError(f"{UV} does not run here: {error}") from error
    if done.returncode:
        raise SetupError("uv could not install what uv.lock names; why stands above. The first set-up needs a network")


def _version_of_uv() -> str:
    try:
        answer = subprocess.run([UV, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.split()[1]


def _fitting(wheels: tuple[Artefact, ...]) -> Artefact:
    """Find the wheel for this machine."""
    system = {"Darwin": "macosx", "Linux": "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"}.get(platform.system(), "?")
    for wheel in wheels:
        name = wheel.url.rpartition("/")[2]
        if system in name and name.endswith(f"_{platform.machine()}.whl"):
            return wheel
    raise SetupError(f"there is no uv for {platform.system()} on {platform.machine()}")


if __name__ == "__main__":
    sys.exit(main())
