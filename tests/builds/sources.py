"""Other people's sources, out of source distributions whose address and SHA-256 stand in uv.lock, unpacked once under .cache/."""

import io
import os
import shutil
import tarfile
from pathlib import Path

from locked import download, locked

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache" / "builds"


def unpacked(package: str, inside: str) -> Path:
    """Return a directory that holds what lies at `inside` of a package's archive. Raises OSError where it cannot be fetched."""
    sdist = locked(package).sdist
    assert sdist is not None, f"{package} has no source distribution"
    target = CACHE / f"{package}-{sdist.sha256[:12]}" / Path(inside).name
    if not target.is_dir():
        new = target.with_name(f".{os.getpid()}-{target.name}")
        shutil.rmtree(new, ignore_errors=True)
        _unpack(download(sdist), inside, new)
        new.rename(target)
    return target


def _unpack(archive: bytes, inside: str, target: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            name = member.name.partition("/")[2]
            if not name.startswith(f"{inside}/") or not member.isfile() or ".." in Path(name).parts:
                continue  # by hand: Debian 12's Python 3.11.2 has no extraction filters yet
            path = target / name.removeprefix(f"{inside}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            path.write_bytes(source.read() if source else b"")
            path.chmod(member.mode & 0o755)
            os.utime(path, (1_600_000_000, 1_600_000_000))  # all alike, so that nothing is out of date
