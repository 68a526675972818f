"""Read what uv.lock says about one package: the address and SHA-256 of each of its files, and fetch such a file."""

import hashlib
import tomllib
import urllib.request
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Artefact(NamedTuple):
    """A file on the package index."""

    url: str
    sha256: str


class Package(NamedTuple):
    """One locked package."""

    version: str
    wheels: tuple[Artefact, ...]
    sdist: Artefact | None


def locked(name: str) -> Package:
    """Find a package in uv.lock. Raises LookupError where it is not there."""
    document = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    for package in document["package"]:
        if package["name"] == name:
            sdist = package.get("sdist")
            return Package(
                version=package["version"],
                wheels=tuple(_artefact(wheel) for wheel in package.get("wheels", ())),
                sdist=_artefact(sdist) if sdist else None,
            )
    raise LookupError(f"{name} is not in uv.lock")


def download(artefact: Artefact) -> bytes:
    """Fetch a file. Raises OSError where that fails, ValueError where its bytes are not the locked ones."""
    with urllib.request.urlopen(artefact.url, timeout=60) as answer:  # noqa: S310 - an https address out of uv.lock
        data: bytes = answer.read()
    if hashlib.sha256(data).hexdigest() != artefact.sha256:
        raise ValueError("its SHA-256 is not the locked one")
    return data


def _artefact(entry: dict[str, str]) -> Artefact:
    return Artefact(entry["url"], entry["hash"].removeprefix("sha256:"))
