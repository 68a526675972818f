"""`python3 innerloop.pyz install`: unpack the one file, so that `innerloop` is a command that starts fast.

    SHARE/innerloop/VERSION/   what a wheel would install: bin/innerloop, and the package below lib/
    BIN/innerloop              a link to it

SHARE is XDG_DATA_HOME or ~/.local/share and BIN is ~/.local/bin; with --to DIR, DIR/share and DIR/bin.
"""

import compileall
import os
import secrets
import shutil
import sys
import zipfile
from typing import Optional

from innerloop import __version__
from innerloop.core.shared.terminal import Failure, say
from innerloop.tools.output import show
from innerloop.tools.setup import leftovers

SCRIPT = "bin/innerloop"
LIBRARY = "lib/python3/site-packages"


def install(env: "dict[bytes, bytes]", to: Optional[str]) -> int:
    """Unpack this version beside the others, point the link to it, and remove the others. Says what it wrote."""
    archive = getattr(globals()["__loader__"], "archive", None)
    if archive is None:
        raise Failure("this innerloop is installed already; `install` is for the file innerloop.pyz")
    share, binary = _where(env, to)
    link = f"{binary}/innerloop"
    if os.path.lexists(link) and not leftovers.is_link_to(link, share):
        raise Failure(f"{link} is there and is not of innerloop.pyz; remove it first, or install elsewhere with --to DIR")
    os.makedirs(share, exist_ok=True)
    os.makedirs(binary, exist_ok=True)
    version = f"{share}/{__version__}"
    _unpack(archive, version)
    temporary = f"{link}.{secrets.token_hex(4)}"
    os.symlink(os.path.relpath(f"{os.path.realpath(version)}/{SCRIPT}", os.path.realpath(binary)), temporary)
    os.replace(temporary, link)
    for name in sorted(os.listdir(share)):
        if name != __version__ and os.path.isfile(f"{share}/{name}/{SCRIPT}"):
            shutil.rmtree(f"{share}/{name}")
    show(f"{version}\n{link}")
    if binary not in os.fsdecode(env.get(b"PATH", b"")).split(os.pathsep):
        say(f"{binary} is not on your PATH: add it there, or type {link}")
    return 0


def _where(env: "dict[bytes, bytes]", to: Optional[str]) -> "tuple[str, str]":
    if to is not None:
        base = os.path.abspath(to)
        return f"{base}/share/innerloop", f"{base}/bin"
    home, data = os.fsdecode(env.get(b"HOME", b"")), os.fsdecode(env.get(b"XDG_DATA_HOME", b""))
    if not home.startswith("/"):
        raise Failure("HOME is not set; say where: python3 innerloop.pyz install --to DIR")
    return (data if data.startswith("/") else f"{home}/.local/share") + "/innerloop", f"{home}/.local/bin"


def _unpack(archive: str, version: str) -> None:
    """Write one version: complete beside its place first, so that nobody ever finds half of one."""
    new, old = (f"{os.path.dirname(version)}/.{secrets.token_hex(4)}.{what}" for what in ("new", "old"))
    try:
        with zipfile.ZipFile(archive) as file:
            for name in file.namelist():
                if name.startswith("innerloop/"):
                    file.extract(name, f"{new}/{LIBRARY}")
            file.extract(SCRIPT, new)
        os.chmod(f"{new}/{SCRIPT}", 0o755)  # noqa: S103 (a command, as a wheel leaves it)
        os.symlink(os.path.realpath(sys.executable), f"{new}/bin/python")
        compileall.compile_dir(f"{new}/{LIBRARY}", quiet=2, stripdir=new, prependdir=version)
        if os.path.lexists(version):
            os.rename(version, old)
        os.rename(new, version)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
